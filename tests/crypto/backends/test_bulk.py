"""SM3 is found in hashlib, else in libcrypto, else in pyca/cryptography, and all agree."""

import hashlib

import pytest
from cryptography.hazmat.bindings._rust import _openssl

from crypto import libcrypto
from crypto.backends import bulk
from crypto.backends.bulk import Bulk
from crypto.words import LiuheError, Refused, Words

_NEW = hashlib.new
EXPECTED = {size: Bulk().sm3(bytes(size)).digest() for size in (0, 1, 64, 1000)}


def _without_sm3(name: str, data: bytes = b"") -> object:
    if name == "sm3":
        raise ValueError("unsupported hash type sm3")
    return _NEW(name, data)


def _no_libcrypto(_: bytes) -> None:
    raise LiuheError("libcrypto-missing", *([Words("无", "none")] * 2))


def check(source: str) -> None:
    """The source by its name, and that it hashes like the others."""
    name, make = bulk.sm3_source.__wrapped__()
    assert name.startswith(source)
    for size in EXPECTED:
        data = bytes(size)
        running = make(data[: size // 2])
        running.digest()
        running.update(data[size // 2 :])
        assert running.digest() == EXPECTED[size]
        assert running.hexdigest() == running.digest().hex()


def test_hashlib_serves() -> None:
    check("hashlib")


def test_falls_back_to_libcrypto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "new", _without_sm3)
    check("OpenSSL")


def test_falls_back_to_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "new", _without_sm3)
    monkeypatch.setattr(libcrypto, "Sm3Context", _no_libcrypto)
    check("cryptography")


def test_a_wrong_tag_is_a_refusal_whatever_error_another_call_left_behind() -> None:
    lib, ffi = _openssl.lib, _openssl.ffi
    junk = ffi.from_buffer(b"no certificate")
    source = lib.BIO_new_mem_buf(junk, len(junk))
    lib.PEM_read_bio_X509(source, ffi.NULL, ffi.NULL, ffi.NULL)
    lib.BIO_free(source)
    assert lib.ERR_peek_error() != 0, "the thread's error queue of OpenSSL holds a stranger's error"
    opening = Bulk().sm4_open(b"k" * 16, b"n" * 12, b"")
    opening.update(b"abc")
    with pytest.raises(Refused, match="sm4-tag"):
        opening.finalize(b"t" * 16)
