"""The real disk keeps the seam's promises; a file replaced is the old one or the new one, never half."""

import errno
import os
from pathlib import Path

import pytest

from sensors.disk import PARTIAL, REAL, RealDisk, opened, read_file, replace_file, write_all


class ShortDisk(RealDisk):
    """Reads and writes little at a time."""

    def pread(self, handle: int, size: int, offset: int) -> bytes:
        return super().pread(handle, min(size, 3), offset)

    def pwrite(self, handle: int, data: bytes | memoryview, offset: int) -> int:
        return super().pwrite(handle, data[:2], offset)


def test_files_are_written_read_cut_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    REAL.make_folder(path.parent)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with opened(REAL, path, "create") as handle:
        write_all(REAL, handle, b"hello", 0)
        REAL.allocate(handle, 4096)
        assert REAL.size_of(handle) == REAL.size(path) == 4096
        REAL.truncate(handle, 5)
        REAL.sync(handle)
    REAL.sync_folder(path.parent)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_file(REAL, path) == b"hello"
    REAL.rename(path, path.with_name("other"))
    assert REAL.list_folder(path.parent) == ["other"]
    REAL.unlink(path.with_name("other"))
    assert REAL.list_folder(tmp_path / "absent") == []
    with pytest.raises(FileNotFoundError):
        REAL.open(path, "edit")


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    held = REAL.lock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        REAL.lock(tmp_path / "lock")
    REAL.close(held)
    REAL.close(REAL.lock(tmp_path / "lock"))


def test_short_reads_and_writes_are_continued(tmp_path: Path) -> None:
    disk = ShortDisk()
    replace_file(disk, tmp_path / "file", b"twelve bytes")
    assert read_file(disk, tmp_path / "file") == b"twelve bytes"


def test_a_failed_replacement_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    replace_file(REAL, path, b"old")

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "i/o error")

    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(OSError, match="i/o error"):
        replace_file(REAL, path, b"new")
    assert path.read_bytes() == b"old"
    assert not path.with_name("file" + PARTIAL).exists()
