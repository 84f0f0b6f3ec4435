"""Each header vouches for the segment before it: packed, mended or whole it is known, replaced it is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sensors import segment_chain
from sensors.segment_chain import Contents, Link, contents_of, packed_form
from sensors.segment_folder import segments_of
from sensors.segment_format import Damage
from sensors.segment_header import Header, unpack_header
from sensors.segment_log import SegmentLog
from sensors.segment_packed import PACKED
from sensors.segment_read import FOREIGN
from sensors.segment_seal import NO_KEYS, Keys

KEYS = Keys([bytes(range(16))], sealing=True)


def written(folder: Path, keys: Keys = NO_KEYS, sensor: str = "web01", word: bytes = b"event") -> None:
    log = SegmentLog.open(folder, name="bulk", segment_bytes_max=2000, writer=True, sensor=sensor, keys=keys)
    for n in range(30):
        log.append([word + b" %d " % n * 40])
    log.close()


def reading(data: bytes) -> Callable[[int, int], bytes]:
    return lambda size, offset: data[offset : offset + size]


def contents(folder: Path, index: int, keys: Keys = NO_KEYS) -> Contents:
    segments = segments_of(folder)
    data = segments[index].path.read_bytes()
    header = unpack_header(data)
    assert header is not None
    following = None
    if index + 1 < len(segments):
        following = unpack_header(segments[index + 1].path.read_bytes())
    return contents_of(data, header, following, keys)


def packed(folder: Path, index: int, keys: Keys = NO_KEYS) -> None:
    here, there = segments_of(folder)[index : index + 2]
    header, after = unpack_header(here.path.read_bytes()), unpack_header(there.path.read_bytes())
    assert header is not None
    assert after is not None
    data = packed_form(reading(here.path.read_bytes()), header, after, keys, 4711)
    assert data is not None
    assert len(data) < here.path.stat().st_size
    here.path.write_bytes(data)


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS])
@pytest.mark.parametrize("piece", [100, 1 << 20])
def test_a_segment_is_whole_before_and_after_packing(
    tmp_path: Path, keys: Keys, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_chain, "PIECE_BYTES", piece)
    written(tmp_path, keys)
    before = contents(tmp_path, 1, keys)
    assert (before.link, before.foreign, before.damages) == (Link.WHOLE, False, [])
    packed(tmp_path, 1, keys)
    after = contents(tmp_path, 1, keys)
    assert (after.link, after.frames, after.last) == (Link.WHOLE, before.frames, before.last)
    assert contents(tmp_path, -1, keys).link is Link.UNKNOWN


def test_a_mended_header_is_whole_and_a_damaged_frame_is_not_foreign(tmp_path: Path) -> None:
    written(tmp_path)
    path = segments_of(tmp_path)[1].path
    blob = bytearray(path.read_bytes())
    blob[20] ^= 1
    path.write_bytes(blob)
    assert contents(tmp_path, 1).link is Link.WHOLE
    blob[300] ^= 1
    path.write_bytes(blob)
    found = contents(tmp_path, 1)
    assert (found.link, found.foreign, len(found.damages)) == (Link.DIFFERS, False, 1)


def test_a_segment_put_in_anothers_place_is_foreign_and_not_delivered(tmp_path: Path) -> None:
    written(tmp_path / "a")
    written(tmp_path / "b", word=b"other")
    victim = segments_of(tmp_path / "a")[1]
    victim.path.write_bytes(segments_of(tmp_path / "b")[1].path.read_bytes())
    found = contents(tmp_path / "a", 1)
    assert found.foreign
    log = SegmentLog.open(tmp_path / "a", name="bulk", writer=True, sensor="web01")
    log.append([b"last"])
    read = log.read(0, 1 << 20)
    assert all(b"other" not in frame.payload for frame in read)
    assert [frame.payload for frame in read][-1] == b"last"
    assert log.take_damages() == [Damage(victim.first, found.last, FOREIGN)]
    log.close()


def test_another_sensors_segments_are_not_delivered(tmp_path: Path) -> None:
    written(tmp_path, sensor="db07")
    log = SegmentLog.open(tmp_path, name="bulk", writer=True, sensor="web01")
    assert log.read(0) == []
    log.append([b"own"])
    assert [frame.payload for frame in log.read(0)] == [b"own"]
    assert {damage.reason for damage in log.take_damages()} == {FOREIGN}
    log.close()


def test_what_is_not_whole_is_not_packed(tmp_path: Path) -> None:
    written(tmp_path)
    here, there = segments_of(tmp_path)[1:3]
    blob = bytearray(here.path.read_bytes())
    header, after = unpack_header(bytes(blob)), unpack_header(there.path.read_bytes())
    assert header is not None
    assert after is not None
    assert packed_form(reading(bytes(blob)), header._replace(packing=PACKED), after, NO_KEYS, 1) is None
    assert packed_form(reading(bytes(blob)), Header(*header[:6]), after, NO_KEYS, 1) is None
    blob[300] ^= 1
    assert packed_form(reading(bytes(blob)), header, after, NO_KEYS, 1) is None
