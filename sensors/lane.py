"""One lane of the spool: its log, what was sent and acknowledged of it, and its quota."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from sensors.disk import REAL, Disk
from sensors.event import Value
from sensors.gap import DATASET, Gap
from sensors.lane_mark import LaneMark
from sensors.messages import BATCH_EVENTS_MAX, Batch
from sensors.segment_folder import raise_refused
from sensors.segment_format import Frame
from sensors.segment_header import VERSION
from sensors.segment_log import SegmentLog
from sensors.segment_seal import NO_KEYS, Keys
from sensors.wire import make_batch

BATCH_BYTES_MAX: Final = 1024 * 1024  # before compression; below wire.BODY_BYTES_MAX by the largest event
SEGMENTS_IN_QUOTA: Final = 8  # what a full lane drops at once is an eighth of it
SEGMENT_BYTES_MIN: Final = 64 * 1024
SEGMENT_BYTES_MAX: Final = 8 * 1024 * 1024


class _Seen(msgspec.Struct):
    """The parts of a spooled event that a gap record needs."""

    time: datetime
    fields: dict[str, Value]


_seen: Final = msgspec.json.Decoder(_Seen)


class Drop(NamedTuple):
    """A whole segment to be dropped: its gap record, and gap records that lay in it."""

    last: int
    gap: Gap | None
    carried: list[dict[str, Value]]


class Lane:
    """Used under the spool's locks: ``append`` by its committer, the rest by the uplink."""

    def __init__(
        self,
        folder: Path,
        name: str,
        sensor: str,
        epoch: int,
        quota_bytes: int,
        *,
        age_seconds: float | None = None,
        keys: Keys = NO_KEYS,
        version: int = VERSION,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        disk: Disk = REAL,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        segment_bytes = min(max(quota_bytes // SEGMENTS_IN_QUOTA, SEGMENT_BYTES_MIN), SEGMENT_BYTES_MAX)
        self.name = name
        self.quota_bytes = quota_bytes
        self.acked = 0
        self.sent = 0
        self._holes: list[tuple[int, int]] = []  # first and last of what is not in the log
        self._told: set[tuple[int, int]] = set()
        self._age_ms = int(age_seconds * 1000) if age_seconds is not None else None
        self._clock_ms = clock_ms
        self._sensor = sensor
        self._keys = keys
        self._disk = disk
        self._mark = LaneMark(folder, disk)
        self.log = SegmentLog.open(
            folder,
            name=name,
            segment_bytes_max=segment_bytes,
            writer=True,
            epoch=epoch,
            sensor=sensor,
            keys=keys,
            version=version,
            floor=self._mark.last,
            clock_ms=clock_ms,
            disk=disk,
            random_bits=random_bits,
        )

    def append(self, lines: Sequence[bytes]) -> range:
        """Make events durable; returns their sequences."""
        written = self.log.append(lines)
        self._mark.move(written.stop - 1)
        return written

    def resume(self, acked: int) -> Gap | None:
        """Go on after what the center acknowledged; what the log has lost at its end meanwhile.

        Where both that and the mark are lost, nothing before the log's first sequence counts as accounted
        for: better a gap record too many than a loss without a word.
        """
        last = max(self.log.last, self._mark.last)
        self.acked = self.sent = max(0, min(acked, last))
        first = max(self.log.last, self.accounted) + 1
        return Gap(self.name, first, last, last - first + 1, "damaged") if first <= last else None

    @property
    def accounted(self) -> int:
        """Up to here every event is at the center or in a gap record."""
        return max(self.acked, self._mark.accounted)

    def account(self, upto: int) -> None:
        """Keep durably that everything up to here is accounted for, before its segment goes.

        Raises LiuheError (disk).
        """
        try:
            self._mark.account(upto)
        except OSError as error:
            raise_refused(error, self.log.folder)

    def close(self) -> None:
        """Give the folder back."""
        self._mark.close()
        self.log.close()

    @property
    def backlog(self) -> int:
        """Events in the lane that the center has not acknowledged."""
        first = self.log.first
        return max(0, self.log.last - max(self.acked, first - 1)) if first else 0

    def next_batch(self) -> Batch | None:
        """The next events to send, of one boot and without a hole; None where all were sent."""
        last = self.log.last
        if self.sent >= last:
            return None
        from_here = max(self.sent, self.accounted) + 1
        frames = self.log.read(self.sent, BATCH_BYTES_MAX)
        self.log.take_damages()  # a hole in the sequences says the same, and also where a whole file is gone
        if not frames:  # durable once, and nothing of it can be read
            self._hole(from_here, last)
            self.sent = last
            return None
        run = list(_run_of(frames))
        first = run[0]
        self._hole(from_here, first.sequence - 1)
        self.sent = run[-1].sequence
        return make_batch(
            self._sensor, first.epoch, self.name, first.sequence, [frame.payload for frame in run]
        )

    def take_gaps(self) -> list[Gap]:
        """Losses met while reading that the center does not have, each once in a boot."""
        holes = [hole for hole in self._holes if hole not in self._told]
        self._holes.clear()
        self._told.update(holes)
        return [Gap(self.name, first, last, last - first + 1, "damaged") for first, last in holes]

    def _hole(self, first: int, last: int) -> None:
        if first <= last:
            self._holes.append((first, last))

    def over_quota(self) -> Drop | None:
        """What to drop so that the lane fits its quota; None where nothing can or need be dropped."""
        return self.oldest("quota") if self.log.bytes_total > self.quota_bytes else None

    def over_age(self) -> Drop | None:
        """What to drop because it waits for too long."""
        if self._age_ms is None:
            return None
        left_ms = self.log.oldest_sealed_ms()
        if left_ms is None or left_ms >= self._clock_ms() - self._age_ms:
            return None
        return self.oldest("age")

    def age(self) -> None:
        """Let the segment that is being written come to an end, so that it can age out."""
        if self._age_ms is not None:
            self.log.seal_older_than(self._clock_ms() - self._age_ms // SEGMENTS_IN_QUOTA)

    def oldest(self, reason: str) -> Drop | None:
        """The oldest segment that is no longer written, as something to drop; None where there is none."""
        oldest = self.log.oldest_sealed()
        if oldest is None:
            return None
        first, last = self.accounted + 1, oldest[1]
        if first > last:
            return Drop(last, None, [])
        times: list[datetime] = []
        carried: list[dict[str, Value]] = []
        for event in self._events(first, last):
            times.append(event.time)
            if event.fields.get("event.dataset") == DATASET:
                carried.append(event.fields)
        begins, ends = (min(times), max(times)) if times else (None, None)
        gap = Gap(self.name, first, last, last - first + 1, reason, begins, ends)
        return Drop(last, gap, carried)

    def _events(self, first: int, last: int) -> Iterator[_Seen]:
        beside = SegmentLog.open(
            self.log.folder, name=self.name, writer=False, keys=self._keys, disk=self._disk
        )
        after = first - 1
        while frames := beside.read(after, BATCH_BYTES_MAX):
            for frame in frames:
                if frame.sequence > last:
                    return
                try:
                    yield _seen.decode(frame.payload)
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    continue
            after = frames[-1].sequence


def _run_of(frames: list[Frame]) -> Iterator[Frame]:
    """The leading frames that fit one batch."""
    first = frames[0]
    size = 0
    for count, frame in enumerate(frames):
        size += len(frame.payload)
        if frame.epoch != first.epoch or frame.sequence != first.sequence + count:
            return
        if count >= BATCH_EVENTS_MAX or (count and size > BATCH_BYTES_MAX):
            return
        yield frame
