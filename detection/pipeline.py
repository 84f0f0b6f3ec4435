"""Events in, alerts out: feeds every detector, and hands alerts, events and position to the sink at once.

The pipeline process calls ``restore`` and then ``follow``. What a batch led to is durable together with the
position reached, so a killed pipeline repeats at most one batch, and alert ids make the repetition harmless.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from crypto.words import LiuheError
from detection.alert import Alert, Match
from detection.detector import Detector, FeedFailed, Timed
from detection.exceptions import Sieve, Withheld
from detection.parameters import Saying
from sensors.event import Event

BATCH_EVENTS: Final = 2_048  # events fed at once where so many are waiting
FOLLOW_BYTES: Final = 1 << 20  # of the log, read at once
POLL_SECONDS: Final = 0.05  # between looks at a log that has nothing new
TICK_SECONDS: Final = 1.0  # between ticks of timed detectors while nothing comes
WARM_MINUTES: Final = 10  # of events replayed into the windows after a start; the longest window is 5


class Sink(Protocol):
    """Where alerts, inventory and the position become durable (detection.store.alert_store)."""

    def commit(
        self,
        raised: Sequence[Alert],
        events: Sequence[Event],
        position: int | None,
        now: datetime,
        *,
        states: Mapping[str, bytes] | None = None,
        withheld: Sequence[Withheld] = (),
    ) -> object:
        """Make all of it durable, or nothing; returns after the commit."""
        ...

    def position(self) -> int:
        """The last log sequence committed; 0 before the first."""
        ...

    def detector_state(self, name: str) -> bytes | None:
        """The snapshot a detector left with its last commit."""
        ...


class EventLog(Protocol):
    """The received events (detection.store.event_store)."""

    def follow(self, after: int, limit_bytes: int) -> list[tuple[int, bytes]]:
        """(sequence, payload) of frames behind ``after``, in order; [] when there are no more yet."""
        ...

    def events_of(self, payload: bytes) -> Sequence[Event]:
        """The events of a frame. Raises LiuheError where it holds something else."""
        ...

    def since(self, time: datetime) -> Iterator[Event]:
        """Stored events of this time or later."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A detector whose state outlives the process, through the sink."""

    name: str

    def snapshot(self) -> bytes | None:
        """The state to keep; None where it has not changed since the last call."""
        ...

    def recall(self, snapshot: bytes) -> object:
        """Take up a state that ``snapshot`` gave; False where it is set aside, being of another edition."""
        ...


@runtime_checkable
class Replaying(Protocol):
    """A remembering detector whose snapshots are rarer than commits."""

    def replay_since(self) -> datetime | None:
        """From which event time on it must see committed events again; None where its snapshot says all."""
        ...


class Budgeting(Remembering, Protocol):
    """Marks alerts that are more than people can look at (detection.anomaly.budget)."""

    def sift(self, alerts: Sequence[Alert]) -> list[Alert]:
        """The same alerts, those beyond the budget marked as withheld."""
        ...


