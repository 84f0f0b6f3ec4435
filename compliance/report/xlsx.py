"""The monthly report's details as XLSX: no cell is ever a formula, equal data give equal bytes."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from compliance.report.content import content_sm3
from compliance.report.model import CRYPTO_NOTE, DISCLAIMER, STEPS_ZH, VERDICT_RULE, Edition
from compliance.report.numbers import percent
from compliance.report.sheets import Row, Sheet, sheets_of
from compliance.report.times import moment_of

_CELL_CHARS_MAX: Final = 32_767  # the format's own limit
_FIXED_DATE: Final = (1980, 1, 1, 0, 0, 0)  # zip entries carry no clock, so that equal data give equal bytes
_WIDTH_MAX: Final = 60
_TOP: Final = Alignment(vertical="top", wrap_text=True)


def render_xlsx(edition: Edition) -> bytes:
    """The workbook of an edition: every table of the report, whole."""
    report = edition.report
    return workbook(
        (Sheet("概况", ("项目", "内容"), _summary(edition)), *sheets_of(report)),
        author=report.center,
        created=report.created,
    )


def workbook(sheets: Sequence[Sheet], *, author: str, created: str) -> bytes:
    """A workbook of sheets of text and numbers; ``created`` as YYYY-MM-DD HH:MM."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        _sheet(book, sheet.title, sheet.head, sheet.rows)
    moment = moment_of(created).replace(tzinfo=None)  # the format has no zone
    book.properties.created = book.properties.modified = moment
    book.properties.creator = author
    buffer = io.BytesIO()
    book.save(buffer)
    return repacked(buffer.getvalue(), moment)


def _summary(edition: Edition) -> list[Row]:
    report = edition.report
    rows: list[Row] = [
        ("单位", f"{report.unit_name}({report.unit})"),
        ("编号", report.id),
        ("月份", report.month),
        ("版次", report.edition),
        ("替代", report.corrects),
        ("数据截止(北京时间)", report.created),
        ("报送期限", report.due),
        ("模板版本", report.template),
        ("检测规则", report.rules),
        ("声明", DISCLAIMER.zh),
        ("密码", CRYPTO_NOTE.zh),
        ("口径", VERDICT_RULE.zh),
        ("符合率", percent(report.rate)),
        ("事件数", report.events_total),
        ("告警组数", report.alert_figures.total),
        ("账本叶数", report.ledger_size),
        ("账本根(SM3)", report.ledger_root),
        ("正文 SM3", content_sm3(edition)),
        ("检查点", report.checkpoint),
    ]
    for one in edition.signatures:
        key = f" 本人密钥 {one.key}" if one.key else ""
        rows.append((STEPS_ZH[one.step], f"{one.name} {one.time} 叶 {one.leaf}{key}"))
    return rows


def _sheet(book: Workbook, title: str, header: Sequence[str], rows: Iterable[Row]) -> None:
    sheet: Worksheet = book.create_sheet(title)
    widths = [_width(name) for name in header]
    _append(sheet, 1, header)
    for number, row in enumerate(rows, 2):
        _append(sheet, number, row)
        widths = [max(width, _width(str(value))) for width, value in zip(widths, row, strict=True)]
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = min(width + 2, _WIDTH_MAX)
    sheet.freeze_panes = "A2"


def _append(sheet: Worksheet, number: int, row: Row) -> None:
    cells = []
    for column, value in enumerate(row, 1):
        cell = Cell(sheet, number, column, _clean(value) if isinstance(value, str) else value)
        if isinstance(value, str):
            # Text stays text: a title such as "=HYPERLINK(...)" must never run on the reader's desk.
            cell.data_type = "s"
            cell.quotePrefix = value[:1] in "=+-@\t\r"
        cell.alignment = _TOP
        cells.append(cell)
    sheet.append(cells)


def _clean(text: str) -> str:
    return ILLEGAL_CHARACTERS_RE.sub("�", text)[:_CELL_CHARS_MAX]


def _width(text: str) -> int:
    longest = max(text.split("\n"), key=len)
    return sum(2 if ord(char) > 0x2E7F else 1 for char in longest)


def repacked(data: bytes, created: datetime) -> bytes:
    """The same archive with fixed entry dates and the document's own date instead of the save's."""
    saved = b"<dcterms:modified"
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for info in source.infolist():
            content = source.read(info)
            if info.filename == "docProps/core.xml" and saved in content:
                before, _, rest = content.partition(saved)
                tag, _, after = rest.partition(b"</dcterms:modified>")
                tag = tag[: tag.index(b">") + 1] + created.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = before + saved + tag + b"</dcterms:modified>" + after
            target.writestr(zipfile.ZipInfo(info.filename, _FIXED_DATE), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
