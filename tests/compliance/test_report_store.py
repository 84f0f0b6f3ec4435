"""Reports in tables and files: editions, acts entered, files checked when read, orders answered once."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from compliance.report_store import Act, ReportStore, report_id, step_of
from compliance.report_tables import reports
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Refused
from detection.store.state import writing
from soc_api.routes.reports import Report

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def made(month: str = "2026-11", edition: int = 1) -> Act:
    return Act(
        report=report_id(month, "unit", "u", edition),
        action="made",
        month=month,
        scope="unit",
        unit="u",
        edition=edition,
        revision=0,
        state="draft",
        content="c" * 64,
        files={kind: sm3_hex(kind.encode()) for kind in ("pdf", "xlsx", "docx", "model")},
    )


@pytest.fixture
def store(world: Any, tmp_path: Path) -> ReportStore:
    return ReportStore(world.engine, tmp_path / "made" / "here")


def test_editions_count_and_none_is_entered_twice(store: ReportStore) -> None:
    assert store.next_edition("2026-11", "unit", "u") == 1
    for act in (made(), made(edition=2), made("2026-12")):
        store.enter(act, "user:lead", NOW, 7)
    assert store.next_edition("2026-11", "unit", "u") == 3
    assert store.next_edition("2026-11", "system", "u") == 1
    found = [(row.id, row.state) for row in store.all()]
    assert found == [("2026-12-u-1", "draft"), ("2026-11-u-2", "draft"), ("2026-11-u-1", "superseded")]
    with pytest.raises(IntegrityError):
        store.enter(made(), "user:lead", NOW, 8)
    assert store.revision() == 3
    assert store.last_issued("2026-11", "unit", "u") == ""


def test_a_file_is_what_was_recorded_or_refused(store: ReportStore, tmp_path: Path) -> None:
    assert store.write_files("2026-11-u-1", 0, {"pdf": b"pdf"}) == {"pdf": sm3_hex(b"pdf")}
    with pytest.raises(Refused, match="report-not-found"):
        store.file("2026-11-u-1", "pdf")
    store.enter(made(), "user:lead", NOW, 7)
    assert store.file("2026-11-u-1", "pdf") == b"pdf"
    with pytest.raises(Refused, match="report-not-found"):
        store.file("2026-11-u-1", "p7s")
    with pytest.raises(LiuheError, match="report-damaged"):
        store.file("2026-11-u-1", "xlsx")
    (tmp_path / "made" / "here" / "2026-11-u-1.r0.xlsx").mkdir()
    with pytest.raises(LiuheError, match="report-damaged"):
        store.file("2026-11-u-1", "xlsx")


def test_a_report_of_an_earlier_version_can_still_be_read(store: ReportStore, world: Any) -> None:
    store.enter(made(), "user:lead", NOW, 7)
    with writing(world.engine) as connection:
        connection.execute(update(reports).values(model_sm3=""))
    path = store._folder / "2026-11-u-1.pdf"
    path.write_bytes(b"pdf")
    assert store.file("2026-11-u-1", "pdf") == b"pdf"


def test_signatures_and_texts_follow_their_acts(store: ReportStore) -> None:
    store.enter(made(), "user:a", NOW, 1)
    act = made()
    for number, (action, state, more) in enumerate(
        (("edited", "draft", {"texts": {"plan": "甲"}}), ("prepare", "prepared", {"name": "张"})), 1
    ):
        values = {"action": action, "state": state, "revision": number, **more}
        store.enter(msgspec.structs.replace(act, **values), "user:a", NOW, number + 1)
    assert [(one.section, one.text, one.author) for one in store.sections(act.report)] == [
        ("plan", "甲", "user:a")
    ]
    assert [(one.step, one.name, one.leaf) for one in store.signatures(act.report)] == [("prepare", "张", 3)]
    back = msgspec.structs.replace(act, action="returned", state="draft", revision=3)
    store.enter(back, "user:b", NOW, 4)
    assert store.signatures(act.report) == ()
    assert (step_of("draft"), step_of("issued"), step_of("superseded")) == ("prepare", None, None)


def test_an_order_keeps_its_first_answer(store: ReportStore) -> None:
    first, second = (store.order("2026-11", "local:root", NOW, unit=unit) for unit in ("", "u"))
    assert [(one.number, one.month, one.unit) for one in store.open_orders()] == [
        (first, "2026-11", ""),
        (second, "2026-11", "u"),
    ]
    assert store.answer(first) is None
    store.enter(msgspec.structs.replace(made(), order=first), "local:root", NOW, 1)
    store.finish(first, NOW + timedelta(1), error="too late")
    store.finish(second, NOW, error="withdrawn")
    assert store.answer(first) == ("2026-11-u-1", "")
    assert store.answer(second) == ("", "withdrawn")
    assert store.open_orders() == []


@given(st.text(min_size=1, max_size=64), st.sampled_from(["unit", "system"]))
@settings(max_examples=60, deadline=None)
def test_a_reports_name_is_an_address_and_a_file_whatever_the_unit_is_called(unit: str, scope: Any) -> None:
    pattern = Report.__metadata__[0].metadata  # type: ignore[attr-defined]
    name = report_id("2026-11", scope, unit, 1_000)
    text = next(one.pattern for one in pattern if getattr(one, "pattern", None))
    assert re.fullmatch(text, name)
    assert len(name) <= 64


def test_two_units_never_share_a_name() -> None:
    units = ("a/b", "a_b", "../x", "江苏省", "江苏", "x" * 64, "x" * 63)
    names = {report_id("2026-11", scope, unit, 1) for unit in units for scope in ("unit", "system")}
    assert len(names) == 14
    assert report_id("2026-11", "unit", "320000-local", 2) == "2026-11-320000-local-2"
