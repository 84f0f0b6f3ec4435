"""Finds the end of a log as it lies on disk: last sequence, boot epoch, and what a crash left behind it."""

from pathlib import Path
from typing import Self

from sensors.disk import REAL, Disk, read_file
from sensors.segment_format import FRAME_HEADER_BYTES, HEADER_BYTES, frame_fits, scan, unpack_header
from sensors.segment_read import Segment, segments_of


class Tail:
    """The end of a log; ``torn_at`` is where an unfinished write starts, None where there is none."""

    def __init__(self) -> None:
        self.last = 0
        self.epoch = 0
        self.path: Path | None = None
        self.torn_at: int | None = None
        self.torn_bytes = 0

    @classmethod
    def of(cls, folder: Path, disk: Disk = REAL) -> Self:
        """Read the last segment that holds frames through."""
        tail = cls()
        segments = segments_of(folder, disk)
        while segments:
            segment = segments.pop()
            try:
                data = read_file(disk, segment.path)
            except FileNotFoundError:
                continue
            if len(data) > HEADER_BYTES or not segments:
                tail._read(segment, data)
                break
        return tail

    def _read(self, segment: Segment, data: bytes) -> None:
        if len(data) <= HEADER_BYTES:  # nothing in it was ever acknowledged, but its name keeps the numbers
            self.last = segment.first - 1
            return
        self.path = segment.path
        header = unpack_header(data)
        if header is None:
            # Unreadable as a whole; no number that it may have used is given out again.
            self.last = segment.first + len(data) // FRAME_HEADER_BYTES
            return
        self.epoch = header.epoch
        found = scan(
            data, HEADER_BYTES, header, expected=segment.first, before=None, whole=True, after=1 << 63
        )
        self.last = found.expected - 1
        rest = data[found.offset :]
        if frame_fits(rest, 0) and rest.strip(b"\0"):
            self.last += 1  # whole but wrong: it was acknowledged and is damaged; readers report it
        elif rest:
            self.torn_at, self.torn_bytes = found.offset, len(rest)
