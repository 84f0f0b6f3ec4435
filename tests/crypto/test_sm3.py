"""SM3: the standard's values, streaming, HMAC, and both implementations against each other."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import libcrypto, sm3


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


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=150), st.lists(st.binary(max_size=80), max_size=4))
def test_running_hmac_equals_one_shot(key: bytes, parts: list[bytes]) -> None:
    running = sm3.HmacSm3(bytearray(key))
    for part in parts:
        running.update(part).digest()
    assert running.digest() == sm3.hmac_sm3(key, b"".join(parts))


def test_updates_chain() -> None:
    running = sm3.Sm3(b"a").update(b"b").update(b"c")
    assert running.digest() == sm3.sm3(b"abc")
    assert running.hexdigest() == sm3.sm3_hex(b"abc")
