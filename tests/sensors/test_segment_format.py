"""Frames are found again behind damage, and hostile bytes cost bounded work."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.segment_format import End, frame_fits, pack_frame, scan, seed_of
from sensors.segment_header import Header

HEADER = Header("bulk", 1_790_000_000, 41, 40, 0xDEADBEEF12345678, bytes(range(32)))
SEED = seed_of(HEADER.salt)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400), whole=st.booleans())
def test_any_bytes_can_be_scanned(data: bytes, whole: bool) -> None:
    found = scan(data, 0, HEADER, expected=41, before=None, whole=whole)
    assert found.frames == []
    frame_fits(data, 0)


def test_frames_are_read_up_to_limits() -> None:
    data = b"".join(pack_frame(SEED, 41 + n, 7, b"%d" % n) for n in range(10))
    found = scan(data, 0, HEADER, expected=41, before=None, whole=True)
    assert [(frame.sequence, frame.flags, frame.payload) for frame in found.frames] == [
        (41 + n, 7, b"%d" % n) for n in range(10)
    ]
    assert (found.end, found.expected, found.offset) == (End.CLEAN, 51, len(data))
    assert scan(data, 0, HEADER, expected=41, before=None, whole=True, limit_bytes=1).end is End.LIMIT
    assert scan(data[:-1], 0, HEADER, expected=41, before=None, whole=False).end is End.SHORT
    assert scan(data[:-1], 0, HEADER, expected=41, before=None, whole=True).end is End.INVALID
    assert [f.sequence for f in scan(data, 0, HEADER, expected=41, before=43, whole=True).frames] == [41, 42]
    assert [
        f.sequence for f in scan(data, 0, HEADER, expected=41, before=None, whole=True, after=49).frames
    ] == [50]


def test_the_search_behind_damage_is_bounded() -> None:
    hostile = (b"\xff" * 4 + b"\0" * 30) * 60_000
    began = time.process_time()
    assert scan(hostile, 0, HEADER, expected=1, before=None, whole=True).end is End.INVALID
    assert time.process_time() - began < 5
