"""Reports made: editions, files checked when read, orders answered once."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from compliance.report_store import Made, ReportRow, ReportStore, report_id
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Refused
from soc_api.routes.reports import Report

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def row(month: str = "2026-11", edition: int = 1) -> ReportRow:
    made = Made(
        report=report_id(month, "u", edition),
        month=month,
        unit="u",
        edition=edition,
        order=0,
        pdf=sm3_hex(b"pdf"),
        xlsx=sm3_hex(b"xlsx"),
    )
    return made.row("user:lead", NOW, 7)


@pytest.fixture
def store(world: Any, tmp_path: Path) -> ReportStore:
    return ReportStore(world.engine, tmp_path / "made" / "here")


def test_editions_count_and_none_is_entered_twice(store: ReportStore) -> None:
    assert store.next_edition("2026-11", "u") == 1
    for made in (row(), row(edition=2), row("2026-12")):
        store.add(made)
    assert store.next_edition("2026-11", "u") == 3
    assert store.next_edition("2026-11", "other") == 1
    assert [made.id for made in store.all()] == ["2026-12-u-1", "2026-11-u-2", "2026-11-u-1"]
    assert store.all()[2] == row()
    with pytest.raises(IntegrityError):
        store.add(row())
    assert store.revision() == 3


def test_a_file_is_what_was_recorded_or_refused(store: ReportStore, tmp_path: Path) -> None:
    store.write_file("2026-11-u-1", "pdf", b"pdf")
    with pytest.raises(Refused, match="report-not-found"):
        store.file("2026-11-u-1", "pdf")
    store.add(row())
    assert store.file("2026-11-u-1", "pdf") == b"pdf"
    with pytest.raises(LiuheError, match="report-damaged"):
        store.file("2026-11-u-1", "xlsx")
    (tmp_path / "made" / "here" / "2026-11-u-1.xlsx").mkdir()
    with pytest.raises(LiuheError, match="report-damaged"):
        store.file("2026-11-u-1", "xlsx")


def test_an_order_keeps_its_first_answer(store: ReportStore) -> None:
    first, second = (store.order("2026-11", "local:root", NOW) for _ in range(2))
    assert store.open_orders() == [(first, "2026-11", "local:root"), (second, "2026-11", "local:root")]
    assert store.answer(first) is None
    store.add(row(), first)
    store.finish(first, NOW + timedelta(1), error="too late")
    store.finish(second, NOW, error="withdrawn")
    assert store.answer(first) == ("2026-11-u-1", "")
    assert store.answer(second) == ("", "withdrawn")
    assert store.open_orders() == []


@given(st.text(min_size=1, max_size=64))
@settings(max_examples=60, deadline=None)
def test_a_reports_name_is_an_address_and_a_file_whatever_the_unit_is_called(unit: str) -> None:
    pattern = Report.__metadata__[0].metadata  # type: ignore[attr-defined]
    name = report_id("2026-11", unit, 1_000)
    text = next(one.pattern for one in pattern if getattr(one, "pattern", None))
    assert re.fullmatch(text, name)
    assert len(name) <= 64


def test_two_units_never_share_a_name() -> None:
    names = {
        report_id("2026-11", unit, 1) for unit in ("a/b", "a_b", "../x", "江苏省", "江苏", "x" * 64, "x" * 63)
    }
    assert len(names) == 7
    assert report_id("2026-11", "320000-local", 2) == "2026-11-320000-local-2"
