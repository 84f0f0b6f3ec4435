"""The monthly report: same data same bytes, every number on paper, hostile text stays text."""

import io
from datetime import UTC, datetime

import msgspec
import openpyxl
import pypdf
import pytest

from compliance.checklist import load_checklist
from compliance.evaluation import VERDICTS
from compliance.registry_store import GradedSystem
from compliance.report.model import (
    DISCLAIMER,
    AlertLine,
    Report,
    SensorLine,
    check_lines,
    layer_rows,
    month_bounds,
)
from compliance.report.pdf import render_pdf
from compliance.report.xlsx import render_xlsx
from crypto.words import BadInput
from rules import ROOT

HOSTILE = [
    "=HYPERLINK('x')",
    '#eval("1")',
    "$x^2$ *b* _i_ @ref <l>",
    "\\u{0} // 注释",
    "+cmd|' /C calc'!A0",
    "\x07",
]


@pytest.fixture(scope="module")
def report() -> Report:
    checks = load_checklist(ROOT / "checklist")
    verdicts = {check.id: VERDICTS[number % 5] for number, check in enumerate(checks)}
    alerts = [
        AlertLine(
            title=title,
            severity="高",
            entity="host:a",
            count=7,
            first_seen="2026-11-01 00:00",
            last_seen="2026-11-02 00:00",
            state="新",
            classification="",
        )
        for title in HOSTILE
    ]
    return Report(
        template="1",
        month="2026-11",
        edition=1,
        unit="320000-local",
        unit_name="江苏省某厅",
        center="本机安全监管中心",
        created="2026-11-22 01:02",
        systems=(GradedSystem(id="local", unit="320000-local", name="本机", level=3, grade="S3A3G3"),),
        layers=layer_rows(checks, verdicts),
        checks=check_lines(checks, {}),
        alerts=tuple(alerts),
        alerts_total=len(alerts),
        alert_counts={"high": len(alerts)},
        sensors=(SensorLine(id="s", kind="主机", host="a", state="在线", last_seen="x", gaps=0, lost=0),),
        events_total=12345,
        events_oldest="2026-11-01 00:00",
        retention_days=190,
        ledger_size=88,
        ledger_root="ab" * 32,
        checkpoint="gov.example/x\n88\nq6s=\n",
    )


def test_pdf_is_reproducible_and_says_everything(report: Report) -> None:
    data = render_pdf(report)
    assert data == render_pdf(report)
    document = pypdf.PdfReader(io.BytesIO(data))
    text = "".join(page.extract_text() for page in document.pages).replace("\n", "")
    for wanted in (
        DISCLAIMER.zh,
        "未经认证",
        "12345",
        "S3A3G3",
        "PLT-01",
        "=HYPERLINK",
        '#eval("1")',
        "ab" * 32,
    ):
        assert wanted in text, wanted
    fonts = {
        font.get_object()["/BaseFont"]
        for page in document.pages
        for font in page["/Resources"]["/Font"].values()
    }
    # A six-letter tag and "+" mark an embedded subset (ISO 32000-1, 9.6.4).
    assert all(font[7:8] == "+" for font in fonts)
    assert {font.split("+")[1].split("-")[0] for font in fonts} >= {"NotoSerifCJKsc", "NotoSansCJKsc"}


def test_xlsx_is_reproducible_and_runs_nothing(report: Report) -> None:
    data = render_xlsx(report)
    assert data == render_xlsx(report)
    book = openpyxl.load_workbook(io.BytesIO(data))
    titles = [row[0].value for row in book["告警"].iter_rows(min_row=2)]
    assert titles[0] == HOSTILE[0]
    assert titles[-1] == "�"
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
    assert book["检查项"].max_row == 75


def test_layers_add_up(report: Report) -> None:
    assert sum(report.totals.values()) == 74
    assert [row.name for row in report.layers] == ["物理", "网络", "平台", "数据", "应用", "管理"]
    undecided = msgspec.structs.replace(report.layers[0], counts=dict.fromkeys(VERDICTS, 0))
    assert undecided.rate is None


def test_months() -> None:
    assert month_bounds("2026-12") == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    for wrong in ("2026-13", "2026-1", "26-01", "", "2026-01-01"):
        with pytest.raises(BadInput):
            month_bounds(wrong)
