"""Sigma rules on the stream: routed by log source, every rule of the route evaluated on every event."""

from collections.abc import Iterable, Sequence
from typing import Final

from detection.alert import Alert, claim
from detection.detector import feed_each
from detection.evaluate import compiled, explain
from detection.facts import Facts, Test, texts_of
from detection.reason import default_reason, filled
from detection.sigma.rule import EntityKind, Rule, routes
from sensors.event import Event, LogSource

ROUTES_MAX: Final = 4_096  # log sources remembered; a sensor that invents more only costs time
_NAMED_BY: Final[dict[EntityKind, tuple[str, ...]]] = {
    "host": ("host.name", "observer.name"),
    "source": ("source.ip", "id.orig_h", "source.mac"),
    "user": ("user.name",),
}

_Route = tuple[tuple[Rule, Test], ...]


class SigmaDetector:
    """Evaluates rules on events; keeps no state between events but the routes."""

    name = "sigma"

    def __init__(self, rules: Iterable[Rule], *, unknown_to_all: bool = False) -> None:
        """``unknown_to_all``: events that say nothing of their log source are tried on every rule."""
        self._unknown_to_all = unknown_to_all
        self._rules: _Route = tuple((rule, compiled(rule.condition)) for rule in rules)
        self._routes: dict[LogSource, _Route] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules it evaluates."""
        return tuple(rule for rule, _ in self._rules)

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert for every rule that an event satisfies."""
        return feed_each(self._take, events)

    def matching(self, event: Event) -> list[Rule]:
        """The rules that the event satisfies."""
        facts = Facts(event)
        return [rule for rule, test in self._route(event.logsource) if test(facts)]

    def _take(self, event: Event) -> list[Alert]:
        return [_alert(rule, event) for rule in self.matching(event)]

    def _route(self, source: LogSource) -> _Route:
        route = self._routes.get(source)
        if route is None:
            if len(self._routes) >= ROUTES_MAX:
                self._routes.clear()
            every = self._unknown_to_all and source == LogSource()
            route = tuple(pair for pair in self._rules if every or routes(pair[0].logsource, source))
            self._routes[source] = route
        return route


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


def _alert(rule: Rule, event: Event) -> Alert:
    entity = entity_of(rule.entity, event)
    matched = explain(rule.condition, event)
    reason = filled(rule.reason, event) if rule.reason else default_reason(rule.title, entity, matched)
    return claim(rule.claim(), entity=entity, reason=reason, events=(event,), matched=matched)
