"""When an order opens, goes up, is tested again and closed: by verdicts and time alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from compliance.check_store import Kept
from compliance.checklist import Check, load_checklist
from compliance.evaluation import ATTESTED, Evaluation, Fact, Finding
from compliance.order import Order, Step, days_of, plan, reached, statistics
from compliance.order_rules import load_order_rules
from crypto.words import Words
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CHECKS = {one.id: one for one in load_checklist(ROOT / "checklist")}
RULES = load_order_rules(ROOT / "gates" / "orders.yaml")
PLT_06 = CHECKS["PLT-06"]  # critical, 7 days


def found(state: str, *, name: str = "web-01", fact: str = "f", seen: datetime = NOW) -> Finding:
    evidence = Fact(object=name, name=fact, time=seen, fields={})
    stale_at = seen if state == "unknown" else seen + 30 * DAY
    return Finding(
        object=name,
        fact=fact,
        state=state,  # type: ignore[arg-type]
        why=Words("端口 23", "port 23"),
        evidence=evidence,
        stale_at=stale_at,
    )


def due(
    *findings: Finding,
    orders: tuple[Order, ...] = (),
    at: datetime = NOW,
    check: Check = PLT_06,
    leaf: int = 9,
    **more: Any,
) -> list[Step]:
    evaluation = Evaluation(
        check=check.id,
        system="local",
        verdict="不符合",
        reason=Words("", ""),
        evaluated=at,
        stale_at=None,
        findings=findings,
    )
    newest = {check.id: Kept(evaluation=evaluation, leaf=leaf)}
    return plan([check], newest, orders, RULES, lambda check: "user:li", at, **more)


def issued(**changed: Any) -> Order:
    order = due(found("unsatisfied"))[0].order
    return msgspec.structs.replace(order, id=1, number="2026-000001", **changed)


def test_an_object_that_falls_short_opens_one_order() -> None:
    steps = due(found("unsatisfied"), found("satisfied", name="web-02"))
    assert [step.action for step in steps] == ["issued"]
    order = steps[0].order
    assert (order.object, order.owner, order.leaf) == ("web-01", "user:li", 9)
    assert order.deadline - order.issued == 7 * DAY
    assert "端口 23" in order.facts.zh
    assert due(found("unsatisfied"), orders=(issued(),)) == []
    assert due(found("satisfied")) == []


def test_evidence_that_ran_out_opens_an_order_for_critical_checks_and_attestations() -> None:
    assert [step.action for step in due(found("unknown"))] == ["issued"]
    high = CHECKS["PLT-10"]
    assert due(found("unknown"), check=high) == []
    assert [step.action for step in due(found("unknown", fact=ATTESTED), check=high)] == ["issued"]
    never = msgspec.structs.replace(found("unknown"), evidence=None, stale_at=None)
    assert due(never) == [], "what never was has not run out"


def test_the_mended_check_closes_its_order() -> None:
    steps = due(found("satisfied"), orders=(issued(),), at=NOW + DAY)
    assert [(step.action, step.order.state) for step in steps] == [("retest-passed", "closed")]
    assert steps[0].order.closed == NOW + DAY


def test_an_answer_is_tested_only_by_newer_evidence() -> None:
    answered = issued(state="answered", answered=NOW + DAY, answered_by="user:li")
    at = NOW + DAY + timedelta(hours=1)
    assert due(found("unsatisfied", seen=NOW), orders=(answered,), at=at) == []
    steps = due(found("unsatisfied", seen=at), orders=(answered,), at=at)
    assert [(step.action, step.order.state, step.order.retests_failed) for step in steps] == [
        ("retest-failed", "issued", 1)
    ]


def test_reminders_and_escalations_come_in_their_time_and_once() -> None:
    order, told = issued(), []
    for hours in range(24 * 12):
        for step in due(found("unsatisfied"), orders=(order,), at=NOW + timedelta(hours=hours)):
            order = step.order
            told.append((hours / (24 * 7) * 100, step.action, step.note))
    assert [(action, note) for _, action, note in told] == [
        ("reminded", "50 %"),
        ("reminded", "80 %"),
        ("reminded", "100 %"),
        ("escalated", "level 1"),
        ("escalated", "level 2"),
    ]
    assert [percent // 10 for percent, _, _ in told] == [5, 8, 10, 10, 15]
    late = due(found("unsatisfied"), orders=(issued(),), at=NOW + 20 * DAY)
    assert [(step.action, step.note) for step in late] == [("reminded", "100 %"), ("escalated", "level 2")]


def test_an_order_whose_object_is_silent_still_runs_out() -> None:
    steps = due(orders=(issued(),), at=NOW + 4 * DAY)
    assert [step.note for step in steps] == ["50 %"]


def test_what_was_withdrawn_stays_withdrawn_on_the_same_grounds() -> None:
    cancelled = [issued(state="cancelled", closed=NOW)]
    assert due(found("unsatisfied"), cancelled=cancelled) == []
    assert [step.action for step in due(found("unsatisfied"), leaf=10, cancelled=cancelled)] == ["issued"]


def test_what_waits_opens_nothing_yet() -> None:
    asked = []

    def waits(check: Check, findings: Sequence[Finding]) -> bool:
        asked.append((check.id, [one.object for one in findings]))
        return True

    assert due(found("unsatisfied"), found("satisfied", name="web-02"), waits=waits) == []
    assert asked == [("PLT-06", ["web-01"])]


def test_figures_of_a_month() -> None:
    start, end = NOW - 10 * DAY, NOW + 10 * DAY
    orders = [
        issued(),  # overdue at the end
        issued(state="closed", closed=NOW + 2 * DAY),
        issued(state="closed", closed=NOW + 8 * DAY, retests_failed=2),  # too late
        issued(state="cancelled", closed=NOW),
        issued(issued=start - 20 * DAY, deadline=end + DAY, escalated=1),
    ]
    figures = statistics(orders, start, end)
    assert (figures.issued, figures.closed, figures.closed_in_time) == (3, 2, 1)
    assert (figures.open, figures.overdue, figures.retests_failed, figures.escalated) == (2, 1, 2, 1)
    assert figures.days_to_close == 5
    assert statistics([], start, end).days_to_close is None


def test_days_are_those_of_the_checklist() -> None:
    assert {days_of(one) for one in CHECKS.values()} <= {None, 7, 15, 30, 90}
    assert reached(issued(), [50, 80], NOW + 6 * DAY) == 80
