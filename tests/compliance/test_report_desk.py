"""The desk of reports: drafts, texts, three signatures, corrections; orders; what a crash leaves behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.registry import GradedSystem, Unit
from compliance.report_store import ReportStore
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIRST = "2026-11-320000-local-1"
PEOPLE = {"prepare": "user:officer", "review": "user:security", "approve": "user:lead"}


class DiedError(Exception):
    """The process ended here."""


def dies(*_: object, **__: object) -> None:
    raise DiedError


def issue(desk: Any, report: str, now: datetime = NOW) -> Any:
    for step, person in PEOPLE.items():
        content = desk.report_detail(report).report.content_sm3
        desk.sign_report(report, step, content=content, actor=person, name=person[5:], now=now)
    return desk.report_detail(report)


def test_a_report_is_made_checked_and_never_overwritten(world: Any) -> None:
    world.probe(60)
    world.alert()
    world.compliance.evaluate("system:jobs", NOW)
    first = world.desk.make_report("2026-11", "user:lead", NOW)
    kept = world.desk.report_file(first.id, "pdf")
    charts = world.desk.report_charts(first.id)
    assert [one.kind for one in charts][:3] == ["radar", "line", "stack"]
    assert len(charts[0].labels) == 6
    second = world.desk.make_report("2026-11", "user:lead", NOW + MINUTE)
    assert (first.edition, second.edition, first.id) == (1, 2, FIRST)
    assert [(row.id, row.state) for row in world.desk.reports()] == [
        (second.id, "draft"),
        (first.id, "superseded"),
    ]
    assert world.desk.report_file(first.id, "pdf") == kept
    assert kept.startswith(b"%PDF")
    for kind in ("xlsx", "docx"):
        assert world.desk.report_file(second.id, kind).startswith(b"PK")
    with pytest.raises(Refused, match="report-not-found"):
        world.desk.report_file(second.id, "p7s")
    assert world.subjects("report") == [f"report:{first.id}/0", f"report:{second.id}/0"]
    latest = world.ledger.latest()
    assert latest is not None
    assert latest.checkpoint.size == world.ledger.size


@pytest.mark.usefixtures("plain_reports")
def test_three_people_issue_a_report_and_a_correction_takes_over(world: Any) -> None:
    desk = world.desk
    made = desk.make_report("2026-11", "user:officer", NOW)
    assert (made.state, made.due, desk.report_detail(made.id).next) == ("draft", "2026-12-05", "prepare")
    before = made.content_sm3
    edited = desk.edit_report(made.id, {"plan": "下月完成整改。", "drills": ""}, "user:officer", NOW)
    assert edited.report.content_sm3 != before
    assert next(one.text for one in edited.sections if one.section == "plan") == "下月完成整改。"
    done = issue(desk, made.id)
    assert (done.report.state, done.report.revision, done.next) == ("issued", 4, "")
    assert [(one.step, one.actor) for one in done.signatures] == list(PEOPLE.items())
    assert "未经批准" not in desk.report_file(made.id, "pdf").decode()
    assert desk.report_file(made.id, "p7s") == b"p7s of %d" % len(desk.report_file(made.id, "pdf"))
    assert [world.ledger.record(one.leaf).subject for one in done.signatures] == [
        f"report:{made.id}/{revision}" for revision in (2, 3, 4)
    ]
    files = {path.name for path in (world.folder / "reports").iterdir()}
    assert files == {f"{FIRST}.json", *(f"{FIRST}.r4.{kind}" for kind in ("pdf", "docx", "xlsx", "p7s"))}
    for act in (
        lambda: desk.edit_report(made.id, {"plan": "x"}, "user:officer", NOW),
        lambda: desk.return_report(made.id, "no", "user:security", NOW),
        lambda: issue(desk, made.id),
    ):
        with pytest.raises(Refused, match="report-state"):
            act()
    second = desk.make_report("2026-11", "user:officer", NOW + MINUTE)
    assert (second.edition, second.corrects) == (2, made.id)
    assert desk.report_detail(made.id).report == done.report


@pytest.mark.usefixtures("plain_reports")
def test_nobody_signs_twice_nor_what_they_did_not_read(world: Any) -> None:
    desk = world.desk
    made = desk.make_report("2026-11", "user:officer", NOW)

    def sign(step: str, actor: str, content: str) -> None:
        desk.sign_report(made.id, step, content=content, actor=actor, name="", now=NOW)

    with pytest.raises(Refused, match="report-changed"):
        sign("prepare", "user:officer", "0" * 64)
    with pytest.raises(Refused, match="report-state"):
        sign("approve", "user:lead", made.content_sm3)
    sign("prepare", "user:officer", made.content_sm3)
    with pytest.raises(Refused, match="report-same-person"):
        sign("review", "user:officer", made.content_sm3)
    returned = desk.return_report(made.id, "数字有误", "user:security", NOW)
    assert (returned.report.state, returned.signatures) == ("draft", ())
    assert returned.report.content_sm3 == made.content_sm3
    for texts in ({"cover": "x"}, {"plan": "x" * 8_001}, {"plan": "\x07"}):
        with pytest.raises(BadInput, match="report-section"):
            desk.edit_report(made.id, texts, "user:officer", NOW)


@pytest.mark.usefixtures("plain_reports")
def test_without_a_key_nothing_is_issued(world: Any) -> None:
    desk = world.desk_again(seal=None)
    made = desk.make_report("2026-11", "user:officer", NOW)
    with pytest.raises(Refused, match="report-key"):
        issue(desk, made.id)
    assert desk.report_detail(made.id).report.state == "reviewed"


@pytest.mark.usefixtures("plain_reports")
def test_units_systems_and_what_is_neither(world: Any) -> None:
    below = Unit(code="320100", name="南京市", parent="320000-local", kind="city")
    world.registry.put_unit(below, NOW, "user:officer")
    other = GradedSystem(id="nj", unit="320100", name="南京系统", level=2, grade="S2A2G2")
    world.registry.register(other, unit_name="南京市", now=NOW)
    whole = world.desk.report_model(world.desk.make_report("2026-11", "user:o", NOW).id).report
    assert [area.code for area in whole.areas] == ["320100"]
    assert len(whole.checks) == 6
    city = world.desk.make_report("2026-11", "user:o", NOW, unit="320100")
    assert [one.id for one in world.desk.report_model(city.id).report.systems] == ["nj"]
    system = world.desk.make_report("2026-11", "user:o", NOW, scope="system", unit="nj")
    assert system.id == "2026-11-system.nj-1"
    with pytest.raises(Refused, match="unit-not-found"):
        world.desk.make_report("2026-11", "user:o", NOW, unit="999999")
    with pytest.raises(Refused, match="system-not-found"):
        world.desk.make_report("2026-11", "user:o", NOW, scope="system", unit="none")


@pytest.mark.usefixtures("plain_reports")
def test_drafts_come_by_themselves_on_the_first_and_once(world: Any) -> None:
    assert world.desk.draft_due("system:jobs", NOW) == []  # nothing was registered in October
    first = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # midnight of the 1st in Beijing
    assert world.desk.draft_due("system:jobs", first - MINUTE) == []
    (made,) = world.desk.draft_due("system:jobs", first)
    assert (made.month, made.state, made.actor) == ("2026-11", "draft", "system:jobs")
    assert world.desk.draft_due("system:jobs", first + MINUTE) == []


@pytest.mark.usefixtures("plain_reports")
def test_many_drafts_come_a_few_at_a_time(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("320100", "320200", "320300"):
        world.registry.put_unit(Unit(code=code, name=code, parent="320000-local", kind="city"), NOW, "u")
        system = GradedSystem(id=f"s{code}", unit=code, name=code, level=2, grade="S2A2G2")
        world.registry.register(system, unit_name=code, now=NOW)
    monkeypatch.setattr("compliance.report_desk.DRAFTS_MAX", 3)
    december = NOW + timedelta(days=10)
    counts = [len(world.desk.draft_due("system:jobs", december)) for _ in range(3)]
    assert counts == [3, 1, 0]


@pytest.mark.usefixtures("plain_reports")
def test_a_damaged_or_missing_file_is_refused(world: Any) -> None:
    made = world.desk.make_report("2026-11", "user:lead", NOW)
    path = world.folder / "reports" / f"{made.id}.r0.pdf"
    path.write_bytes(b"other")
    with pytest.raises(LiuheError, match="report-damaged"):
        world.desk.report_file(made.id, "pdf")
    path.unlink()
    with pytest.raises(LiuheError, match="report-damaged"):
        world.desk.report_file(made.id, "pdf")
    with pytest.raises(Refused, match="report-not-found"):
        world.desk.report_file("../../etc/passwd", "pdf")


@pytest.mark.usefixtures("plain_reports")
def test_an_act_whose_leaf_is_there_is_entered_after_a_crash(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = ReportStore(world.engine, world.folder / "reports")
    order = orders.order("2026-11", "local:root", NOW)
    with monkeypatch.context() as patch:
        patch.setattr(ReportStore, "enter", dies)
        patch.setattr(ReportStore, "finish", dies)
        with pytest.raises(DiedError):
            world.desk.work_orders(NOW)
    again = world.desk_again()
    assert again.work_orders(NOW + MINUTE) == 0
    (made,) = again.reports()
    assert (made.id, made.actor) == (FIRST, "local:root")
    assert orders.answer(order) == (FIRST, "")
    assert sm3_hex(again.report_file(FIRST, "pdf")) == made.pdf_sm3
    with monkeypatch.context() as patch:
        patch.setattr(ReportStore, "enter", dies)
        with pytest.raises(DiedError):
            issue(again, FIRST)
    last = world.desk_again()
    assert last.make_report("2026-11", "user:lead", NOW).edition == 2
    assert [one.actor for one in last.report_detail(FIRST).signatures] == ["user:officer"]


@pytest.mark.usefixtures("plain_reports")
def test_orders_are_answered_with_the_report_or_with_why_not(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = ReportStore(world.engine, world.folder / "reports")
    good = orders.order("2026-11", "local:root", NOW)
    wrong = [orders.order(month, "local:root", NOW) for month in ("2026-13", "9999-12", "2026-12", "")]
    last = orders.order("2026-10", "local:root", NOW, unit="320000-local")
    assert world.desk.work_orders(NOW) == 6
    assert orders.answer(good) == (FIRST, "")
    assert orders.answer(last) == ("2026-10-320000-local-1", "")
    for number in wrong:
        report, error = orders.answer(number) or ("", "")
        assert (report, error.partition(":")[0]) == ("", "report-month")
    bad, next_one = (orders.order("2026-11", "local:root", NOW) for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr("compliance.report_desk.monthly", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.desk.work_orders(NOW)
    assert "ZeroDivisionError" in (orders.answer(bad) or ("", ""))[1]
    assert world.desk.work_orders(NOW) == 1
    assert orders.answer(next_one) == ("2026-11-320000-local-2", "")


def test_a_month_to_come_is_refused(world: Any) -> None:
    for month in ("2026-12", "9999-12", "２０２６-11", "2026-11\n"):
        with pytest.raises(BadInput, match="report-month"):
            world.desk.make_report(month, "user:lead", NOW)
