"""A disk in memory that fails as real ones do: killed processes, power cuts, full and broken media, bit rot.

What it promises is what ``sensors.disk.Disk`` asks for and no more. Bytes live in a cache until ``sync``;
names live in a cache until ``sync_folder``. ``power_cut`` forgets a random part of what was not synced: each
512-byte sector of a write on its own (writes may be reordered and torn), names as an ordered journal does. A
failed ``sync`` follows Linux: what it could not write is never written again, though readers still see it.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from random import Random  # noqa: TID251 - seeded, so that a run can be repeated

from sensors.disk import Mode

SECTOR_BYTES = 512


class Killed(BaseException):
    """The process that used the disk ended at this call, as by SIGKILL; no handler may catch it."""


class Inode:
    """A file: ``cached`` is what readers see, ``durable`` what a power cut leaves at least."""

    def __init__(self) -> None:
        self.cached = bytearray()
        self.durable = b""
        self.allocated = 0
        self.pending: list[tuple[int, bytes] | int] = []  # writes (offset, data) and sizes cut to

    def settle(self, random: Random, chance: float) -> None:
        """What the medium has after a crash: each sector not synced survives with ``chance``."""
        survived = bytearray(self.durable)
        for one in self.pending:
            if isinstance(one, int):
                if random.random() < chance:
                    _cut(survived, one)
                continue
            offset, data = one
            for at in range(0, len(data), SECTOR_BYTES):
                if random.random() < chance:
                    _write(survived, data[at : at + SECTOR_BYTES], offset + at)
        self.durable = bytes(survived)
        self.pending = []


class VirtualDisk:
    """Implements ``sensors.disk.Disk`` for one machine."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.names: dict[Path, Inode] = {}
        self.capacity = 1 << 40
        self.operations = 0
        self.kill_at: int | None = None  # of ``operations``
        self.chances: dict[str, float] = {}  # of EIO, by the name of the operation
        self._durable_names: dict[Path, Inode] = {}
        self._journal: list[tuple[Path, Inode | None, Path | None]] = []  # name, file, name it had before
        self._handles: dict[int, tuple[Inode, Path]] = {}
        self._locks: dict[Path, int] = {}
        self._next_handle = 1000

    # -- what befalls the machine

    def restart(self) -> None:
        """After SIGKILL: handles and locks are gone, everything written is seen."""
        self._handles.clear()
        self._locks.clear()
        self.kill_at = None

    def power_cut(self) -> None:
        """Like ``restart``, and what was not synced is lost in part."""
        self.restart()
        chance = self.random.choice((0.0, 0.5, 0.9, 1.0))
        kept = self._journal[: self.random.randint(0, len(self._journal))]
        for name, inode, before in kept:
            _apply(self._durable_names, name, inode, before)
        self._journal.clear()
        for inode in {id(one): one for one in (*self.names.values(), *self._durable_names.values())}.values():
            inode.settle(self.random, chance)
            inode.cached = bytearray(inode.durable)
        self.names = dict(self._durable_names)

    def files(self, suffix: str = "") -> list[Path]:
        """The names there are, in order."""
        return sorted(name for name in self.names if name.name.endswith(suffix) and self.names[name].cached)

    def damage(self, name: Path, change: Callable[[bytearray], None]) -> None:
        """Change a file's bytes behind everybody's back, in cache and on the medium."""
        inode = self.names[name]
        change(inode.cached)
        inode.durable = bytes(inode.cached)
        inode.pending = []

    def remove(self, name: Path) -> None:
        """Make a file vanish."""
        self.names.pop(name)
        self._durable_names.pop(name, None)
        self._journal = [one for one in self._journal if name not in (one[0], one[2])]

    @property
    def used(self) -> int:
        """Bytes that files take."""
        return sum(max(len(one.cached), one.allocated) for one in self.names.values())

    # -- sensors.disk.Disk

    def open(self, path: Path, mode: Mode) -> int:
        """See Disk."""
        self._step("open")
        inode = self.names.get(path)
        if mode == "create":
            if inode is None:
                inode = Inode()
                self._name(path, inode)
            else:
                inode.cached.clear()
                inode.allocated = 0
                inode.pending.append(0)
        elif inode is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self._next_handle += 1
        self._handles[self._next_handle] = (inode, path)
        return self._next_handle

    def close(self, handle: int) -> None:
        """See Disk."""
        self._handles.pop(handle, None)
        for path, holder in list(self._locks.items()):
            if holder == handle:
                del self._locks[path]

    def pread(self, handle: int, size: int, offset: int) -> bytes:
        """See Disk."""
        self._step("pread")
        return bytes(self._file(handle).cached[offset : offset + size])

    def pwrite(self, handle: int, data: bytes | memoryview, offset: int) -> int:
        """See Disk; sometimes it writes less than it was given."""
        self._step("pwrite")
        inode = self._file(handle)
        taken = bytes(data)
        if len(taken) > 1 and self.random.random() < 0.1:
            taken = taken[: self.random.randint(1, len(taken))]
        grows = offset + len(taken) - max(len(inode.cached), inode.allocated)
        if grows > 0 and self.used + grows > self.capacity:
            left = len(taken) - grows + max(0, self.capacity - self.used)
            if left <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken = taken[:left]
        _write(inode.cached, taken, offset)
        inode.pending.append((offset, taken))
        self._kill_here(0.3)
        return len(taken)

    def truncate(self, handle: int, size: int) -> None:
        """See Disk."""
        self._step("truncate")
        inode = self._file(handle)
        _cut(inode.cached, size)
        inode.pending.append(size)

    def allocate(self, handle: int, size: int) -> None:
        """See Disk."""
        self._step("allocate")
        inode = self._file(handle)
        grows = size - max(len(inode.cached), inode.allocated)
        if grows > 0 and self.used + grows > self.capacity:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        inode.allocated = max(inode.allocated, size)
        if size > len(inode.cached):
            _cut(inode.cached, size)
            inode.pending.append(size)

    def sync(self, handle: int) -> None:
        """See Disk."""
        inode = self._file(handle)
        try:
            self._step("sync")
        except OSError:
            inode.settle(self.random, 0.5)
            raise
        inode.durable = bytes(inode.cached)
        inode.pending = []
        self._kill_here(0.3)

    def size(self, path: Path) -> int:
        """See Disk."""
        if path not in self.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return len(self.names[path].cached)

    def size_of(self, handle: int) -> int:
        """See Disk."""
        return len(self._file(handle).cached)

    def rename(self, source: Path, target: Path) -> None:
        """See Disk."""
        self._step("rename")
        if source not in self.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))
        self._name(target, self.names[source], before=source)
        self._kill_here(0.3)

    def unlink(self, path: Path) -> None:
        """See Disk."""
        self._step("unlink")
        if path not in self.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self._name(path, None)
        self._kill_here(0.3)

    def sync_folder(self, folder: Path) -> None:
        """See Disk; the journal is ordered, so what came before is durable too."""
        self._step("sync_folder")
        for name, inode, before in self._journal:
            _apply(self._durable_names, name, inode, before)
        self._journal.clear()

    def list_folder(self, folder: Path) -> list[str]:
        """See Disk; in no order."""
        inside = {name.name for name in self.names if name.parent == folder}
        folders = {name.parent.name for name in self.names if name.parent.parent == folder}
        found = sorted(inside | folders)
        self.random.shuffle(found)
        return found

    def make_folder(self, folder: Path) -> None:
        """See Disk; folders are always there."""

    def lock(self, path: Path) -> int:
        """See Disk."""
        if path in self._locks:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))
        handle = self.open(path, "create" if path not in self.names else "edit")
        self._locks[path] = handle
        return handle

    # -- inside

    def _file(self, handle: int) -> Inode:
        found = self._handles.get(handle)
        if found is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return found[0]

    def _name(self, name: Path, inode: Inode | None, before: Path | None = None) -> None:
        _apply(self.names, name, inode, before)
        self._journal.append((name, inode, before))

    def _step(self, operation: str) -> None:
        """One system call begins: it may be the last, and it may fail."""
        self.operations += 1
        if self.kill_at is not None and self.operations >= self.kill_at:
            raise Killed
        if self.random.random() < self.chances.get(operation, 0.0):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _kill_here(self, chance: float) -> None:
        """The process may also end right after the call took effect."""
        due = self.kill_at is not None and self.operations + 1 >= self.kill_at
        if due and self.random.random() < chance:
            raise Killed


def _apply(names: dict[Path, Inode], name: Path, inode: Inode | None, before: Path | None) -> None:
    if inode is None:
        names.pop(name, None)
        return
    if before is not None:
        names.pop(before, None)
    names[name] = inode


def _write(content: bytearray, data: bytes, offset: int) -> None:
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _cut(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))
