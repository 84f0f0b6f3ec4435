"""Decisions of gates: critical at once, others after their grace, unknown where the rules say so."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compliance.check_store import Kept
from compliance.checklist import load_checklist
from compliance.evaluation import Evaluation, Finding
from compliance.gate import Asked, GateDecision, GateName, Override, Release, decide, load_gates
from crypto.words import BadInput, Words
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = load_checklist(ROOT / "checklist")
RULES = load_gates(ROOT / "gates" / "gates.yaml", CHECKS)
SAID = Words("", "")


def kept(check: str, verdict: str, *states: str, fact: str = "f", stale: bool = False) -> Kept:
    findings = tuple(
        Finding(object=f"h{number}", fact=fact, state=state, why=SAID)  # type: ignore[arg-type]
        for number, state in enumerate(states)
    )
    return Kept(
        evaluation=Evaluation(
            check=check,
            system="local",
            verdict=verdict,  # type: ignore[arg-type]
            reason=SAID,
            evaluated=NOW,
            stale_at=NOW + timedelta(seconds=-1 if stale else 1),
            findings=findings,
        ),
        leaf=7,
    )


def asked(
    gate: GateName, *given: Kept, since: dict[str, datetime] | None = None, **more: Any
) -> GateDecision:
    question = Asked(gate=gate, system="local", action="export", about="t1", decider="user:li", time=NOW)
    rules = more.pop("rules", RULES)
    return decide(question, rules, {one.evaluation.check: one for one in given}, since or {}, **more)


def override(*checks: str, state: str = "approved", hours: int = 1, **given: Any) -> Override:
    plain: dict[str, Any] = {
        "id": 3,
        "gate": "transfer",
        "system": "local",
        "checks": checks,
        "reason": "抢险",
        "state": state,
        "asked_by": "user:li",
        "asked_role": "compliance_officer",
        "asked": NOW,
        "expires": NOW + timedelta(hours=hours),
    }
    return Override(**(plain | given))


def test_one_object_that_fails_a_critical_check_closes_the_gate_at_once() -> None:
    found = asked("transfer", kept("NET-08", "部分符合", "satisfied", "unsatisfied"))
    assert (found.allowed, found.failed, found.evidence) == (False, ("NET-08",), (7,))
    assert "NET-08" in found.reason.zh
    assert found.rules == RULES.version


def test_an_open_gate_says_how_much_it_does_not_know() -> None:
    count = len(RULES.gates["transfer"].checks)
    found = asked("transfer", kept("NET-08", "符合", "satisfied"), kept("NET-04", "符合", stale=True))
    assert found.allowed
    assert f"另有 {count - 1} 项未知" in found.reason.zh
    whole = asked("transfer", *(kept(one, "符合", "satisfied") for one in RULES.gates["transfer"].checks))
    assert whole.reason.zh == "没有检查项不符合"


def test_other_checks_have_their_grace_and_no_longer() -> None:
    fails = kept("NET-04", "不符合", "unsatisfied")
    early = asked("transfer", fails, since={"NET-04": NOW - timedelta(hours=23)})
    assert (early.allowed, early.ruling, early.grounds[0].until) == (True, "grace", NOW + timedelta(hours=1))
    late = asked("transfer", fails, since={"NET-04": NOW - timedelta(hours=24)})
    assert (late.allowed, late.failed) == (False, ("NET-04",))


def test_only_what_the_rule_names_of_a_check_counts() -> None:
    assert asked("transfer", kept("PLT-07", "不符合", "unsatisfied", fact="patch.state")).allowed
    assert not asked("transfer", kept("PLT-07", "不符合", "unsatisfied", fact="vulnerability.scan")).allowed


def test_unknown_closes_go_live_for_critical_checks_and_transfer_only_where_listed() -> None:
    nothing = asked("go-live")
    critical = {one.id for one in CHECKS if one.severity == "critical" and "golive" in one.enforce}
    assert set(nothing.failed) == critical | {"APP-05", "NET-06"}
    assert asked("transfer").allowed
    strict = msgspec.structs.replace(
        RULES.gates["transfer"], fail_closed=frozenset({"NET-09"}), checks=("NET-09",)
    )
    rules = msgspec.structs.replace(RULES, gates={**RULES.gates, "transfer": strict})
    assert asked("transfer", rules=rules).failed == ("NET-09",)
    assert asked("transfer", kept("NET-09", "符合", "satisfied"), rules=rules).allowed
    assert not asked("transfer", kept("NET-09", "符合", "satisfied", stale=True), rules=rules).allowed
    assert not asked("transfer", rules=rules, overrides=[override("NET-09")]).allowed, (
        "nothing passes over it"
    )


def test_an_override_covers_what_it_names_while_it_holds() -> None:
    fails = kept("NET-08", "不符合", "unsatisfied")
    found = asked("transfer", fails, overrides=[override("NET-08")])
    assert (found.allowed, found.ruling, found.override) == (True, "override", 3)
    for wrong in (
        override("NET-02"),
        override("NET-08", state="asked"),
        override("NET-08", hours=0),
        override("NET-08", system="other"),
        override("NET-08", gate="go-live"),
    ):
        assert not asked("transfer", fails, overrides=[wrong]).allowed
    two = [fails, kept("NET-02", "不符合", "unsatisfied")]
    assert asked("transfer", *two, overrides=[override("NET-08")]).failed == ("NET-02",)


def test_the_release_switch_opens_everything_and_is_written_down() -> None:
    switch = Release(
        id=2, released=True, time=NOW, until=NOW + timedelta(hours=1), actor="user:a", reason="防汛"
    )
    found = asked("go-live", release=switch)
    assert (found.allowed, found.ruling, found.release) == (True, "release", 2)
    assert found.failed
    over = msgspec.structs.replace(switch, until=NOW)
    assert not asked("go-live", release=over).allowed
    assert not asked("go-live", release=msgspec.structs.replace(switch, released=False)).allowed


def test_the_same_question_has_the_same_answer() -> None:
    fails = kept("NET-08", "不符合", "unsatisfied")
    assert asked("transfer", fails) == asked("transfer", fails)


SHIPPED = (ROOT / "gates" / "gates.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("format: 2", "format: 1"), "format"),
        (("[DAT-04]", "[X-1]"), "unknown check X-1"),
        (("PT24H", "soon"), "duration"),
        (("override_hours_max: 72", "override_hours_max: 73"), "72"),
        (("  go-live:", "  golive:"), "golive"),
        (("format: 2", "["), "gates.yaml"),
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text(SHIPPED.replace(*change), "utf-8")
    with pytest.raises(BadInput, match="gates-malformed") as caught:
        load_gates(path, CHECKS)
    assert says in str(caught.value)
    with pytest.raises(BadInput, match="gates-malformed"):
        load_gates(tmp_path / "absent.yaml", CHECKS)
