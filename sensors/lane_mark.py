"""The last sequence that a lane made durable, kept beside its segments.

Written after every commit and never synced: it costs nothing and is never ahead of the log, so where it says
more than the log holds, the end of the log was lost (a segment deleted or cut), and how much is known.
"""

from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final

import google_crc32c

from sensors.disk import REAL, Disk, read_file, read_from, write_all

NAME: Final = "last"
_MARK: Final = Struct("<Q")
_CRC: Final = Struct("<I")


class LaneMark:
    """Of one lane; a mark that cannot be read or written counts as 0 and is no reason to stop."""

    def __init__(self, folder: Path, disk: Disk = REAL) -> None:
        self.last = 0
        self._disk = disk
        self._handle: int | None = None
        path = folder / NAME
        with suppress(OSError):
            disk.make_folder(folder)
            try:
                self._handle = disk.open(path, "edit")
            except FileNotFoundError:
                self._handle = disk.open(path, "create")
            self.last = _value(read_from(disk, self._handle, _MARK.size + _CRC.size))

    def move(self, last: int) -> None:
        """What is durable now."""
        self.last = last
        if self._handle is not None:
            body = _MARK.pack(last)
            with suppress(OSError):
                write_all(self._disk, self._handle, body + _CRC.pack(google_crc32c.value(body)), 0)

    def close(self) -> None:
        """Give the file back."""
        if self._handle is not None:
            with suppress(OSError):
                self._disk.close(self._handle)
            self._handle = None


def marked_last(folder: Path, disk: Disk = REAL) -> int:
    """The mark of a lane that somebody else may be writing; 0 where there is none."""
    try:
        return _value(read_file(disk, folder / NAME))
    except OSError:
        return 0


def _value(data: bytes) -> int:
    if len(data) != _MARK.size + _CRC.size or _CRC.pack(google_crc32c.value(data[:8])) != data[8:]:
        return 0
    return int(_MARK.unpack(data[:8])[0])
