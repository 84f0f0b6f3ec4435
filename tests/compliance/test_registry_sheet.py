"""Sheets of the registry: what is written reads back, what is wrong is named, nothing is thrown."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.registry import AssessmentObject, Asset, Contact, GradedSystem, Unit
from compliance.registry_sheet import COLUMNS, ERRORS_MAX, ROWS_MAX, SHEETS, read_rows, written_rows

SYSTEM = GradedSystem(
    id="portal", unit="320100-zwb", name="=门户", level=3, grade="S2A3G3", extensions=("cloud", "mobile"),
    internet=True, launched=date(2025, 1, 2), stage="filed", filing_number="32010099-25001",
    filing_expires=date(2028, 1, 2),
)  # fmt: skip
EXAMPLES: dict[str, list[Any]] = {
    "units": [Unit(code="320100-zwb", name="政务办", parent="320100", kind="department")],
    "systems": [SYSTEM],
    "assets": [Asset(system="portal", name="web-01", kind="host", address="10.0.0.1", origin="import")],
    "objects": [AssessmentObject(system="portal", kind="data", name="重要个人信息")],
    "contacts": [Contact(unit="320100-zwb", duty="leader", name="甲", phone="13800000000")],
}


@pytest.mark.parametrize("sheet", list(SHEETS))
def test_what_is_written_reads_back(sheet: Any) -> None:
    found = read_rows({sheet: written_rows(sheet, EXAMPLES[sheet])})
    assert found.errors == []
    assert [value for _, value in found.values[sheet]] == EXAMPLES[sheet]


def test_cells_of_a_spreadsheet_have_types() -> None:
    rows: list[list[object]] = [
        ["编号", "单位代码", "名称", "定级", "上线日期", "互联网可达", "扩展要求"],
        ["oa", 320100.0, "办公", "S2A2G2", datetime(2025, 1, 2, tzinfo=UTC), True, "云计算,ics"],
        [None, "", None],
        ["erp", "320100", "财务", "S2A2G2", "2025/1/02", "否"],
    ]
    found = read_rows({"systems": rows})
    assert [str(error.what.en) for error in found.errors] == ["is no day such as 2026-11-22"]
    ((number, value),) = found.values["systems"]
    assert isinstance(value, GradedSystem)
    assert (number, value.unit, value.launched, value.internet) == (2, "320100", date(2025, 1, 2), True)
    assert value.extensions == ("cloud", "ics")


@pytest.mark.parametrize(
    ("sheet", "row", "column"),
    [
        ("systems", {"定级": "S3A3G2"}, "定级"),
        ("systems", {"名称": ""}, "名称"),
        ("systems", {"涉密": "是"}, "编号"),
        ("systems", {"互联网可达": "也许"}, "互联网可达"),
        ("systems", {"阶段": "运行中"}, "阶段"),
        ("systems", {"备注": "x" * 5000}, "备注"),
        ("units", {"代码": "3201"}, "代码"),
        ("assets", {"类别": "冰箱"}, "类别"),
        ("objects", {"名称": "随便"}, "名称"),
        ("contacts", {"职责": "厨师"}, "职责"),
    ],
)
def test_an_error_names_row_and_column(sheet: Any, row: dict[str, str], column: str) -> None:
    head, good = written_rows(sheet, EXAMPLES[sheet])
    bad = [row.get(name, cell) for name, cell in zip(head, good, strict=True)]
    found = read_rows({sheet: [head, good, bad]})
    assert len(found.values[sheet]) == 1
    error = found.errors[0]
    assert (error.sheet, error.row) == (sheet, 3)
    assert error.column in (column, "")


def test_heads_are_checked() -> None:
    found = read_rows({"units": [["代码", "代码", "颜色"], ["320100", "320100", "红"]]})
    assert {(error.row, error.column) for error in found.errors} >= {(1, "代码"), (1, "颜色"), (1, "名称")}
    assert read_rows({"units": [["code", "name"], ["320100", "南京市"]]}).errors == []


def test_too_much_is_cut() -> None:
    head = ["代码", "名称"]
    many = read_rows({"units": [head, *([["x", "y"]] * 1000)]})
    assert len(many.errors) == ERRORS_MAX + 1
    blank = read_rows({"units": [head, *([["", ""]] * (ROWS_MAX + 5))]})
    assert len(blank.errors) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(SHEETS)),
    st.lists(
        st.lists(
            st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.dates()),
            max_size=20,
        ),
        max_size=6,
    ),
)
def test_no_row_whatever_breaks_the_reader(sheet: Any, rows: list[list[Any]]) -> None:
    head = [column.head for column in COLUMNS[sheet]]
    read_rows({sheet: rows})
    found = read_rows({sheet: [head, *rows]})
    for error in found.errors:
        assert error.what.zh
        assert error.row >= 1
