"""What the console is told: verdicts as they count now, history as it was said."""

from datetime import UTC, datetime, timedelta

import pytest

from compliance.check_store import Kept
from compliance.checklist import LAYERS, load_checklist
from compliance.evaluation import VERDICTS, Evaluation, Fact, Finding
from compliance.registry import GradedSystem
from compliance.views import detail_of, page_of, row_of, valid_at
from crypto.words import Words
from rules import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CHECKS = load_checklist(ROOT / "checklist")
SYSTEM = GradedSystem(id="local", unit="u", name="本机", level=3, grade="S3A3G3")


def evaluation(
    verdict: str, stale_at: datetime | None = NOW, findings: tuple[Finding, ...] = ()
) -> Evaluation:
    return Evaluation(
        check=CHECKS[0].id,
        system="local",
        verdict=verdict,  # type: ignore[arg-type]
        reason=Words("因", "because"),
        evaluated=NOW - timedelta(hours=1),
        stale_at=stale_at,
        findings=findings,
    )


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_counts_up_to_its_last_moment(verdict: str) -> None:
    given = evaluation(verdict)
    assert valid_at(given, NOW) == given
    later = valid_at(given, NOW + timedelta(microseconds=1))
    assert later.verdict == "未知"
    # What was unknown before keeps its own reason.
    assert (later.reason == given.reason) == (verdict == "未知")


def test_a_verdict_on_nothing_never_grows_stale() -> None:
    given = evaluation("未知", None)
    assert valid_at(given, NOW + timedelta(days=999)) is given


def test_every_check_has_a_row_before_the_first_evaluation() -> None:
    page = page_of(SYSTEM, CHECKS, {}, NOW)
    assert len(page.checks) == len(CHECKS)
    assert {row.verdict for row in page.checks} == {"未知"}
    assert all(row.leaf is None and row.evaluated is None for row in page.checks)
    assert page.checks[0].reason.en == "not evaluated yet"
    assert [layer.layer for layer in page.layers] == list(LAYERS)
    assert sum(layer.counts["未知"] for layer in page.layers) == len(CHECKS)


def test_the_layers_count_what_the_rows_show() -> None:
    kept = {CHECKS[0].id: Kept(evaluation=evaluation("符合"), leaf=0)}
    fresh, stale = page_of(SYSTEM, CHECKS, kept, NOW), page_of(SYSTEM, CHECKS, kept, NOW + timedelta(1))
    assert sum(layer.counts["符合"] for layer in fresh.layers) == 1
    assert sum(layer.counts["符合"] for layer in stale.layers) == 0
    assert fresh.checks[0].leaf == 0


def test_history_shows_what_was_said() -> None:
    kept = Kept(evaluation=evaluation("符合"), leaf=3)
    assert row_of(CHECKS[0], kept, None).verdict == "符合"
    assert row_of(CHECKS[0], kept, NOW + timedelta(days=9)).verdict == "未知"


def test_evidence_tells_why_a_reading_could_not_be_used() -> None:
    fact = Fact(object="web", name="p", time=NOW, fields={"a": 1}, raw="raw", error="denied")
    findings = (
        Finding(object="", fact="q", state="unknown", why=Words("无", "nothing")),
        Finding(object="web", fact="p", state="unknown", why=Words("无", "nothing"), evidence=fact),
    )
    kept = Kept(evaluation=evaluation("未知", None, findings), leaf=1)
    (shown,) = detail_of(CHECKS[0], kept, [kept], NOW).evidence
    assert (shown.raw, shown.satisfied, shown.values) == ("denied", False, {"a": 1})
    bare = detail_of(CHECKS[0], None, [], NOW)
    assert bare.evidence == ()
    assert bare.condition
