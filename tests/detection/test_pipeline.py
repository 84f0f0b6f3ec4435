"""The pipeline: isolation of failures, one commit per batch, replay after a kill, warming, following."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec import UNSET

from crypto.words import BadInput, Words
from detection.alert import Alert, Claim, claim
from detection.anomaly.budget import Budget
from detection.detector import Detector, FeedFailed, feed_each
from detection.exceptions import Exemption, InForce, Sieve, Withheld
from detection.health import health_parameters
from detection.parameters import read_parameters, shipped
from detection.pipeline import Pipeline, follow, restore
from detection.special.brute_force import BruteForceDetector
from detection.special.detectors import SpecialParameters
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)
SAID = Claim(rule="r", detector="special", title=Words("题", "title"), severity="low")


def event(number: int, **fields: str) -> Event:
    seen = Observation(
        time=START + timedelta(seconds=number), logsource=LogSource(), fields={"event.dataset": "x", **fields}
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


class EveryEvent:
    """Claims something about every event; cannot bear those marked bad."""

    def __init__(self, name: str = "every", *, fails: bool = False) -> None:
        self.name = name
        self.fed: list[str] = []
        self._fails = fails

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        return feed_each(self._take, events)

    def _take(self, one: Event) -> list[Alert]:
        if self._fails and "bad" in one.fields:
            raise ZeroDivisionError("bad event")
        self.fed.append(one.id)
        said = msgspec.structs.replace(SAID, rule=self.name)
        return [claim(said, entity="host:x", reason=SAID.title, events=(one,), matched=())]


class Counting:
    """Remembers how many events it saw."""

    name = "counting"

    def __init__(self) -> None:
        self.count = 0
        self._kept = 0

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        self.count += len(events)
        return []

    def snapshot(self) -> bytes | None:
        if self._kept == self.count:
            return None
        self._kept = self.count
        return str(self.count).encode()

    def recall(self, snapshot: bytes) -> None:
        self.count = self._kept = int(snapshot)


class MemorySink:
    """All or nothing, as the real one; alerts by id."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.events: list[str] = []
        self.states: dict[str, bytes] = {}
        self.reached = 0
        self.commits = 0
        self.broken = False
        self.withheld: list[Withheld] = []

    def commit(
        self,
        raised: Sequence[Alert],
        events: Sequence[Event],
        position: int | None,
        now: datetime,
        *,
        states: Mapping[str, bytes] | None = None,
        withheld: Sequence[Withheld] = (),
    ) -> None:
        if self.broken:
            raise OSError("disk full")
        self.commits += 1
        self.alerts.update({alert.id: alert for alert in raised})
        self.events += [one.id for one in events]
        self.states.update(states or {})
        self.reached = self.reached if position is None else position
        self.withheld += withheld

    def position(self) -> int:
        return self.reached

    def detector_state(self, name: str) -> bytes | None:
        return self.states.get(name)


class MemoryLog:
    """Frames of events; an empty frame is damaged."""

    def __init__(self, frames: list[list[Event]]) -> None:
        self.frames = [msgspec.json.encode(frame) if frame else b"damaged" for frame in frames]

    def follow(self, after: int, limit_bytes: int) -> list[tuple[int, bytes]]:
        del limit_bytes
        return list(enumerate(self.frames[after:], start=after + 1))[:2]

    def events_of(self, payload: bytes) -> Sequence[Event]:
        try:
            return msgspec.json.decode(payload, type=list[Event])
        except msgspec.MsgspecError as error:
            raise BadInput("frame", Words("坏", "bad"), Words("", "")) from error

    def since(self, time: datetime) -> Iterator[Event]:
        for payload in self.frames:
            if payload != b"damaged":
                yield from (one for one in self.events_of(payload) if one.time >= time)


def test_a_batch_is_one_commit_with_alerts_events_and_position() -> None:
    sink = MemorySink()
    pipeline = Pipeline([EveryEvent("a"), EveryEvent("b")], sink)
    alerts = pipeline.run_batch([event(1), event(2)], 7, START)
    assert [alert.rule for alert in alerts] == ["a", "a", "b", "b"]
    assert (sink.commits, sink.position(), len(sink.alerts), len(sink.events)) == (1, 7, 4, 2)


def test_nothing_to_say_is_not_committed() -> None:
    sink = MemorySink()
    Pipeline([Counting()], sink).run_batch((), None, START)
    assert sink.commits == 0


def test_one_bad_event_costs_one_detector_that_event_only_and_is_told() -> None:
    sink = MemorySink()
    good, bad = EveryEvent("good"), EveryEvent("bad", fails=True)
    pipeline = Pipeline([bad, good], sink, failed=health_parameters().detector)
    events = [event(1), event(2, bad="1"), event(3), event(4, bad="1"), event(5)]
    alerts = pipeline.run_batch(events, 1, START)
    assert len(good.fed) == 5
    assert bad.fed == [events[0].id, events[2].id, events[4].id]
    assert pipeline.failures == {"bad": 2}
    told = [alert for alert in alerts if alert.detector == "health"]
    assert [alert.entity for alert in told] == ["detector:bad"]
    assert "ZeroDivisionError" in told[0].reason.en


