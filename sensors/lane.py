"""One lane of the spool: its log, what was sent and acknowledged of it, and its quota."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from sensors.disk import REAL, Disk
from sensors.event import Value
from sensors.gap import DATASET, Gap
from sensors.messages import BATCH_EVENTS_MAX, Batch
from sensors.segment_format import Frame
from sensors.segment_log import SegmentLog
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
        disk: Disk = REAL,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        segment_bytes = min(max(quota_bytes // SEGMENTS_IN_QUOTA, SEGMENT_BYTES_MIN), SEGMENT_BYTES_MAX)
        self.name = name
        self.quota_bytes = quota_bytes
        self.log = SegmentLog.open(
            folder,
            name=name,
            segment_bytes_max=segment_bytes,
            writer=True,
            epoch=epoch,
            disk=disk,
            random_bits=random_bits,
        )
        self.acked = 0
        self.sent = 0
        self._sensor = sensor
        self._disk = disk

    def resume(self, acked: int) -> None:
        """Go on after what the center acknowledged."""
        self.acked = self.sent = max(0, min(acked, self.log.last))

    @property
    def backlog(self) -> int:
        """Events in the lane that the center has not acknowledged."""
        first = self.log.first
        return max(0, self.log.last - max(self.acked, first - 1)) if first else 0

    def next_batch(self) -> Batch | None:
        """The next events to send, of one boot and without a hole; None where all were sent."""
        if self.sent >= self.log.last:
            return None
        frames = self.log.read(self.sent, BATCH_BYTES_MAX)
        if not frames:
            return None
        run = list(_run_of(frames))
        self.sent = run[-1].sequence
        first = run[0]
        return make_batch(
            self._sensor, first.epoch, self.name, first.sequence, [frame.payload for frame in run]
        )

    def take_gaps(self) -> list[Gap]:
        """Losses met while reading that the center does not have."""
        gaps = []
        for damage in self.log.take_damages():
            first = max(damage.first, self.acked + 1)
            if first <= damage.last:
                gaps.append(Gap(self.name, first, damage.last, damage.last - first + 1, "damaged"))
        return gaps

    def over_quota(self) -> Drop | None:
        """What to drop so that the lane fits its quota; None where nothing can or need be dropped."""
        if self.log.bytes_total <= self.quota_bytes:
            return None
        oldest = self.log.oldest_sealed()
        if oldest is None:
            return None
        first, last = max(oldest[0], self.acked + 1), oldest[1]
        if first > last:
            return Drop(last, None, [])
        times: list[datetime] = []
        carried: list[dict[str, Value]] = []
        for event in self._events(first, last):
            times.append(event.time)
            if event.fields.get("event.dataset") == DATASET:
                carried.append(event.fields)
        begins, ends = (min(times), max(times)) if times else (None, None)
        gap = Gap(self.name, first, last, last - first + 1, "quota", begins, ends)
        return Drop(last, gap, carried)

    def _events(self, first: int, last: int) -> Iterator[_Seen]:
        beside = SegmentLog.open(self.log.folder, name=self.name, writer=False)
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
