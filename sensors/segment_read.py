"""Reads a folder of segments, from the writer's process or another one, while segments come and go."""

from bisect import bisect_right
from pathlib import Path
from typing import Final, NamedTuple

from crypto.words import LiuheError, Words
from sensors.disk import REAL, Disk, opened, read_from
from sensors.segment_format import (
    HEADER_BYTES,
    Damage,
    End,
    Frame,
    Header,
    Scan,
    scan,
    unpack_header,
)

SUFFIX: Final = ".seg"
READ_BYTES_MIN: Final = 64 * 1024  # one pread; larger than any usual frame
_DAMAGES_MAX: Final = 10_000  # remembered so that a second reading does not report a loss twice


class Segment(NamedTuple):
    """One file of the log: its first sequence (also its name) and where it lies."""

    first: int
    path: Path


class Bound(NamedTuple):
    """How far the writer's own process may read: segment ``first`` up to ``size``, nothing above ``last``."""

    first: int
    size: int
    last: int


class _Place(NamedTuple):
    """Where reading of a segment went on to: the next frame's offset and sequence."""

    first: int
    offset: int
    expected: int


def segments_of(folder: Path, disk: Disk = REAL) -> list[Segment]:
    """The segments of a folder in order; other files are passed over."""
    found: list[Segment] = []
    for name in disk.list_folder(folder):
        stem = name.removesuffix(SUFFIX)
        if stem != name and len(stem) == 20 and stem.isascii() and stem.isdigit():
            found.append(Segment(int(stem), folder / name))
    return sorted(found)


class SegmentReader:
    """Sequential reading with a remembered place, so that tailing costs only what is new.

    Not safe for several threads at once; SegmentLog holds a lock around it.
    """

    def __init__(self, folder: Path, disk: Disk = REAL) -> None:
        self._folder = folder
        self._disk = disk
        self._place: _Place | None = None
        self._seen: set[Damage] = set()
        self._damages: list[Damage] = []

    def take_damages(self) -> list[Damage]:
        """Losses met since the last call, each once."""
        taken, self._damages = self._damages, []
        return taken

    def read(self, after: int, limit_bytes: int, bound: Bound | None = None) -> list[Frame]:
        """Frames after a sequence, in order, about ``limit_bytes`` of them; [] when there are no more yet."""
        segments = segments_of(self._folder, self._disk)
        if bound is not None:
            segments = [segment for segment in segments if segment.first <= bound.last]
        index = max(0, bisect_right([segment.first for segment in segments], after + 1) - 1)
        frames: list[Frame] = []
        while index < len(segments) and limit_bytes > 0:
            following = segments[index + 1] if index + 1 < len(segments) else None
            more, done = self._read_segment(segments[index], following, after, limit_bytes, bound)
            frames.extend(more)
            limit_bytes -= sum(len(frame.payload) for frame in more)
            if not done:
                break
            index += 1
        return frames

    def header(self, segment: Segment) -> Header | None:
        """The segment's header; None where it is not (yet) readable."""
        # Not remembered: a writer whose first sync failed creates the same name again with another salt.
        try:
            with opened(self._disk, segment.path, "read") as handle:
                header = unpack_header(read_from(self._disk, handle, HEADER_BYTES))
        except FileNotFoundError:
            return None
        return header if header is not None and header.first == segment.first else None

    def _read_segment(
        self, segment: Segment, following: Segment | None, after: int, limit_bytes: int, bound: Bound | None
    ) -> tuple[list[Frame], bool]:
        """Frames of one segment, and whether reading goes on with the next one."""
        header = self.header(segment)
        if header is None:
            return [], self._unreadable(segment, following)
        place = self._place
        if place is None or place.first != segment.first or place.expected > after + 1:
            place = _Place(segment.first, HEADER_BYTES, segment.first)
        before = following.first if following is not None else None
        end = bound.size if bound is not None and bound.first == segment.first else None
        frames: list[Frame] = []
        try:
            with opened(self._disk, segment.path, "read") as handle:
                size = self._disk.size_of(handle)
                size = size if end is None else min(size, end)
                while True:
                    got = self._scan(handle, size, header, place, before, after, max(1, limit_bytes))
                    place = _Place(segment.first, got.offset, got.expected)
                    frames.extend(got.frames)
                    limit_bytes -= sum(len(frame.payload) for frame in got.frames)
                    self._note([damage for damage in got.damages if damage.last > after])
                    if got.end is not End.SHORT:
                        break
                    if limit_bytes <= 0:
                        break
        except FileNotFoundError:  # released between listing and reading
            return frames, True
        except OSError as error:
            raise _unreadable_file(segment.path, error) from error
        self._place = place
        if got.end in {End.LIMIT, End.SHORT} or following is None:
            return frames, False
        self._note_lost_tail(place.expected, following)
        return frames, True

    def _scan(
        self,
        handle: int,
        size: int,
        header: Header,
        place: _Place,
        before: int | None,
        after: int,
        limit_bytes: int,
    ) -> Scan:
        """Scan one piece of the file; the whole rest of it where a piece is not enough."""
        piece = max(limit_bytes, READ_BYTES_MIN)
        data = read_from(self._disk, handle, min(piece, max(0, size - place.offset)), place.offset)
        whole = place.offset + len(data) >= size
        got = self._scan_data(data, header, place, before, after, limit_bytes, whole)
        if got.end is End.SHORT and got.offset == place.offset:
            data = read_from(self._disk, handle, size - place.offset, place.offset)
            got = self._scan_data(data, header, place, before, after, limit_bytes, whole=True)
        return got

    @staticmethod
    def _scan_data(
        data: bytes,
        header: Header,
        place: _Place,
        before: int | None,
        after: int,
        limit_bytes: int,
        whole: bool,
    ) -> Scan:
        got = scan(
            data,
            0,
            header,
            expected=place.expected,
            before=before,
            whole=whole,
            after=after,
            limit_bytes=limit_bytes,
        )
        return got._replace(offset=place.offset + got.offset)

    def _unreadable(self, segment: Segment, following: Segment | None) -> bool:
        """A segment without a header: being created if it is the last, else lost as a whole."""
        if following is None:
            return False
        if segment in segments_of(self._folder, self._disk):
            after = self.header(following)
            last = after.previous_last if after is not None else following.first - 1
            if last >= segment.first:
                self._note([Damage(segment.first, last, "the segment's header is unreadable")])
        return True

    def _note_lost_tail(self, expected: int, following: Segment) -> None:
        header = self.header(following)
        if header is not None and header.previous_last >= expected:
            self._note([Damage(expected, header.previous_last, "frames at the end of a segment are missing")])

    def _note(self, damages: list[Damage]) -> None:
        for damage in damages:
            if damage not in self._seen and len(self._seen) < _DAMAGES_MAX:
                self._seen.add(damage)
                self._damages.append(damage)


def _unreadable_file(path: Path, error: OSError) -> LiuheError:
    reason = error.strerror or str(error)
    return LiuheError(
        "log-read-failed",
        Words(f"读不出日志段:{reason}", f"a log segment cannot be read: {reason}"),
        Words("请检查磁盘和文件权限", "check the disk and the file's permissions"),
        field=str(path),
    )
