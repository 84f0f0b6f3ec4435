"""The log keeps what it acknowledged, loses one frame to one flipped bit, never returns a wrong payload."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import LiuheError
from sensors.segment_log import SegmentLog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SegmentLog]:
    opened = SegmentLog.open(tmp_path, name="test", segment_bytes_max=4096, writer=True)
    yield opened
    opened.close()


def _all(log: SegmentLog, after: int = 0, limit_bytes: int = 1000) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while frames := log.read(after, limit_bytes):
        found += [(frame.sequence, frame.payload) for frame in frames]
        after = frames[-1].sequence
    return found


def test_append_returns_contiguous_sequences_and_a_reader_tails(log: SegmentLog, tmp_path: Path) -> None:
    reader = SegmentLog.open(tmp_path, name="test", writer=False)
    assert reader.read(0) == []
    assert log.append([b"a", b"b"]) == range(1, 3)
    assert [frame.payload for frame in reader.read(0)] == [b"a", b"b"]
    assert log.append([b"c"], flags=7) == range(3, 4)
    (frame,) = reader.read(2)
    assert (frame.sequence, frame.flags, frame.payload, frame.epoch) == (3, 7, b"c", 1)
    assert (reader.first, reader.last, log.last) == (1, 3, 3)


def test_many_segments_read_in_order_and_are_released_whole(log: SegmentLog) -> None:
    sent = [os.urandom(300) for _ in range(200)]
    for start in range(0, 200, 7):
        log.append(sent[start : start + 7])
    assert [payload for _, payload in _all(log)] == sent
    assert [payload for _, payload in _all(log, after=77)] == sent[77:]
    sealed = log.oldest_sealed()
    assert sealed is not None
    assert log.release(sealed[1] - 1) == 0
    assert log.release(sealed[1]) == 1
    assert log.first == sealed[1] + 1
    log.release(10_000)
    assert log.oldest_sealed() is None
    assert log.take_damages() == []


def test_reopening_continues_the_numbers_with_a_new_epoch_and_keeps_a_reserve(tmp_path: Path) -> None:
    with_frames = SegmentLog.open(tmp_path, name="a", writer=True)
    with_frames.append([b"1", b"2"])
    with_frames.close()
    for _ in range(3):
        SegmentLog.open(tmp_path, name="a", writer=True).close()
    again = SegmentLog.open(tmp_path, name="a", writer=True, reserve=100)
    assert again.append([b"3"]) == range(103, 104)
    assert [(frame.sequence, frame.epoch) for frame in again.read(0)] == [(1, 1), (2, 1), (103, 2)]
    assert again.take_damages() == []
    again.close()


def test_a_second_writer_is_refused_clearly(log: SegmentLog, tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        SegmentLog.open(tmp_path, name="test", writer=True)
    assert caught.value.code == "log-in-use"


def test_a_torn_tail_is_cut_by_the_writer_and_not_seen_by_a_reader(tmp_path: Path) -> None:
    log = SegmentLog.open(tmp_path, name="a", writer=True)
    log.append([b"kept", b"torn"])
    log.close()
    (segment,) = tmp_path.glob("*.seg")
    whole = segment.read_bytes()
    for cut in range(1, 22):
        segment.write_bytes(whole[:-cut])
        assert [payload for _, payload in _all(SegmentLog.open(tmp_path, name="a", writer=False))] == [
            b"kept"
        ]
    log = SegmentLog.open(tmp_path, name="a", writer=True)
    assert log.append([b"new"]) == range(2, 3)
    assert [payload for _, payload in _all(log)] == [b"kept", b"new"]
    assert log.take_damages() == []
    log.close()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_one_flipped_bit_costs_at_most_one_frame_and_is_reported(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flip")
    log = SegmentLog.open(folder, name="a", segment_bytes_max=700, writer=True)
    sent = data.draw(st.lists(st.binary(max_size=120), min_size=3, max_size=30))
    for start in range(0, len(sent), 4):
        log.append(sent[start : start + 4])
    log.append([b"last"])
    log.close()
    segments = sorted(folder.glob("*.seg"))
    victim = data.draw(st.sampled_from(segments))
    blob = bytearray(victim.read_bytes())
    bit = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[bit >> 3] ^= 1 << (bit & 7)
    victim.write_bytes(blob)
    reader = SegmentLog.open(folder, name="a", writer=False)
    expected = dict(enumerate([*sent, b"last"], start=1))
    found = dict(_all(reader))
    assert all(expected[sequence] == payload for sequence, payload in found.items())
    lost = sorted(set(expected) - set(found))
    assert len(lost) <= 1
    reported = [n for damage in reader.take_damages() for n in range(damage.first, damage.last + 1)]
    if lost != [len(expected)]:  # the very last frame looks unwritten until something follows it
        assert reported == lost
    writer = SegmentLog.open(folder, name="a", writer=True)
    writer.append([b"after"])
    assert [payload for _, payload in _all(writer, after=max(found))] == [b"after"]
    writer.close()


def test_a_frame_inside_a_payload_is_not_taken_for_a_frame(tmp_path: Path) -> None:
    other = SegmentLog.open(tmp_path / "other", name="a", writer=True)
    other.append([b"x", b"forged"])
    other.close()
    forged = next((tmp_path / "other").glob("*.seg")).read_bytes()[256:]
    log = SegmentLog.open(tmp_path / "log", name="a", writer=True)
    log.append([b"first", forged * 3, b"third"])
    log.close()
    (segment,) = (tmp_path / "log").glob("*.seg")
    blob = bytearray(segment.read_bytes())
    blob[256 + 18 + 5 + 1] ^= 4  # the length of the second frame
    segment.write_bytes(blob)
    reader = SegmentLog.open(tmp_path / "log", name="a", writer=False)
    assert _all(reader) == [(1, b"first"), (3, b"third")]
    assert [(damage.first, damage.last) for damage in reader.take_damages()] == [(2, 2)]


def test_a_cut_or_deleted_segment_in_the_middle_is_reported(log: SegmentLog, tmp_path: Path) -> None:
    for index in range(60):
        log.append([bytes([index]) * 300])
    segments = sorted(tmp_path.glob("*.seg"))
    first, second = int(segments[1].stem), int(segments[2].stem)
    segments[1].unlink()
    found = dict(_all(log))
    assert sorted(set(range(1, 61)) - set(found)) == list(range(first, second))
    assert [(damage.first, damage.last) for damage in log.take_damages()] == [(first, second - 1)]


class _FailingSync:
    """fdatasync that fails a given number of times."""

    def __init__(self, code: int, times: int) -> None:
        self.code, self.times, self.real = code, times, os.fdatasync

    def __call__(self, descriptor: int) -> None:
        if self.times:
            self.times -= 1
            raise OSError(self.code, os.strerror(self.code))
        self.real(descriptor)


def test_a_failed_sync_moves_the_same_frames_to_a_new_segment(
    log: SegmentLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append([b"1"])
    monkeypatch.setattr(os, "fdatasync", _FailingSync(errno.EIO, 1))
    assert log.append([b"2", b"3"]) == range(2, 4)
    assert len(list(tmp_path.glob("*.seg"))) == 2
    assert [payload for _, payload in _all(log)] == [b"1", b"2", b"3"]
    assert log.take_damages() == []


@pytest.mark.parametrize(
    ("code", "times", "name"), [(errno.ENOSPC, 1, "disk-full"), (errno.EIO, 2, "log-write-failed")]
)
def test_what_cannot_be_written_is_refused_and_not_counted(
    log: SegmentLog, monkeypatch: pytest.MonkeyPatch, code: int, times: int, name: str
) -> None:
    monkeypatch.setattr(os, "fdatasync", _FailingSync(code, times))
    with pytest.raises(LiuheError) as caught:
        log.append([b"lost"])
    assert caught.value.code == name
    assert "\n" not in str(caught.value)
    assert log.append([b"kept"]) == range(1, 2)
    assert _all(log) == [(1, b"kept")]


def test_nothing_above_the_checkpoint_is_released(log: SegmentLog, tmp_path: Path) -> None:
    for index in range(60):
        log.append([bytes([index]) * 300])
    log.checkpoint(5, b"state")
    reader = SegmentLog.open(tmp_path, name="test", writer=False)
    assert reader.release(60) == 0
    log.checkpoint(60, b"more")
    assert reader.checkpoint_state() == (60, b"more")
    assert reader.release(60) > 0
    (tmp_path / "checkpoint").write_bytes(b"liuhe-checkpoint 1 99 00\nx")
    assert reader.checkpoint_state() == (0, b"")


_WRITER = """
import sys
from pathlib import Path
from sensors.segment_log import SegmentLog
log = SegmentLog.open(Path(sys.argv[1]), name="k", segment_bytes_max=65536, writer=True)
while True:
    start = log.last + 1
    numbers = log.append([b"%d " % n * 20 for n in range(start, start + 50)])
    sys.stdout.write(f"{numbers[-1]}\\n")
    sys.stdout.flush()
"""


@pytest.mark.slow
def test_acknowledged_frames_survive_sigkill(tmp_path: Path) -> None:
    acknowledged = 0
    for round_ in range(4):
        child = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE)
        time.sleep(0.4 + round_ * 0.1)
        child.kill()
        output, _ = child.communicate()
        complete = output[: output.rfind(b"\n")].split() if b"\n" in output else []
        acknowledged = int(complete[-1]) if complete else acknowledged
        found = _all(SegmentLog.open(tmp_path, name="k", writer=False), limit_bytes=1 << 20)
        assert [sequence for sequence, _ in found] == list(range(1, len(found) + 1))
        assert all(payload == b"%d " % sequence * 20 for sequence, payload in found)
        assert len(found) >= acknowledged > 0
