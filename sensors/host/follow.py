"""Following one growing file through rotation, truncation and restarts, without loss or repetition.

The cursor holds device, inode, offset and a digest of the file's first bytes:
- renamed away (logrotate ``create``): the rest of the old file is read first, found by its inode beside it;
- cut in place (``copytruncate``): a smaller size, or other first bytes, starts again at 0;
- absent at first sight: read from 0 as soon as it appears;
- present at first sight: read from its end, history before the sensor is not ours to tell.
"""

import os
import stat
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from sensors.host.cursor import Cursor

READ_BYTES_MAX: Final = 256 * 1024  # one read; the source comes back for more at once
HEAD_BYTES_MAX: Final = 1024  # first bytes that identify a file; covers the times of two wtmp records
LINE_BYTES_MAX: Final = 64 * 1024
_SIBLINGS_MAX: Final = 2_000  # names looked at in a log folder when searching the rotated file


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where reading of a file stopped. ``inode`` 0: the file did not exist then.

    A source that holds back what it read keeps the place of the oldest thing held instead, with what it needs
    to pass over the rest: ``told`` is a number of its own, ``until`` how far it had read, in which file.
    """

    device: int = 0
    inode: int = 0
    offset: int = 0
    head_bytes: int = 0
    head_sha256: str = ""
    told: int = -1
    until: tuple[int, int, int] | None = None  # device, inode, offset


class FollowedFile:
    """One file followed by ``read`` and ``advance``; only ``advance`` moves the durable position."""

    def __init__(self, path: Path, cursor: Cursor, *, from_start: bool = False) -> None:
        self.path = path
        self._cursor = cursor
        self._from_start = from_start
        self._descriptor = -1
        self._position = cursor.load(Position)
        self._kept: Position | None = None

    @property
    def position(self) -> Position | None:
        """Where reading goes on; None before the first ``read``."""
        return self._position

    def read(self) -> bytes:
        """The next bytes after the position, at most READ_BYTES_MAX; b'' where there is nothing new."""
        if self._position is None and not self._first_sight():
            return b""
        if self._descriptor < 0 and not self._open():
            return b""
        data = self._read_here()
        if data:
            return data
        if self._moved_on():
            return self._read_here()
        return b""

    def advance(self, consumed: int, *, kept: Position | None = None) -> None:
        """Move the position by ``consumed`` bytes, durably; call it after emit returned.

        With ``kept``, a ``place`` of before, that is what is durable: after a restart reading goes on there.
        """
        assert self._position is not None
        assert consumed > 0
        self._kept = kept
        self._set(self._position.offset + consumed)

    def keep(self, kept: Position | None) -> None:
        """Change what is durable without having read more; None: all that was read."""
        if kept != self._kept and self._position is not None:
            self._kept = kept
            self._cursor.save(kept or self._position)

    def place(self, offset: int) -> Position:
        """An offset of the file being read, as a position to go on at."""
        state = os.fstat(self._descriptor)
        head = os.pread(self._descriptor, min(HEAD_BYTES_MAX, offset), 0)
        return Position(
            device=state.st_dev,
            inode=state.st_ino,
            offset=offset,
            head_bytes=len(head),
            head_sha256=sha256(head).hexdigest(),
        )

    def left_behind(self) -> bool:
        """Whether the file being read has lost its name: rotated away, and perhaps deleted soon."""
        if self._position is None or not self._position.inode:
            return False
        try:
            state = self.path.stat()
        except OSError:
            return True
        return (state.st_dev, state.st_ino) != (self._position.device, self._position.inode)

    def close(self) -> None:
        """Release the descriptor; the position stays."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _first_sight(self) -> bool:
        try:
            state = self.path.stat()
        except OSError:
            self._position = Position()
            self._cursor.save(self._position)
            return False
        self._descriptor = _open_or_minus(self.path)
        if self._descriptor < 0:
            return False
        self._set(0 if self._from_start else state.st_size)
        return True

    def _open(self) -> bool:
        """Open the file the position speaks of, or the one that took its place."""
        assert self._position is not None
        found = self._rotated(self._position) if self._position.inode else None
        if found is not None:
            self._descriptor = found
            return True
        self._descriptor = _open_or_minus(self.path)
        if self._descriptor < 0:
            return False
        self._set(0)
        return True

    def _rotated(self, position: Position) -> int | None:
        """A descriptor of the file with the position's inode and first bytes, here or beside it."""
        for path in [self.path, *_siblings(self.path)]:
            descriptor = _open_or_minus(path)
            if descriptor < 0:
                continue
            state = os.fstat(descriptor)
            same = (state.st_dev, state.st_ino) == (position.device, position.inode)
            if same and state.st_size >= position.offset and _same_head(descriptor, position):
                return descriptor
            os.close(descriptor)
        return None

    def _read_here(self) -> bytes:
        assert self._position is not None
        size = os.fstat(self._descriptor).st_size
        if size < self._position.offset or not _same_head(self._descriptor, self._position):
            self._set(0)
        return os.pread(self._descriptor, READ_BYTES_MAX, self._position.offset)

    def _moved_on(self) -> bool:
        """Whether another file has the name now; if so, start it at 0. The old one was read to its end."""
        assert self._position is not None
        try:
            state = self.path.stat()
        except OSError:
            return False
        if (state.st_dev, state.st_ino) == (self._position.device, self._position.inode):
            return False
        self.close()
        self._descriptor = _open_or_minus(self.path)
        if self._descriptor < 0:
            return False
        self._set(0)
        return True

    def _set(self, offset: int) -> None:
        self._position = self.place(offset)
        self._cursor.save(self._kept or self._position)


def whole_lines(data: bytes, line_bytes_max: int = LINE_BYTES_MAX) -> int:
    """How many bytes of ``data`` are whole lines; of a line longer than allowed, a piece of that length."""
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) >= line_bytes_max:
        return line_bytes_max
    return end


def read_lines(
    followed: FollowedFile, take: Callable[[list[bytes]], None], line_bytes_max: int = LINE_BYTES_MAX
) -> bool:
    """Give the next whole lines to ``take`` and advance; False where there was no whole line.

    A line longer than ``line_bytes_max`` is given in pieces: a log without newlines must not stop the source.
    """
    data = followed.read()
    end = whole_lines(data, line_bytes_max)
    if end == 0:
        return False
    lines = [line for line in data[:end].split(b"\n") if line]
    take(lines)
    followed.advance(end)
    return True


def follow_lines(
    followed: FollowedFile,
    take: Callable[[list[bytes]], None],
    stop: threading.Event,
    poll_seconds: float,
    line_bytes_max: int = 64 * 1024,
) -> None:
    """Give whole lines to ``take`` until ``stop``, at once while there are more; then let go of the file."""
    try:
        while True:
            more = read_lines(followed, take, line_bytes_max)
            if stop.wait(0 if more else poll_seconds):
                return
    finally:
        followed.close()


def _same_head(descriptor: int, position: Position) -> bool:
    head = os.pread(descriptor, position.head_bytes, 0)
    return sha256(head).hexdigest() == position.head_sha256 if position.head_bytes else True


def _open_or_minus(path: Path) -> int:
    """A read descriptor of a regular file, else -1; O_NONBLOCK: a FIFO in its place must not hold us."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return -1
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return -1


def _siblings(path: Path) -> list[Path]:
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for _, entry in zip(range(_SIBLINGS_MAX), entries, strict=False)]
    except OSError:
        return []
    return [
        path.with_name(name) for name in sorted(names) if name.startswith(path.name) and name != path.name
    ]
