"""libcrypto: found, new enough, and clear words where it is not."""

import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from crypto import libcrypto
from crypto.sm2_forms import N
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
    assert not key.verify_digest(bytes(32), b"not der")
    assert key.decrypt(b"not der") is None
    assert libcrypto.library().ERR_get_error() == 0
    ssl.create_default_context()


def test_a_point_off_the_curve_is_refused_by_the_library_too() -> None:
    spki = libcrypto.Sm2Handle.generate().spki()
    with pytest.raises(BadInput, match="key-malformed"):
        libcrypto.Sm2Handle.from_spki(spki[:-1] + bytes((spki[-1] ^ 1,)))


def test_one_key_serves_many_threads() -> None:
    key = libcrypto.Sm2Handle.generate()

    def work(number: int) -> bool:
        digest = number.to_bytes(32, "big")
        sealed = key.encrypt(digest)
        return key.verify_digest(digest, key.sign_digest(digest)) and key.decrypt(sealed) == digest

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))
    assert 1 <= len(key._pools["sign"]) <= 8


def test_infinity_is_none() -> None:
    point = libcrypto.Sm2Handle.generate().spki()[-65:]
    minus_one = (N - 1).to_bytes(32, "big")
    assert libcrypto.combine(b"\1", point) == point
    assert libcrypto.combine(minus_one, point, point) is None
    with pytest.raises(LiuheError, match="libcrypto-failed"):
        libcrypto.combine(b"\1", point[:-1] + bytes((point[-1] ^ 1,)))


def test_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "_candidates", list)
    with pytest.raises(LiuheError) as caught:
        libcrypto.library.__wrapped__()
    assert "liuhe[native]" in caught.value.fix.en
    assert "native" in caught.value.fix.zh
