"""Habits of hosts, network sources and users: a window in which one did what it and its peers hardly ever do.

Deeds are counted in windows of event time that close as their sensor moves on. The scores of the last
windows say how rare one is ("1 in N windows of this kind"); an alert is a rare window within the day's
budget, and the same entity is not told again for the same deed within a day. Meant to run in ``Durable``.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET

from crypto.words import Words
from detection.alert import Alert, Match
from detection.anomaly.behaviour import Behaved, Behaviour, Did, Reason
from detection.anomaly.deeds import DOERS, Doer, deeds_of, spoken
from detection.anomaly.entities import EntityParameters
from detection.calendar import Calendar
from detection.detector import feed_each
from detection.special.told import Told
from sensors.event import Event

_EVENTS_KEPT: Final = 5
_OTHER: Final = "other:"
_DAY: Final = 86_400


class Open(msgspec.Struct, array_like=True):
    """A window still open."""

    counts: dict[str, float] = {}
    events: list[Event] = []


class Watched(msgspec.Struct, array_like=True):
    """What is kept of one kind of doer beside its behaviour."""

    scores: list[float] = []  # of the last windows, in order of time
    first: int = 0  # start of the first window
    day: int = 0
    spent: int = 0  # alerts of that day
    withheld: int = 0  # rare windows beyond the budget, since the beginning


class Memory(msgspec.Struct, kw_only=True):
    """Everything worth keeping."""

    behaviours: dict[str, bytes] = {}
    watched: dict[str, Watched] = {}
    windows: dict[str, dict[str, Open]] = {}  # by sensor, by key
    newest: dict[str, float] = {}
    closed: dict[str, int] = {}
    told: dict[str, float] = {}


class HabitDetector:
    """Judges windows of deeds."""

    name = "habit"
    datasets: frozenset[str] | None = None

    def __init__(self, parameters: EntityParameters, calendar: Calendar) -> None:
        self._parameters = parameters
        self._calendar = calendar
        parts = parameters.baseline, parameters.rarity, parameters.unrest
        self._behaviours = {doer: Behaviour(*parts) for doer in DOERS}
        self._watched = {doer: _Scores(parameters.habit.scores_max) for doer in DOERS}
        self._windows: dict[str, dict[str, Open]] = {}
        self._newest: dict[str, float] = {}
        self._closed: dict[str, int] = {}
        self._told = Told(_DAY, parameters.habit.told_max)
        self._count = 0
        self.withheld = 0

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """An alert for each closed window that is rare enough."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Everything, as a plain structure."""
        return Memory(
            behaviours={doer: one.to_bytes() for doer, one in self._behaviours.items()},
            watched={doer: one.kept() for doer, one in self._watched.items()},
            windows=self._windows,
            newest=self._newest,
            closed=self._closed,
            told=dict(self._told.times),
        )

    def remember(self, memory: Any) -> None:
        """Take up what ``memory`` gave."""
        for doer in DOERS:
            if self._behaviours[doer].from_bytes(memory.behaviours.get(doer, b"")):
                self._watched[doer].recall(memory.watched.get(doer, Watched()))
        self._windows, self._newest, self._closed = memory.windows, memory.newest, memory.closed
        self._count = sum(len(table) for table in self._windows.values())
        self._told.recall(memory.told)

    def _take(self, event: Event) -> Iterator[Alert]:
        habit = self._parameters.habit
        time = event.time.timestamp()
        received = event.ingested.timestamp() if event.ingested else time
        if time > received + habit.skew_seconds:
            return
        width = habit.window_seconds
        start = int(time // width) * width
        if start >= self._closed.get(event.sensor, 0):
            for deed in deeds_of(event):
                self._count_in(event, f"{start}\0{deed.doer}\0{event.unit}\0{deed.entity}", deed.value)
        newest = self._newest[event.sensor] = max(time, self._newest.get(event.sensor, time))
        until = int((newest - habit.lateness_seconds) // width) * width
        if until > self._closed.get(event.sensor, 0):
            self._closed[event.sensor] = until
            yield from self._close(event.sensor, until)

    def _count_in(self, event: Event, key: str, value: str) -> None:
        table = self._windows.setdefault(event.sensor, {})
        window = table.get(key)
        if window is None:
            if self._count >= self._parameters.habit.windows_max:
                return
            window = table[key] = Open({}, [])
            self._count += 1
        if value not in window.counts and len(window.counts) >= self._parameters.habit.deeds_max:
            value = _OTHER
        if value not in window.counts or len(window.events) < _EVENTS_KEPT:
            window.events.append(event)  # the first of each new deed says more than the last of many
            del window.events[:-_EVENTS_KEPT]
        window.counts[value] = window.counts.get(value, 0.0) + 1.0

    def _close(self, sensor: str, until: int) -> Iterator[Alert]:
        table = self._windows.get(sensor, {})
        groups: dict[tuple[int, Doer], list[tuple[str, str, Open]]] = {}
        for key in sorted(key for key in table if int(key.partition("\0")[0]) < until):
            start, doer, unit, entity = key.split("\0", 3)
            window = table.pop(key)
            self._count -= 1
            for known in DOERS:
                if known == doer:
                    groups.setdefault((int(start), known), []).append((unit, entity, window))
        for (first, doer_of), windows in sorted(groups.items()):
            yield from self._judge(doer_of, first, windows)

    def _judge(self, doer: Doer, start: int, windows: list[tuple[str, str, Open]]) -> Iterator[Alert]:
        slot = self._calendar.slot(datetime.fromtimestamp(start, UTC))
        did = [Did(f"{unit}\0{entity}", window.counts) for unit, entity, window in windows]
        behaved = self._behaviours[doer].observe(start, slot, did)
        watched = self._watched[doer]
        for (_, entity, window), one in zip(windows, behaved, strict=True):
            one_in = watched.one_in(one.score, start)
            if not self._is_due(doer, start, one, one_in) or not one.reasons:
                continue
            if watched.spend(start, self._parameters.habit.budget_per_day):
                yield self._alert(doer, entity, start, window, one, one_in)

    def _is_due(self, doer: Doer, start: int, one: Behaved, one_in: float) -> bool:
        habit = self._parameters.habit
        if one.score < habit.score_min or one_in < habit.alert_one_in:
            return False
        if start - self._watched[doer].first < habit.learning_hours * 3_600:
            return False
        return self._told.due(
            f"{doer}\0{one.entity}\0{one.reasons[0].value if one.reasons else ''}", float(start)
        )

    def _alert(self, doer: Doer, entity: str, start: int, window: Open, one: Behaved, one_in: float) -> Alert:
        events = tuple(window.events)
        sentences = [_sentence(reason) for reason in one.reasons]
        return getattr(self._parameters, doer).alert(  # type: ignore[no-any-return]
            "anomaly",
            entity=f"{doer}:{entity}",
            numbers={
                "entity": entity,
                "one_in": f"{one_in:,.0f}",
                "minutes": str(self._parameters.habit.window_seconds // 60),
                "start": datetime.fromtimestamp(start, UTC).isoformat(timespec="minutes"),
                "deeds": ";".join(said.zh for said in sentences),
                "deeds_en": "; ".join(said.en for said in sentences),
            },
            events=events,
            matched=tuple(
                Match(
                    event=events[-1].id,
                    field=reason.value.partition(":")[0],
                    value=reason.times,
                    selection=said.zh,
                    usual=_rounded(reason.usual),
                    peers=_rounded(reason.peers),
                    label=spoken(reason.value),
                    one_in=round(one_in),
                    last=datetime.fromtimestamp(reason.last, UTC) if reason.last else UNSET,
                )
                for reason, said in zip(one.reasons, sentences, strict=True)
            ),
        )


class _Scores:
    """The scores of the last windows, to say how rare one is, and the day's budget."""

    def __init__(self, most: int) -> None:
        self._line: deque[float] = deque(maxlen=most)
        self._sorted: list[float] = []
        self.first = 0
        self._day = 0
        self._spent = 0
        self.withheld = 0

    def one_in(self, score: float, start: int) -> float:
        """Of how many windows one scores as high, this one counted; then remember it."""
        self.first = self.first or start
        above = len(self._sorted) - bisect_left(self._sorted, score)
        rare = (len(self._sorted) + 1.0) / (above + 1.0)
        if len(self._line) == self._line.maxlen:
            del self._sorted[bisect_left(self._sorted, self._line[0])]
        self._line.append(score)
        insort(self._sorted, score)
        return rare

    def spend(self, start: int, budget: int) -> bool:
        """Whether there is something left of the day's budget; if so one less is."""
        if start // _DAY != self._day:
            self._day, self._spent = start // _DAY, 0
        if self._spent >= budget:
            self.withheld += 1
            return False
        self._spent += 1
        return True

    def kept(self) -> Watched:
        """What a snapshot keeps."""
        return Watched(list(self._line), self.first, self._day, self._spent, self.withheld)

    def recall(self, kept: Watched) -> None:
        """Take up what a snapshot kept."""
        self._line.extend(kept.scores)
        self._sorted = sorted(self._line)
        self.first, self._day, self._spent, self.withheld = kept.first, kept.day, kept.spent, kept.withheld


def _sentence(reason: Reason) -> Words:
    said = spoken(reason.value)
    if reason.new:
        zh = f"{said.zh} {reason.times:,.0f} 次,此前没有过(另有 {reason.others} 个对象有过)"
        en = f"{said.en} {reason.times:,.0f} times, never before (done by {reason.others} others)"
        return Words(zh, en)
    usual = f"{reason.usual[0]:,.0f}–{reason.usual[1]:,.0f}"
    peers = f"{reason.peers[0]:,.0f}–{reason.peers[1]:,.0f}"
    last = datetime.fromtimestamp(reason.last, UTC).isoformat(timespec="minutes").removesuffix("+00:00")
    return Words(
        f"{said.zh} {reason.times:,.0f} 次(平常 {usual},同类 {peers},上次 {last}Z)",
        f"{said.en} {reason.times:,.0f} times (usually {usual}, peers {peers}, last {last}Z)",
    )


def _rounded(span: tuple[float, float]) -> tuple[float, float]:
    return round(span[0], 1), round(span[1], 1)
