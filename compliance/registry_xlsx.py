"""The registry as an XLSX workbook, one sheet a kind; read as hostile input, written without formulas."""

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from compliance.registry_sheet import ROWS_MAX, SHEETS, SheetName
from crypto.words import BadInput, Words

FILE_BYTES_MAX: Final = 10 * 1024 * 1024
UNPACKED_BYTES_MAX: Final = 64 * 1024 * 1024  # a workbook of the largest size allowed is far below
COLUMNS_MAX: Final = 64


def read_workbook(data: bytes) -> dict[SheetName, list[Sequence[object]]]:
    """Cells of the known sheets, heads first. Raises BadInput (registry-file)."""
    _bounded(data)
    names = {title: name for name, words in SHEETS.items() for title in words}
    tables: dict[SheetName, list[Sequence[object]]] = {}
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in book.worksheets:
                name = names.get(sheet.title.strip())
                if name is not None:
                    # One row more than is taken, so that the reader can say there are too many.
                    rows = sheet.iter_rows(max_row=ROWS_MAX + 2, max_col=COLUMNS_MAX, values_only=True)
                    tables[name] = list(rows)
        finally:
            book.close()
    except Exception as error:  # whatever a broken workbook raises inside the library
        raise bad_file(f"{type(error).__name__}") from error
    if not tables:
        titles = "、".join(words.zh for words in SHEETS.values())
        raise bad_file(f"none of the sheets {titles}")
    return tables


def write_workbook(tables: Mapping[SheetName, Iterable[Sequence[str]]], *, mark: str = "") -> bytes:
    """Rows of text as a workbook; text stays text, whatever it begins with.

    ``mark`` is the watermark: at the head of every printed page and in the file's properties.
    """
    book = Workbook()
    book.properties.description = mark
    if book.active is not None:
        book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(SHEETS[name].zh)
        for number, row in enumerate(rows, 1):
            cells = []
            for column, value in enumerate(row, 1):
                cell = Cell(sheet, number, column, ILLEGAL_CHARACTERS_RE.sub("�", value))
                cell.data_type = "s"
                cell.number_format = "@"  # a code such as 320100 is not a number to a spreadsheet either
                cell.quotePrefix = value[:1] in "=+-@\t\r"
                if number == 1:
                    cell.font = Font(bold=True)
                cells.append(cell)
            sheet.append(cells)
        sheet.freeze_panes = "A2"
        sheet.oddHeader.center.text = mark.replace("&", "&&")[:200]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bad_file(reason: str) -> BadInput:
    """A file that is no registry at all."""
    return BadInput(
        "registry-file",
        Words(f"读不出登记表:{reason}", f"not a registry file: {reason}"),
        Words("请用导出的 XLSX 作模板,或给出 CSV", "start from an exported workbook, or give CSV"),
        field="file",
    )


def _bounded(data: bytes) -> None:
    if len(data) > FILE_BYTES_MAX:
        raise bad_file(f"> {FILE_BYTES_MAX} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OverflowError) as error:
        raise bad_file("not an XLSX workbook") from error
    if unpacked > UNPACKED_BYTES_MAX:
        raise bad_file(f"unpacks to more than {UNPACKED_BYTES_MAX} bytes")
