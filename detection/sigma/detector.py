"""Sigma rules on the stream: routed by log source, asked in batches through an index, replaced one by one."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from crypto.words import Words
from detection.alert import Alert, claim
from detection.detector import feed_each
from detection.evaluate import explain
from detection.facts import texts_of
from detection.reason import default_reason, filled
from detection.sigma.routing import ROUTES_MAX, Routing
from detection.sigma.rule import EntityKind, Rule
from sensors.event import Event, LogSource

AMENDED_MAX: Final = 64  # rules changed one by one before all are indexed anew
_NAMED_BY: Final[dict[EntityKind, tuple[str, ...]]] = {
    "host": ("host.name", "observer.name"),
    "source": ("source.ip", "id.orig_h", "source.mac"),
    "user": ("user.name",),
}


class SigmaDetector:
    """Evaluates rules on events; keeps no state between events but what makes it fast."""

    name = "sigma"

    def __init__(self, rules: Iterable[Rule], *, unknown_to_all: bool = False) -> None:
        """``unknown_to_all``: events that say nothing of their log source are tried on every rule."""
        self._unknown_to_all = unknown_to_all
        self._rules = {rule.id: rule for rule in rules}
        self._routing = Routing(self._rules.values(), unknown_to_all=unknown_to_all)
        self._amended = Routing((), unknown_to_all=unknown_to_all)
        self._gone: frozenset[str] = frozenset()  # settled rules that are answered for no longer
        self._order: dict[str, int] = {}
        self._deaf: dict[LogSource, bool] = {}  # whether all rules that a log source was asked are gone
        self._unheard: Counter[LogSource] = Counter()  # events of those log sources

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules it evaluates."""
        return tuple(self._rules.values())

    @property
    def unrouted(self) -> Counter[LogSource]:
        """Events that no rule was asked about, by log source; those beyond a bound under the empty one."""
        if not self._amended.rules:
            return self._routing.unrouted + self._unheard
        return self._unheard + Counter(
            {
                source: events
                for source, events in self._routing.unrouted.items()
                if not self._amended.route(source)[0]
            }
        )

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert for every rule that an event satisfies."""
        try:
            found = self.matching_each(events)
            return [
                alert_of(rule, event) for event, rules in zip(events, found, strict=True) for rule in rules
            ]
        except Exception:  # noqa: BLE001 - whatever it is, only the event at fault shall be lost
            return feed_each(self._take, events)

    def matching(self, event: Event) -> tuple[Rule, ...]:
        """The rules that the event satisfies."""
        return self.matching_each([event])[0]

    def matching_each(self, events: Sequence[Event]) -> list[tuple[Rule, ...]]:
        """The rules that each event satisfies, in the order they were given."""
        found = self._routing.match(events)
        if not self._gone:
            return found
        for event in events:
            if self._is_deaf(event.logsource):
                known = event.logsource in self._unheard or len(self._unheard) < ROUTES_MAX
                self._unheard[event.logsource if known else LogSource()] += 1
        merged: list[tuple[Rule, ...]] = []
        for settled, amended in zip(found, self._amended.match(events), strict=True):
            rules = [rule for rule in settled if rule.id not in self._gone]
            merged.append(tuple(sorted([*rules, *amended], key=self._place)) if amended else tuple(rules))
        return merged

    def amend(self, changed: Iterable[Rule], removed: Iterable[str] = ()) -> None:
        """Take up changed and new rules and drop those removed (by id) between two batches."""
        rules = dict(self._rules)
        for gone in removed:
            rules.pop(gone, None)
        touched = {rule.id: rule for rule in self._amended.rules if rule.id in rules}
        for rule in changed:
            rules[rule.id] = touched[rule.id] = rule
        if len(touched) > AMENDED_MAX:
            self._settle(rules.values())
            return
        self._rules = rules
        settled = {rule.id for rule in self._routing.rules}
        self._gone = frozenset(touched) | (settled - rules.keys())
        self._amended = Routing(touched.values(), unknown_to_all=self._unknown_to_all)
        self._deaf = {}
        self._order = {identifier: place for place, identifier in enumerate(rules)}

    def _settle(self, rules: Iterable[Rule]) -> None:
        """Index all rules together."""
        unrouted = self._routing.unrouted
        self._rules = {rule.id: rule for rule in rules}
        self._routing = Routing(self._rules.values(), unknown_to_all=self._unknown_to_all)
        self._routing.unrouted = unrouted
        self._amended = Routing((), unknown_to_all=self._unknown_to_all)
        self._gone, self._order = frozenset(), {}

    def _is_deaf(self, source: LogSource) -> bool:
        deaf = self._deaf.get(source)
        if deaf is None:
            if len(self._deaf) >= ROUTES_MAX:
                self._deaf.clear()
            settled, amended = self._routing.route(source)[0], self._amended.route(source)[0]
            gone = bool(settled) and all(rule.id in self._gone for rule in settled)
            deaf = self._deaf[source] = gone and not amended
        return deaf

    def _place(self, rule: Rule) -> int:
        return self._order[rule.id]

    def _take(self, event: Event) -> list[Alert]:
        return [alert_of(rule, event) for rule in self.matching(event)]


def entity_of(kind: EntityKind, event: Event) -> str:
    """Whom an event is about: "host:<name>", "source:<ip>" or "user:<name>@<host>"."""
    host = _first(event, _NAMED_BY["host"]) or event.sensor
    if kind == "host":
        return f"host:{host}"
    named = _first(event, _NAMED_BY[kind])
    if not named:
        return f"host:{host}"
    return f"user:{named}@{host}" if kind == "user" else f"source:{named}"


def _first(event: Event, names: tuple[str, ...]) -> str:
    for name in names:
        texts = texts_of(event.fields.get(name, event.native.get(name)))
        if texts and texts[0]:
            return texts[0]
    return ""


def alert_of(rule: Rule, event: Event) -> Alert:
    """The alert of a rule about one event that satisfies it."""
    entity = entity_of(rule.entity, event)
    matched = explain(rule.condition, event)
    reason = filled(rule.reason, event) if rule.reason else default_reason(rule.title, entity, matched)
    if rule.credit:
        credit = Words(f"(规则作者:{rule.credit},DRL 1.1)", f" (rule by {rule.credit}, DRL 1.1)")
        reason = Words(reason.zh + credit.zh, reason.en + credit.en)
    return claim(rule.claim(), entity=entity, reason=reason, events=(event,), matched=matched)
