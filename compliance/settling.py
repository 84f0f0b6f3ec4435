"""What an order waits for: shortfalls that may only mean that the center has just started.

A sensor that ran before is silent until it has found the center again, and a new registry is empty until
somebody fills it in. Rules name such findings and the time they get (rules/gates/orders.yaml). What was seen
in order since the start gets none: when it falls short after that, it is a fault.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from compliance.check_store import Kept
from compliance.checklist import Check
from compliance.evaluation import ATTESTED, Finding
from compliance.order_rules import Awaited, OrderRules

First = Callable[[str], datetime | None]  # when a check was first evaluated


class Settling:
    """Remembers, since the first look, what was in order; one per process, used by one thread."""

    def __init__(self, rules: OrderRules) -> None:
        self._rules = rules
        self._watched = {check for one in rules.settle if one.since == "start" for check in one.checks}
        self._started: datetime | None = None
        self._fine: set[tuple[str, str, str, str]] = set()  # system, check, fact, object

    def look(self, system: str, newest: Mapping[str, Kept], now: datetime) -> None:
        """Take in the newest verdicts of a system; those from before the start say nothing."""
        self._started = self._started or now
        for name in self._watched & newest.keys():
            evaluation = newest[name].evaluation
            if evaluation.evaluated >= self._started:
                for finding in evaluation.findings:
                    if finding.state == "satisfied":
                        self._fine.add((system, name, finding.fact, finding.object))

    def waits(self, system: str, first: First, now: datetime) -> Callable[[Check, Sequence[Finding]], bool]:
        """Whether these findings on one object open no order yet."""
        since = now - (self._started or now)

        def waiting(check: Check, findings: Sequence[Finding]) -> bool:
            short = [one for one in findings if one.state in ("unsatisfied", "partial")]
            if not short:
                return since < self._rules.settle_unknown and not _expired(findings, now)
            return all(any(awaited(rule, check, one) for rule in self._rules.settle) for one in short)

        def awaited(rule: Awaited, check: Check, one: Finding) -> bool:
            if check.id not in rule.checks or one.fact != rule.fact or not _found(rule, one):
                return False
            if rule.since == "start":
                return since < rule.time and (system, check.id, one.fact, one.object) not in self._fine
            return now - (first(check.id) or now) < rule.time

        return waiting


def _found(rule: Awaited, finding: Finding) -> bool:
    fields = {} if finding.evidence is None else finding.evidence.fields
    return all(fields.get(name) == value for name, value in rule.found.items())


def _expired(findings: Iterable[Finding], now: datetime) -> bool:
    """Whether what a person stated is over: that has nothing to do with the start."""
    return any(one.fact == ATTESTED and one.stale_at is not None and one.stale_at <= now for one in findings)
