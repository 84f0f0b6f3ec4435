"""Headers of both versions come back as they were, mend one flipped bit, and newer ones are named."""

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import LiuheError
from sensors.segment_header import HEADER_BYTES, Header, pack_header, refuse_newer, unpack_header

FIRST = Header("bulk", 1_790_000_000, 41, 40, 0xDEADBEEF12345678, bytes(range(32)))
SECOND = FIRST._replace(
    version=2,
    sensor="web01",
    key_id=bytes(range(8)),
    previous_first=7,
    previous_bytes=999,
    created_ms=1_790_000_000_000,
    packing=1,
    pack_salt=5,
)


@settings(max_examples=60, deadline=None)
@given(header=st.sampled_from([FIRST, SECOND]), bit=st.integers(0, 128 * 8 - 1), rest=st.binary(max_size=300))
def test_a_header_with_one_flipped_bit_is_mended(header: Header, bit: int, rest: bytes) -> None:
    data = bytearray(pack_header(header))
    assert len(data) == header.size == HEADER_BYTES[header.version]
    data[bit >> 3] ^= 1 << (bit & 7)
    assert unpack_header(bytes(data) + rest) == header


@pytest.mark.parametrize("header", [FIRST, SECOND])
def test_a_header_beyond_repair_is_none(header: Header) -> None:
    data = bytearray(pack_header(header))
    data[30:40] = bytes(10)
    assert unpack_header(bytes(data)) is None
    assert unpack_header(bytes(20)) is None
    assert unpack_header(b"") is None
    refuse_newer(bytes(data), "x")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_can_be_looked_at(data: bytes) -> None:
    assert unpack_header(data) is None
    refuse_newer(data, "x")


def test_a_sound_header_of_a_later_version_is_refused_and_named() -> None:
    body = pack_header(SECOND)[:8] + (3).to_bytes(2, "little") + (300).to_bytes(2, "little") + bytes(284)
    data = body + google_crc32c.value(body).to_bytes(4, "little")
    assert unpack_header(data) is None
    with pytest.raises(LiuheError) as caught:
        refuse_newer(data, "file")
    assert caught.value.code == "log-format-newer"
    refuse_newer(data[:-1] + b"\0", "file")
    assert not FIRST.sealed
    assert SECOND.sealed
