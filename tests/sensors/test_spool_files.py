"""Boot numbers only rise, and a damaged cursor sends everything again instead of passing events over."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import LiuheError
from sensors.segment_log import SegmentLog
from sensors.spool_files import ACKED, EPOCH, SpoolFiles, read_acked

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = int(NOW.timestamp())


def test_boot_numbers_rise_whatever_the_clock_says(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path)
    assert files.next_epoch(NOW) == SECONDS
    assert files.next_epoch(datetime(2020, 1, 1, tzinfo=UTC)) == SECONDS + 1
    log = SegmentLog.open(tmp_path / "bulk", name="bulk", writer=True, epoch=SECONDS + 9)
    log.append([b"x"])
    log.close()
    (tmp_path / EPOCH).write_bytes(b"\xff")
    assert files.next_epoch(NOW) == SECONDS + 10
    with pytest.raises(LiuheError) as caught:
        SpoolFiles(tmp_path)
    assert caught.value.code == "log-in-use"
    files.close()
    SpoolFiles(tmp_path).close()


def test_a_damaged_cursor_is_none(tmp_path: Path) -> None:
    files = SpoolFiles(tmp_path)
    assert files.acked() == {}
    files.write_acked({"bulk": 5})
    assert files.acked() == {"bulk": 5}
    path = tmp_path / ACKED
    path.write_bytes(path.read_bytes().replace(b"5}", b"7}"))
    assert files.acked() == {}
    path.write_bytes(b'{"bulk":3}')
    assert read_acked(tmp_path) == {"bulk": 3}
    files.close()
