"""Rectification orders (整改单): when one is opened, reminded, escalated, tested again and closed. Pure.

``plan`` looks at the newest verdicts and the open orders and says what is due; the store does it. An order is
closed by the verdict that follows the mending, never by the word of its owner alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

import msgspec

from compliance.check_store import Kept
from compliance.checklist import Check
from compliance.evaluation import ATTESTED, Evaluation, Finding, ObjectVerdict, Verdict, by_object
from compliance.order_rules import OrderRules
from compliance.views import valid_at
from crypto.words import Words

OrderState = Literal["issued", "answered", "closed", "cancelled"]
Action = Literal[
    "issued",
    "reminded",
    "escalated",
    "answered",
    "retest-failed",
    "retest-passed",
    "assigned",
    "extended",
    "cancelled",
]
OPEN: Final[frozenset[OrderState]] = frozenset({"issued", "answered"})
_RECTIFY: Final = "rectify"
_SHORT: Final[frozenset[Verdict]] = frozenset({"不符合", "部分符合"})

# Whether what falls short on one object, by its findings, is given time before an order opens.
Waits = Callable[[Check, Sequence[Finding]], bool]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order; ``facts`` is what was found when it was issued, ``leaf`` the evidence of it."""

    id: int
    number: str
    system: str
    object: str
    check: str
    severity: str
    state: OrderState
    owner: str
    issued: datetime
    deadline: datetime
    verdict: Verdict
    facts: Words
    remedy: Words
    clauses: tuple[str, ...]
    leaf: int
    notify: bool  # 报省: the center above is to be told
    reminded: int = 0
    escalated: int = 0
    retests_failed: int = 0
    answered: datetime | None = None
    answered_by: str = ""
    closed: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether anything is still to be done."""
        return self.state in OPEN

    def overdue(self, now: datetime) -> bool:
        """Past its deadline: still open, or closed too late."""
        return (self.closed or now) > self.deadline and self.state != "cancelled"


class Timed(Protocol):
    """What has a time to be done in."""

    @property
    def issued(self) -> datetime: ...
    @property
    def deadline(self) -> datetime: ...


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens to an order; ``order`` is how it is after it."""

    order: Order
    action: Action
    note: str


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a time span and of its end."""

    issued: int
    closed: int
    closed_in_time: int
    open: int
    overdue: int
    retests_failed: int
    escalated: int
    days_to_close: float | None
    """Mean of those closed in the span; None where none was."""


def days_of(check: Check) -> int | None:
    """The days a check's orders run (rectifyN); None where it opens none."""
    for word in check.enforce:
        if word.startswith(_RECTIFY) and word[len(_RECTIFY) :].isdigit():
            return int(word[len(_RECTIFY) :])
    return None


def _never(check: Check, findings: Sequence[Finding]) -> bool:  # noqa: ARG001
    return False


def plan(
    checks: Iterable[Check],
    newest: Mapping[str, Kept],
    open_orders: Sequence[Order],
    rules: OrderRules,
    owner: Callable[[Check], str],
    now: datetime,
    cancelled: Sequence[Order] = (),
    waits: Waits = _never,
) -> list[Step]:
    """What is due for one graded system, by order and object; ``owner`` says who gets the new ones.

    A new order has id 0 and no number: the store gives both. What was withdrawn opens no new order until the
    evaluation has other grounds; what ``waits`` names opens none yet.
    """
    steps: list[Step] = []
    settled = {(order.check, order.object, order.leaf) for order in cancelled}
    known = {(order.check, order.object): order for order in open_orders}
    for check in checks:
        kept, days = newest.get(check.id), days_of(check)
        if kept is None or days is None:
            continue
        evaluation = valid_at(kept.evaluation, now)
        findings: dict[str, list[Finding]] = {}
        for finding in evaluation.findings:
            findings.setdefault(finding.object, []).append(finding)
        for one in by_object(check, evaluation):
            order = known.pop((check.id, one.object), None)
            short = wants(check, findings[one.object], one.verdict, rules, evaluation.evaluated)
            if order is None and short and (check.id, one.object, kept.leaf) not in settled:
                if not waits(check, findings[one.object]):
                    steps.append(_issued(check, kept, one, days, owner(check), now))
            elif order is not None:
                steps += _next(order, evaluation, one.verdict, short, rules, now)
    for order in known.values():  # nothing is said of its object any more
        steps += _timely(order, rules, now)
    return steps


