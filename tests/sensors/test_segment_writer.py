"""The segment being written: what failed is taken back, what is doubtful is put on fresh blocks."""

import errno
import os
from pathlib import Path

import pytest

from crypto import sm3
from sensors.disk import REAL
from sensors.segment_header import Header
from sensors.segment_log import SegmentLog
from sensors.segment_writer import SegmentWriter, Written, write_again

HEADER = Header("bulk", 1, 1, 0, 5, version=2)


def failing(descriptor: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_failed_commit_leaves_what_was_durable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "segment"
    writer = SegmentWriter(REAL, path, HEADER, None)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        with pytest.raises(OSError, match="Input/output"):
            writer.commit(1, 0, [b"lost"])
    writer.undo()
    assert not path.exists()
    writer.leave()
    writer = SegmentWriter(REAL, path, HEADER, None)
    writer.commit(1, 0, [b"kept"])
    kept = path.read_bytes()
    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(OSError, match="Input/output"):
        writer.commit(2, 0, [b"lost"])
    assert not writer.synced
    writer.undo()
    assert path.read_bytes() == kept
    assert writer.leave() == Written(path, 1, len(kept), sm3.sm3(kept))


def test_doubtful_blocks_are_replaced_where_the_bytes_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"good and behind it something else")
    inode = path.stat().st_ino
    written = Written(path, 1, 4, sm3.sm3(b"good"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing)
        assert not write_again(REAL, written)
    assert write_again(REAL, written)
    assert path.read_bytes() == b"good"
    assert path.stat().st_ino != inode
    assert write_again(REAL, written._replace(sm3=bytes(32)))
    assert path.read_bytes() == b"good"
    path.unlink()
    assert write_again(REAL, written)
    assert not path.exists()


def test_the_log_writes_a_segment_again_whose_sync_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = SegmentLog.open(tmp_path, name="bulk", writer=True)
    log.append([b"one"])
    (path,) = tmp_path.glob("*.seg")
    before, inode = path.read_bytes(), path.stat().st_ino
    calls = iter([failing])
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: next(calls, real)(descriptor))
    log.append([b"two"])
    assert path.read_bytes() == before
    assert path.stat().st_ino != inode
    assert [frame.payload for frame in log.read(0)] == [b"one", b"two"]
    log.close()
