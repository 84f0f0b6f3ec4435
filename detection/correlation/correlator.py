"""All correlations together: events with the rules they matched go in, alerts come out.

Event time runs by the newest event seen; the watermark of a correlation lies behind it by the lateness
allowed, and further behind where it watches other correlations, whose findings come later than events do.
docs/reference/correlations.md says what each kind means.
"""

import heapq
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from crypto.words import Words
from detection.alert import Alert, Match
from detection.correlation.closing import Closing
from detection.correlation.evidence import Evidence
from detection.correlation.keyed import Finding
from detection.correlation.mark import mark_of, micros_in, micros_of
from detection.correlation.parameters import CorrelationParameters
from detection.correlation.reorder import Reordered
from detection.correlation.rule import Correlation
from detection.correlation.trailing import Trailing
from detection.correlation.watch import Given, KeyOf, WhatOf, key_reader, what_reader
from detection.correlation.wording import alert_of, occasion_of, stand_in
from detection.sigma.rule import Heading
from sensors.event import Event

BATCH_EVENTS: Final = 4_096  # between two looks at the bounds
FOREVER: Final = 1 << 61
_NOTHING: Final[Given] = {}
_MICROS: Final = 1_000_000
_HANDED_EVERY: Final = _MICROS  # of event time: findings that other correlations wait for


class Counters(msgspec.Struct, frozen=True, kw_only=True):
    """What was not taken, and what was forgotten; shown, never silent."""

    keys: int = 0  # groups held now
    bytes: int = 0  # of state held now, roughly
    late: int = 0  # events behind the lateness allowed
    unkeyed: int = 0  # events without a field the correlation groups by
    uncounted: int = 0  # events without a usable value to count
    evicted: int = 0  # groups forgotten to make room
    hurried: int = 0  # events handed on before the watermark passed them, to make room
    trimmed: int = 0  # events of a group, or waiting ones, forgotten because they were too many
    unshown: int = 0  # events no longer at hand to be shown in alerts


class Running:
    """One correlation at work."""

    __slots__ = ("delay", "handing", "latest", "machine", "rule", "silent", "uncounted", "unkeyed", "users")

    def __init__(self, rule: Correlation, delay: int, *, silent: bool) -> None:
        self.rule = rule
        self.delay = delay  # of its watermark behind the newest event, microseconds
        self.silent = silent
        self.machine: Trailing | Reordered
        if rule.rising:
            self.machine = Trailing(rule, delay)
        else:
            self.machine = Reordered(Trailing(rule, 0) if rule.lower_bounded else Closing(rule))
        self.users: list[tuple[Running, KeyOf, WhatOf | None, bytes]] = []
        self.handing: list[tuple[int, str, int]] = []  # findings that may still change: when, key, occasion
        self.latest: dict[tuple[str, int], Finding] = {}
        self.unkeyed = 0
        self.uncounted = 0

    def await_use(self, finding: Finding, moment: int) -> None:
        """Hold a finding until it cannot change any more and may be handed on."""
        self.latest[finding.key, finding.occasion] = finding
        heapq.heappush(self.handing, (moment, finding.key, finding.occasion))

    @property
    def told_after(self) -> int:
        """How far its findings may lie behind the newest event, microseconds."""
        closing = isinstance(self.machine, Reordered) and isinstance(self.machine.machine, Closing)
        return self.delay + (self.rule.span_seconds * _MICROS if closing else 0)

    @property
    def late(self) -> int:
        """Events it could not take because they came too late."""
        return self.machine.late

    @property
    def waiting_weight(self) -> int:
        """What waits for the watermark, roughly in bytes."""
        return self.machine.pending_weight if isinstance(self.machine, Reordered) else 0

    @property
    def weight(self) -> int:
        """Its state, roughly in bytes."""
        return self.machine.keyed.weight + self.waiting_weight


def meaning(rule: Correlation) -> str:
    """Changes exactly when the state of a correlation would mean something else."""
    parts = (
        *(rule.kind, rule.rules, rule.group_by, rule.span_seconds, rule.fields, rule.percentile),
        *(rule.limits, rule.alternatives, rule.aliases),
    )
    return sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


_Route = tuple[Running, KeyOf, WhatOf | None, bytes]