def wants(
    check: Check, findings: Iterable[Finding], verdict: Verdict, rules: OrderRules, evaluated: datetime
) -> bool:
    """Whether this verdict on an object, with its findings, is something somebody must mend.

    未知 is, where evidence there was has run out: an attestation's always, others' for critical checks.
    """
    if verdict in _SHORT:
        return True
    if verdict != "未知":
        return False
    critical = check.severity == "critical" and rules.unknown_of_critical
    return any(
        finding.state == "unknown"
        and finding.stale_at is not None
        and finding.stale_at <= evaluated
        and (critical or finding.fact == ATTESTED)
        for finding in findings
    )


def reached(order: Timed, percents: Iterable[int], now: datetime) -> int:
    """The highest of these percentages of an order's time that is over; 0 where none is."""
    whole = (order.deadline - order.issued).total_seconds()
    gone = (now - order.issued).total_seconds()
    return max((percent for percent in percents if gone * 100 >= whole * percent), default=0)


def statistics(orders: Iterable[Order], start: datetime, end: datetime) -> Statistics:
    """Figures of ``start`` up to and without ``end``; open and overdue are as at the end."""
    counted = [order for order in orders if order.issued < end and order.state != "cancelled"]
    closed = [order for order in counted if order.closed is not None and start <= order.closed < end]
    still = [order for order in counted if order.closed is None or order.closed >= end]
    took = [(order.closed - order.issued) / timedelta(days=1) for order in closed if order.closed]
    return Statistics(
        issued=sum(order.issued >= start for order in counted),
        closed=len(closed),
        closed_in_time=sum(not order.overdue(end) for order in closed),
        open=len(still),
        overdue=sum(order.deadline < end for order in still),
        retests_failed=sum(order.retests_failed for order in counted),
        escalated=sum(order.escalated > 0 for order in still),
        days_to_close=sum(took) / len(took) if took else None,
    )


def _issued(
    check: Check,
    kept: Kept,
    found: ObjectVerdict,
    days: int,
    owner: str,
    now: datetime,
) -> Step:
    order = Order(
        id=0,
        number="",
        system=kept.evaluation.system,
        object=found.object,
        check=check.id,
        severity=check.severity,
        state="issued",
        owner=owner,
        issued=now,
        deadline=now + timedelta(days=days),
        verdict=found.verdict,
        facts=found.reason,
        remedy=check.remedy,
        clauses=check.clauses,
        leaf=kept.leaf,
        notify="notify" in check.enforce,
    )
    return Step(order=order, action="issued", note=f"{found.verdict}: {found.reason.zh}")


def _next(
    order: Order, evaluation: Evaluation, verdict: Verdict, short: bool, rules: OrderRules, now: datetime
) -> list[Step]:
    """What a verdict does to an open order of its object."""
    if verdict in ("符合", "不适用") and evaluation.evaluated > order.issued:
        closed = msgspec.structs.replace(order, state="closed", closed=now)
        return [Step(order=closed, action="retest-passed", note=verdict)]
    if order.state == "answered" and short and _looked_again(order, evaluation):
        failed = msgspec.structs.replace(
            order, state="issued", retests_failed=order.retests_failed + 1, answered=None
        )
        return [Step(order=failed, action="retest-failed", note=verdict), *_timely(failed, rules, now)]
    return _timely(order, rules, now)


def _looked_again(order: Order, evaluation: Evaluation) -> bool:
    """Whether everything that still falls short was looked at after the answer."""
    short = [
        finding.evidence.time
        for finding in evaluation.findings
        if finding.object == order.object and finding.state in ("unsatisfied", "partial") and finding.evidence
    ]
    return order.answered is not None and bool(short) and min(short) > order.answered


def _timely(order: Order, rules: OrderRules, now: datetime) -> list[Step]:
    """Reminders and escalations that are due; of several at once the last one speaks for all."""
    steps = []
    percent = reached(order, rules.reminders, now)
    if percent > order.reminded:
        order = msgspec.structs.replace(order, reminded=percent)
        steps.append(Step(order=order, action="reminded", note=f"{percent} %"))
    height = sum(reached(order, [percent], now) > 0 for percent in rules.escalations)
    if height > order.escalated:
        order = msgspec.structs.replace(order, escalated=height)
        steps.append(Step(order=order, action="escalated", note=f"level {height}"))
    return steps
