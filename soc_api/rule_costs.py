"""What each rule costs: asked alone about events that just came, a few rules at a time.

In the shared index rules share work, so that together they cost less than the sum of what is told here.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from crypto.words import BadInput
from detection.matcher.matcher import Matcher
from detection.sigma.rule import Rule, routes
from sensors.event import Event, LogSource
from soc_api.rule_report import Cost

SAMPLE_EVENTS: Final = 64  # of each log source, the newest
SOURCES_MAX: Final = 128
TAKEN_MAX: Final = 64  # events of one batch
BUDGET_NANOSECONDS: Final = 10_000_000  # of one round: a hundredth of the second between two
MEASURED_MAX: Final = 128  # events of one measurement, spread over the log sources a rule asks for
MEMORY_EVENTS: Final = 4_096  # a mean of so many counts half from then on, so that it follows the stream


class RuleCosts:
    """Owned by the thread that runs the pipeline."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._sample: dict[LogSource, deque[Event]] = {}
        self._fresh = False
        self._place = 0
        self._spent: dict[str, tuple[float, int]] = {}  # rule -> nanoseconds, events

    @property
    def costs(self) -> dict[str, Cost]:
        """The cost of each rule measured so far."""
        return {rule: Cost(round(spent / events, 1), events) for rule, (spent, events) in self._spent.items()}

    def saw(self, events: Sequence[Event]) -> None:
        """Keep some of the events to measure on."""
        step = max(1, len(events) // TAKEN_MAX)
        for event in islice(events, 0, None, step):
            ring = self._sample.get(event.logsource)
            if ring is None:
                if len(self._sample) >= SOURCES_MAX:
                    continue
                ring = self._sample[event.logsource] = deque(maxlen=SAMPLE_EVENTS)
            ring.append(event)
            self._fresh = True

    def measure(self, rules: Sequence[Rule]) -> None:
        """Go on with the next rules until the budget is spent or each had its turn; nothing without news."""
        if not self._fresh or not rules:
            return
        self._fresh = False
        begun = self._clock()
        for _ in range(len(rules)):
            self._place = (self._place + 1) % len(rules)
            self._one(rules[self._place])
            if self._clock() - begun >= BUDGET_NANOSECONDS:
                self._fresh = True  # the rest has its turn next time
                return

    def keep(self, rules: Sequence[Rule]) -> None:
        """Forget rules that are not among these."""
        known = {rule.id for rule in rules}
        self._spent = {rule: spent for rule, spent in self._spent.items() if rule in known}

    def _one(self, rule: Rule) -> None:
        events = [
            event for source, ring in self._sample.items() if routes(rule.logsource, source) for event in ring
        ]
        if not events:
            return
        events = events[:: -(-len(events) // MEASURED_MAX)]
        try:
            matcher = Matcher([rule.condition], remembers=False)
            matcher.match(events[:1])  # what is made once is no cost of an event
            begun = self._clock()
            matcher.match(events)
            spent = self._clock() - begun
        except BadInput:
            return  # detection itself tells of it
        before, count = self._spent.get(rule.id, (0.0, 0))
        if count >= MEMORY_EVENTS:
            before, count = before / 2, count // 2
        self._spent[rule.id] = before + spent, count + len(events)
