"""Finds the end of a log as it lies on disk: last sequence, boot epoch, and what a crash left behind it."""

from pathlib import Path
from typing import Self

from sensors.disk import REAL, Disk, read_file
from sensors.segment_chain import contents_of
from sensors.segment_folder import Segment, segments_of
from sensors.segment_format import FRAME_HEADER_BYTES, frame_fits
from sensors.segment_header import HEADER_BYTES, Header, pack_header, refuse_newer, unpack_header
from sensors.segment_packed import PACKED
from sensors.segment_seal import NO_KEYS, Keys


class Tail:
    """The end of a log; ``torn_at`` is where an unfinished write starts, None where there is none."""

    def __init__(self) -> None:
        self.last = 0
        self.epoch = 0
        self.first = 0  # of the last segment that holds frames
        self.path: Path | None = None
        self.header: Header | None = None
        self.torn_at: int | None = None
        self.torn_bytes = 0

    @classmethod
    def of(cls, folder: Path, disk: Disk = REAL, keys: Keys = NO_KEYS, floor: int = 0) -> Self:
        """Read the last segment that holds frames through; ``floor`` is known to have been written."""
        tail = cls()
        segments = segments_of(folder, disk)
        while segments:
            segment = segments.pop()
            try:
                data = read_file(disk, segment.path)
            except FileNotFoundError:
                continue
            if _holds_frames(data) or not segments:
                tail._read(segment, data, keys, floor)
                break
        return tail

    def _read(self, segment: Segment, data: bytes, keys: Keys, floor: int) -> None:
        header = unpack_header(data)
        if header is None:
            refuse_newer(data, segment.path)
        if not _holds_frames(data):  # nothing in it was ever acknowledged, but its name keeps the numbers
            self.last = segment.first - 1
            return
        self.path, self.first = segment.path, segment.first
        if header is None or header.first != segment.first:
            # Unreadable as a whole; no number that it may have used is given out again.
            guess = segment.first + len(data) // FRAME_HEADER_BYTES
            self.last = floor if floor >= segment.first else guess
            return
        self.header = header
        self.epoch = header.epoch
        found = contents_of(data, header, None, keys)
        self.last = found.last
        rest = data[found.offset :]
        if header.packing == PACKED:
            return
        if frame_fits(rest, 0) and rest.strip(b"\0"):
            self.last += 1  # whole but wrong: it was acknowledged and is damaged; readers report it
        elif rest:
            self.torn_at, self.torn_bytes = found.offset, len(rest)

    def written(self, disk: Disk) -> bytes:
        """The last segment's bytes as they were written; b'' where that is not known."""
        if self.path is None or self.header is None or self.header.packing == PACKED:
            return b""
        return pack_header(self.header) + read_file(disk, self.path)[self.header.size :]


def _holds_frames(data: bytes) -> bool:
    header = unpack_header(data)
    return len(data) > (header.size if header is not None else min(HEADER_BYTES.values()))
