"""The mark remembers the last durable sequence; a damaged one is none."""

from pathlib import Path

from sensors.lane_mark import NAME, LaneMark


def test_the_mark_is_read_again(tmp_path: Path) -> None:
    mark = LaneMark(tmp_path / "lane")
    assert mark.last == 0
    mark.move(5)
    mark.move(1 << 40)
    mark.close()
    mark.move(3)
    assert LaneMark(tmp_path / "lane").last == 1 << 40
    path = tmp_path / "lane" / NAME
    blob = bytearray(path.read_bytes())
    blob[0] ^= 1
    path.write_bytes(blob)
    assert LaneMark(tmp_path / "lane").last == 0
