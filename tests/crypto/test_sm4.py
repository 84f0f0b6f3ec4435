"""SM4: the million-fold example, limits of the modes, and pyca/cryptography's own CBC padding."""

import contextlib

import pytest
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import sm4
from crypto.backends.openssl import OpenSsl
from crypto.words import BadInput, Refused

KEY, IV, NONCE = bytes(16), bytes(range(16)), bytes(12)


def test_a_million_times() -> None:
    """GB/T 32907-2016, example 2: the block encrypted by itself as the key, a million times."""
    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    cipher = OpenSsl().sm4("ecb", block, b"", encrypt=True)
    for _ in range(1_000_000):
        block = cipher.update(block)
    assert block.hex() == "595298c7c6fd271f0402f804c33d3f66"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=100), st.binary(min_size=16, max_size=16))
def test_padding_is_pkcs7(data: bytes, key: bytes) -> None:
    padder = PKCS7(128).padder()
    padded = padder.update(data) + padder.finalize()
    sealed = sm4.cbc_encrypt(key, IV, data)
    assert OpenSsl().sm4("cbc", key, IV, encrypt=False).update(sealed) == padded
    assert sm4.cbc_decrypt(bytearray(key), IV, sealed) == data


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=96))
def test_arbitrary_bytes_open_only_with_right_padding(data: bytes) -> None:
    with contextlib.suppress(Refused):
        assert sm4.cbc_encrypt(KEY, IV, sm4.cbc_decrypt(KEY, IV, data)) == data
    with pytest.raises(Refused, match="sm4-tag"):
        sm4.gcm_open(KEY, NONCE, data)
    with pytest.raises(Refused, match="sm4-tag"):
        sm4.ccm_open(KEY, NONCE, data)


def test_cbc_holds_the_last_block_back() -> None:
    sealed = sm4.cbc_encrypt(KEY, IV, bytes(32))
    opening = sm4.CbcDecrypt(KEY, IV)
    assert opening.update(sealed[:32]) == bytes(16)
    assert opening.update(sealed[32:47]) == b""
    with pytest.raises(Refused, match="sm4-padding"):
        opening.finalize()


def test_limits_of_the_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm4, "GCM_BYTES_MAX", 20)
    sealing = sm4.GcmSeal(KEY, NONCE)
    sealing.update(bytes(20))
    with pytest.raises(BadInput, match="sm4-too-long"):
        sealing.update(b".")
    with pytest.raises(BadInput, match="sm4-too-long"):
        sm4.GcmOpen(KEY, NONCE).update(bytes(21))
    monkeypatch.setattr(sm4, "CCM_BYTES_MAX", 20)
    with pytest.raises(BadInput, match="sm4-too-long"):
        sm4.ccm_seal(KEY, NONCE, bytes(21))
    with pytest.raises(BadInput, match="sm4-too-long"):
        sm4.ccm_seal(KEY, NONCE, b"", bytes(0xFF00))


@pytest.mark.parametrize("size", [0, 12, 15, 17, 32])
def test_only_whole_tags_open(size: int) -> None:
    sealed = sm4.gcm_seal(KEY, NONCE, b"text")
    opening = sm4.GcmOpen(KEY, NONCE)
    opening.update(sealed[:4])
    with pytest.raises(Refused, match="sm4-tag"):
        opening.finalize((sealed[4:] * 2)[:size])


def test_single_blocks_must_be_whole() -> None:
    with pytest.raises(Refused, match="sm4-padding"):
        sm4.ecb_decrypt(KEY, bytes(17))
