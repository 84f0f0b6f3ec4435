"""Tables as files that are written while they are read: CSV and NDJSON, marked with who took them and when.

The first line is the watermark: a row of one cell in CSV, an object with the one key ``watermark`` in NDJSON.
A cell of CSV never begins a formula: what a spreadsheet would compute is preceded by an apostrophe.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import msgspec
from fastapi.responses import StreamingResponse

Charset = Literal["utf-8", "gb18030"]
FileKind = Literal["csv", "ndjson"]
Label = Literal["一般", "重要", "核心"]

LABELS: Final[tuple[Label, ...]] = get_args(Label)  # the least first

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_HEAD_BYTES: Final = 8_192
_LABELLED: Final = re.compile(r'watermark.{0,4000}?label"?: ?"?(一般|重要|核心)')
_BOM: Final = "\ufeff"  # what tells spreadsheets that a CSV is UTF-8
_ROWS_AT_ONCE: Final = 500
_TYPES: Final = {"csv": "text/csv", "ndjson": "application/x-ndjson"}


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The watermark of an export."""

    person: str
    time: datetime
    center: str
    about: str
    label: Label = "一般"  # of the data; a transfer of the file honours it

    def line(self) -> str:
        """In one sentence, for formats that have no place for more."""
        at = self.time.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"水印 watermark: {self.person} {at} {self.center} 标签 label: {self.label} {self.about}"

    def row(self) -> dict[str, str]:
        """For formats with names."""
        at = self.time.strftime("%Y-%m-%dT%H:%M:%SZ")
        said = {"person": self.person, "time": at, "center": self.center, "about": self.about}
        return {**said, "label": self.label}


def label_of(path: Path) -> Label | None:
    """The label an export of ours says in its watermark; None where the file has none."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).split(b"\n", 1)[0]
    for charset in ("utf-8", "gb18030"):
        if found := _LABELLED.search(head.decode(charset, "replace")):
            return cast("Label", found[1])
    return None


def cell(value: Any) -> str:
    """A value as a cell that is text wherever it is opened."""
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def csv_pieces(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], mark: Mark, charset: Charset
) -> Iterator[bytes]:
    """The file in pieces of some hundred rows; what GB 18030 cannot say is written as ``?``."""
    yield _encoded([[mark.line()], list(columns)], charset, bom=charset == "utf-8")
    waiting: list[list[str]] = []
    for row in rows:
        waiting.append([cell(value) for value in row])
        if len(waiting) >= _ROWS_AT_ONCE:
            yield _encoded(waiting, charset)
            waiting = []
    if waiting:
        yield _encoded(waiting, charset)


def ndjson_pieces(rows: Iterable[Mapping[str, Any]], mark: Mark) -> Iterator[bytes]:
    """One object a line, the watermark first."""
    waiting = bytearray(msgspec.json.encode({"watermark": mark.row()}) + b"\n")
    for count, row in enumerate(rows, 1):
        waiting += msgspec.json.encode(row) + b"\n"
        if count % _ROWS_AT_ONCE == 0:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def download(pieces: Iterator[bytes], kind: FileKind, name: str, charset: Charset) -> StreamingResponse:
    """The answer that carries the pieces as a file ``name`` (ASCII, without its ending)."""
    coded = charset if kind == "csv" else "utf-8"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{kind}"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(pieces, media_type=f"{_TYPES[kind]}; charset={coded}", headers=headers)


def _encoded(rows: Iterable[Sequence[str]], charset: Charset, *, bom: bool = False) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return ((_BOM if bom else "") + text.getvalue()).encode(charset, "replace")
