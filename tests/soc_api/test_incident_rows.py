"""Tests of soc_api.incident_rows and notice_rows: what an account sees is cut to its units."""

from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

from compliance.incident_rules import load_incident_rules
from compliance.notice import Notice, Receipt
from compliance.notice_acts import Draft, drafted
from compliance.report.notice_paper import answer_paper, notice_paper
from rules import ROOT
from soc_api.incident_rows import aware, paper_mark
from soc_api.notice_rows import cut
from soc_api.unit_scope import UnitScope

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RULES = load_incident_rules(ROOT / "incidents").notices
DRAFT = Draft(kind="warning", title="一则预警", text="第一段。\n\n第二段。", receivers=("a", "b"))


def notice(**change: Any) -> Notice:
    made = drafted(DRAFT, "top", RULES, "user:x", NOW).notice
    return Notice(**{name: getattr(made, name) for name in Notice.__struct_fields__} | change)


def reach(*units: str) -> Any:
    return SimpleNamespace(scope=UnitScope(frozenset(units)))


def test_a_receiver_sees_its_part_once_it_is_out() -> None:
    assert cut(notice(), reach("a")).receipts == ()
    out = notice(state="issued", issued=NOW)
    assert [one.unit for one in cut(out, reach("a")).receipts] == ["a"]
    assert not cut(out, reach("a")).whole
    assert cut(out, reach("top")).whole
    assert cut(out, reach("c")).receipts == ()


def test_a_time_without_a_zone_is_taken_as_utc() -> None:
    assert aware(None) is None
    assert aware(datetime(2026, 11, 22, 8, 0)) == NOW  # noqa: DTZ001
    assert aware(NOW.astimezone(timezone(timedelta(hours=8)))) == NOW
    visit: Any = SimpleNamespace(account=SimpleNamespace(username="lead"))
    assert paper_mark(visit, NOW) == "lead 2026-11-22 16:00"


def test_a_draft_says_that_it_has_no_number_and_an_answer_what_came_of_it() -> None:
    kind = RULES.kinds[0]
    paper = notice_paper(notice(), kind, str.upper, watermark="m", now=NOW)
    assert (paper.number, paper.day, paper.to) == ("(未签发,不具效力)", "", "A、B")
    assert paper.paragraphs == ("第一段。", "第二段。")
    receipt = Receipt(unit="a", state="answered", answered=NOW, answered_by="user:y", answer="已办", failed=1)
    sheet = answer_paper(notice(number="1号"), receipt, kind, str.upper, watermark="m")
    assert dict(sheet.rows)["复核结果"] == "待复核;复核不通过 1 次"
    assert (sheet.signer, sheet.day) == ("A", "2026年11月22日")
