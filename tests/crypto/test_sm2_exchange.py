"""SM2 key exchange: the example of the standard, the library gmalg on the other side, every refusal."""

import gmalg
import pytest
from gmalg.base import KEYXCHG_MODE

from crypto.backends.exchange import exchange_scalar
from crypto.backends.openssl import OpenSsl
from crypto.backends.reference import Reference
from crypto.sm2 import DEFAULT_ID, Sm2PrivateKey, Sm2PublicKey
from crypto.sm2_exchange import Exchange
from crypto.sm2_forms import N
from crypto.words import LiuheError, Refused

# GB/T 32918.5-2017 annex B: private numbers and ephemeral numbers of A and B, key and proofs
NUMBERS = [
    "81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029",
    "d4de15474db74d06491c440d305e012400990f3e390c7e87153c12db2ea60bb3",
    "785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5",
    "7e07124814b309489125eaed101113164ebf0f3458c5bd88335c1f9d596243d6",
]
KEY = "6c89347354de2484c60b4ab1fde4c6e5"
PROOF_A = "18c7894b3816df16cf07b05c5ec0bef5d655d58f779cc1b400a4f3884644db88"
PROOF_B = "d3a0fe15dee185ceae907a6b595cc32a266ed7b3367e9983a896dc32fa20f8eb"


@pytest.mark.parametrize("backend", [OpenSsl(), Reference()], ids=["openssl", "reference"])
def test_example_of_the_standard(backend: OpenSsl | Reference) -> None:
    a, fresh_a, b, fresh_b = (
        Sm2PrivateKey.from_scalar(bytes.fromhex(number), backend=backend) for number in NUMBERS
    )
    ours = Exchange(a, initiator=True, ephemeral=fresh_a, backend=backend)
    theirs = Exchange(b, initiator=False, ephemeral=fresh_b, backend=backend)
    left = ours.agree(b.public, theirs.point, 16)
    right = theirs.agree(a.public, ours.point, 16)
    assert left.key.hex() == right.key.hex() == KEY
    assert left.proof.hex() == PROOF_A
    assert right.proof.hex() == PROOF_B
    left.confirm(right.proof)
    right.confirm(left.proof)


@pytest.mark.parametrize("initiator", [True, False])
def test_gmalg_on_the_other_side(initiator: bool) -> None:
    ours, theirs = Sm2PrivateKey.generate(), Sm2PrivateKey.generate()
    mode = KEYXCHG_MODE.RESPONDER if initiator else KEYXCHG_MODE.INITIATOR
    other = gmalg.SM2(bytes(theirs.handle.scalar()), DEFAULT_ID, theirs.public.point)
    exchange = Exchange(ours, initiator=initiator)
    point, t = other.begin_key_exchange()
    key = other.end_key_exchange(32, t, exchange.point, DEFAULT_ID, ours.public.point, mode)
    assert exchange.agree(theirs.public, point, 32).key == key


def test_what_differs_between_the_sides_is_refused() -> None:
    a, b = Sm2PrivateKey.generate(), Sm2PrivateKey.generate()
    for identity, size, peer in (
        (b"other", 16, b.public),
        (DEFAULT_ID, 16, Sm2PrivateKey.generate().public),
    ):
        ours, theirs = Exchange(a, initiator=True), Exchange(b, initiator=False)
        left = ours.agree(peer, theirs.point, size, peer_identity=identity)
        right = theirs.agree(a.public, ours.point, 16)
        assert left.key != right.key
        with pytest.raises(Refused, match="sm2-exchange"):
            left.confirm(right.proof)
        with pytest.raises(Refused, match="sm2-exchange"):
            right.confirm(left.proof)
    both = Exchange(a, initiator=True), Exchange(b, initiator=True)
    left, right = both[0].agree(b.public, both[1].point, 16), both[1].agree(a.public, both[0].point, 16)
    with pytest.raises(Refused, match="sm2-exchange"):
        left.confirm(right.proof)


def test_an_exchange_serves_once() -> None:
    a, b = Sm2PrivateKey.generate(), Sm2PrivateKey.generate()
    ours = Exchange(a, initiator=True)
    ours.agree(b.public, b.public.point, 16)
    with pytest.raises(LiuheError, match="sm2-exchange-used"):
        ours.agree(b.public, b.public.point, 16)


@pytest.mark.parametrize("backend", [OpenSsl(), Reference()], ids=["openssl", "reference"])
def test_a_peer_that_leads_to_infinity_is_refused(backend: OpenSsl | Reference) -> None:
    fresh = Sm2PrivateKey.generate(backend=backend)
    cut = int.from_bytes(exchange_scalar(fresh.public.point), "big")
    # the static key that cancels the ephemeral one: d = -x * r mod n
    number = -cut * int.from_bytes(fresh.handle.scalar(), "big") % N
    peer = Sm2PrivateKey.from_scalar(number.to_bytes(32, "big"), backend=backend)
    ours = Exchange(Sm2PrivateKey.generate(backend=backend), initiator=True, backend=backend)
    with pytest.raises(Refused, match="sm2-exchange"):
        ours.agree(Sm2PublicKey(peer.public.point), fresh.public.point, 16)
