"""The rules of a running pipeline: switched on and off between two batches, measured, and told of.

It stands in the pipeline as the detector of rules and correlations. The pipeline's own thread looks at the
revision of the decisions, so nothing is changed while events are matched; correlations keep their state, but
for one that is switched off: it forgets, and begins anew when it is switched on again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from crypto.words import LiuheError
from detection.alert import Alert
from detection.correlation.detector import RuleDetector
from detection.sigma.correlations import silent_rules
from sensors.event import Event
from soc_api.rule_costs import RuleCosts
from soc_api.rule_report import Decided, Report, Unrouted
from soc_api.rule_set import RuleSet

LOOK: Final = timedelta(seconds=1)  # between looks at the decisions
REPORT: Final = timedelta(seconds=10)  # between reports
TELL: Final = timedelta(seconds=30)  # between reports that open pages fetch, unless decisions were taken up
UNROUTED_MAX: Final = 100  # log sources told of; the others only count


class RuleBook(Protocol):
    """Where decisions stand and reports go (soc_api.rule_store)."""

    def newest(self) -> int:
        """The revision of decisions."""
        ...

    def decided(self) -> Decided:
        """What is switched off now."""
        ...

    def keep_report(self, report: Report, now: datetime, *, tell: bool = True) -> None:
        """Replace the report; unless ``tell``, open pages need not fetch it at once."""
        ...


class RunningRules:
    """Rules and correlations of a center, less those switched off. One thread uses it."""

    name = "sigma"

    def __init__(
        self,
        rules: RuleSet,
        book: RuleBook,
        started: datetime,
        *,
        unknown_to_all: bool = False,
        costs: RuleCosts | None = None,
    ) -> None:
        """``unknown_to_all``: events that say nothing of their log source are tried on every rule."""
        self._rules = rules
        self._book = book
        self._started = started
        self._unknown_to_all = unknown_to_all
        self._costs = costs or RuleCosts()
        self._decided = book.decided()
        self._events = 0
        self._looked = self._reported = started
        self._told: datetime | None = None
        self._said: Report | None = None
        off = self._decided.disabled
        self.detector = RuleDetector(
            [rule for rule in rules.rules if rule.id not in off],
            [one for one in rules.correlations if one.id not in off],
            unknown_to_all=unknown_to_all,
            # what a correlation watches stays silent while the correlation is switched off
            silent=silent_rules(rules.correlations),
        )

    @property
    def applied(self) -> int:
        """The revision of decisions that is in force."""
        return self._decided.revision

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """The alerts these events complete or change."""
        self._costs.saw(events)
        alerts = self.detector.feed(events)
        self._events += len(events)
        return alerts

    def tick(self, now: datetime) -> list[Alert]:
        """Take up what was decided meanwhile, and report; raises no alert."""
        if now - self._looked >= LOOK or now < self._looked:
            self._looked = now
            if self._book.newest() != self.applied:
                self.take_up()
                self._report(now)
            self._costs.measure(self.detector.engine.rules)
        if now - self._reported >= REPORT or now < self._reported:
            self._report(now)
        return []

    def take_up(self) -> None:
        """Bring the running rules to what is decided; between two batches."""
        before, self._decided = self._decided, self._book.decided()
        off = self._decided.disabled
        switched = before.disabled ^ off
        correlations = None
        if any(one.id in switched for one in self._rules.correlations):
            correlations = [one for one in self._rules.correlations if one.id not in off]
        self.detector.amend(
            [rule for rule in self._rules.rules if rule.id in switched and rule.id not in off],
            switched & off,
            correlations,
        )
        self._costs.keep(self.detector.engine.rules)

    def snapshot(self) -> bytes | None:
        """The state of the correlations, where enough of it has changed."""
        return self.detector.snapshot()

    def recall(self, snapshot: bytes) -> None:
        """Take up a state of the correlations."""
        self.detector.recall(snapshot)

    def replay_since(self) -> datetime | None:
        """From which event time on events must be seen again."""
        return self.detector.replay_since()

    def report(self) -> Report:
        """What runs, what it costs, and what no rule was asked about."""
        unrouted = self.detector.engine.unrouted
        listed = [
            Unrouted(product=one.product, category=one.category, service=one.service, events=events)
            for one, events in unrouted.most_common(UNROUTED_MAX)
        ]
        off = self._decided.disabled
        return Report(
            started=self._started,
            applied=self.applied,
            digest=self._rules.digest,
            rules=len(self.detector.engine.rules),
            correlations=sum(one.id not in off for one in self._rules.correlations),
            unknown_to_all=self._unknown_to_all,
            events=self._events,
            costs=self._costs.costs,
            unrouted=tuple(listed),
            unrouted_events=unrouted.total(),
            counters=self.detector.counters,
        )

    def _report(self, now: datetime) -> None:
        self._reported = now
        report, said = self.report(), self._said
        if report == said:
            return
        switched = said is None or said.applied != report.applied
        tell = switched or self._told is None or abs(now - self._told) >= TELL
        try:
            self._book.keep_report(report, now, tell=tell)
            self._said = report
            self._told = now if tell else self._told
        except LiuheError:
            return  # a busy or full disk: events go on, the next report follows
