"""Reads a folder of segments, from the writer's process or another one, while segments come and go."""

from bisect import bisect_right
from pathlib import Path
from typing import Final, NamedTuple

from crypto.words import LiuheError, Words
from sensors.disk import REAL, Disk, opened, read_from
from sensors.segment_chain import contents_of, opened_scan
from sensors.segment_folder import SUFFIX, Segment, segments_of
from sensors.segment_format import Damage, End, Frame, Scan, scan
from sensors.segment_header import HEADER_BYTES_MAX, Header, refuse_newer, unpack_header
from sensors.segment_packed import PACKED, scan_packed
from sensors.segment_seal import NO_KEYS, Keys

__all__ = ["FOREIGN", "SUFFIX", "Bound", "Segment", "SegmentReader", "segments_of"]

FOREIGN: Final = "the segment is not the one that was written"
READ_BYTES_MIN: Final = 64 * 1024  # one pread; larger than any usual frame
ACCUSERS_MAX: Final = 64
_DAMAGES_MAX: Final = 10_000  # remembered so that a second reading does not report a loss twice


class Bound(NamedTuple):
    """How far the writer's own process may read: segment ``first`` up to ``size``, nothing above ``last``."""

    first: int
    size: int
    last: int


class _Place(NamedTuple):
    """Where reading of a segment went on to: the next frame's offset and sequence.

    ``salts`` tell a file from another of the same name: packed meanwhile, or written again.
    """

    first: int
    salts: tuple[int, int]
    offset: int
    expected: int


class SegmentReader:
    """Sequential reading with a remembered place, so that tailing costs only what is new.

    Not safe for several threads at once; SegmentLog holds a lock around it.
    """

    def __init__(
        self,
        folder: Path,
        disk: Disk = REAL,
        keys: Keys = NO_KEYS,
        *,
        sensor: str = "",
    ) -> None:
        """With ``sensor`` segments of other sensors are passed over."""
        self._folder = folder
        self._disk = disk
        self._keys = keys
        self._sensor = sensor
        self._trusted_epoch: int | None = None
        self._checked: dict[int, bool] = {}
        self._place: _Place | None = None
        self._seen: set[Damage] = set()
        self._damages: list[Damage] = []

    def trust(self, epoch: int) -> None:
        """From now on check the chain of the segments of other boots before they are read."""
        self._trusted_epoch = epoch

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
        """The segment's header; None where it is not (yet) readable. Raises LiuheError (disk)."""
        # Not remembered: a writer whose first sync failed creates the same name again with another salt.
        try:
            with opened(self._disk, segment.path, "read") as handle:
                return self._header_of(segment, handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable_file(segment.path, error) from error

    def _header_of(self, segment: Segment, handle: int) -> Header | None:
        data = read_from(self._disk, handle, HEADER_BYTES_MAX)
        header = unpack_header(data)
        if header is None:
            refuse_newer(data, segment.path)
        return header if header is not None and header.first == segment.first else None

    def _read_segment(
        self, segment: Segment, following: Segment | None, after: int, limit_bytes: int, bound: Bound | None
    ) -> tuple[list[Frame], bool]:
        """Frames of one segment, and whether reading goes on with the next one."""
        try:
            with opened(self._disk, segment.path, "read") as handle:
                header = self._header_of(segment, handle)
                if header is None:
                    return [], self._unreadable(segment, following)
                if self._is_foreign(segment, handle, header, following):
                    return [], self._pass_over(segment, following)
                size = self._disk.size_of(handle)
                if bound is not None and bound.first == segment.first:
                    size = min(size, bound.size)
                before = self._end_of(following)
                frames, end = self._frames(handle, size, header, before, after, limit_bytes)
        except FileNotFoundError:  # released between listing and reading
            return [], True
        except OSError as error:
            raise _unreadable_file(segment.path, error) from error
        if end in {End.LIMIT, End.SHORT} or following is None:
            return frames, False
        assert self._place is not None
        self._note_lost_tail(self._place.expected, following)
        return frames, True

    def _end_of(self, following: Segment | None) -> int | None:
        """The sequence that the segment in front of ``following`` does not reach.

        Frames above the writer's own word are of a commit that failed and could not be taken back.
        """
        if following is None:
            return None
        header = self.header(following)
        return following.first if header is None else min(following.first, header.previous_last + 1)

    def _frames(
        self, handle: int, size: int, header: Header, before: int | None, after: int, limit_bytes: int
    ) -> tuple[list[Frame], End]:
        """Frames of an opened segment from the remembered place on."""
        place, salts = self._place, (header.salt, header.pack_salt)
        if place is None or (place.first, place.salts) != (header.first, salts) or place.expected > after + 1:
            place = _Place(header.first, salts, header.size, header.first)
        frames: list[Frame] = []
        while True:
            got = self._scan(handle, size, header, place, before, after, max(1, limit_bytes))
            place = place._replace(offset=got.offset, expected=got.expected)
            frames.extend(got.frames)
            limit_bytes -= sum(len(frame.payload) for frame in got.frames)
            self._note([damage for damage in got.damages if damage.last > after])
            if got.end is not End.SHORT or limit_bytes <= 0:
                break
        self._place = place
        return frames, got.end

    def _is_foreign(
        self, segment: Segment, handle: int, header: Header, following: Segment | None, depth: int = 0
    ) -> bool:
        """Whether the file is not the one that was written: another sensor's, or put in its place."""
        if header.version > 1 and self._sensor and header.sensor != self._sensor:
            return True
        if following is None or self._trusted_epoch is None or header.epoch == self._trusted_epoch:
            return False
        known = self._checked.get(segment.first)
        if known is None:
            data = read_from(self._disk, handle, self._disk.size_of(handle))
            known = contents_of(data, header, self.header(following), self._keys).foreign
            # The accuser itself may be the file that was put there.
            known = known and depth < ACCUSERS_MAX and not self._accuser_is_foreign(following, depth + 1)
            if len(self._checked) > _DAMAGES_MAX:
                self._checked.clear()
            self._checked[segment.first] = known
        return known

    def _accuser_is_foreign(self, segment: Segment, depth: int) -> bool:
        behind = [one for one in segments_of(self._folder, self._disk) if one.first > segment.first]
        with opened(self._disk, segment.path, "read") as handle:
            header = self._header_of(segment, handle)
            following = behind[0] if behind else None
            return header is not None and self._is_foreign(segment, handle, header, following, depth)

    def _pass_over(self, segment: Segment, following: Segment | None) -> bool:
        if following is None:
            return False
        after = self.header(following)
        last = after.previous_last if after is not None else following.first - 1
        if last >= segment.first:
            self._note([Damage(segment.first, last, FOREIGN)])
        return True

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
        if header.packing == PACKED:
            data = read_from(self._disk, handle, size)
            return scan_packed(
                data,
                place.offset,
                header,
                self._keys.blocks(header),
                expected=place.expected,
                before=before,
                after=after,
                limit_bytes=limit_bytes,
            )
        piece = max(limit_bytes, READ_BYTES_MIN)
        data = read_from(self._disk, handle, min(piece, max(0, size - place.offset)), place.offset)
        whole = place.offset + len(data) >= size
        got = self._scan_data(data, header, place, before, after, limit_bytes, whole)
        if got.end is End.SHORT and got.offset == place.offset:
            data = read_from(self._disk, handle, size - place.offset, place.offset)
            got = self._scan_data(data, header, place, before, after, limit_bytes, whole=True)
        return got

    def _scan_data(
        self,
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
        return opened_scan(got._replace(offset=place.offset + got.offset), header, self._keys)

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
