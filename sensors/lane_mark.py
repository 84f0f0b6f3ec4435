"""What a lane knows of itself beside its segments: its last durable sequence, and what is accounted for.

Written in place, so it needs no room. ``last`` is written after every commit and not synced: it is never
ahead of the log, so where it says more than the log holds, that much of the log's end was lost.
``accounted`` is synced: before a segment goes, everything in it is at the center or in a gap record.
"""

from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final

import google_crc32c

from sensors.disk import REAL, Disk, read_file, read_from, write_all

NAME: Final = "last"
_MARK: Final = Struct("<QQ")
_CRC: Final = Struct("<I")


class LaneMark:
    """Of one lane; a mark that cannot be read counts as 0 and is no reason to stop."""

    def __init__(self, folder: Path, disk: Disk = REAL) -> None:
        self.last = 0
        self.accounted = 0
        self._disk = disk
        self._handle: int | None = None
        path = folder / NAME
        with suppress(OSError):
            disk.make_folder(folder)
            try:
                self._handle = disk.open(path, "edit")
            except FileNotFoundError:
                self._handle = disk.open(path, "create")
            found = _values(read_from(disk, self._handle, _MARK.size + _CRC.size))
            self.last, self.accounted = found or (0, 0)

    def move(self, last: int) -> None:
        """What is durable now; a write that fails is made up for by the next one."""
        self.last = last
        with suppress(OSError):
            self._write()

    def account(self, upto: int) -> None:
        """Nothing up to here is missing any longer; durable on return. Raises OSError."""
        if upto > self.accounted:
            self.accounted = upto
            self._write()
            if self._handle is not None:
                self._disk.sync(self._handle)

    def close(self) -> None:
        """Give the file back."""
        if self._handle is not None:
            with suppress(OSError):
                self._disk.close(self._handle)
            self._handle = None

    def _write(self) -> None:
        if self._handle is not None:
            body = _MARK.pack(self.last, self.accounted)
            write_all(self._disk, self._handle, body + _CRC.pack(google_crc32c.value(body)), 0)


def marked_last(folder: Path, disk: Disk = REAL) -> int:
    """The last sequence of a lane that somebody else may be writing; 0 where that is not known."""
    try:
        found = _values(read_file(disk, folder / NAME))
    except OSError:
        return 0
    return found[0] if found is not None else 0


def _values(data: bytes) -> tuple[int, int] | None:
    body = data[: _MARK.size]
    if len(data) != _MARK.size + _CRC.size or _CRC.pack(google_crc32c.value(body)) != data[_MARK.size :]:
        return None
    last, accounted = _MARK.unpack(body)
    return last, accounted
