"""Rules and correlations as one detector of the pipeline: what rules say alone and what they say together."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from detection.alert import Alert
from detection.correlation.correlator import FOREVER, Correlator, Counters
from detection.correlation.mark import time_of
from detection.correlation.parameters import CorrelationParameters, correlation_parameters
from detection.correlation.rule import Correlation
from detection.correlation.snapshot import recall_into, snapshot_of
from detection.detector import FeedFailed
from detection.sigma.correlations import silent_rules
from detection.sigma.detector import SigmaDetector, alert_of
from detection.sigma.rule import Rule
from sensors.event import Event

SNAPSHOT_MICROS: Final = 60 * 1_000_000  # of event time between two snapshots
SNAPSHOT_LATEST_MICROS: Final = 3_600 * 1_000_000  # however much state there is
SNAPSHOT_EVENTS: Final = 20_000  # matched events between two snapshots at most
_KEYS_PER_EVENT: Final = 16  # a large state is written only when a share of it has changed


class RuleDetector:
    """Sigma rules, their correlations and filters; remembers the state of the correlations."""

    name = "sigma"

    def __init__(
        self,
        rules: Sequence[Rule],
        correlations: Sequence[Correlation] = (),
        *,
        parameters: CorrelationParameters | None = None,
        unknown_to_all: bool = False,
        silent: frozenset[str] | None = None,
    ) -> None:
        """``correlations`` as ``load_all`` gives them: resolved, inner ones first.

        ``silent`` names what raises no alert on its own, where ``correlations`` are not all there are: what
        one that is switched off watched must not begin to speak.
        """
        self._parameters = parameters or correlation_parameters()
        self._correlations = tuple(correlations)
        self._always_silent = silent
        self._silent = silent_rules(correlations) if silent is None else silent
        self.engine = SigmaDetector(rules, unknown_to_all=unknown_to_all)
        self.correlator = self._new_correlator()
        self._watched = self.correlator.watched
        self._matches = 0  # since the last snapshot
        self._kept = -FOREVER  # event time of the last snapshot

    @property
    def counters(self) -> Counters:
        """What the correlations hold, and what was not taken or was forgotten."""
        return self.correlator.counters

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """The alerts of rules on their own, and those the correlations complete or change."""
        alerts: list[Alert] = []
        try:
            for event, rules in zip(events, self.engine.matching_each(events), strict=True):
                self._take(event, rules, alerts)
            return alerts + self.correlator.settle()
        except Exception:  # noqa: BLE001 -- whatever it is, only the event at fault shall be lost
            return self._feed_each(events)  # what correlations took already is known to them

    def finish(self) -> list[Alert]:
        """The alerts of all that still waits for later events; nothing may be fed after it."""
        return self.correlator.finish()

    def amend(
        self,
        changed: Iterable[Rule] = (),
        removed: Iterable[str] = (),
        correlations: Sequence[Correlation] | None = None,
    ) -> None:
        """Take up changed rules, drop those removed, and take these for all correlations (None: as before).

        Between two batches; correlations that mean what they meant keep their state.
        """
        self.engine.amend(changed, removed)
        if correlations is not None:
            self._correlations = tuple(correlations)
            if self._always_silent is None:
                self._silent = silent_rules(correlations)
        before, self.correlator = self.correlator, self._new_correlator()
        self.correlator.adopt(before)
        self._watched = self.correlator.watched

    def snapshot(self) -> bytes | None:
        """The state of the correlations, where enough of it has changed; None otherwise."""
        if not self._matches or self.correlator.newest >= FOREVER:
            return None
        keys = self.correlator.counters.keys
        passed = self.correlator.newest - self._kept
        large = self._matches * _KEYS_PER_EVENT < keys
        due = passed >= (SNAPSHOT_LATEST_MICROS if large else SNAPSHOT_MICROS)
        if not due and self._matches < max(SNAPSHOT_EVENTS, keys // 4):
            return None
        self._kept, self._matches = self.correlator.newest, 0
        return snapshot_of(self.correlator)

    def recall(self, snapshot: bytes) -> None:
        """Take up a state; what is not one of this version is passed over, and the windows fill anew."""
        correlator = self._new_correlator()
        if recall_into(correlator, snapshot):
            self.correlator = correlator
            self._kept, self._matches = correlator.newest, 0

    def replay_since(self) -> datetime | None:
        """From which event time on it must see events again to be where it was; None before any snapshot."""
        if self._kept <= -FOREVER:
            return None
        delay = max((one.delay for one in self.correlator.running.values()), default=0)
        return time_of(self._kept - delay)

    def _new_correlator(self) -> Correlator:
        return Correlator(
            self._correlations, self._parameters, headings=self.engine.rules, silent=self._silent
        )

    def _take(self, event: Event, rules: Sequence[Rule], alerts: list[Alert]) -> None:
        alerts.extend(alert_of(rule, event) for rule in rules if rule.id not in self._silent)
        if not self._watched:
            return
        watched = [rule.id for rule in rules if rule.id in self._watched]
        self._matches += bool(watched)
        self.correlator.take(event, watched)

    def _feed_each(self, events: Sequence[Event]) -> list[Alert]:
        """Raises FeedFailed at the first event that cannot be taken; what those before it said is kept."""
        alerts: list[Alert] = []
        for index, event in enumerate(events):
            try:
                self._take(event, self.engine.matching(event), alerts)
            except Exception as error:
                alerts.extend(self.correlator.settle())
                raise FeedFailed(index, alerts, error) from error
        alerts.extend(self.correlator.settle())
        return alerts
