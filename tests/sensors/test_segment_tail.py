"""The end of a log is found whatever a crash left behind it."""

from pathlib import Path

from sensors.segment_log import SegmentLog
from sensors.segment_read import SegmentReader, segments_of
from sensors.segment_tail import Tail


def _written(folder: Path) -> Path:
    log = SegmentLog.open(folder, name="a", writer=True, epoch=9)
    log.append([b"one", b"two"])
    log.close()
    return segments_of(folder)[-1].path


def test_an_empty_folder_has_no_end(tmp_path: Path) -> None:
    assert (Tail.of(tmp_path).last, Tail.of(tmp_path / "none").last) == (0, 0)


def test_a_clean_end_a_torn_one_and_a_wrong_one_differ(tmp_path: Path) -> None:
    path = _written(tmp_path)
    whole = path.read_bytes()
    clean = Tail.of(tmp_path)
    assert (clean.last, clean.epoch, clean.torn_at) == (2, 9, None)
    for tail in (whole + b"\x05", whole + bytes(200)):
        path.write_bytes(tail)
        assert (Tail.of(tmp_path).last, Tail.of(tmp_path).torn_at) == (2, len(whole))
    path.write_bytes(whole[:-1] + b"X")
    assert (Tail.of(tmp_path).last, Tail.of(tmp_path).torn_at) == (2, None)


def test_a_segment_without_frames_still_keeps_the_numbers(tmp_path: Path) -> None:
    path = _written(tmp_path)
    path.rename(tmp_path / f"{77:020d}.seg")
    (tmp_path / f"{77:020d}.seg").write_bytes(b"torn")
    assert Tail.of(tmp_path).last == 76


def test_an_unreadable_header_gives_no_number_out_again(tmp_path: Path) -> None:
    path = _written(tmp_path)
    data = bytearray(path.read_bytes())
    data[20:60] = bytes(40)
    path.write_bytes(data)
    assert Tail.of(tmp_path).last >= 2
    assert SegmentReader(tmp_path).read(0, 1000) == []
