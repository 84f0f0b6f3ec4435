"""SM2 key exchange (GB/T 32918.3-2016): two parties reach one key and prove it to each other.

Each side makes an ``Exchange``, sends ``point``, receives the other's, calls ``agree`` and compares proofs:

    ours = Exchange(key, initiator=True)        # send ours.point
    agreed = ours.agree(peer_key, peer_point, 16)
    agreed.confirm(their_proof)                 # send agreed.proof; Refused where the proofs differ

The key may be used only after ``confirm``: without it nothing shows that the peer holds its private key.
The multiplications by private numbers take libcrypto's constant-time ladder; the sum d + x * r before
them is computed by Python and is not constant-time.
"""

from typing import Final, NamedTuple

from crypto.backends.exchange import exchange_point
from crypto.backends.interface import Backend
from crypto.kdf import sm3_kdf
from crypto.sm2 import DEFAULT_ID, Sm2PrivateKey, Sm2PublicKey
from crypto.sm2_forms import on_curve
from crypto.sm3 import new, same_digest
from crypto.words import LiuheError, Refused, Words

_RESPONDER: Final = b"\x02"
_INITIATOR: Final = b"\x03"


class Agreement(NamedTuple):
    """What one side holds after the exchange."""

    key: bytearray
    proof: bytes  # for the peer
    expected: bytes  # from the peer

    def confirm(self, received: bytes) -> None:
        """Return silently, or raise Refused: the peer did not reach the same key."""
        if not same_digest(self.expected, received):
            raise Refused(
                "sm2-exchange",
                Words("密钥协商确认值不符", "the peer's proof of the key exchange is wrong"),
                Words("请拒绝该对端并重新发起", "refuse this peer and start again"),
            )


class Exchange:
    """One side of one exchange; it serves once."""

    __slots__ = ("_backend", "_ephemeral", "_identity", "_initiator", "_own", "point")

    def __init__(
        self,
        own: Sm2PrivateKey,
        *,
        initiator: bool,
        identity: bytes = DEFAULT_ID,
        ephemeral: Sm2PrivateKey | None = None,
        backend: Backend | None = None,
    ) -> None:
        self._own, self._identity, self._initiator = own, identity, initiator
        self._backend = backend
        self._ephemeral: Sm2PrivateKey | None = ephemeral or Sm2PrivateKey.generate(backend=backend)
        self.point: Final = self._ephemeral.public.point

    def agree(
        self, peer: Sm2PublicKey, peer_point: bytes, size: int, *, peer_identity: bytes = DEFAULT_ID
    ) -> Agreement:
        """The key of ``size`` bytes with both proofs. Raises Refused where the peer's point is no point."""
        ephemeral, self._ephemeral = self._ephemeral, None
        if ephemeral is None:
            raise LiuheError(
                "sm2-exchange-used",
                Words("一次密钥协商只能使用一次", "a key exchange serves once"),
                Words("请重新发起协商", "start another exchange"),
            )
        if not on_curve(peer_point):
            raise exchange_point()
        shared = self._own.handle.agree(ephemeral.handle, peer.point, peer_point)
        ours, theirs = self._own.public.za(self._identity), peer.za(peer_identity)
        points = self.point[1:], peer_point[1:]
        if not self._initiator:
            ours, theirs = theirs, ours
            points = points[::-1]
        inner = new(shared[:32] + ours + theirs + points[0] + points[1], backend=self._backend).digest()
        proofs = [
            new(mark + shared[32:] + inner, backend=self._backend).digest()
            for mark in (_INITIATOR, _RESPONDER)
        ]
        key = sm3_kdf(shared + ours + theirs, size, backend=self._backend)
        proof, expected = proofs if self._initiator else proofs[::-1]
        return Agreement(key, proof, expected)
