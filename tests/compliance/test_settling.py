"""What an order waits for, and what it does not wait for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from compliance.check_store import Kept
from compliance.checklist import load_checklist
from compliance.evaluation import ATTESTED, Evaluation, Fact, Finding, FindingState
from compliance.order_rules import load_order_rules
from compliance.settling import Settling
from crypto.words import Words
from rules import ROOT
from sensors.event import Value

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHECKS = {one.id: one for one in load_checklist(ROOT / "checklist")}
RULES = load_order_rules(ROOT / "gates" / "orders.yaml")


def found(fact: str, state: FindingState = "unsatisfied", name: str = "web-01", **fields: Value) -> Finding:
    told = Fact(object=name, name=fact, time=NOW, fields={k.replace("__", "."): v for k, v in fields.items()})
    return Finding(object=name, fact=fact, state=state, why=Words("", ""), evidence=told, stale_at=NOW)


def kept(check: str, *findings: Finding, at: datetime = NOW) -> dict[str, Kept]:
    evaluation = Evaluation(
        check=check,
        system="local",
        verdict="未知",
        reason=Words("", ""),
        evaluated=at,
        stale_at=None,
        findings=findings,
    )
    return {check: Kept(evaluation=evaluation, leaf=1)}


def waits(
    settling: Settling,
    check: str,
    findings: Sequence[Finding],
    later: timedelta = MINUTE,
    first: datetime | None = NOW,
) -> bool:
    now = NOW + later
    return settling.waits("local", lambda name: first, now)(CHECKS[check], findings)


def started(*newest: dict[str, Kept]) -> Settling:
    settling = Settling(RULES)
    settling.look("local", {}, NOW)
    for one in newest:
        settling.look("local", one, NOW)
    return settling


def test_before_any_sensor_was_seen_the_list_of_assets_opens_no_order_for_a_while() -> None:
    nobody = [found("assets.registered", assets__seen=0, assets__unregistered_count=0)]
    assert waits(started(), "MGT-08", nobody)
    assert not waits(started(), "MGT-08", nobody, 15 * MINUTE)
    stranger = [found("assets.registered", assets__seen=1, assets__unregistered_count=1)]
    assert not waits(started(), "MGT-08", stranger), "a real fault waits for nothing"


def test_a_sensor_that_was_there_since_the_start_and_stops_is_a_fault() -> None:
    silent = [found("sensor.host", sensor__state="silent")]
    assert waits(started(), "PLT-09", silent)
    there = found("sensor.host", "satisfied", sensor__state="online")
    assert not waits(started(kept("PLT-09", there)), "PLT-09", silent)
    before = kept("PLT-09", there, at=NOW - MINUTE)
    assert waits(started(before), "PLT-09", silent), "what was seen before the start says nothing"
    elsewhere = kept("PLT-09", found("sensor.host", "satisfied", "db-01", sensor__state="online"))
    assert waits(started(elsewhere), "PLT-09", silent)


def test_all_that_falls_short_must_be_awaited() -> None:
    silent = found("sensor.host", sensor__state="silent")
    assert not waits(started(), "PLT-09", [silent, found("sensor.host", sensor__state="online")])
    assert not waits(started(), "MGT-08", [found("ledger.state", assets__seen=0)])


def test_a_registry_nobody_filled_in_has_days_from_its_first_evaluation_whatever_restarts() -> None:
    empty = [found("registry.system", name="")]
    late = NOW - timedelta(days=3)
    assert waits(started(), "APP-11", empty)
    assert waits(started(), "APP-11", empty, first=None)
    assert not waits(started(), "APP-11", empty, first=late)
    over = [found("registry.system", name="", registry__filing_days_left=-5)]
    assert not waits(started(), "APP-11", over)


def test_evidence_that_ran_out_while_the_center_was_off_gets_time_but_a_statement_does_not() -> None:
    ran_out = [found("sshd.config", "unknown")]
    assert waits(started(), "PLT-06", ran_out)
    assert not waits(started(), "PLT-06", ran_out, 15 * MINUTE)
    assert not waits(started(), "PLT-06", [*ran_out, found(ATTESTED, "unknown")])
