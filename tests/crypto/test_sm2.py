"""SM2: the standard's signature, and every way a signature or key can be wrong is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import sm2
from crypto.words import BadInput, Refused

VECTORS = Path(__file__).parents[2].parent / "shared/data/crypto/gm_standard_vectors.json"
KEY = sm2.Sm2PrivateKey.generate()
SIGNATURE = KEY.sign(b"evidence")


@pytest.fixture(name="vector")
def _vector() -> dict[str, str]:
    if not VECTORS.exists():
        pytest.skip(f"no standard vectors at {VECTORS}")
    found: dict[str, str] = json.loads(VECTORS.read_text())["sm2_sign"][0]
    return found


def test_standard_signature_and_der_forms(vector: dict[str, str]) -> None:
    public = sm2.Sm2PublicKey.from_spki(bytes.fromhex(vector["spki_der_hex"]))
    raw = bytes.fromhex(vector["r_hex"] + vector["s_hex"])
    public.verify(vector["message_ascii"].encode(), raw)
    assert sm2.Pair.of(raw).der().hex() == vector["signature_der_hex"]
    assert sm2.Pair.from_der(bytes.fromhex(vector["signature_der_hex"])).raw() == raw
    private = sm2.Sm2PrivateKey.from_pkcs8(bytes.fromhex(vector["pkcs8_der_hex"]))
    assert private.pkcs8().hex() == vector["pkcs8_der_hex"]
    assert private.public.spki() == public.spki()
    public.verify(b"other", private.sign(b"other"))


def test_identity_is_part_of_the_signature() -> None:
    with pytest.raises(Refused):
        KEY.public.verify(b"evidence", SIGNATURE, user_id=b"ALICE123@YAHOO.COM")
    named = KEY.sign(b"evidence", user_id=b"ALICE123@YAHOO.COM")
    KEY.public.verify(b"evidence", named, user_id=b"ALICE123@YAHOO.COM")
    with pytest.raises(BadInput):
        KEY.sign(b"evidence", user_id=b"")


def test_another_key_is_refused() -> None:
    with pytest.raises(Refused):
        sm2.Sm2PrivateKey.generate().public.verify(b"evidence", SIGNATURE)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 511))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    flipped = (int.from_bytes(SIGNATURE, "big") ^ (1 << bit)).to_bytes(64, "big")
    with pytest.raises(Refused):
        KEY.public.verify(b"evidence", flipped)


@pytest.mark.parametrize("r", [0, sm2.N, sm2.N + 1, 2**256 - 1])
@pytest.mark.parametrize("part", [0, 1])
def test_numbers_out_of_range_are_refused(r: int, part: int) -> None:
    halves = [SIGNATURE[:32], SIGNATURE[32:]]
    halves[part] = r.to_bytes(32, "big")
    with pytest.raises(Refused, match="outside"):
        KEY.public.verify(b"evidence", b"".join(halves))


def test_r_shifted_by_n_is_refused() -> None:
    pair = sm2.Pair.of(SIGNATURE)
    if pair.r + sm2.N < 2**256:
        with pytest.raises(Refused):
            KEY.public.verify(b"evidence", sm2.Pair(pair.r + sm2.N, pair.s).raw())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_arbitrary_bytes_are_never_a_signature(data: bytes) -> None:
    with pytest.raises(Refused):
        KEY.public.verify(b"evidence", data)
    with pytest.raises(Refused):
        sm2.Pair.from_der(data)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, sm2.N - 1), st.integers(1, sm2.N - 1))
def test_der_round_trip(r: int, s: int) -> None:
    pair = sm2.Pair(r, s)
    assert sm2.Pair.from_der(pair.der()) == pair == sm2.Pair.of(pair.raw())
    with pytest.raises(Refused):
        sm2.Pair.from_der(pair.der() + b"\0")


def test_points_off_the_curve_are_refused() -> None:
    point = KEY.public.point
    for wrong in (
        point[:-1] + bytes((point[-1] ^ 1,)),
        b"\x04" + bytes(64),
        b"\x02" + point[1:],
        point[:-1],
        b"\x04" + (sm2.P + 1).to_bytes(32, "big") + point[33:],
    ):
        with pytest.raises(BadInput, match="key-malformed"):
            sm2.Sm2PublicKey(wrong)


def test_private_key_whose_halves_disagree_is_refused() -> None:
    other = sm2.Sm2PrivateKey.generate()
    mixed = KEY.pkcs8()[:-65] + other.public.point
    with pytest.raises(BadInput, match="key-malformed"):
        sm2.Sm2PrivateKey.from_pkcs8(mixed)


def test_scalar_zero_is_refused() -> None:
    der = KEY.pkcs8()
    at = der.index(KEY.handle.scalar())
    with pytest.raises(BadInput, match="key-malformed"):
        sm2.Sm2PrivateKey.from_pkcs8(der[:at] + bytes(32) + der[at + 32 :])


def test_buffers_given_are_wiped() -> None:
    der = KEY.pkcs8_buffer()
    assert sm2.Sm2PrivateKey.from_pkcs8(der).public.point == KEY.public.point
    assert der == bytearray(len(der))
    scalar = KEY.handle.scalar()
    assert sm2.Sm2PrivateKey.from_scalar(scalar).public.point == KEY.public.point  # the point is computed
    assert scalar == bytearray(32)
    bad = bytearray(b"\xff" * 32)
    with pytest.raises(BadInput):
        sm2.Sm2PrivateKey.from_scalar(bad)
    assert bad == bytearray(32)


def test_functions_take_an_identity() -> None:
    signature = sm2.sign(KEY, b"text", identity=b"ALICE123@YAHOO.COM")
    sm2.verify(KEY.public, b"text", signature, identity=b"ALICE123@YAHOO.COM")
    with pytest.raises(Refused):
        sm2.verify(KEY.public, b"text", signature)
    sm2.verify(KEY.public, b"text", KEY.sign(b"text"))  # and the default again, after another
    assert sm2.decrypt(KEY, sm2.encrypt(KEY.public, bytearray(b"key"))) == b"key"


class Zeros:
    """A backend's key whose key stream is all zeros the first time."""

    def __init__(self) -> None:
        self.times = 0

    def encrypt(self, data: bytes) -> bytes:
        """C2 is the text itself, then something else."""
        self.times += 1
        return bytes(97) + (data if self.times == 1 else bytes(byte ^ 1 for byte in data))

    def decrypt(self, data: bytes) -> bytes:
        """As bad."""
        return data[97:]


def test_a_key_stream_of_zeros_is_not_used() -> None:
    key = sm2.Sm2PrivateKey.generate()
    zeros = Zeros()
    object.__setattr__(key.public, "_handle", zeros)
    assert key.public.encrypt(b"a")[97:] == b"`"
    assert zeros.times == 2
    sealed = KEY.public.encrypt(b"text")
    object.__setattr__(key, "_handle", zeros)
    with pytest.raises(Refused, match="sm2-ciphertext"):
        key.decrypt(sealed)


def test_short_texts_always_round_trip() -> None:
    for number in range(600):  # one in 256 needs another k
        text = bytes((number % 256,))
        assert KEY.decrypt(KEY.public.encrypt(text)) == text
