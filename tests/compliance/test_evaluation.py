"""Verdicts from facts: never from silence, stale is unknown, mixed is part."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from compliance.attestation import Attestation, Signature, Signed, State, Statement
from compliance.attestation_form import AttestationForm
from compliance.checklist import Check, LiveTest
from compliance.evaluation import Fact, by_object, evaluate
from crypto.words import Words
from detection.sigma.load import parse_condition

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = {"gov.probe.value.max_days": 60}
BAD = {"gov.probe.value.max_days": 99999}
FORM = AttestationForm(valid=timedelta(days=365), attachments=0, review=False, asks=())


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
        form=None if method == "probe" else FORM,
    )


def stated(
    verdict: str = "符合", *, number: int = 1, name: str = "", state: State = "accepted", days: int = 30
) -> Attestation:
    statement = Statement(
        system="local",
        object=name,
        check="PLT-01",
        verdict=verdict,  # type: ignore[arg-type]
        reason="因故",
        answers={"report": "2026-1"},
        attachments=(),
        author="user:li",
        made=NOW - timedelta(days=1),
        expires=NOW + timedelta(days=days),
    )
    signature = Signature(method="center", key="k", value="00")
    return Attestation(id=number, signed=Signed(statement=statement, signature=signature), state=state)


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


@pytest.mark.parametrize(
    ("given", "verdict", "says"),
    [
        ([], "未知", "尚无有效证明"),
        ([stated()], "符合", "2 项"),
        ([stated("部分符合")], "部分符合", "因故"),
        ([stated("不符合")], "部分符合", "因故"),
        ([stated("不适用")], "符合", "1 项"),
        ([stated(days=0)], "未知", "到期"),
        ([stated(state="submitted")], "未知", "待复核"),
        ([stated(state="rejected")], "未知", "退回"),
        ([stated(), stated(number=2, state="withdrawn")], "未知", "撤回"),
        ([stated(), stated(number=2, state="submitted")], "符合", "2 项"),
        ([stated("不符合"), stated(number=2)], "符合", "2 项"),
        ([stated(name="a")], "符合", "2 项"),
    ],
)
def test_a_mixed_check_needs_both_the_probe_and_the_person(
    given: list[Attestation], verdict: str, says: str
) -> None:
    facts = {"accounts.policy": [fact("a", GOOD)]}
    found = evaluate(check(method="mixed"), system="local", facts=facts, now=NOW, attested=given)
    assert found.verdict == verdict
    assert says in found.reason.zh


def test_an_attestation_is_evidence_until_its_day() -> None:
    found = evaluate(
        check(method="attestation", live=False), system="local", facts={}, now=NOW, attested=[stated()]
    )
    assert (found.verdict, found.stale_at) == ("符合", NOW + timedelta(days=30))
    evidence = found.findings[0].evidence
    assert evidence is not None
    assert (evidence.event, evidence.fields["answer.report"]) == ("attestation:1", "2026-1")


def test_each_object_has_its_verdict_and_a_silent_host_is_not_passed_over() -> None:
    asked = check()
    asked = msgspec.structs.replace(asked, tests=(msgspec.structs.replace(asked.tests[0], each_host=True),))
    facts = {"accounts.policy": [fact("a", GOOD), fact("b", BAD)]}
    found = evaluate(asked, system="local", facts=facts, now=NOW, hosts=("a", "b", "c"))
    verdicts = {one.object: one.verdict for one in by_object(asked, found)}
    assert verdicts == {"a": "符合", "b": "不符合", "c": "未知"}
    assert found.verdict == "部分符合"


def test_a_test_may_have_a_freshness_of_its_own() -> None:
    asked = check()
    longer = msgspec.structs.replace(asked.tests[0], freshness=timedelta(days=90))
    asked = msgspec.structs.replace(asked, tests=(longer,))
    facts = {"accounts.policy": [fact("a", GOOD, age=timedelta(days=80))]}
    found = evaluate(asked, system="local", facts=facts, now=NOW)
    assert (found.verdict, found.stale_at) == ("符合", NOW + timedelta(days=10))


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
