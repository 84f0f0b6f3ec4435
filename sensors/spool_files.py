"""The small files of a spool folder: its lock, the number of the boot, what the center has acknowledged."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto import sm3
from sensors.disk import REAL, Disk, read_file, replace_file
from sensors.messages import EPOCH_MAX, LANES
from sensors.segment_folder import lock_folder, raise_refused, segments_of
from sensors.segment_read import SegmentReader

EPOCH: Final = "epoch"
ACKED: Final = "acked.json"
_MAGIC: Final = b"liuhe-acked 1 "


class SpoolFiles:
    """Holds the folder's lock until ``close``. Raises LiuheError where another process has it."""

    def __init__(self, folder: Path, disk: Disk = REAL) -> None:
        self._folder = folder
        self._disk = disk
        try:
            disk.make_folder(folder)
            self._lock: int | None = lock_folder(folder, disk)
        except OSError as error:
            raise_refused(error, folder)

    def next_epoch(self, now: datetime) -> int:
        """One more than any before, at least the clock's seconds: a wiped folder does not repeat one.

        Raises LiuheError (disk).
        """
        epoch = min(max(self._epoch() + 1, int(now.timestamp())), EPOCH_MAX)
        try:
            replace_file(self._disk, self._folder / EPOCH, b"%d\n" % epoch)
        except OSError as error:
            raise_refused(error, self._folder)
        return epoch

    def acked(self) -> dict[str, int]:
        """What is known to be at the center; where that is damaged everything is sent again."""
        return read_acked(self._folder, self._disk)

    def write_acked(self, acked: Mapping[str, int]) -> None:
        """Durable on return. Raises LiuheError (disk)."""
        text = msgspec.json.encode(acked)
        try:
            replace_file(self._disk, self._folder / ACKED, _MAGIC + _sm3(text) + b"\n" + text)
        except OSError as error:
            raise_refused(error, self._folder)

    def close(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._disk.close(self._lock)
            self._lock = None

    def _epoch(self) -> int:
        """The highest of the file's and of the newest segments', in case the file is damaged."""
        known = [0]
        try:
            known.append(int(read_file(self._disk, self._folder / EPOCH) or b"0"))
        except (FileNotFoundError, ValueError):
            known.append(0)
        for lane in LANES:
            reader = SegmentReader(self._folder / lane, self._disk)
            for segment in segments_of(self._folder / lane, self._disk)[-1:]:
                header = reader.header(segment)
                known.append(header.epoch if header is not None else 0)
        return max(known)


def read_acked(folder: Path, disk: Disk = REAL) -> dict[str, int]:
    """What the center has of each lane, as last written; {} where that is absent or damaged."""
    try:
        line, _, text = read_file(disk, folder / ACKED).partition(b"\n")
        if line != _MAGIC + _sm3(text):
            return _old_form(line)
        return msgspec.json.decode(text, type=dict[str, int])
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _old_form(line: bytes) -> dict[str, int]:
    """Releases before segment format 2 wrote the bare JSON."""
    return msgspec.json.decode(line, type=dict[str, int]) if line.startswith(b"{") else {}


def _sm3(text: bytes) -> bytes:
    return sm3.sm3_hex(text).encode()
