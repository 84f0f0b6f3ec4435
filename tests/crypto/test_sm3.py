"""SM3: the standard's values, streaming, HMAC, and both implementations against each other."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import libcrypto, sm3
from crypto.words import LiuheError


def test_standard_values() -> None:
    assert sm3.sm3_hex(b"abc").startswith("66c7f0f462eeedd9d1f2d46bdc10e4e2")
    assert sm3.sm3(b"abcd" * 16).hex().startswith("debe9ff92275b8a138604889c18e5a4d")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=6))
def test_streaming_equals_one_shot_in_both_implementations(parts: list[bytes]) -> None:
    running, other = sm3.new(), libcrypto.Sm3Context()
    for part in parts:
        running.update(part)
        other.update(part)
    whole = sm3.sm3(b"".join(parts))
    assert running.digest() == other.digest() == whole
    assert running.hexdigest() == other.hexdigest() == whole.hex()


def test_digest_does_not_end_the_stream() -> None:
    running = libcrypto.Sm3Context(b"a")
    running.digest()
    running.update(b"bc")
    assert running.hexdigest() == sm3.sm3_hex(b"abc")


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=150), st.binary(max_size=150))
def test_hmac_equals_the_standard_library(key: bytes, data: bytes) -> None:
    if "sm3" not in hashlib.algorithms_available:
        pytest.skip("this hashlib has no sm3 to compare with")
    assert sm3.hmac_sm3(key, data) == hmac.new(key, data, "sm3").digest()
    assert sm3.same_digest(sm3.hmac_sm3(key, data), sm3.hmac_sm3(key, data))


def _hashlib_without_sm3(name: str, *_: object, **__: object) -> object:
    raise ValueError(name)


def test_falls_back_to_libcrypto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm3.hashlib, "new", _hashlib_without_sm3)
    sm3._factory.cache_clear()
    try:
        assert isinstance(sm3.new(b"abc"), libcrypto.Sm3Context)
        assert sm3.sm3_hex(b"abc").startswith("66c7f0f4")
    finally:
        sm3._factory.cache_clear()


def test_neither_implementation_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_at_all(_: bytes) -> None:
        raise LiuheError("libcrypto-missing", *([libcrypto.Words("无", "none")] * 2))

    monkeypatch.setattr(sm3.hashlib, "new", _hashlib_without_sm3)
    monkeypatch.setattr(libcrypto, "Sm3Context", none_at_all)
    sm3._factory.cache_clear()
    try:
        with pytest.raises(LiuheError, match="sm3-unavailable"):
            sm3.sm3(b"")
    finally:
        sm3._factory.cache_clear()
