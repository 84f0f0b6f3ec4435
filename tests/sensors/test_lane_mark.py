"""The mark remembers the last durable sequence; a damaged one is none."""

from pathlib import Path

from sensors.lane_mark import NAME, LaneMark, marked_last


def test_the_mark_is_read_again(tmp_path: Path) -> None:
    mark = LaneMark(tmp_path / "lane")
    assert mark.last == 0
    mark.move(5)
    mark.move(1 << 40)
    mark.close()
    mark.move(3)
    again = LaneMark(tmp_path / "lane")
    assert (again.last, again.accounted) == (1 << 40, 0)
    again.account(7)
    again.account(5)
    assert LaneMark(tmp_path / "lane").accounted == 7
    assert marked_last(tmp_path / "lane") == 1 << 40
    path = tmp_path / "lane" / NAME
    blob = bytearray(path.read_bytes())
    blob[0] ^= 1
    path.write_bytes(blob)
    damaged = LaneMark(tmp_path / "lane")
    assert (damaged.last, damaged.accounted) == (0, 0)
    assert marked_last(tmp_path / "lane") == marked_last(tmp_path / "absent") == 0
