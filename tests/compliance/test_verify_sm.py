"""The kit's own SM3 and SM2 agree with the product's."""

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.verify_sm import sm2_verify, sm3_pure
from crypto.sm2 import Sm2PrivateKey
from crypto.sm3 import sm3


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_its_sm3_is_sm3(data: bytes) -> None:
    assert sm3_pure(data) == sm3(data)


KEY = Sm2PrivateKey.generate()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=50), st.integers(0, 511))
def test_its_sm2_agrees(message: bytes, bit: int) -> None:
    signature = KEY.sign(message)
    point = KEY.public.point
    assert sm2_verify(point, message, signature, sm3)
    assert not sm2_verify(point, message + b".", signature, sm3)
    flipped = (int.from_bytes(signature, "big") ^ (1 << bit)).to_bytes(64, "big")
    assert not sm2_verify(point, message, flipped, sm3)
    assert not sm2_verify(point[:-1] + bytes((point[-1] ^ 1,)), message, signature, sm3)
    assert not sm2_verify(point, message, bytes(64), sm3)
    assert not sm2_verify(point, message, signature[:-1], sm3)
