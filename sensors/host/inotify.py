"""inotify(7) by ctypes: one descriptor, watches on folders, events as values.

struct inotify_event: wd i32, mask u32, cookie u32, length u32, then ``length`` bytes of NUL-padded name.
"""

import ctypes
import errno
import os
import select
import struct
from pathlib import Path
from typing import Final, NamedTuple

from crypto.words import LiuheError, Words

ATTRIB: Final = 0x00000004
CLOSE_WRITE: Final = 0x00000008
MOVED_FROM: Final = 0x00000040
MOVED_TO: Final = 0x00000080
CREATE: Final = 0x00000100
DELETE: Final = 0x00000200
DELETE_SELF: Final = 0x00000400
MOVE_SELF: Final = 0x00000800
OVERFLOW: Final = 0x00004000
IGNORED: Final = 0x00008000
ONLY_FOLDER: Final = 0x01000000
IS_FOLDER: Final = 0x40000000
# Reads and opens are left out on purpose: they are a thousand times as many.
_CHANGES: Final = ATTRIB | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
_NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | os.O_CLOEXEC
_HEADER: Final = struct.Struct("=iIII")
_READ_BYTES: Final = 64 * 1024


class Change(NamedTuple):
    """One event; ``name`` is '' where it concerns the watched folder itself."""

    watch: int
    mask: int
    name: bytes


class Inotify:
    """A set of watched folders."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._library.inotify_init1(_NONBLOCK_CLOEXEC)
        if self._descriptor < 0:
            raise _refused(ctypes.get_errno())
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def add(self, folder: Path) -> int | None:
        """Watch a folder; its number, or None where it is no folder or cannot be read.

        Raises LiuheError where the kernel's limit of watches is reached.
        """
        number: int = self._library.inotify_add_watch(
            self._descriptor, os.fsencode(folder), _CHANGES | ONLY_FOLDER
        )
        if number >= 0:
            return number
        code = ctypes.get_errno()
        if code == errno.ENOSPC:
            raise _refused(code)
        return None

    def wait(self, seconds: float) -> list[Change]:
        """Changes since the last call, [] after ``seconds``; OVERFLOW in a mask says that some were lost."""
        if not self._poll.poll(max(0, int(seconds * 1000))):
            return []
        try:
            return parse_changes(os.read(self._descriptor, _READ_BYTES))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Drop all watches."""
        os.close(self._descriptor)


def parse_changes(data: bytes) -> list[Change]:
    """The events of one read."""
    found = []
    at = 0
    while at + _HEADER.size <= len(data):
        watch, mask, _, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        found.append(Change(watch, mask, data[at : at + length].rstrip(b"\0")))
        at += length
    return found


def _refused(code: int) -> LiuheError:
    return LiuheError(
        "inotify-refused",
        Words(f"inotify 不可用:{os.strerror(code)}", f"inotify refused: {os.strerror(code)}"),
        Words(
            "请提高 fs.inotify.max_user_instances 或 max_user_watches,或减少监控路径",
            "raise fs.inotify.max_user_instances or max_user_watches, or watch fewer paths",
        ),
    )
