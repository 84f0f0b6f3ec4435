"""A special detector whose memory outlives the process: snapshots now and then, and replay without doubles.

Within a lane of a sensor events arrive in the order of their ids, so the highest id taken before a snapshot
says exactly which replayed events the memory already holds.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from detection.alert import Alert
from detection.detector import FeedFailed
from sensors.event import Event

_LANE: Final = slice(12, 30)  # of an event id: sensor, epoch and lane
_ORDER: Final = slice(28, 40)  # lane and number within it
_LANES_MAX: Final = 20_000
_LATE: Final = timedelta(minutes=10)  # by which an event may reach the center after it happened


class Learning(Protocol):
    """A detector that learns. ``datasets`` are the kinds of events it reads; None for all."""

    name: str
    datasets: frozenset[str] | None

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """The alerts these events complete."""
        ...

    def memory(self) -> msgspec.Struct:
        """Everything worth keeping, as one plain structure."""
        ...

    def remember(self, memory: Any) -> None:
        """Take up what ``memory`` gave; of the same type, the bounds may be others."""
        ...


class _Snapshot(msgspec.Struct, array_like=True):
    """A memory, and up to which event of each lane it reaches."""

    version: int
    until: float
    marks: dict[str, str]
    memory: msgspec.Raw


class Durable:
    """Feeds a learning detector the events it reads, and keeps its memory."""

    def __init__(self, detector: Learning, *, seconds: float, version: int = 1) -> None:
        """A snapshot is due ``seconds`` of event time after the one before; ``version`` of the memory."""
        self.name = detector.name
        self.detector = detector
        self._datasets = detector.datasets
        self._seconds = seconds
        self._version = version
        self._marks: dict[str, str] = {}  # highest id per lane taken so far
        self._held: dict[str, str] = {}  # highest id per lane that the recalled memory holds
        self._now = 0.0
        self._kept: float | None = None
        self._changed = False

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """What the detector says of those it reads. Raises FeedFailed with the place in ``events``."""
        read = [event for event in events if self._wanted(event)]
        if not read:
            return []
        self._changed = True
        try:
            return self.detector.feed(read)
        except FeedFailed as failure:
            failing = read[failure.index]
            index = next(place for place, event in enumerate(events) if event is failing)
            raise FeedFailed(index, failure.alerts, failure.cause) from failure

    def snapshot(self) -> bytes | None:
        """The memory, where something changed and a snapshot is due."""
        if not self._changed or (self._kept is not None and abs(self._now - self._kept) < self._seconds):
            return None
        self._kept, self._changed = self._now, False
        memory = msgspec.Raw(msgspec.msgpack.encode(self.detector.memory()))
        return msgspec.msgpack.encode(_Snapshot(self._version, self._now, dict(self._marks), memory))

    def recall(self, snapshot: bytes) -> bool:
        """Take up a memory; one of another version or shape is left aside (False) and learned anew."""
        try:
            kept = msgspec.msgpack.decode(snapshot, type=_Snapshot)
            if kept.version != self._version:
                return False
            memory = msgspec.msgpack.decode(kept.memory, type=type(self.detector.memory()))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return False
        self.detector.remember(memory)
        self._held, self._marks = kept.marks, dict(kept.marks)
        self._kept = self._now = kept.until
        return True

    def replay_since(self) -> datetime | None:
        """The event time of the last snapshot: what came after must be seen again."""
        if self._kept is None:
            return None
        return datetime.fromtimestamp(self._kept, tz=UTC) - _LATE

    def _wanted(self, event: Event) -> bool:
        if self._datasets is not None:
            dataset = event.fields.get("event.dataset")
            if type(dataset) is not str or dataset not in self._datasets:
                return False
        identifier = event.id
        lane, order = identifier[_LANE], identifier[_ORDER]
        if self._held and self._held.get(lane, "") >= order:
            return False
        if order > self._marks.get(lane, ""):
            if len(self._marks) >= _LANES_MAX and lane not in self._marks:
                del self._marks[next(iter(self._marks))]
            self._marks[lane] = order
        self._now = (event.ingested or event.time).timestamp()
        return True