def test_a_replayed_batch_changes_nothing() -> None:
    sink = MemorySink()
    for _ in range(2):
        Pipeline([EveryEvent()], sink).run_batch([event(1), event(2)], 1, START)
    assert len(sink.alerts) == 2


def test_what_the_sink_raises_reaches_the_process() -> None:
    sink = MemorySink()
    sink.broken = True
    with pytest.raises(OSError, match="disk full"):
        Pipeline([EveryEvent()], sink).run_batch([event(1)], 1, START)
    assert sink.position() == 0


def _run(log: MemoryLog, pipeline: Pipeline, sink: MemorySink, until: int) -> None:
    stop = threading.Event()
    calls = 0

    def clock() -> datetime:
        nonlocal calls
        calls += 1
        if sink.position() >= until or calls > 1_000:
            stop.set()
        return START + timedelta(seconds=calls)

    follow(log, pipeline, stop, clock)


def test_following_reads_all_frames_passes_over_a_damaged_one_and_stops() -> None:
    log = MemoryLog([[event(1), event(2)], [], [event(3)]])
    sink = MemorySink()
    pipeline = Pipeline([EveryEvent()], sink)
    _run(log, pipeline, sink, 3)
    assert sink.position() == 3
    assert len(sink.events) == 3
    assert pipeline.unreadable == 1


@pytest.mark.parametrize("killed_after", range(1, 8))
def test_a_kill_at_any_frame_gives_the_same_alerts(killed_after: int) -> None:
    parameters = read_parameters(shipped("special.toml"), SpecialParameters).brute_force
    failure = {
        "event.category": "authentication",
        "event.outcome": "failure",
        "user.name": "z",
        "host.name": "h",
    }
    log = MemoryLog([[event(n, **failure)] for n in range(8)])

    def detectors() -> list[Detector]:
        return [BruteForceDetector(parameters), Counting()]

    whole = MemorySink()
    _run(log, Pipeline(detectors(), whole), whole, 8)
    assert len(whole.alerts) == 1

    sink = MemorySink()
    first = Pipeline(detectors(), sink)
    for position in range(1, killed_after + 1):
        first.run_batch(log.events_of(log.frames[position - 1]), position, START)
    second = Pipeline(detectors(), sink)
    restore(log, second, START + timedelta(seconds=60))
    _run(log, second, sink, 8)
    assert sink.alerts.keys() == whole.alerts.keys()


def test_warming_raises_nothing_and_recall_gives_states_back() -> None:
    sink = MemorySink()
    pipeline = Pipeline([Counting()], sink)
    pipeline.run_batch([event(1), event(2)], 1, START)
    again = Counting()
    recalled = Pipeline([again, EveryEvent()], sink)
    recalled.recall()
    assert again.count == 2
    recalled.warm([event(3)])
    assert sink.alerts == {}


def test_silence_is_noticed_while_nothing_comes() -> None:
    ticks: list[datetime] = []

    class Ticking(Counting):
        def tick(self, now: datetime) -> list[Alert]:
            ticks.append(now)
            return []

    sink = MemorySink()
    _run(MemoryLog([]), Pipeline([Ticking()], sink), sink, 0)
    Pipeline([Ticking()], sink).run_batch((), None, START)
    assert ticks[-1] == START


def test_a_failure_is_worded() -> None:
    assert "event 3" in str(FeedFailed(3, [], KeyError("x")))


class Lenient:
    """A book whose one exception covers every alert of the unit."""

    def revision(self) -> int:
        return 1

    def in_force(self, now: datetime) -> InForce:
        one = Exemption(
            id=7,
            kind="exception",
            title="t",
            rules=(),
            unit="u",
            units=("u",),
            condition="",
            reason="r",
            owner="o",
            asked=START,
            asked_by="user:a",
            begins=START,
            expires=START + timedelta(days=30),
            state="active",
        )
        return InForce(revision=1, exemptions=(one,))


def test_what_an_exception_covers_is_handed_on_beside_the_alerts() -> None:
    sink = MemorySink()
    pipeline = Pipeline([EveryEvent()], sink, sieve=Sieve(Lenient(), START))
    assert pipeline.run_batch([event(1)], 1, START + timedelta(minutes=1)) == []
    assert [one.exception for one in sink.withheld] == [7]
    assert (sink.alerts, sink.reached) == ({}, 1)


def test_the_budget_marks_alerts_and_is_kept_with_them() -> None:
    class Odd(EveryEvent):
        def feed(self, events: Sequence[Event]) -> list[Alert]:
            return [
                msgspec.structs.replace(one, detector="anomaly", entity=f"host:{at}")
                for at, one in enumerate(super().feed(events))
            ]

    def pipeline() -> Pipeline:
        made = Pipeline([Odd()], sink, budget=Budget(shift_hours=8, per_unit=1, offset_seconds=0))
        made.recall()
        return made

    sink = MemorySink()
    first = pipeline().run_batch([event(1), event(2)], 1, START)
    assert [one.withheld for one in first] == [UNSET, True]
    again = pipeline().run_batch([event(3), event(4)], 2, START)  # another process, the same shift
    assert [one.withheld for one in again] == [UNSET, True]
    assert len(sink.alerts) == 4
