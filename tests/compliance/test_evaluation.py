"""Verdicts from facts: never from silence, stale is unknown, mixed is part."""

from datetime import UTC, datetime, timedelta

import pytest

from compliance.checklist import Check, LiveTest
from compliance.evaluation import Fact, evaluate
from crypto.words import Words
from detection.sigma.load import parse_condition

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = {"gov.probe.value.max_days": 60}
BAD = {"gov.probe.value.max_days": 99999}


def check(*, method: str = "probe", applies: dict[str, object] | None = None, live: bool = True) -> Check:
    test = LiveTest(
        fact="accounts.policy",
        satisfied=parse_condition({"s": {"gov.probe.value.max_days|lte": 90}, "condition": "s"}),
        applies=parse_condition(applies) if applies else None,
        text="",
    )
    return Check(
        id="PLT-01",
        title=Words("口令", "password"),
        layer="platform",
        severity="critical",
        method=method,  # type: ignore[arg-type]
        freshness=timedelta(days=1),
        clauses=("8.1.4.1.a",),
        looks_at="x",
        evidence_form="y",
        enforce=(),
        occasion="",
        remedy=Words("", ""),
        tests=(test,) if live else (),
    )


def fact(host: str, fields: dict[str, object], *, age: timedelta = timedelta(0), error: str = "") -> Fact:
    return Fact(object=host, name="accounts.policy", time=NOW - age, fields=fields, error=error)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ([], "未知"),
        ([fact("a", GOOD)], "符合"),
        ([fact("a", BAD)], "不符合"),
        ([fact("a", GOOD), fact("b", BAD)], "部分符合"),
        ([fact("a", GOOD), fact("b", {}, error="denied")], "未知"),
        ([fact("a", BAD), fact("b", {}, error="denied")], "不符合"),
        ([fact("a", GOOD, age=timedelta(days=1))], "符合"),
        ([fact("a", GOOD, age=timedelta(days=1, seconds=1))], "未知"),
        ([fact("a", {})], "不符合"),
    ],
)
def test_verdicts(facts: list[Fact], verdict: str) -> None:
    found = evaluate(check(), system="local", facts={"accounts.policy": facts} if facts else {}, now=NOW)
    assert found.verdict == verdict
    assert found.reason.zh
    assert found.reason.en


def test_a_check_that_does_not_apply() -> None:
    applies = {"s": {"gov.probe.value.installed": True}, "condition": "s"}
    facts = {"accounts.policy": [fact("a", {"gov.probe.value.installed": False})]}
    assert evaluate(check(applies=applies), system="local", facts=facts, now=NOW).verdict == "不适用"


def test_a_mixed_check_is_never_whole_by_probe_alone() -> None:
    facts = {"accounts.policy": [fact("a", GOOD)]}
    assert evaluate(check(method="mixed"), system="local", facts=facts, now=NOW).verdict == "部分符合"


@pytest.mark.parametrize(("method", "says"), [("attestation", "人工证明"), ("probe", "尚未接入")])
def test_nothing_live_is_unknown_with_the_reason(method: str, says: str) -> None:
    found = evaluate(check(method=method, live=False), system="local", facts={}, now=NOW)
    assert found.verdict == "未知"
    assert says in found.reason.zh


def test_stale_at_is_the_oldest_evidence_plus_freshness() -> None:
    facts = {"accounts.policy": [fact("a", GOOD, age=timedelta(hours=2)), fact("b", GOOD)]}
    found = evaluate(check(), system="local", facts=facts, now=NOW)
    assert found.stale_at == NOW + timedelta(hours=22)


def test_same_facts_same_evaluation() -> None:
    facts = {"accounts.policy": [fact("a", GOOD), fact("b", BAD)]}
    assert evaluate(check(), system="l", facts=facts, now=NOW) == evaluate(
        check(), system="l", facts=facts, now=NOW
    )
