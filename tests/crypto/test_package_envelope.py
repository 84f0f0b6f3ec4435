"""The header's bytes: strict lengths, strict lists, and nothing but Refused from any bytes."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import package_envelope as envelope
from crypto.package_envelope import CHUNK_BYTES, Clear, WrappedKey, decode_inner, encode_inner, read_clear
from crypto.package_format import Signature
from crypto.words import Refused

KEY = WrappedKey("ab" * 32, b"w" * 120)
SIGNATURE = Signature(role="author", key_id="cd" * 32, value=bytes(64), certificates=(b"der",))


def clear(**changes: Any) -> Clear:
    members: dict[str, Any] = {
        "package": "11" * 16,
        "prefix": b"prefix!!",
        "content_bytes": 5,
        "recipients": (KEY, KEY._replace(key_id="ef" * 32)),
    }
    return Clear(**{**members, **changes})


def read(data: bytes) -> Clear:
    return read_clear(io.BytesIO(data))[0]


def test_clear_part_is_read_back() -> None:
    data = clear().encode(99)
    assert read_clear(io.BytesIO(data + b"rest")) == (clear(), data, 99)
    assert len(data) == 54 + 2 * (34 + 120)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, b"X"),
        (7, b"\2"),
        (8, b"\xff\xff\xff\xff"),
        (8, b"\0\0\0\x36"),
        (12, b"\xff\xff\xff\xff"),
        (12, b"\0\0\0\x10"),
        (40, b"\0\0\x10\0"),
        (44, b"\xff"),
        (52, b"\0\0"),
        (52, b"\0\1"),
        (52, b"\0\3"),
        (52, b"\xff\xff"),
        (86, b"\0\0"),
        (86, b"\0\xff"),
    ],
)
def test_impossible_numbers_are_refused(place: int, value: bytes) -> None:
    data = bytearray(clear().encode(99))
    data[place : place + len(value)] = value
    with pytest.raises(Refused):
        read(bytes(data))


def test_every_cut_is_refused() -> None:
    data = clear().encode(99)
    for size in range(len(data)):
        with pytest.raises(Refused):
            read(data[:size])


def test_short_reads_are_put_together() -> None:
    class Slow(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            return super().readinto(memoryview(buffer)[:3])

    assert read_clear(Slow(clear().encode(99)))[0] == clear()


def test_inner_part_is_read_back() -> None:
    data = encode_inner(b"{}", (SIGNATURE, SIGNATURE))
    assert decode_inner(data) == (b"{}", (SIGNATURE, SIGNATURE))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\0[]",
        b"\0\0\0\x05{}",
        encode_inner(b"{}", ()),
        encode_inner(b"{}", (SIGNATURE,) * 9),
        encode_inner(b"{}", (SIGNATURE,)) + b" ",
        encode_inner(b"{}", (Signature(role="A", key_id="cd" * 32, value=bytes(64)),)),
        encode_inner(b"{}", (Signature(role="a", key_id="cd", value=bytes(64)),)),
        encode_inner(b"{}", (Signature(role="a", key_id="cd" * 32, value=bytes(63)),)),
        encode_inner(b"{}", (Signature(role="a", key_id="cd" * 32, value=bytes(64), certificates=(b"",)),)),
        encode_inner(
            b"{}", (Signature(role="a", key_id="cd" * 32, value=bytes(64), certificates=(b"d",) * 6),)
        ),
    ],
)
def test_inner_parts_that_break_a_rule_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        decode_inner(data)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 2000), st.integers(0, 2000))
def test_any_bytes_are_refused(data: bytes, clear_bytes: int, sealed_bytes: int) -> None:
    with pytest.raises(Refused):
        read(data)
    start = envelope.MAGIC + clear_bytes.to_bytes(4, "big") + sealed_bytes.to_bytes(4, "big")
    with pytest.raises(Refused):
        read(start + data)
    with pytest.raises(Refused):
        decode_inner(len(data).to_bytes(4, "big") + data)


def test_counts_and_sizes_of_chunks() -> None:
    assert [envelope.chunk_count(size) for size in (0, 1, CHUNK_BYTES, CHUNK_BYTES + 1)] == [1, 1, 1, 2]
    assert [envelope.plain_bytes(CHUNK_BYTES + 1, index) for index in (0, 1)] == [CHUNK_BYTES, 1]
    assert envelope.nonce(b"prefix!!", 1) == b"prefix!!\0\0\0\1"
    assert envelope.associated(b"d" * 32, 1, envelope.LAST) == b"d" * 32 + b"\0\0\0\1\1"
