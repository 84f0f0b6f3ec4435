"""The disk as the spool and the segment log see it: one small seam, so that tests can let it fail.

Everything durable of the log goes through a ``Disk``. The real one is ``REAL``. A file's bytes are durable
after ``sync``, its name (created, renamed, unlinked) after ``sync_folder``; nothing else is promised.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal, Protocol

Mode = Literal["read", "create", "edit"]

_FLAGS: Final[dict[Mode, int]] = {
    "read": os.O_RDONLY | os.O_CLOEXEC,
    "create": os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC,
    "edit": os.O_RDWR | os.O_CLOEXEC,
}
PARTIAL: Final = ".partial"  # suffix of a file that is not whole yet


class Disk(Protocol):
    """What is needed of an operating system; every method raises OSError as ``os`` does."""

    def open(self, path: Path, mode: Mode) -> int:
        """A handle: "read" and "edit" (read and write) of an existing file, "create" of an emptied one."""
        ...

    def close(self, handle: int) -> None:
        """Give a handle back; never makes anything durable."""
        ...

    def pread(self, handle: int, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes; fewer at the end of the file."""
        ...

    def pwrite(self, handle: int, data: bytes | memoryview, offset: int) -> int:
        """Write some leading part of ``data``; returns how much."""
        ...

    def truncate(self, handle: int, size: int) -> None:
        """Cut or extend with zeros."""
        ...

    def allocate(self, handle: int, size: int) -> None:
        """Reserve blocks for the first ``size`` bytes: writing there later needs no free space."""
        ...

    def sync(self, handle: int) -> None:
        """Make the file's bytes and size durable."""
        ...

    def size(self, path: Path) -> int:
        """The size of the file that has this name now. FileNotFoundError where there is none."""
        ...

    def size_of(self, handle: int) -> int:
        """The size of an open file, whatever its name is by now."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Put ``source`` in the place of ``target``, whole or not at all."""
        ...

    def unlink(self, path: Path) -> None:
        """Remove a name; FileNotFoundError where there is none."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Make created, renamed and unlinked names of a folder durable."""
        ...

    def list_folder(self, folder: Path) -> list[str]:
        """The names in a folder; [] where it does not exist."""
        ...

    def make_folder(self, folder: Path) -> None:
        """Make a folder (0700) and what is above it, if absent."""
        ...

    def lock(self, path: Path) -> int:
        """Hold a lock file until ``close``; BlockingIOError where another holds it."""
        ...


class RealDisk:
    """The operating system's files."""

    def open(self, path: Path, mode: Mode) -> int:
        """See Disk."""
        return os.open(path, _FLAGS[mode], 0o600)

    def close(self, handle: int) -> None:
        """See Disk."""
        os.close(handle)

    def pread(self, handle: int, size: int, offset: int) -> bytes:
        """See Disk."""
        return os.pread(handle, size, offset)

    def pwrite(self, handle: int, data: bytes | memoryview, offset: int) -> int:
        """See Disk."""
        return os.pwrite(handle, data, offset)

    def truncate(self, handle: int, size: int) -> None:
        """See Disk."""
        os.ftruncate(handle, size)

    def allocate(self, handle: int, size: int) -> None:
        """See Disk."""
        os.posix_fallocate(handle, 0, size)

    def sync(self, handle: int) -> None:
        """See Disk."""
        os.fdatasync(handle)

    def size(self, path: Path) -> int:
        """See Disk."""
        return path.stat().st_size

    def size_of(self, handle: int) -> int:
        """See Disk."""
        return os.fstat(handle).st_size

    def rename(self, source: Path, target: Path) -> None:
        """See Disk."""
        source.replace(target)

    def unlink(self, path: Path) -> None:
        """See Disk."""
        path.unlink()

    def sync_folder(self, folder: Path) -> None:
        """See Disk."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def list_folder(self, folder: Path) -> list[str]:
        """See Disk."""
        try:
            return [path.name for path in folder.iterdir()]
        except FileNotFoundError:
            return []

    def make_folder(self, folder: Path) -> None:
        """See Disk."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def lock(self, path: Path) -> int:
        """See Disk."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor


REAL: Final = RealDisk()


@contextmanager
def opened(disk: Disk, path: Path, mode: Mode) -> Iterator[int]:
    """A handle for the length of a ``with``."""
    handle = disk.open(path, mode)
    try:
        yield handle
    finally:
        disk.close(handle)


def read_file(disk: Disk, path: Path) -> bytes:
    """The whole of a file."""
    with opened(disk, path, "read") as handle:
        return read_from(disk, handle, disk.size_of(handle))


def read_from(disk: Disk, handle: int, size: int, offset: int = 0) -> bytes:
    """Up to ``size`` bytes, however many reads that takes."""
    pieces = []
    while size > 0 and (piece := disk.pread(handle, size, offset)):
        pieces.append(piece)
        size -= len(piece)
        offset += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def write_all(disk: Disk, handle: int, data: bytes, offset: int) -> None:
    """Write all of ``data``, however many writes that takes."""
    view = memoryview(data)
    while view:
        written = disk.pwrite(handle, view, offset)
        offset += written
        view = view[written:]


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """Write a whole file so that after a crash it is either the old one or the new one; durable on return."""
    partial = write_partial(disk, path, data)
    try:
        disk.rename(partial, path)
    except OSError:
        with suppress(OSError):
            disk.unlink(partial)
        raise
    disk.sync_folder(path.parent)


def write_partial(disk: Disk, path: Path, data: bytes) -> Path:
    """Write and sync the file that is to take the place of ``path``; returns its name until then."""
    partial = path.with_name(path.name + PARTIAL)
    try:
        with opened(disk, partial, "create") as handle:
            write_all(disk, handle, data, 0)
            disk.sync(handle)
    except OSError:
        with suppress(OSError):
            disk.unlink(partial)
        raise
    return partial
