"""Tests of soc_api.export_stream: watermarked, streamed, and nothing in a cell is ever a formula."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_api.export_stream import Charset, Mark, cell, csv_pieces, download, ndjson_pieces

MARK = Mark(person="user:a", time=datetime(2026, 11, 22, 8, tzinfo=UTC), center="中心", about="audit")


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_csv_begins_with_who_took_it_and_when(charset: Charset) -> None:
    rows = [[number, "甲"] for number in range(1_200)]
    pieces = list(csv_pieces(["n", "名"], rows, MARK, charset))
    assert len(pieces) == 4
    text = b"".join(pieces).decode("utf-8-sig" if charset == "utf-8" else charset)
    found = list(csv.reader(io.StringIO(text)))
    assert found[0] == ["水印 watermark: user:a 2026-11-22T08:00:00Z 中心 标签 label: 一般 audit"]
    assert found[1] == ["n", "名"]
    assert found[-1] == ["1199", "甲"]


def test_ndjson_begins_with_it_too() -> None:
    lines = b"".join(ndjson_pieces(({"n": n} for n in range(501)), MARK)).splitlines()
    assert json.loads(lines[0])["watermark"]["person"] == "user:a"
    assert json.loads(lines[-1]) == {"n": 500}


@given(st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_no_cell_is_a_formula(text: str) -> None:
    written = cell(text)
    assert written.lstrip("'") == text.lstrip("'")
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


def test_a_download_names_its_file_and_is_not_kept() -> None:
    answer = download(iter([b""]), "csv", "x", "gb18030")
    assert answer.headers["content-disposition"] == 'attachment; filename="x.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=gb18030"
    assert answer.headers["cache-control"] == "no-store"
