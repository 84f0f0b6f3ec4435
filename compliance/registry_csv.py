"""One sheet of the registry as CSV: UTF-8 with a mark for spreadsheets, no cell that runs as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from compliance.registry_sheet import CELL_CHARS_MAX, ROWS_MAX
from compliance.registry_xlsx import FILE_BYTES_MAX, bad_file

_RUNS: Final = ("=", "+", "-", "@", "\t", "\r")


def read_csv(data: bytes) -> list[Sequence[object]]:
    """Cells, head first; UTF-8 or GB 18030. Raises BadInput (registry-file)."""
    if len(data) > FILE_BYTES_MAX:
        raise bad_file(f"> {FILE_BYTES_MAX} bytes")
    rows: list[Sequence[object]] = []
    try:
        for row in csv.reader(io.StringIO(_text(data), newline=""), strict=True):
            rows.append([_unquoted(cell) for cell in row])
            if len(rows) > ROWS_MAX + 1:
                break
    except csv.Error as error:
        raise bad_file(f"line {len(rows) + 1}: {error}") from error
    if any(len(str(cell)) > CELL_CHARS_MAX * 4 for row in rows for cell in row):
        raise bad_file("a cell is too long")
    if rows and str(rows[0][0] if rows[0] else "").startswith("水印 watermark:"):
        del rows[0]  # of a file we exported
    return rows


def write_csv(rows: Iterable[Sequence[str]], *, mark: str = "") -> bytes:
    """Rows as CSV; a cell that a spreadsheet would run is written as text behind an apostrophe.

    ``mark`` is the watermark in a row of its own, the first; reading the file leaves it out.
    """
    out = io.StringIO(newline="")
    if mark:
        csv.writer(out).writerow([mark])
    csv.writer(out).writerows([[_quoted(cell) for cell in row] for row in rows])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _quoted(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("'", *_RUNS)) else cell


def _unquoted(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(("'", *_RUNS)) else cell


def _text(data: bytes) -> str:
    if b"\0" in data:
        raise bad_file("not text")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise bad_file("neither UTF-8 nor GB 18030")
