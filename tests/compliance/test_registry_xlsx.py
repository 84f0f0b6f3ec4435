"""Workbooks and CSV of the registry: round trip, no formula, hostile files refused."""

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from compliance.registry_csv import read_csv, write_csv
from compliance.registry_sheet import read_rows, written_rows
from compliance.registry_xlsx import FILE_BYTES_MAX, read_workbook, write_workbook
from crypto.words import BadInput

PRINTABLE = st.characters(exclude_categories=("Cs", "Cc"))
EVIL = '=HYPERLINK("http://x","点我")'
ROWS = [["代码", "名称"], ["320100", EVIL], ["320200", "-无锡\x0b"]]


def test_a_workbook_reads_back_and_runs_nothing() -> None:
    data = write_workbook({"units": ROWS, "systems": written_rows("systems", [])})
    tables = read_workbook(data)
    assert set(tables) == {"units", "systems"}
    assert list(map(list, tables["units"]))[1][:2] == ["320100", EVIL]
    cell = load_workbook(io.BytesIO(data))["单位"]["B2"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert read_rows(tables).errors == []


def test_csv_reads_back_and_runs_nothing() -> None:
    text = [["代码", "名称"], ["320100", EVIL], ["'x", "+1,2\n3"], ["'=x", "@"]]
    data = write_csv(text)
    assert b"\"'=HYPERLINK" in data
    assert read_csv(data) == text
    assert read_csv("代码,名称\n320100,南京\n".encode("gb18030")) == [["代码", "名称"], ["320100", "南京"]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc"))), min_size=1, max_size=4), max_size=5
    )
)
def test_any_text_survives_csv(rows: list[list[str]]) -> None:
    assert [row or [""] for row in read_csv(write_csv(rows))] == rows


def test_a_bomb_and_rubbish_are_refused() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * (65 * 1024 * 1024))
    other = write_workbook({"units": ROWS}).replace(b"xl/workbook.xml", b"xl/w0rkbook.xml")
    for data in (bomb.getvalue(), b"PK\x03\x04 rubbish", b"", b"x" * (FILE_BYTES_MAX + 1), other):
        with pytest.raises(BadInput, match="registry-file"):
            read_workbook(data)
    for data in (b"\0", b"\xff\xfe\xfd\x80\x80", b'"open', b"x" * (FILE_BYTES_MAX + 1), b"x" * 40_000):
        with pytest.raises(BadInput, match="registry-file"):
            read_csv(data)


def test_a_workbook_cut_anywhere_is_refused_or_read() -> None:
    data = write_workbook({"units": ROWS})
    for cut in range(0, len(data), 97):
        with suppress(BadInput):
            read_workbook(data[:cut])
