"""Reports rendered: same data same bytes, every chapter on paper, hostile text stays text."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import docx
import msgspec
import openpyxl
import pypdf
import pytest

from compliance.report.blocks import Chart, Document, Heading, Note, Series, Table, charts_of
from compliance.report.chapters import CHAPTERS, SECTIONS, document_of
from compliance.report.content import content_sm3, model_bytes
from compliance.report.docx import numeral, render_docx
from compliance.report.model import (
    CRYPTO_NOTE,
    DISCLAIMER,
    AlertLine,
    Edition,
    OrderFigures,
    RetentionLine,
    RiskLine,
    Section,
    Signature,
    TransferFigures,
)
from compliance.report.pdf import qr_svg, render_charts, render_pdf
from compliance.report.sheets import sheets_of
from compliance.report.xlsx import render_xlsx

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOSTILE = [
    "=HYPERLINK('x')",
    '#eval("1")',
    "$x^2$ *b* _i_ @ref <l>",
    "\\u{0} // 注释",
    "+cmd|' /C calc'!A0",
    "空集 ∅ 与 😀",  # no font of ours has these
    "\x07",
]


def alert(title: str) -> AlertLine:
    return AlertLine(
        title=title,
        severity="高",
        entity=title,
        count=7,
        first_seen="2026-11-01 00:00",
        last_seen="2026-11-02 00:00",
        state="新",
        classification="",
        category="网络攻击",
    )


@pytest.fixture
def edition(world: Any, plain_reports: None) -> Edition:
    """A draft over real stores, with figures put in where the stores have none."""
    world.probe(999)
    for number in range(3):
        world.alert(rule=f"r{number}")
    world.compliance.evaluate("system:jobs", NOW)
    made = world.desk.make_report("2026-11", "user:officer", NOW)
    found: Edition = world.desk.report_model(made.id)
    given = {
        "alerts": tuple(map(alert, HOSTILE)),
        "retention": (RetentionLine(source="host-1", oldest="2026-01-01 00:00", days=200, gaps=1, lost=5),),
        "orders": OrderFigures(
            issued=9,
            answered=7,
            closed=5,
            on_time=4,
            open=4,
            overdue=2,
            retests_failed=1,
            worst=(("南京市", 2),),
            rows=(),
        ),
        "transfers": TransferFigures(sent=3, received=1, refused=2, content_bytes=12345, labels={"重要": 4}),
        "risks": (
            RiskLine(
                system=HOSTILE[1],
                check="PLT-01",
                title="口令",
                severity="严重",
                cases="6.4.1.1",
                triggers="A-18",
                verdict="不符合",
                mitigation="",
                mended=False,
            ),
        ),
    }
    text = "下月完成整改。\n" + '#eval("9")'
    return msgspec.structs.replace(
        found,
        report=msgspec.structs.replace(found.report, **given),
        sections=(Section(section="plan", text=text, author="user:officer", changed="2026-11-22 16:00"),),
        signatures=(
            Signature(
                step="prepare", actor="user:a", name="张三", time="2026-11-22 16:01", leaf=3, key="ab12" * 16
            ),
        ),
    )


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).replace("\n", "")


def test_pdf_is_reproducible_and_says_everything(edition: Edition) -> None:
    document = document_of(edition)
    data = render_pdf(document)
    assert data == render_pdf(document)
    assert b"pdfaid" in data  # PDF/A says so in its metadata
    text = text_of(data)
    titles = [chapter.title for chapter in CHAPTERS]
    for wanted in (
        DISCLAIMER.zh,
        "未经认证",
        "张三",
        "本人 SM2 密钥 ab12ab12ab12ab12",
        "下月完成整改。",
        '#eval("9")',
        '#eval("1")',
        "6.4.1.1",
        "12345",
        edition.report.ledger_root,
        content_sm3(edition),
        *titles,
    ):
        assert wanted in text, wanted
    fonts = {
        font.get_object()["/BaseFont"]
        for page in pypdf.PdfReader(io.BytesIO(data)).pages
        for font in page["/Resources"]["/Font"].values()
    }
    # A six-letter tag and "+" mark an embedded subset (ISO 32000-1, 9.6.4).
    assert all(font[7:8] == "+" for font in fonts)
    assert {font.split("+")[1].split("-")[0] for font in fonts} >= {"NotoSerifCJKsc", "NotoSansCJKsc"}


def test_docx_is_reproducible_and_says_the_same(edition: Edition) -> None:
    document = document_of(edition)
    data = render_docx(document)
    assert data == render_docx(document)
    made = docx.Document(io.BytesIO(data))
    text = "\n".join(line.text for line in made.paragraphs)
    for wanted in (DISCLAIMER.zh, CRYPTO_NOTE.zh, "一、概况与结论", "十四、下月计划", '#eval("9")'):
        assert wanted in text, wanted
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pictures = [name for name in archive.namelist() if name.startswith("word/media/")]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert len(pictures) == len(charts_of(document)) + 1  # and the QR code
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    assert "6.4.1.1" in cells
    assert [numeral(n) for n in (1, 10, 11, 20, 23)] == ["一", "十", "十一", "二十", "二十三"]


def test_xlsx_is_reproducible_and_runs_nothing(edition: Edition) -> None:
    data = render_xlsx(edition)
    assert data == render_xlsx(edition)
    book = openpyxl.load_workbook(io.BytesIO(data))
    titles = [row[0].value for row in book["告警"].iter_rows(min_row=2)]
    assert titles[0] == HOSTILE[0]
    assert titles[-1] == "�"
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
    assert book["检查项"].max_row == 1 + len(edition.report.checks)
    assert [sheet.title for sheet in sheets_of(edition.report)] == book.sheetnames[1:]


def test_every_chart_stands_beside_its_numbers(edition: Edition) -> None:
    blocks = document_of(edition).blocks
    charts = charts_of(document_of(edition))
    assert {chart.kind for chart in charts} >= {"radar", "line", "funnel", "stack", "spans"}
    for place, block in enumerate(blocks):
        if isinstance(block, Chart):
            beside = blocks[place + 1]
            assert isinstance(beside, Table)
            cells = " ".join(cell for row in beside.rows for cell in row)
            for series in block.series:
                for value in series.values:
                    assert value is None or f"{value:g}" in cells or f"{value:.1f}" in cells
    pictures = render_charts(charts, created="2026-11-22 16:00")
    assert len(pictures) == len(charts)
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert render_charts((), created="2026-11-22 16:00") == ()


@pytest.mark.parametrize("kind", ["radar", "bars", "line", "funnel", "stack", "spans"])
@pytest.mark.parametrize("values", [(None, None, None), (0.0, 0.0, 0.0), (1e9, 0.5, None)])
def test_a_chart_of_nothing_and_of_much_can_be_drawn(kind: Any, values: Any) -> None:
    chart = Chart(
        kind=kind,
        title="图",
        labels=("甲" * 30, "", "#x"),
        series=(Series(name="一", values=values), Series(name="二", values=values)),
        unit="%",
    )
    assert render_charts((chart,), created="2026-11-22 16:00")[0].startswith(b"\x89PNG")


def test_what_is_signed_is_numbers_and_texts_alone(edition: Edition) -> None:
    first = content_sm3(edition)
    assert content_sm3(msgspec.structs.replace(edition, signatures=(), state="issued")) == first
    assert content_sm3(msgspec.structs.replace(edition, sections=())) != first
    fewer = msgspec.structs.replace(edition.report, events_total=edition.report.events_total + 1)
    assert content_sm3(msgspec.structs.replace(edition, report=fewer)) != first
    assert b"2026-11" in model_bytes(edition)


def test_drafts_issued_and_corrections_are_told_apart(edition: Edition) -> None:
    def made(**given: Any) -> Document:
        report = msgspec.structs.replace(edition.report, corrects=given.pop("corrects", ""))
        return document_of(msgspec.structs.replace(edition, report=report, **given))

    assert "未经批准" in made().watermark
    assert "未经批准" not in made(state="issued").watermark
    assert "更正版" in made(corrects="2026-11-u-1").subtitle
    assert len(SECTIONS) == 14
    assert "<svg" in qr_svg(made().code)


def test_a_chapter_without_data_says_so(edition: Edition) -> None:
    bare = msgspec.structs.replace(
        edition.report,
        systems=(),
        orders=None,
        transfers=None,
        gates=None,
        retention=(),
        risks=(),
        sensors=(),
    )
    blocks = document_of(msgspec.structs.replace(edition, report=bare)).blocks
    notes = " ".join(block.text for block in blocks if isinstance(block, Note))
    for wanted in ("尚未登记定级对象", "未启用整改单", "未启用跨网传输", "不以零代替", "没有传感器"):
        assert wanted in notes, wanted
    assert sum(isinstance(block, Heading) and block.level == 1 for block in blocks) == 14


def test_a_rendering_of_a_month_takes_its_own_time_only(edition: Edition) -> None:
    later = msgspec.structs.replace(
        edition.report, created=(NOW + timedelta(days=1)).strftime("%Y-%m-%d %H:%M")
    )
    assert render_xlsx(msgspec.structs.replace(edition, report=later)) != render_xlsx(edition)
