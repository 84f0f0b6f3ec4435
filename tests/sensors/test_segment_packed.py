"""A packed segment gives its frames back, mends one flipped bit, and never gives a wrong frame."""

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors import segment_packed
from sensors.segment_format import End, Frame, Scan, pack_frame, seed_of
from sensors.segment_header import NO_KEY, Header
from sensors.segment_packed import frame_bytes, mend, pack, scan_packed
from sensors.segment_seal import Keys, Seal

KEYS = Keys([bytes(range(16))], sealing=True)
HEADER = Header("bulk", 9, 41, 40, 1234, version=2, packing=1, pack_salt=99)
FRAMES = [Frame(41 + n, 3 if n < 70 else 4, b"event %d " % n * (n % 50), 9) for n in range(100)]


def sealed(key: bytes) -> tuple[Header, Seal | None]:
    header = HEADER._replace(key_id=key)
    return header, KEYS.blocks(header)


def read(data: bytes, header: Header, seal: Seal | None, after: int = 0, limit: int = 1 << 62) -> Scan:
    return scan_packed(
        data, header.size, header, seal, expected=41, before=141, after=after, limit_bytes=limit
    )


@pytest.mark.parametrize("key", [NO_KEY, KEYS.current])
def test_frames_come_back(key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_packed, "BLOCK_BYTES", 2000)
    header, seal = sealed(key)
    data = pack(header, FRAMES, 99, seal)
    found = read(data, header, seal)
    assert (found.frames, found.end, found.expected, found.damages) == (FRAMES, End.CLEAN, 141, [])
    assert read(data, header, seal, after=77).frames == FRAMES[37:]
    part = read(data, header, seal, limit=1)
    assert part.end is End.LIMIT
    assert part.frames == FRAMES[: len(part.frames)]
    cut = read(data[:-1], header, seal)
    assert cut.end is End.INVALID
    assert cut.frames == FRAMES[: len(cut.frames)]
    assert read(data[: header.size] + data[part.offset :], header, seal).damages[0].first == 41


@settings(max_examples=60, deadline=None)
@given(key=st.sampled_from([NO_KEY, KEYS.current]), place=st.data())
def test_one_flipped_bit_costs_nothing_and_more_never_lie(key: bytes, place: st.DataObject) -> None:
    header, seal = sealed(key)
    whole = pack(header, FRAMES, 99, seal)
    bits = st.integers(header.size * 8, len(whole) * 8 - 1)
    data = bytearray(whole)
    first = place.draw(bits)
    data[first >> 3] ^= 1 << (first & 7)
    assert read(bytes(data), header, seal).frames == FRAMES
    for bit in place.draw(st.lists(bits, min_size=1, max_size=8, unique=True)):
        data[bit >> 3] ^= 1 << (bit & 7)
    found = read(bytes(data), header, seal)
    assert set(found.frames) <= set(FRAMES)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_can_be_scanned(data: bytes) -> None:
    found = scan_packed(data, 0, HEADER, None, expected=41, before=None)
    assert found.frames == []


@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=200), seed=st.integers(0, 2**32 - 1), place=st.data())
def test_mending_finds_the_bit(data: bytes, seed: int, place: st.DataObject) -> None:
    crc = google_crc32c.extend(seed, data)
    bit = place.draw(st.integers(0, len(data) * 8 - 1))
    wrong = bytearray(data)
    wrong[bit >> 3] ^= 1 << (bit & 7)
    assert mend(bytes(wrong), crc, seed) == data
    assert mend(data, crc ^ 8, seed) == data
    wrong[bit >> 3] ^= 0xFF
    assert mend(bytes(wrong), crc, seed) is None


def test_the_frames_of_before_can_be_written_again() -> None:
    written = b"".join(
        pack_frame(seed_of(HEADER.salt), one.sequence, one.flags, one.payload) for one in FRAMES
    )
    assert frame_bytes(HEADER, FRAMES, None) == written
