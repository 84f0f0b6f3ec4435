"""The gates over a real state: decisions recorded, two people of different roles, a switch that ends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.acts_store import ActsStore
from compliance.check_store import CheckStore, Kept
from compliance.checklist import load_checklist
from compliance.evaluation import Evaluation, Finding, FindingState
from compliance.gate import GateDecision, GateName, Override, load_gates
from compliance.gate_store import GateStore
from compliance.gatekeeper import Gatekeeper
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from crypto.words import BadInput, Refused, Words
from detection.store.state import Engine, open_state
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = load_checklist(ROOT / "checklist")
RULES = load_gates(ROOT / "gates" / "gates.yaml", CHECKS)


class Gates:
    """Gates over one state."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store, self.checks = GateStore(engine), CheckStore(engine)
        self.keeper = Gatekeeper(self.store, self.checks, RULES)
        self.leaf = 0

    def verdict(self, check: str, state: FindingState, at: datetime = NOW) -> None:
        self.leaf += 1
        finding = Finding(object="web-01", fact="f", state=state, why=Words("", ""))
        evaluation = Evaluation(
            check=check,
            system="local",
            verdict="不符合" if state == "unsatisfied" else "符合",
            reason=Words("", ""),
            evaluated=at,
            stale_at=at + timedelta(days=9),
            findings=(finding,),
        )
        self.checks.keep([Kept(evaluation=evaluation, leaf=self.leaf)])

    def ask(self, gate: GateName = "transfer", at: datetime = NOW) -> GateDecision:
        return self.keeper.ask(gate, "local", action="export", about="t1", decider="user:li", now=at)

    def wish(self, *checks: str, hours: int = 24) -> Override:
        return self.keeper.ask_override(
            "transfer",
            "local",
            checks,
            reason="防汛数据急送",
            hours=hours,
            person="user:li",
            role="compliance_officer",
            now=NOW,
        )


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[Gates]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    system = GradedSystem(id="local", unit="320000", name="本机", level=3, grade="S3A3G3")
    RegistryStore(engine).register(system, unit_name="江苏省", now=NOW)
    yield Gates(engine)
    engine.dispose()


def test_every_answer_is_kept_and_waits_for_its_leaf(gates: Gates) -> None:
    assert gates.ask().allowed
    gates.verdict("NET-08", "unsatisfied")
    refused = gates.ask()
    kept = gates.store.decisions()
    assert [one.decision.allowed for one in kept] == [False, True]
    assert kept[0].decision == refused
    assert kept[0].leaf is None
    waiting = ActsStore(gates.engine).waiting("decision")
    assert [evidence.subject for _, evidence in waiting] == ["decision:1", "decision:2"]
    ActsStore(gates.engine).placed([(waiting[1][0], 41)])
    assert gates.store.decisions(system="local", limit=1)[0].leaf == 41
    assert gates.store.decisions(before=2)[0].id == 1


def test_grace_runs_from_when_the_check_began_to_fail(gates: Gates) -> None:
    gates.verdict("NET-04", "satisfied", NOW - timedelta(hours=40))
    gates.verdict("NET-04", "unsatisfied", NOW - timedelta(hours=23))
    gates.verdict("NET-04", "unsatisfied", NOW - timedelta(hours=1))
    assert gates.ask().ruling == "grace"
    assert not gates.ask(at=NOW + timedelta(hours=1)).allowed


def test_an_override_takes_two_people_of_different_roles(gates: Gates) -> None:
    gates.verdict("NET-08", "unsatisfied")
    wish = gates.wish("NET-08")
    assert not gates.ask().allowed, "asking alone opens nothing"
    for person, role in (("user:li", "security_admin"), ("user:wang", "compliance_officer")):
        with pytest.raises(Refused, match="override-second-person"):
            gates.keeper.decide_override(wish.id, approve=True, person=person, role=role, now=NOW)
    gates.keeper.decide_override(wish.id, approve=True, person="user:zhao", role="security_admin", now=NOW)
    assert (gates.ask().ruling, gates.ask().override) == ("override", wish.id)
    assert not gates.ask(at=NOW + timedelta(hours=24)).allowed, "it ends by itself"
    with pytest.raises(Refused, match="override-state"):
        gates.keeper.decide_override(
            wish.id, approve=True, person="user:zhao", role="security_admin", now=NOW
        )
    gates.keeper.end_override(wish.id, person="user:zhao", now=NOW)
    assert not gates.ask().allowed
    assert [one.state for one in gates.store.overrides()] == ["ended"]


def test_a_refused_or_late_override_opens_nothing(gates: Gates) -> None:
    gates.verdict("NET-08", "unsatisfied")
    wish = gates.wish("NET-08", hours=1)
    with pytest.raises(Refused, match="override-state"):
        gates.keeper.decide_override(
            wish.id, approve=True, person="user:zhao", role="security_admin", now=NOW + timedelta(hours=1)
        )
    gates.keeper.decide_override(wish.id, approve=False, person="user:zhao", role="security_admin", now=NOW)
    assert not gates.ask().allowed
    with pytest.raises(Refused, match="override-not-found"):
        gates.store.override(99)


@pytest.mark.parametrize(
    ("checks", "hours"), [((), 1), (("PHY-01",), 1), (("NET-08",), 0), (("NET-08",), 73)]
)
def test_what_cannot_be_asked(gates: Gates, checks: tuple[str, ...], hours: int) -> None:
    with pytest.raises(BadInput, match="gate-asked-wrongly"):
        gates.wish(*checks, hours=hours)


def test_nothing_passes_over_a_check_that_fails_closed(gates: Gates) -> None:
    with pytest.raises(Refused, match="override-fail-closed"):
        gates.keeper.ask_override(
            "go-live", "local", ["APP-05"], reason="急需上线", hours=1, person="user:li", role="x", now=NOW
        )


def test_the_release_switch_opens_and_ends(gates: Gates) -> None:
    assert not gates.ask("go-live").allowed
    with pytest.raises(BadInput):
        gates.keeper.release(reason="", hours=1, person="user:zhao", now=NOW)
    gates.keeper.release(reason="重大活动保障", hours=2, person="user:zhao", now=NOW)
    assert gates.ask("go-live").ruling == "release"
    assert not gates.ask("go-live", NOW + timedelta(hours=2)).allowed
    gates.keeper.close_again(reason="活动结束", person="user:zhao", now=NOW)
    assert not gates.ask("go-live").allowed
    subjects = [evidence.subject for _, evidence in ActsStore(gates.engine).waiting("decision")]
    assert {"release:1", "release:2"} <= set(subjects)
