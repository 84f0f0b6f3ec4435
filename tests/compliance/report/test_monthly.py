"""The month's numbers: what belongs to the month, as the checkpoint covers it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance.catalogue import load_catalogue
from compliance.ledger import NewEvidence
from compliance.registry import GradedSystem
from compliance.report import monthly as module
from compliance.report.lines import warnings_of
from compliance.report.model import Report
from compliance.report_cases import cases_of
from compliance.report_sources import sources_of
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def made(world: Any, month: str = "2026-11", now: datetime = NOW) -> Report:
    sources = sources_of(world.desk._parts, "unit", "320000-local")
    return module.monthly(sources, identifier="x", month=month, edition=1, corrects="", now=now)


def test_a_center_with_nothing_yet(world: Any) -> None:
    report = made(world)
    assert (report.alerts, report.sensors, report.events_total) == ((), (), 0)
    assert (report.ledger_size, report.checkpoint) == (0, "")
    assert report.events_oldest == "尚无封存段"
    assert report.totals["未知"] == 3
    assert report.rate is None
    assert [point.rate for point in report.trend] == [None] * 12


def test_alerts_of_the_month_and_of_no_other(world: Any) -> None:
    midnight = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)  # the 1st begins in Beijing
    for time, host in ((midnight - timedelta(minutes=1), "a"), (NOW, "b")):
        world.alert(time=time, host=host)
    december = datetime(2026, 12, 1, tzinfo=UTC)
    world.alert(time=december, host="c")
    world.alert(time=december, host="b")  # a group that began in November and goes on
    lines = {line.entity: line for line in made(world, now=december).alerts}
    assert set(lines) == {"host:b"}
    assert (lines["host:b"].severity, lines["host:b"].state) == ("高", "新")
    assert {line.entity for line in made(world, "2026-12", december).alerts} == {"host:b", "host:c"}
    assert made(world, "2026-10", december).alert_figures.severities == {"high": 1}


def test_handling_times_and_judgements(world: Any) -> None:
    world.alert()
    (group,) = world.alerts.page(state="all").rows
    world.alerts.acknowledge(group.id, "user:a", NOW + timedelta(minutes=10))
    world.alerts.close(group.id, "user:a", "false_positive", "演练", NOW + timedelta(minutes=30))
    figures = made(world, now=NOW + timedelta(hours=1)).alert_figures
    assert (figures.judged, figures.false_positives) == (1, 1)
    assert (figures.acknowledge_minutes, figures.close_minutes) == (10, 30)


def test_more_alerts_than_a_page_holds(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    for number in range(5):
        world.alert(host=f"h{number}", time=NOW + timedelta(seconds=number))
    report = made(world)
    assert report.alert_figures.total == 5
    assert len({line.entity for line in report.alerts}) == 5
    monkeypatch.setattr(module, "_GROUPS_MAX", 3)
    assert made(world).alert_figures.total >= 3


def test_gaps_of_the_month_and_sensors_as_they_are_now(world: Any) -> None:
    for count, time in ((5, NOW), (70, NOW - timedelta(days=40))):
        gap = {
            "event.dataset": "liuhe.gap",
            "gov.gap.lane": "bulk",
            "gov.gap.count": count,
            "gov.gap.reason": "quota",
        }
        world.alerts.commit([], [world.event(gap, time)], world.sequence, time)
    (line,) = made(world).sensors
    assert (line.gaps, line.lost, line.state) == (1, 5, "在线")
    (line,) = made(world, now=NOW + timedelta(hours=1)).sensors
    assert line.state == "失联"


def test_the_ledger_is_told_as_the_checkpoint_signs_it(world: Any) -> None:
    world.compliance.evaluate("system:jobs", NOW)
    signed = world.ledger.latest()
    late = NewEvidence(kind="segment", actor="system:store", subject="segment:1", summary="x", payload=b"x")
    world.compliance.record("segment", [(1, late)], NOW)
    report = made(world)
    assert report.ledger_size == signed.checkpoint.size == world.ledger.size - 1
    assert report.ledger_root == signed.checkpoint.root.hex()
    assert report.checkpoint.splitlines()[1] == str(report.ledger_size)
    assert [line.leaf for line in report.evidence] == sorted(
        {c.leaf for c in report.checks if c.leaf is not None}
    )


def test_verdicts_go_stale_and_the_months_before_are_remembered(world: Any) -> None:
    before = NOW - timedelta(days=35)
    world.probe(999, time=before)
    world.compliance.evaluate("system:jobs", before)
    world.probe(60)
    world.compliance.evaluate("system:jobs", NOW)
    report = made(world)
    assert report.totals["符合"] == 2
    october, november = report.trend[-2:]
    assert (october.rate, november.rate) == (0.5, 1.0)
    platform = next(row for row in report.layers if row.layer == "platform")
    assert (platform.before, platform.rate) == (0.0, 1.0)
    late = made(world, now=NOW + timedelta(days=1))
    assert late.totals["符合"] == 0
    assert late.checks[0].leaf is not None


def test_what_fell_short_has_the_numbers_of_its_cases_even_when_mended(world: Any) -> None:
    parts = msgspec.structs.replace(world.desk._parts, cases=cases_of(load_catalogue(ROOT / "grading")))
    world.desk._parts = parts
    world.probe(999, time=NOW - timedelta(days=1))
    world.compliance.evaluate("system:jobs", NOW - timedelta(days=1))
    world.probe(60)
    world.compliance.evaluate("system:jobs", NOW)
    (risk,) = made(world).risks
    assert (risk.check, risk.mended, risk.verdict) == ("PLT-01", True, "符合")
    assert risk.cases


def test_what_is_over_its_time_is_named() -> None:
    system = GradedSystem(
        id="a",
        unit="u",
        name="a",
        level=3,
        grade="S3A3G3",
        filing_number="1",
        filing_expires=date(2026, 11, 21),
        assessed=date(2026, 1, 1),
        assessment_due=date(2027, 1, 1),
        crypto_due=date(2028, 1, 1),
    )
    assert warnings_of(system, NOW) == ("备案证明已于 2026-11-21 到期", "等级测评将于 2027-01-01 到期")
    bare = GradedSystem(id="a", unit="u", name="a", level=3, grade="S3A3G3")
    assert warnings_of(bare, NOW) == ("未登记备案证明", "未登记等级测评")


def test_a_person_stands_in_a_report_by_pseudonym(world: Any) -> None:
    """P-28: a report goes to many, and is never changed after."""
    world.alert()
    (group,) = world.alerts.page(state="all").rows
    parts = msgspec.structs.replace(world.desk._parts, hide=lambda name: f"p-{len(name)}")
    shown = sources_of(parts, "unit", "320000-local").shown
    named = msgspec.structs.replace(group, entity="user:zhang.san@web-01")
    assert [shown(one).entity for one in (group, named)] == ["host:web-01", "user:p-9@web-01"]
    sources = sources_of(parts, "unit", "320000-local")
    sources = msgspec.structs.replace(
        sources, shown=lambda one: shown(msgspec.structs.replace(one, entity="user:li@b"))
    )
    report = module.monthly(sources, identifier="x", month="2026-11", edition=1, corrects="", now=NOW)
    assert [line.entity for line in report.alerts] == ["user:p-2@b"]
    assert report.alert_figures.entities == (("user:p-2@b", 1),)
