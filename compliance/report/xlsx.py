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

from compliance.evaluation import VERDICTS
from compliance.report.model import CRYPTO_NOTE, DISCLAIMER, VERDICT_RULE, Report

_CELL_CHARS_MAX: Final = 32_767  # the format's own limit
_FIXED_DATE: Final = (1980, 1, 1, 0, 0, 0)  # zip entries carry no clock, so that equal data give equal bytes
_WIDTH_MAX: Final = 60


def render_xlsx(report: Report) -> bytes:
    """The workbook: summary, layers, checks, alerts, sensors."""
    book = Workbook()
    book.remove(book.worksheets[0])
    _sheet(book, "概况", ("项目", "内容"), _summary(report))
    layers: list[Sequence[str | int | None]] = [
        (row.name, *(row.counts[v] for v in VERDICTS), _share(row.rate)) for row in report.layers
    ]
    _sheet(book, "六层", ("层面", *VERDICTS, "符合率"), layers)
    _sheet(
        book,
        "检查项",
        ("编号", "层面", "检查项", "级别", "GB/T 22239 条款", "结论", "理由", "评估时间(UTC)", "账本叶"),
        [
            (c.id, c.layer, c.title, c.severity, c.clauses, c.verdict, c.reason, c.evaluated, c.leaf)
            for c in report.checks
        ],
    )
    _sheet(
        book,
        "告警",
        ("告警", "级别", "实体", "次数", "最早(UTC)", "最近(UTC)", "状态", "定性"),
        [
            (a.title, a.severity, a.entity, a.count, a.first_seen, a.last_seen, a.state, a.classification)
            for a in report.alerts
        ],
    )
    _sheet(
        book,
        "传感器",
        ("传感器", "类型", "主机", "状态", "最近(UTC)", "断档", "缺失事件"),
        [(s.id, s.kind, s.host, s.state, s.last_seen, s.gaps, s.lost) for s in report.sensors],
    )
    created = datetime.strptime(report.created, "%Y-%m-%d %H:%M")  # noqa: DTZ007 -- the format has no zone
    book.properties.created = book.properties.modified = created
    book.properties.creator = report.center
    buffer = io.BytesIO()
    book.save(buffer)
    return _repacked(buffer.getvalue(), created)


def _summary(report: Report) -> list[tuple[str, str | int]]:
    return [
        ("单位", f"{report.unit_name}({report.unit})"),
        ("月份", report.month),
        ("版次", report.edition),
        ("生成时间(UTC)", report.created),
        ("模板版本", report.template),
        ("声明", DISCLAIMER.zh),
        ("密码", CRYPTO_NOTE.zh),
        ("口径", VERDICT_RULE.zh),
        ("符合率", _share(report.rate)),
        ("事件数", report.events_total),
        ("告警组数", report.alerts_total),
        ("账本叶数", report.ledger_size),
        ("账本根(SM3)", report.ledger_root),
        ("检查点", report.checkpoint),
    ]


def _share(rate: float | None) -> str:
    return "—" if rate is None else f"{rate * 100:.1f} %"


def _sheet(
    book: Workbook, title: str, header: Sequence[str], rows: Iterable[Sequence[str | int | None]]
) -> None:
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


def _append(sheet: Worksheet, number: int, row: Sequence[str | int | None]) -> None:
    cells = []
    for column, value in enumerate(row, 1):
        cell = Cell(sheet, number, column, _clean(value) if isinstance(value, str) else value)
        if isinstance(value, str):
            # Text stays text: a title such as "=HYPERLINK(...)" must never run on the reader's desk.
            cell.data_type = "s"
            cell.quotePrefix = value[:1] in "=+-@\t\r"
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        cells.append(cell)
    sheet.append(cells)


def _clean(text: str) -> str:
    return ILLEGAL_CHARACTERS_RE.sub("�", text)[:_CELL_CHARS_MAX]


def _width(text: str) -> int:
    longest = max(text.split("\n"), key=len)
    return sum(2 if ord(char) > 0x2E7F else 1 for char in longest)


def _repacked(data: bytes, created: datetime) -> bytes:
    """The same archive with fixed entry dates and the report's own date instead of the save's."""
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
