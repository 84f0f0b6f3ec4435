"""Habits of every kind of entity: a window in which one did what it and its peers hardly ever do.

Kinds, lengths and deeds are data. Windows of event time close when the newest event of all sensors is past
their end by the length's lateness; a sensor behind that has windows of its own, by its own newest event. The
scores of the last windows say how rare one is ("1 in N windows of this kind"), and the same entity is not
told again for the same deed within a day. Meant to run in ``Durable``.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET

from crypto.words import Words
from detection.alert import Alert, Match
from detection.anomaly.behaviour import Behaved, Behaviour, Did
from detection.anomaly.deeds import Plan, Reader, Signature, amount_of, numbered, sentence, worded
from detection.anomaly.entities import EntityParameters, KindParameters, LengthParameters
from detection.anomaly.peers import Peers
from detection.anomaly.scores import Scores, Watched
from detection.anomaly.tally import Lane, Tally, TallyMemory, Window
from detection.calendar import Calendar
from detection.detector import feed_each
from detection.reason import filled
from detection.special.told import Told
from sensors.event import Event

MEMORY_VERSION: Final = 2
_DAY: Final = 86_400
_NOTHING: Final = -1  # the row of a step whose detail the event lacks


class Memory(msgspec.Struct, kw_only=True):
    """Everything worth keeping; behaviours and scores by kind and length."""

    behaviours: dict[str, bytes] = {}
    watched: dict[str, Watched] = {}
    tallies: dict[str, TallyMemory] = {}
    templates: dict[str, list[tuple[str, int, list[str]]]] = {}
    newest: dict[str, float] = {}
    closed: dict[int, int] = {}
    lanes: dict[str, float] = {}
    heard: dict[str, float] = {}
    told: dict[str, float] = {}
    late: int = 0


class _Kind:
    """One kind at work: its open windows, and for each length what is usual and how rare is rare."""

    def __init__(self, parameters: EntityParameters, kind: KindParameters) -> None:
        self.parameters = kind
        self.tally = Tally(kind.seconds, rows_max=kind.rows_max, deeds_max=parameters.habit.deeds_max)
        self.behaviours = {one: _behaviour(parameters, kind, one) for one in kind.seconds}
        self.scores = {one: Scores(parameters.habit.scores_max) for one in kind.seconds}
        self.deeds = {one.name: one for one in kind.deeds}
        self.distinct = {one.distinct: one.name for one in kind.deeds if one.distinct}

    def did(self, window: Window) -> Did:
        """What was counted, and how many different."""
        counts = {value: float(amount) for value, amount in window.counts.items()}
        for value in window.counts:
            name = self.distinct.get(value.partition(":")[0])
            if name is not None:
                counts[name] = counts.get(name, 0.0) + 1.0
        return Did(window.entity, counts, window.peer, window.entity.partition("\0")[0])


class HabitDetector:
    """Judges windows of deeds."""

    name = "habit"
    datasets: frozenset[str] | None = None

    def __init__(self, parameters: EntityParameters, calendar: Calendar, peers: Peers) -> None:
        """Raises BadInput where a kind counts what no event is."""
        habit = parameters.habit
        self._parameters = parameters
        self._calendar = calendar
        self._peers = peers
        self._kinds = [_Kind(parameters, kind) for kind in parameters.kinds]
        self._reader = Reader(
            parameters.kinds, programs_max=habit.programs_max, templates_max=habit.templates_max
        )
        self._lengths = {one.seconds: one for one in sorted(parameters.lengths, key=lambda one: one.seconds)}
        self._newest: dict[str, float] = {}
        self._top = float("-inf")
        self._due = float("-inf")
        self._closed: dict[int, int] = {}  # by length: windows of all sensors that begin before this are
        self._lanes: dict[str, float] = {}  # sensors behind the others, and when one of their windows is due
        self._heard: dict[str, float] = {}  # of those: the newest event of all when they were heard last
        self._told = Told(_DAY, habit.told_max)
        self._minute = ("", 0.0)  # sensor and minute of the last event, and where its windows are counted
        self._starts: dict[int, Lane] = {}
        self.late = 0  # events whose window was closed even for their own sensor

    @property
    def evicted(self) -> int:
        """Rows that left their windows for want of room."""
        return sum(kind.tally.evicted for kind in self._kinds)

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """An alert for each closed window that is rare enough."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Everything, as a plain structure."""
        every = [(kind, seconds) for kind in self._kinds for seconds in kind.parameters.seconds]
        return Memory(
            behaviours={_name(kind, one): kind.behaviours[one].to_bytes() for kind, one in every},
            watched={_name(kind, one): kind.scores[one].kept() for kind, one in every},
            tallies={kind.parameters.name: kind.tally.memory() for kind in self._kinds},
            templates=self._reader.lines.state(),
            newest=self._newest,
            closed=self._closed,
            lanes=self._lanes,
            heard=self._heard,
            told=dict(self._told.times),
            late=self.late,
        )

    def remember(self, memory: Any) -> None:
        """Take up what ``memory`` gave; kinds and lengths it does not know begin anew."""
        for kind in self._kinds:
            for seconds in kind.parameters.seconds:
                name = _name(kind, seconds)
                if kind.behaviours[seconds].from_bytes(memory.behaviours.get(name, b"")):
                    kind.scores[seconds].recall(memory.watched.get(name, Watched()))
            if (kept := memory.tallies.get(kind.parameters.name)) is not None:
                kind.tally.recall(kept)
        self._reader.recall(memory.templates)
        self._newest, self._closed = memory.newest, memory.closed
        self._lanes, self._heard = memory.lanes, memory.heard
        self._top = max(self._newest.values(), default=float("-inf"))
        self._due = self._next()
        self._told.recall(memory.told)
        self.late = memory.late

    def _take(self, event: Event) -> Iterator[Alert]:
        time = event.time.timestamp()
        received = event.ingested.timestamp() if event.ingested else time
        if time > received + self._parameters.habit.skew_seconds:
            return
        minute = event.sensor, time // 60.0
        if minute != self._minute:
            self._minute, self._starts = minute, {}
        is_late = False
        for reading, facts in self._reader.read(event):
            for plan in reading.plans:
                kind = self._kinds[plan.kind]
                base = kind.tally.seconds[0]
                lane = self._starts.get(base)
                if lane is None:
                    lane = self._lane(event.sensor, base, time)
                    if lane is None:
                        is_late = True
                        continue
                    self._starts[base] = lane
                self._count(kind, plan, facts, event, lane)
        self.late += is_late
        newest = self._newest[event.sensor] = max(time, self._newest.get(event.sensor, time))
        self._top = max(self._top, time)
        if self._top >= self._due:
            yield from self._close_all()
        if event.sensor in self._lanes:
            self._heard[event.sensor] = self._top
            if newest >= self._lanes[event.sensor]:
                yield from self._close_lane(event.sensor, newest)

    def _lane(self, sensor: str, seconds: int, time: float) -> Lane | None:
        """Where to count: with all sensors, or with its own where theirs is closed; None is too late."""
        start = self._begin(time, seconds)
        if start >= self._closed.get(seconds, start):
            return "", start
        due = start + seconds + self._lengths[seconds].lateness_seconds
        if self._newest.get(sensor, time) >= due:
            return None
        if sensor not in self._lanes and len(self._lanes) >= self._parameters.habit.lanes_max:
            return None
        self._lanes[sensor] = min(due, self._lanes.get(sensor, due))
        return sensor, start

    def _count(self, kind: _Kind, plan: Plan, facts: Signature, event: Event, lane: Lane) -> None:
        tally = kind.tally
        signature = plan.number, event.unit, plan.wanted(facts)
        rows = tally.known.get(signature)
        if rows is None:
            rows = self._rows(kind, plan, facts, event, lane[1])
            if len(tally.known) > kind.parameters.rows_max:
                tally.known.clear()
            tally.known[signature] = rows
        column = tally.columns[tally.seconds[0]].get(lane)
        if column is None:
            column = tally.column(lane)
        for row, step in zip(rows, plan.steps, strict=False):
            if row != _NOTHING:
                more = amount_of(event, step.amount) if step.amount else 1
                if more:
                    if not column[row]:
                        tally.met(row, event)
                    column[row] += more

    def _rows(self, kind: _Kind, plan: Plan, facts: Signature, event: Event, start: int) -> tuple[int, ...]:
        """A row for each step; none where the event does not say whose."""
        entity = [facts[place] for place in plan.entity]
        if not all(entity):
            return ()
        wanted = [step for step in plan.steps if step.detail < 0 or facts[step.detail]]
        values = [
            f"{step.deed}:{facts[step.detail][:200]}" if step.detail >= 0 else step.deed for step in wanted
        ]
        peer = facts[plan.peer] if plan.peer >= 0 else ""
        if kind.parameters.peer_of:
            peer = self._peers.of(peer, event)
        name = f"{event.unit}\0{kind.parameters.join.join(entity)}"
        made = iter(kind.tally.rows(name, peer, values, start, event))
        return tuple([next(made) if step in wanted else _NOTHING for step in plan.steps])

    def _begin(self, time: float, seconds: int) -> int:
        offset = self._calendar.offset_seconds
        return int((time + offset) // seconds) * seconds - offset

    def _next(self) -> float:
        """When the next window of all sensors can close."""
        due = [
            self._closed[seconds] + seconds + one.lateness_seconds
            if seconds in self._closed
            else float("-inf")
            for seconds, one in self._lengths.items()
        ]
        return min(due)

    def _close_all(self) -> Iterator[Alert]:
        for seconds, length in self._lengths.items():
            until = self._begin(self._top - length.lateness_seconds, seconds)
            if until > self._closed.get(seconds, until - 1):
                yield from self._close("", seconds, until)
                self._closed[seconds] = until
        self._due = self._next()
        for sensor in [one for one, heard in self._heard.items() if heard < self._top - _DAY]:
            yield from self._close_lane(sensor, self._top + _DAY)  # it fell silent while it was behind

    def _close_lane(self, sensor: str, newest: float) -> Iterator[Alert]:
        due = float("inf")
        for seconds, length in self._lengths.items():
            until = self._begin(newest - length.lateness_seconds, seconds)
            yield from self._close(sensor, seconds, until)
            for kind in self._kinds:
                for lane, start in kind.tally.columns.get(seconds, ()):
                    if lane == sensor:
                        due = min(due, start + seconds + length.lateness_seconds)
        if due == float("inf"):
            del self._lanes[sensor]
            self._heard.pop(sensor, None)
        else:
            self._lanes[sensor] = due

    def _close(self, sensor: str, seconds: int, until: int) -> Iterator[Alert]:
        """Judge the windows of a lane that begin before ``until``, each added to the next longer one."""
        self._starts.clear()
        for kind in self._kinds:
            lengths = kind.tally.seconds
            if seconds not in lengths:
                continue
            longer = lengths[lengths.index(seconds) + 1 :][:1]
            for lane in kind.tally.open(seconds):
                if lane[0] == sensor and lane[1] < until:
                    into = None
                    for one in longer:
                        start = self._begin(lane[1], one)
                        into = ("" if start >= self._closed.get(one, start) else sensor), start
                    windows = kind.tally.close(seconds, lane, into)
                    yield from self._judge(kind, self._lengths[seconds], lane[1], windows)

    def _judge(
        self, kind: _Kind, length: LengthParameters, start: int, windows: list[Window]
    ) -> Iterator[Alert]:
        if not windows:
            return
        slot = self._calendar.slot(datetime.fromtimestamp(start, UTC))
        scores = kind.scores[length.seconds]
        did = [kind.did(one) for one in windows]
        behaved = kind.behaviours[length.seconds].observe(start, slot, did, least=length.score_min)
        learned = scores.since(start) / 3_600
        if learned < length.learning_hours / 2:
            return  # what is rare while nothing is known yet says nothing of what is rare
        for window, one in zip(windows, behaved, strict=True):
            one_in = scores.one_in(one.risk)
            if one.score < length.score_min or one_in < length.alert_one_in or not one.reasons:
                continue
            if learned < length.learning_hours:
                continue
            subject = f"{kind.parameters.name}\0{one.entity}\0{one.reasons[0].value}"
            if self._told.due(subject, float(start)) and scores.spend(
                start, self._parameters.habit.kept_per_day
            ):
                yield self._alert(kind, length, start, window, one, one_in)

    def _alert(
        self,
        kind: _Kind,
        length: LengthParameters,
        start: int,
        window: Window,
        one: Behaved,
        one_in: float,
    ) -> Alert:
        events = window.shown(start, start + length.seconds)
        said, last = kind.parameters.said, events[-1]
        sentences = [sentence(kind.parameters, reason) for reason in one.reasons]
        odd = [each for each in one.reasons if each.new or each.times > each.usual[1]]
        deeds = [kind.deeds.get(each.value.partition(":")[0]) for each in odd]
        attack = dict.fromkeys((*said.attack, *(each for deed in deeds if deed for each in deed.attack)))
        subject = kind.parameters.subject
        return msgspec.structs.replace(said, attack=tuple(attack)).alert(
            "anomaly",
            entity=filled(Words(subject, subject), last).zh,
            numbers={
                "entity": self._reader.said(window.entity.partition("\0")[2]),
                "one_in": f"{one_in:,.0f}",
                "kind": kind.parameters.zh,
                "kind_en": kind.parameters.en,
                "span": length.zh,
                "span_en": length.en,
                "start": datetime.fromtimestamp(start, UTC).isoformat(timespec="minutes"),
                **numbered(sentences),
            },
            events=events,
            matched=tuple(
                Match(
                    event=last.id,
                    field=reason.value.partition(":")[0],
                    value=reason.times,
                    selection=words.zh,
                    usual=_rounded(reason.usual),
                    peers=_rounded(reason.peers),
                    label=worded(kind.parameters, reason.value),
                    one_in=round(one_in),
                    last=datetime.fromtimestamp(reason.last, UTC) if reason.last else UNSET,
                )
                for reason, words in zip(one.reasons, sentences, strict=True)
            ),
        )


def _behaviour(parameters: EntityParameters, kind: KindParameters, seconds: int) -> Behaviour:
    length, most = parameters.length(seconds), kind.rows_max
    return Behaviour(
        msgspec.structs.replace(
            parameters.baseline,
            entities_max=most,
            own_windows=length.own_windows,
            grown_windows=length.grown_windows,
        ),
        msgspec.structs.replace(parameters.rarity, pairs_max=most, entities_max=most),
        parameters.unrest,
    )


def _name(kind: _Kind, seconds: int) -> str:
    return f"{kind.parameters.name}/{seconds}"


def _rounded(span: tuple[float, float]) -> tuple[float, float]:
    return round(span[0], 1), round(span[1], 1)
