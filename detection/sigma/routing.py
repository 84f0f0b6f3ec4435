"""Rules by log source: one matcher for each set of rules that some log source is asked."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from detection.matcher.matcher import Matcher
from detection.sigma.rule import Rule, routes
from sensors.event import Event, LogSource

ROUTES_MAX: Final = 4_096  # log sources remembered; a sensor that invents more only costs time

REMEMBERED_CHARS_MAX: Final = 24_000_000  # of values, by all matchers together
_CHECK_EVENTS: Final = 4_096  # between two counts of what is remembered

_Route = tuple[tuple[Rule, ...], Matcher]


class Routing:
    """Rules, and which of them an event of each log source is asked. Matchers are built when first needed."""

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        unknown_to_all: bool = False,
        indexed: bool = True,
        remembers: bool = True,
    ) -> None:
        """``unknown_to_all``: events that say nothing of their log source are tried on every rule.

        ``indexed`` and ``remembers``: see ``Matcher``.
        """
        self.rules = tuple(rules)
        self.unrouted: Counter[LogSource] = Counter()  # events no rule was asked about
        self._unknown_to_all = unknown_to_all
        self._indexed = indexed
        self._remembers = remembers
        self._unchecked = 0
        self._routes: dict[LogSource, _Route] = {}
        self._matchers: dict[tuple[str, ...], _Route] = {}

    def match(self, events: Sequence[Event]) -> list[tuple[Rule, ...]]:
        """The rules that each event satisfies, in the order of the rules."""
        found: list[tuple[Rule, ...]] = [()] * len(events)
        by_source: dict[LogSource, list[int]] = {}
        for index, event in enumerate(events):
            by_source.setdefault(event.logsource, []).append(index)
        for source, indexes in by_source.items():
            rules, matcher = self.route(source)
            if not rules:
                known = source in self.unrouted or len(self.unrouted) < ROUTES_MAX
                self.unrouted[source if known else LogSource()] += len(indexes)
                continue
            asked = events if len(by_source) == 1 else [events[index] for index in indexes]
            for index, answer in zip(indexes, matcher.match(asked), strict=True):
                if answer:
                    found[index] = tuple([rules[number] for number in answer])
        self.asked(len(events))
        return found

    def asked(self, events: int) -> None:
        """Count events given to the matchers; now and then they forget, where they remember too much."""
        self._unchecked += events
        if self._unchecked < _CHECK_EVENTS:
            return
        self._unchecked = 0
        if sum(matcher.chars for _, matcher in self._matchers.values()) > REMEMBERED_CHARS_MAX:
            for _, matcher in self._matchers.values():
                matcher.forget()

    def route(self, source: LogSource) -> _Route:
        """The rules that events of a log source are asked, and their matcher."""
        route = self._routes.get(source)
        if route is None:
            if len(self._routes) >= ROUTES_MAX:
                self._routes.clear()
            every = self._unknown_to_all and source == LogSource()
            rules = tuple(rule for rule in self.rules if every or routes(rule.logsource, source))
            ids = tuple(rule.id for rule in rules)
            route = self._matchers.get(ids)
            if route is None:
                conditions = [rule.condition for rule in rules]
                matcher = Matcher(conditions, indexed=self._indexed, remembers=self._remembers)
                route = self._matchers[ids] = rules, matcher
            self._routes[source] = route
        return route