class Correlator:
    """Keeps the state of all correlations and finds what they say."""

    def __init__(
        self,
        correlations: Sequence[Correlation],
        parameters: CorrelationParameters,
        *,
        headings: Iterable[Heading] = (),
        silent: frozenset[str] = frozenset(),
    ) -> None:
        """``correlations`` resolved, inner ones first; ``headings`` of the rules they watch."""
        self.parameters = parameters
        self.running: dict[str, Running] = {}
        self.evidence = Evidence(parameters.evidence_bytes_max)
        self.newest = -FOREVER  # of event time
        self.expired = -FOREVER
        self.told = -FOREVER
        self.told_of = 0
        self._handed = -FOREVER  # when findings were last handed on
        self._early: list[Alert] = []
        self._titles: dict[str, Words] = {one.id: one.title for one in (*headings, *correlations)}
        self._routes: dict[str, list[_Route]] = {}
        self._lateness = parameters.lateness_seconds * _MICROS
        for rule in correlations:
            inner = [self.running[name] for name in rule.rules if name in self.running]
            delay = max([self._lateness, *(one.told_after + _HANDED_EVERY for one in inner)])
            running = self.running[rule.id] = Running(rule, delay, silent=rule.id in silent)
            for place, name in enumerate(rule.rules):
                suffix = bytes([place]) if rule.kind.startswith("temporal") else b""
                route = (running, key_reader(rule, name), what_reader(rule, name), suffix)
                if name in self.running:
                    self.running[name].users.append(route)
                else:
                    self._routes.setdefault(name, []).append(route)
        self._chained = any(running.users for running in self.running.values())

    @property
    def watched(self) -> frozenset[str]:
        """Ids of the rules whose matches matter."""
        return frozenset(self._routes)

    @property
    def counters(self) -> Counters:
        """What it holds, and what was not taken or was forgotten."""
        running = list(self.running.values())
        waiting = [one.machine for one in running if isinstance(one.machine, Reordered)]
        return Counters(
            keys=sum(len(one.machine.keyed.states) for one in running),
            bytes=sum(one.weight for one in running),
            late=sum(one.late for one in running),
            unkeyed=sum(one.unkeyed for one in running),
            uncounted=sum(one.uncounted for one in running),
            evicted=sum(one.machine.keyed.evicted for one in running),
            hurried=sum(one.hurried for one in waiting),
            trimmed=sum(one.machine.keyed.trimmed for one in running) + sum(one.dropped for one in waiting),
            unshown=self.evidence.evicted,
        )

    def feed(self, events: Sequence[Event], matched: Sequence[Iterable[str]]) -> list[Alert]:
        """The alerts these events complete or change; ``matched``: ids of the rules of each event."""
        alerts: list[Alert] = []
        for start in range(0, len(events), BATCH_EVENTS):
            stop = start + BATCH_EVENTS
            for event, ids in zip(events[start:stop], matched[start:stop], strict=True):
                self.take(event, ids)
            alerts.extend(self.settle())
        return alerts

    def take(self, event: Event, ids: Iterable[str]) -> None:
        """One event and the ids of the rules it matched; what follows is told by ``settle``."""
        micros = micros_of(event.time)
        if micros > self.newest:
            self._run_on(event, micros)
            if self._chained and self.newest - self._handed >= _HANDED_EVERY:
                # before this event reaches a correlation that waits for what lies before it
                self._find(self._early)
        core = None
        for name in ids:
            for running, key_of, what_of, suffix in self._routes.get(name, ()):
                key = key_of(event, _NOTHING)
                if key is None:
                    running.unkeyed += 1
                    continue
                what = None
                if what_of is not None:
                    what = what_of(event, _NOTHING)
                    if what is None:
                        running.uncounted += 1
                        continue
                machine = running.machine
                if type(machine) is Reordered and micros < self.newest - running.delay:
                    machine.late += 1
                    continue
                if core is None:
                    core = mark_of(micros, event.id)
                    self.evidence.remember(core, event)
                machine.take(core + suffix if suffix else core, micros, key, what)

    def settle(self) -> list[Alert]:
        """The alerts of what was taken since; call it at the end of every batch."""
        alerts, self._early = self._early, []
        self._find(alerts)
        self._bound(alerts)
        return list({alert.id: alert for alert in alerts}.values())

    def _find(self, alerts: list[Alert]) -> None:
        self._handed = self.newest
        for running in self.running.values():
            machine = running.machine
            if isinstance(machine, Reordered):
                machine.advance(self.newest - running.delay)
            machine.flush()
            if machine.found:
                # what was told and changed within the batch is told once
                found = {(one.key, one.occasion): one for one in machine.found}
                machine.found.clear()
                for finding in found.values():
                    self._tell(running, finding, alerts)
            if running.handing:
                self._hand_on(running)

    def finish(self) -> list[Alert]:
        """The alerts of all that still waits; nothing may be fed after it."""
        self.newest = FOREVER
        return self.settle()

    def adopt(self, before: "Correlator") -> None:
        """Take over the state of the correlations that mean what they meant; ``before`` is used no longer.

        For rules that change while the center runs: nothing is copied, however much there is.
        """
        self.newest, self.expired, self._handed = before.newest, before.expired, before._handed
        self.told, self.told_of, self.evidence = before.told, before.told_of, before.evidence
        self._early = before._early
        for name, running in self.running.items():
            known = before.running.get(name)
            if (
                known is not None
                and known.delay == running.delay
                and meaning(known.rule) == meaning(running.rule)
            ):
                running.machine, running.handing, running.latest = known.machine, known.handing, known.latest
                running.unkeyed, running.uncounted = known.unkeyed, known.uncounted

    def _run_on(self, event: Event, micros: int) -> None:
        """Let event time run on, but not by a clock that runs ahead of ours."""
        if event.ingested is not None:
            limit = micros_of(event.ingested) + self.parameters.future_seconds * _MICROS
            micros = min(micros, limit)
        self.newest = max(self.newest, micros)

    def _tell(self, running: Running, finding: Finding, alerts: list[Alert]) -> None:
        rule = running.rule
        if not running.silent:
            alerts.append(alert_of(rule, finding, self._shown(rule, finding), self._titles))
        if running.users:
            running.await_use(finding, micros_in(finding.anchor))

    def _hand_on(self, running: Running) -> None:
        """Give findings that cannot change any more to the correlations that watch this one."""
        rising = isinstance(running.machine, Trailing)
        until = self.newest - running.delay if rising else FOREVER
        while running.handing and running.handing[0][0] < until:
            _, key, occasion = heapq.heappop(running.handing)
            finding = running.latest.pop((key, occasion), None)
            if finding is None:
                continue  # told twice, handed on once
            rule = running.rule
            given = dict(zip(rule.group_by, key.split("\x1f")[1:], strict=True))
            micros = micros_in(finding.anchor)
            mark = mark_of(micros, f"{occasion_of(rule, finding):0<40}")
            event = (self._shown(rule, finding) or (stand_in(rule, finding),))[-1]
            self.evidence.remember(mark, event)
            for outer, key_of, what_of, suffix in running.users:
                outer_key = key_of(event, given)
                if outer_key is None:
                    outer.unkeyed += 1
                    continue
                what = None if what_of is None else what_of(event, given)
                if what_of is not None and what is None:
                    outer.uncounted += 1
                    continue
                outer.machine.take(mark + suffix, micros, outer_key, what)

    def _shown(self, rule: Correlation, finding: Finding) -> tuple[Event, ...]:
        """The events of the window that are still at hand, in order."""
        cut = -1 if rule.kind.startswith("temporal") else None
        events = (self.evidence.get(mark[:cut]) for mark in finding.marks)
        return tuple({event.id: event for event in events if event is not None}.values())

    def _bound(self, alerts: list[Alert]) -> None:
        """Forget what is over, then what is too much, and tell of the latter."""
        parameters = self.parameters
        if self.newest - self.expired > self._lateness:
            self.expired = self.newest
            for running in self.running.values():
                running.machine.expire(self.newest - running.delay)
        self.evidence.bound()
        self._make_room()
        counters = self.counters
        forgotten = counters.evicted + counters.trimmed + counters.hurried
        due = self.newest - self.told >= parameters.told_seconds * _MICROS
        if forgotten > self.told_of and due and self.newest < FOREVER:
            self.told, self.told_of = self.newest, forgotten
            alerts.extend(self._complaint(counters))

    def _make_room(self) -> None:
        """Forget groups, or hand on waiting events early, until the bounds hold; the largest first."""
        every = list(self.running.values())
        while every:
            keys = sum(len(one.machine.keyed.states) for one in every)
            weight = sum(one.weight for one in every)
            if keys <= self.parameters.keys_max and weight <= self.parameters.bytes_max:
                break
            widest = max((one.machine.keyed for one in every), key=lambda keyed: keyed.weight)
            waiting = max(every, key=lambda one: one.waiting_weight).machine
            if isinstance(waiting, Reordered) and waiting.pending_weight > widest.weight:
                waiting.hurry()
            elif widest.states:
                widest.evict()
            else:
                break

    def _complaint(self, counters: Counters) -> list[Alert]:
        for event in self.evidence.values():
            matched = (Match(event=event.id, field="", value=counters.bytes, selection="bytes"),)
            return [
                self.parameters.full.alert(
                    "health",
                    entity="detector:sigma",
                    numbers={"keys": counters.evicted, "events": counters.trimmed + counters.hurried},
                    events=(event,),
                    matched=matched,
                )
            ]
        return []
