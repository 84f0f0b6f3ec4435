"""libcrypto: found, new enough, and clear words where it is not."""

import ssl

import pytest

from crypto import libcrypto
from crypto.words import BadInput, LiuheError


def test_library_is_found_and_new_enough() -> None:
    assert libcrypto.library().OpenSSL_version_num() >= libcrypto.VERSION_MIN
    assert libcrypto.version().startswith("OpenSSL")


def test_no_library_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "_candidates", lambda: ["libcrypto-of-nowhere.so.9"])
    with pytest.raises(LiuheError, match="libcrypto-missing"):
        libcrypto.library.__wrapped__()


def test_library_too_old_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "VERSION_MIN", 0xF000_0000)
    with pytest.raises(LiuheError, match="libcrypto-missing"):
        libcrypto.library.__wrapped__()


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x03\x02\x01\x00", b"A" * 91, b"\xff" * 5000])
def test_hostile_der_is_refused(der: bytes) -> None:
    with pytest.raises(BadInput, match="key-malformed"):
        libcrypto.Sm2Handle.from_spki(der)
    with pytest.raises(BadInput, match="key-malformed"):
        libcrypto.Sm2Handle.from_pkcs8(der)


def test_a_key_of_another_curve_is_refused() -> None:
    p256 = bytes.fromhex(
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    with pytest.raises(BadInput, match="not one SM2 key"):
        libcrypto.Sm2Handle.from_spki(p256)


def test_trailing_bytes_are_refused() -> None:
    with pytest.raises(BadInput, match="key-malformed"):
        libcrypto.Sm2Handle.from_spki(libcrypto.Sm2Handle.generate().spki() + b"\0")


def test_no_error_is_left_for_ssl() -> None:
    key = libcrypto.Sm2Handle.generate()
    assert not key.verify(b"x", b"not der", b"1234567812345678")
    assert libcrypto.library().ERR_get_error() == 0
    ssl.create_default_context()
