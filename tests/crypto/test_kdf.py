"""Key derivation against OpenSSL, pyca/cryptography and the definition."""

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import kdf
from crypto.backends.reference import Reference
from crypto.sm3 import sm3
from crypto.words import BadInput


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=100), st.integers(1, 200))
def test_sm3_kdf_is_its_definition(z: bytes, size: int) -> None:
    blocks = b"".join(sm3(z + counter.to_bytes(4, "big")) for counter in range(1, 9))
    assert kdf.sm3_kdf(bytearray(z), size) == blocks[:size]


@settings(max_examples=20, deadline=None)
@given(
    st.binary(min_size=1, max_size=100), st.binary(max_size=40), st.integers(1000, 2000), st.integers(1, 100)
)
def test_pbkdf2_is_openssl_s(password: bytes, salt: bytes, rounds: int, size: int) -> None:
    if "sm3" not in hashlib.algorithms_available:
        pytest.skip("this hashlib has no sm3 to compare with")
    expected = hashlib.pbkdf2_hmac("sm3", password, salt, rounds, size)
    assert kdf.pbkdf2(bytearray(password), salt, rounds, size) == expected


@pytest.mark.slow
def test_pbkdf2_of_the_reference_agrees() -> None:
    assert kdf.pbkdf2(b"password", b"salt", 1000, 40, backend=Reference()) == kdf.pbkdf2(
        b"password", b"salt", 1000, 40
    )


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=40), st.integers(1, 300))
def test_hkdf_is_pyca_s(secret: bytes, salt: bytes, info: bytes, size: int) -> None:
    expected = HKDF(hashes.SM3(), size, salt, info).derive(secret)
    assert kdf.hkdf(bytearray(secret), salt, info, size) == expected


def test_parameters_out_of_range_are_bad_input() -> None:
    calls: tuple[Callable[[], bytearray], ...] = (
        lambda: kdf.sm3_kdf(b"", 0),
        lambda: kdf.sm3_kdf(b"", kdf.SIZE_MAX + 1),
        lambda: kdf.hkdf(b"", b"", b"", kdf.HKDF_SIZE_MAX + 1),
        lambda: kdf.pbkdf2(b"", b"", 999, 16),
        lambda: kdf.pbkdf2(b"", b"", kdf.PBKDF2_ROUNDS_MAX + 1, 16),
        lambda: kdf.pbkdf2(b"", b"", 1000, 0),
    )
    for call in calls:
        with pytest.raises(BadInput, match="kdf-parameter"):
            call()
