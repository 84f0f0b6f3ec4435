"""Before a downgrade everything becomes format 1: nothing is lost, nothing packed or sealed remains."""

from pathlib import Path

import pytest

from crypto.words import LiuheError
from sensors.segment_folder import segments_of
from sensors.segment_header import unpack_header
from sensors.segment_log import SegmentLog
from sensors.segment_rewrite import rewrite_as_first
from sensors.segment_seal import NO_KEYS, Keys

KEYS = Keys([bytes(16)], sealing=True)


@pytest.mark.parametrize("keys", [NO_KEYS, KEYS])
def test_all_frames_come_out_of_the_first_version(tmp_path: Path, keys: Keys) -> None:
    log = SegmentLog.open(tmp_path, name="bulk", segment_bytes_max=5_000, writer=True, sensor="a", keys=keys)
    sent = [b"event %d " % n * 30 for n in range(200)]
    for one in sent:
        log.append([one], flags=2)
    while log.pack(1):
        continue
    with pytest.raises(LiuheError):
        rewrite_as_first(tmp_path, keys)
    log.close()
    assert rewrite_as_first(tmp_path, keys) == len(segments_of(tmp_path)) > 3
    assert rewrite_as_first(tmp_path, keys) == 0
    headers = [unpack_header(segment.path.read_bytes()) for segment in segments_of(tmp_path)]
    assert {header and header.version for header in headers} == {1}
    old = SegmentLog.open(tmp_path, name="bulk", writer=True, version=1)
    assert old.append([b"more"]) == range(201, 202)
    frames = old.read(0, 1 << 20)
    assert [frame.payload for frame in frames] == [*sent, b"more"]
    assert not old.pack(0)
    old.close()
    new = SegmentLog.open(tmp_path, name="bulk", writer=True, sensor="a")
    new.append([b"again"])
    assert len(new.read(0, 1 << 20)) == 202
    assert new.take_damages() == []
    new.close()


def test_damage_stays_where_it_was(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path, name="bulk", writer=True)
    log.append([b"one", b"two", b"three"])
    log.close()
    (segment,) = segments_of(tmp_path)
    blob = bytearray(segment.path.read_bytes())
    blob[blob.index(b"two")] ^= 1
    segment.path.write_bytes(blob)
    rewrite_as_first(tmp_path, NO_KEYS)
    log = SegmentLog.open(tmp_path, name="bulk", writer=True)
    assert [frame.sequence for frame in log.read(0)] == [1, 3]
    assert [(one.first, one.last) for one in log.take_damages()] == [(2, 2)]
    log.close()
