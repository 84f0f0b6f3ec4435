"""Compliance at work: a leaf for each change and none twice, whatever dies in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance.check_store import CheckStore
from compliance.checklist import load_checklist
from compliance.ledger import NewEvidence
from compliance.ledgered_store import LedgeredStore
from compliance.service import Compliance
from crypto.words import BadInput, Refused
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = "checklist/system:local"


class Died(Exception):
    """The process ended here."""


def dies_at(monkeypatch: pytest.MonkeyPatch, store: type, name: str) -> None:
    def died(*_: object, **__: object) -> None:
        raise Died

    monkeypatch.setattr(store, name, died)


def together(*works: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()


def verdicts(page: Any) -> dict[str, str]:
    return {row.id: row.verdict for row in page.checks}


def test_a_leaf_for_each_change_of_grounds_and_one_for_the_run(world: Any) -> None:
    world.probe(60)
    page = world.compliance.evaluate("system:jobs", NOW)
    assert verdicts(page) == {"PLT-01": "符合", "DAT-04": "符合", "PLT-12": "未知"}
    first = [f"check:{name}/system:local" for name in ("PLT-01", "DAT-04", "PLT-12")]
    assert world.subjects() == [*first, RUN]

    # The ledger has grown and time has passed: that alone is no new ground.
    world.compliance.evaluate("system:jobs", NOW + MINUTE)
    assert world.subjects() == [*first, RUN, RUN]

    world.probe(99_999, time=NOW + MINUTE)
    page = world.compliance.evaluate("user:lead", NOW + 2 * MINUTE)
    assert verdicts(page)["PLT-01"] == "不符合"
    assert world.subjects()[5:] == ["check:PLT-01/system:local", RUN]
    assert world.ledger.record(5).actor == "user:lead"
    assert {row.id: row.leaf for row in page.checks} == {"PLT-01": 5, "DAT-04": 1, "PLT-12": 2}
    assert world.ledger.verify().ok


def test_a_leaf_that_was_written_before_the_end_is_not_written_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.probe(60)
    with monkeypatch.context() as patch:
        dies_at(patch, CheckStore, "keep")
        with pytest.raises(Died):
            world.compliance.evaluate("system:jobs", NOW)
    assert len(world.subjects()) == 4
    page = world.again().evaluate("system:jobs", NOW + MINUTE)
    assert world.subjects()[4:] == [RUN]
    assert {row.id: row.leaf for row in page.checks} == {"PLT-01": 0, "DAT-04": 1, "PLT-12": 2}
    detail = world.compliance.check_detail("PLT-01", NOW + MINUTE)
    assert [row.leaf for row in detail.history] == [0]


def test_an_end_before_the_leaf_loses_nothing(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.probe(60)
    with monkeypatch.context() as patch:
        dies_at(patch, type(world.ledger), "append")
        with pytest.raises(Died):
            world.compliance.evaluate("system:jobs", NOW)
    world.again().evaluate("system:jobs", NOW)
    assert len(world.subjects()) == 4


def test_evidence_that_grew_stale_is_unknown_on_the_page_without_an_evaluation(world: Any) -> None:
    world.probe(60)
    world.compliance.evaluate("system:jobs", NOW)
    fresh, stale = NOW + timedelta(hours=1), NOW + timedelta(hours=1, seconds=1)
    assert verdicts(world.compliance.check_page(fresh))["PLT-01"] == "符合"
    assert verdicts(world.compliance.check_page(stale))["PLT-01"] == "未知"
    row = world.compliance.check_detail("PLT-01", stale).check
    assert row.verdict == "未知"
    assert "过期" in row.reason.zh
    # What was said then stays as it was said.
    assert world.compliance.check_detail("PLT-01", stale).history[0].verdict == "符合"


def test_a_host_whose_clock_runs_ahead_has_no_fresh_evidence_for_ever(world: Any) -> None:
    world.probe(60, time=NOW + timedelta(days=3_650))
    page = world.compliance.evaluate("system:jobs", NOW)
    assert verdicts(page)["PLT-01"] == "未知"


def test_the_detail_shows_the_evidence(world: Any) -> None:
    world.probe(60)
    world.probe(99_999, host="web-02\n\x00<b>")
    world.compliance.evaluate("system:jobs", NOW)
    detail = world.compliance.check_detail("PLT-01", NOW)
    assert detail.check.verdict == "部分符合"
    by_host = {one.host: one for one in detail.evidence}
    assert by_host["web-01"].satisfied
    assert by_host["web-01"].raw == "PASS_MAX_DAYS 60"
    assert by_host["web-01"].values == {"gov.probe.value.max_days": 60}
    assert not by_host["web-02\n\x00<b>"].satisfied
    assert "accounts.password_policy" in detail.condition
    assert detail.remedy.en == "shorten it"
    with pytest.raises(Refused, match="check-not-found"):
        world.compliance.check_detail("PLT-99", NOW)


def test_each_system_has_its_own_page(world: Any) -> None:
    other = msgspec.structs.replace(world.registry.system("local"), id="other", name="另一系统")
    world.registry.register(other, unit_name="某单位", now=NOW)
    world.registry.add_asset("db-01", system="other", kind="host", now=NOW)
    world.probe(60)
    world.probe(99_999, host="db-01")
    first = world.compliance.evaluate("system:jobs", NOW)
    second = world.compliance.check_page(NOW, "other")
    assert (first.system, second.system) == ("local", "other")
    assert (verdicts(first)["PLT-01"], verdicts(second)["PLT-01"]) == ("符合", "不符合")
    assert world.compliance.check_detail("PLT-01", NOW, "other").evidence[0].host == "db-01"
    with pytest.raises(Refused, match="system-not-found"):
        world.compliance.check_page(NOW, "nowhere")


def test_a_system_is_not_asked_what_its_grade_does_not_ask(world: Any) -> None:
    small = msgspec.structs.replace(world.registry.system("local"), id="small", level=1, grade="S1A1G1")
    world.registry.register(small, unit_name="某单位", now=NOW)
    second = load_checklist(ROOT / "checklist")[24]  # no level but 3 and 4 asks for a second factor
    compliance = Compliance(world.parts, [second])
    compliance.evaluate("system:jobs", NOW)
    (factor,) = compliance.check_page(NOW, "small").checks
    assert (factor.id, factor.verdict, factor.stale_at) == ("PLT-03", "不适用", None)
    assert "S1A1G1" in factor.reason.zh
    assert verdicts(compliance.check_page(NOW))["PLT-03"] == "未知"


def test_what_all_systems_share_is_read_once(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other = msgspec.structs.replace(world.registry.system("local"), id="other", name="另一系统")
    world.registry.register(other, unit_name="某单位", now=NOW)
    world.probe(60)
    reads: list[object] = []
    read = type(world.inventory).probe_results

    def counted(store: Any) -> Any:
        reads.append(store)
        return read(store)

    monkeypatch.setattr(type(world.inventory), "probe_results", counted)
    world.compliance.evaluate("system:jobs", NOW)
    assert len(reads) == 1


def test_a_ledger_said_to_be_broken_fails_its_check(world: Any) -> None:
    world.compliance.note_ledger(False)
    assert verdicts(world.compliance.evaluate("system:jobs", NOW))["DAT-04"] == "不符合"


def test_without_a_system_there_is_one_clear_answer(empty_world: Any) -> None:
    with pytest.raises(Refused, match="system-not-found"):
        empty_world.compliance.check_page(NOW)


# --- rows of other stores


def row(number: int) -> tuple[int, NewEvidence]:
    evidence = NewEvidence(
        kind="segment",
        actor="system:store",
        subject=f"segment:{number}",
        summary=f"{number} events",
        payload=b"%d" % number,
    )
    return number, evidence


def test_rows_are_recorded_once(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.compliance.record("segment", [], NOW)
    assert world.compliance.recorded_up_to("segment") == 0
    with monkeypatch.context() as patch:
        dies_at(patch, LedgeredStore, "mark")
        with pytest.raises(Died):
            world.compliance.record("segment", [row(1), row(2)], NOW)
    assert world.compliance.recorded_up_to("segment") == 0
    again: Compliance = world.again()
    again.evaluate("system:jobs", NOW)  # leaves of other kinds come in between
    placed: list[tuple[int, int]] = []
    again.record("segment", [row(1), row(2), row(3)], NOW, placed.extend)
    assert [again._parts.ledger.record(leaf).subject for _, leaf in placed] == [
        row(number)[1].subject for number, _ in placed
    ]
    assert [number for number, _ in placed] == [1, 2, 3]
    assert world.subjects("segment") == ["segment:1", "segment:2", "segment:3"]
    assert again.recorded_up_to("segment") == 3
    again.record("segment", [row(4)], NOW)
    assert world.subjects("segment")[3:] == ["segment:4"]


def test_a_refused_row_records_none_of_its_batch(world: Any) -> None:
    bad = msgspec.structs.replace(row(2)[1], actor="")
    with pytest.raises(BadInput, match="evidence-malformed"):
        world.compliance.record("segment", [row(1), (2, bad)], NOW)
    assert world.subjects("segment") == []
    world.compliance.record("segment", [row(1)], NOW)
    assert world.subjects("segment") == ["segment:1"]


def test_threads_share_one_compliance_side(world: Any) -> None:
    world.probe(60)
    compliance = world.compliance
    together(
        *[lambda: compliance.evaluate("system:jobs", NOW)] * 3,
        lambda: compliance.record("segment", [row(1)], NOW),
        lambda: compliance.check_page(NOW),
    )
    assert world.subjects().count("check:PLT-01/system:local") == 1
    assert world.subjects().count(RUN) == 3
    assert world.ledger.verify().ok


def test_the_revision_tells_of_changes(world: Any) -> None:
    before = world.compliance.revision()
    world.compliance.evaluate("system:jobs", NOW)
    assert world.compliance.revision() > before


def test_a_reason_that_quotes_a_host_stays_one_line(world: Any) -> None:
    world.probe(0, error="denied\n\x1b[31m" + "x" * 900)
    world.compliance.evaluate("system:jobs", NOW)
    summary = world.ledger.record(0).summary
    assert summary.isprintable()
    assert len(summary) <= 200
    assert summary.startswith("未知")
