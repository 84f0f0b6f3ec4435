"""The audit log as a file: how exports write its lines, and how such a file is read back.

Beside what a line says stands ``previous``, the digest of the line before it: with it each line of an export
that leaves others out can be computed again by itself. Cells of CSV that a spreadsheet would take for a
formula begin with an apostrophe; reading tries both, and the digest tells which it was.
"""

import csv
import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from crypto.words import BadInput, Words
from soc_api.audit import Entry, Line, chained
from soc_api.export_stream import FORMULA

COLUMNS: Final = (
    *("sequence", "time", "actor", "source", "action", "object", "result"),
    *("before", "after", "format", "digest", "previous"),
)
ROW_BYTES_MAX: Final = 32 * 1024  # a line's texts are bounded far below
_TYPED: Final = ("actor", "source", "action", "object", "result")  # what people and programs put in
_BOM: Final = "\ufeff".encode()


class FileRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of a file as it stands there."""

    sequence: int
    time: datetime
    actor: str
    source: str
    action: str
    object: str
    result: str
    before: str
    after: str
    format: int
    digest: str
    previous: str

    def line(self) -> Line:
        """As a line of the log."""
        said = Entry(**{name: getattr(self, name) for name in Entry.__struct_fields__})
        return Line(sequence=self.sequence, entry=said, digest=self.digest, format=self.format)

    def computed(self) -> str:
        """The digest it ought to have."""
        return chained(self.previous, self.sequence, self.line().entry, self.format)


class Placed(msgspec.Struct, frozen=True):
    """A row and the line of the file it stands on; None where what stands there is no row."""

    number: int
    row: FileRow | None


def told(line: Line, previous: str) -> dict[str, Any]:
    """A line of the log under the names of COLUMNS."""
    row = msgspec.structs.asdict(line.entry)
    row |= {"sequence": line.sequence, "digest": line.digest, "format": line.format, "previous": previous}
    return {name: row[name] for name in COLUMNS}


def read_file(path: Path) -> tuple[str, Iterator[Placed]]:
    """The watermark of an export, and its rows one by one. Raises BadInput (audit-file), OSError."""
    file = path.open("rb")
    first = _limited(file)
    try:
        if first.startswith(b'{"watermark":'):
            mark = msgspec.json.decode(first)["watermark"]
            shown = " ".join(str(mark[name]) for name in ("person", "time", "center"))
            return shown, _objects(file)
        charset = "utf-8" if first.startswith(_BOM) else "gb18030"
        (shown,) = next(csv.reader([first.removeprefix(_BOM).decode(charset)]))
        header = next(csv.reader([_limited(file).decode(charset)]), [])
    except (ValueError, KeyError, TypeError, StopIteration, csv.Error) as error:
        file.close()
        raise _no_export(path) from error
    if "watermark" not in shown or tuple(header) != COLUMNS:
        file.close()
        raise _no_export(path)
    return shown, _cells(file, charset)


def _objects(file: BinaryIO) -> Iterator[Placed]:
    decoder = msgspec.json.Decoder(FileRow)
    with file:
        number = 1
        while data := _limited(file):
            number += 1
            try:
                yield Placed(number, _sound(decoder.decode(data)))
            except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError):
                yield Placed(number, None)


def _cells(file: BinaryIO, charset: str) -> Iterator[Placed]:
    with file:
        number = 2
        while data := _limited(file):
            number += 1
            try:
                (cells,) = csv.reader([data.decode(charset)], strict=True)
                yield Placed(number, _sound(_row_of(cells)))
            except (ValueError, csv.Error, msgspec.MsgspecError, OverflowError):
                yield Placed(number, None)


def _row_of(cells: Sequence[str]) -> FileRow:
    """Cells as a row: as it was before spreadsheets were guarded against, if that has the digest."""
    given: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
    given |= {name: int(given[name]) for name in ("sequence", "format")}
    row = msgspec.convert(given, FileRow)
    typed = [name for name in _TYPED if given[name].startswith("'") and given[name][1:].startswith(FORMULA)]
    for count in range(len(typed), 0, -1):
        for names in itertools.combinations(typed, count):
            bare = {name: given[name][1:] for name in names}
            plain = msgspec.structs.replace(row, **bare)
            if plain.computed() == row.digest:
                return plain
    return row


def _sound(row: FileRow) -> FileRow | None:
    return row if row.time.tzinfo is not None and row.sequence > 0 else None


def _limited(file: BinaryIO) -> bytes:
    """The next line; of one that is too long the beginning, with the rest left out."""
    data = file.readline(ROW_BYTES_MAX)
    rest = data
    while rest and not rest.endswith(b"\n"):
        rest = file.readline(ROW_BYTES_MAX)
    return data


def _no_export(path: Path) -> BadInput:
    return BadInput(
        "audit-file",
        Words("不是本平台导出的审计日志文件", "this is no audit log exported by this platform"),
        Words(
            "请给出控制台审计页导出、未经改存的 CSV 或 NDJSON",
            "give a CSV or NDJSON as the audit page exported it, not saved again by another program",
        ),
        field=str(path),
    )