class Pipeline:
    """Detectors in order, and their sink. One thread uses it."""

    def __init__(
        self,
        detectors: Sequence[Detector],
        sink: Sink,
        *,
        failed: Saying | None = None,
        sieve: Sieve | None = None,
        budget: Budgeting | None = None,
    ) -> None:
        """``failed`` words the alert about a detector that failed; ``sieve`` holds exceptions back."""
        self._sieve = sieve
        self._budget = budget
        self._detectors = tuple(detectors)
        self._sink = sink
        self._failed = failed
        self.failures: Counter[str] = Counter()  # events a detector could not take, by detector
        self.unreadable = 0  # frames of the log that held no events
        self.events = 0

    def position(self) -> int:
        """The last log sequence whose effects are durable."""
        return self._sink.position()

    def run_batch(self, events: Sequence[Event], position: int | None, now: datetime) -> list[Alert]:
        """Feed the events to every detector and commit what follows; returns the alerts.

        ``position`` is the log sequence the events reach, None where they come from no log. Raises what the
        sink raises: then nothing of the batch is durable, and the process should start again.
        """
        alerts: list[Alert] = []
        for detector in self._detectors:
            alerts.extend(self._feed(detector, events))
            if isinstance(detector, Timed):
                alerts.extend(detector.tick(now))
        withheld: list[Withheld] = []
        if self._sieve is not None:
            alerts, withheld = self._sieve.sift(alerts, now)
        if self._budget is not None:
            alerts = self._budget.sift(alerts)
        states = self._states()
        if alerts or withheld or events or states or position is not None:
            self._sink.commit(alerts, events, position, now, states=states, withheld=withheld)
        self.events += len(events)
        return alerts

    def warm(self, events: Iterable[Event]) -> None:
        """Rebuild windows in memory from events that were committed before; their alerts are not repeated."""
        batch: list[Event] = []
        for event in events:
            batch.append(event)
            if len(batch) >= BATCH_EVENTS:
                self._warm(batch)
                batch = []
        self._warm(batch)

    def recall(self) -> list[str]:
        """Give remembering detectors the state of the last commit; names of those that could not use it."""
        set_aside: list[str] = []
        for detector in self._detectors:
            if not isinstance(detector, Remembering):
                continue
            kept = self._sink.detector_state(detector.name)
            if kept and detector.recall(kept) is False:
                set_aside.append(detector.name)
        return set_aside

    def replay_since(self) -> datetime | None:
        """The earliest event time a detector must see again after ``recall``."""
        times = [one.replay_since() for one in self._detectors if isinstance(one, Replaying)]
        return min((time for time in times if time is not None), default=None)

    def _warm(self, batch: list[Event]) -> None:
        for detector in self._detectors:
            self._feed(detector, batch)

    def _states(self) -> dict[str, bytes]:
        kept = ((one.name, one.snapshot()) for one in self._remembering())
        return {name: body for name, body in kept if body is not None}

    def _remembering(self) -> Iterator[Remembering]:
        yield from (one for one in self._detectors if isinstance(one, Remembering))
        if self._budget is not None:
            yield self._budget

    def _feed(self, detector: Detector, events: Sequence[Event]) -> list[Alert]:
        """All alerts of one detector; an event it cannot bear costs that event only, and is told once."""
        alerts: list[Alert] = []
        told = False
        while events:
            try:
                alerts.extend(detector.feed(events))
                break
            except FeedFailed as failure:
                alerts.extend(failure.alerts)
                self.failures[detector.name] += 1
                if not told and self._failed is not None:
                    alerts.append(_complaint(self._failed, detector.name, events[failure.index], failure))
                told = True
                events = events[failure.index + 1 :]
        return alerts


def restore(log: EventLog, pipeline: Pipeline, now: datetime) -> list[str]:
    """Put detectors back to where the last commit left them: snapshots, then the last minutes again.

    Gives the names of those whose snapshot is of another edition: they learn anew.
    """
    set_aside = pipeline.recall()
    pending: set[str] = set()
    anchor = now
    position = pipeline.position()
    while frames := log.follow(position, FOLLOW_BYTES):
        for event in _events_in(log, pipeline, frames):
            pending.add(event.id)
            anchor = min(anchor, event.time)
        position = frames[-1][0]
    since = anchor - timedelta(minutes=WARM_MINUTES)
    wanted = pipeline.replay_since()
    if wanted is not None:
        since = min(since, wanted)
    pipeline.warm(event for event in log.since(since) if event.id not in pending and event.time <= now)
    return set_aside


def follow(log: EventLog, pipeline: Pipeline, stop: threading.Event, clock: Callable[[], datetime]) -> None:
    """Run batches as frames arrive until ``stop`` is set. Raises what the sink or the log raises."""
    position = pipeline.position()
    ticked = clock()
    while not stop.is_set():
        frames = log.follow(position, FOLLOW_BYTES)
        if frames:
            position = _run_frames(log, pipeline, frames, clock)
            ticked = clock()
            continue
        if (clock() - ticked).total_seconds() >= TICK_SECONDS:
            ticked = clock()
            pipeline.run_batch((), None, ticked)
        stop.wait(POLL_SECONDS)


def _run_frames(
    log: EventLog, pipeline: Pipeline, frames: list[tuple[int, bytes]], clock: Callable[[], datetime]
) -> int:
    """Run the frames in batches that end with a frame; returns the last sequence."""
    batch: list[Event] = []
    for frame in frames:
        batch.extend(_events_in(log, pipeline, [frame]))
        if len(batch) >= BATCH_EVENTS or frame is frames[-1]:
            pipeline.run_batch(batch, frame[0], clock())
            batch = []
    return frames[-1][0]


def _events_in(log: EventLog, pipeline: Pipeline, frames: list[tuple[int, bytes]]) -> Iterator[Event]:
    for _, payload in frames:
        try:
            yield from log.events_of(payload)
        except LiuheError:
            pipeline.unreadable += 1  # counted and passed over: one bad frame must not stop detection


def _complaint(saying: Saying, detector: str, event: Event, failure: FeedFailed) -> Alert:
    return saying.alert(
        "health",
        entity=f"detector:{detector}",
        numbers={"detector": detector, "error": f"{type(failure.cause).__name__}: {failure.cause}"},
        events=(event,),
        matched=(Match(event=event.id, field="event.dataset", value=event.fields.get("event.dataset")),),
    )
