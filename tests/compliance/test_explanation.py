"""A check explained: what would change it, per finding, and which gates it closes."""

from datetime import UTC, datetime, timedelta

from compliance.check_store import Kept
from compliance.checklist import load_checklist
from compliance.documents import load_kinds
from compliance.evaluation import Fact, evaluate
from compliance.explanation import Explanation, explain
from compliance.gate import load_gates
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = {check.id: check for check in load_checklist(ROOT / "checklist")}
KINDS = load_kinds(ROOT / "mappings" / "documents.yaml")
GATES = load_gates(ROOT / "gates" / "gates.yaml", tuple(CHECKS.values()))


def explained(check: str, *facts: Fact) -> Explanation:
    by_name: dict[str, list[Fact]] = {}
    for fact in facts:
        by_name.setdefault(fact.name, []).append(fact)
    found = evaluate(CHECKS[check], system="local", facts=by_name, now=NOW)
    return explain(CHECKS[check], "local", Kept(evaluation=found, leaf=4), NOW, kinds=KINDS, gates=GATES)


def test_what_falls_short_comes_first_and_each_missing_source_is_named() -> None:
    jobs = Fact(object="全量", name="import.backup.jobs", time=NOW, fields={"document.result": "failure"})
    told = explained("DAT-05", jobs)
    assert told.verdict == "不符合"
    assert [change.zh for change in told.changes] == [
        CHECKS["DAT-05"].remedy.zh,
        "导入最新的「恢复演练记录」",
    ]
    wanted = told.objects[1].reasons[0]
    assert (wanted.state, wanted.fact) == ("unsatisfied", "import.backup.jobs")
    assert "success" in wanted.wanted


def test_a_statement_that_is_missing_is_asked_for() -> None:
    told = explained("MGT-05")
    assert told.form is CHECKS["MGT-05"].form
    assert [change.zh for change in told.changes] == ["提交人工证明:目录+记录"]


def test_evidence_that_soon_runs_out_is_named_beforehand() -> None:
    seen = NOW - timedelta(days=6)
    policy = Fact(
        object="fw1",
        name="import.firewall.policy",
        time=seen,
        fields={
            "document.action": "deny",
            "document.count.any_any": 0,
            "document.count.expired": 0,
            "document.count.unused": 0,
        },
    )
    told = explained("NET-02", policy)
    assert told.verdict == "符合"
    assert [change.zh for change in told.changes] == ["在 2026-11-23 前再次导入「防火墙策略」"]
    assert [(one.gate, one.closes) for one in told.gates] == [("transfer", False), ("go-live", False)]


def test_never_evaluated() -> None:
    told = explain(CHECKS["PLT-01"], "local", None, NOW, kinds=KINDS, gates=GATES)
    assert (told.verdict, told.leaf, told.objects) == ("未知", None, ())
    assert told.changes == (CHECKS["PLT-01"].remedy,)
    assert [(one.gate, one.closes) for one in told.gates] == [("go-live", True)]
