"""Chapters and annexes from a report's numbers: what falls short comes first, lists are cut with a word."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from compliance.report.alerts import alert_figures, alert_line
from compliance.report.annexes import blocks_of
from compliance.report.blocks import Block, Code, Heading, Note, Page, Paragraph, Table
from compliance.report.model import CheckLine, Report, ScoreLine, SystemLine
from compliance.report.monthly import monthly
from compliance.report.operations import cryptography, orders, vulnerabilities
from compliance.report.standing import conclusion, risks, shortfalls, systems
from compliance.report_sources import sources_of

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def report(world: Any) -> Report:
    world.probe(999)
    world.compliance.evaluate("system:jobs", NOW)
    sources = sources_of(world.desk._parts, "unit", "320000-local")
    return monthly(sources, identifier="x", month="2026-11", edition=1, corrects="", now=NOW)


def words(blocks: Any) -> str:
    found: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            found += [block.caption, *block.head, *(cell for row in block.rows for cell in row)]
        elif isinstance(block, Paragraph | Note | Heading | Code):
            found.append(block.text)
    return " ".join(found)


def check(identifier: str, severity: str, verdict: str) -> CheckLine:
    return CheckLine(
        id=identifier,
        system="s",
        layer="平台",
        title=identifier,
        severity=severity,
        clauses="",
        verdict=verdict,
        reason="",
        evaluated="",
        leaf=None,
    )


def test_the_gravest_shortfall_comes_first(report: Report) -> None:
    lines = (
        check("A", "低", "不符合"),
        check("B", "严重", "部分符合"),
        check("C", "严重", "不符合"),
        check("D", "严重", "未知"),
    )
    assert [c.id for c in shortfalls(msgspec.structs.replace(report, checks=lines))] == ["C", "B", "A"]


def test_a_system_with_its_score_and_what_it_lacks(report: Report) -> None:
    score = ScoreLine(
        system="本机",
        template="2025",
        conclusion="基本符合",
        rate=75.0,
        decided=90.0,
        items=211,
        high_risks=4,
        mitigated=1,
        major_risks=10,
        rectified=5,
        rule="规则甲",
    )
    said = words(systems(msgspec.structs.replace(report, scores=(score,))))
    for wanted in ("10（5个已整改）", "75.0 %", "规则甲", "不作为等级测评结论", "未登记备案证明"):
        assert wanted in said, wanted
    assert "尚未登记" in words(systems(msgspec.structs.replace(report, systems=())))
    assert "未知" in words(conclusion(report))
    assert "由测评机构" not in words(risks(report))


def test_several_systems_are_counted_not_listed(report: Report) -> None:
    one = report.systems[0]
    other = msgspec.structs.replace(one, id="b", name="乙")
    both = msgspec.structs.replace(report, systems=(one, other))
    assert "（定级对象数）" in words(
        cryptography(msgspec.structs.replace(both, checks=(check("DAT-11", "高", "未知"),)))
    )
    many: list[Block] = list(blocks_of(both))
    assert isinstance(many[0], Page)
    assert many[0].wide
    assert "只列不符合与部分符合项" in words(many)
    assert "只列" not in words(blocks_of(report))
    assert isinstance(one, SystemLine)


def test_what_is_not_known_is_said(report: Report) -> None:
    assert "不以零代替" in words(vulnerabilities(report))
    assert "没有下发整改单" in words(orders(report))
    checkpoint = msgspec.structs.replace(report, checkpoint="", evidence=())
    assert "尚无检查点" in words(blocks_of(checkpoint))


def test_alerts_as_lines_and_figures(world: Any) -> None:
    world.alert()
    (group,) = world.alerts.page(state="all").rows
    line = alert_line(group)
    assert (line.severity, line.state, line.category) == ("高", "新", "其他")
    tested = msgspec.structs.replace(group, classification="test")
    false = msgspec.structs.replace(group, classification="false_positive")
    figures = alert_figures([group, tested, false], (None, None))
    assert (figures.total, figures.judged, figures.false_positives) == (3, 1, 1)
    assert figures.matrix == {"其他": {"high": 3}}
    assert figures.entities == ((group.entity, 3),)
