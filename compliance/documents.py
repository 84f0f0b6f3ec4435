"""Documents people import where no sensor looks: firewall policies, backup jobs, scan results, readings.

A kind of document is data (rules/mappings/documents.yaml): its columns, which of them names the object and
which the time, and what is counted. One document gives one fact per object, as if a probe had said it; days
left and days ago are reckoned at the moment of asking. Pure. Format: docs/reference/documents.md.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from compliance.attestation_form import Sentence
from compliance.evaluation import Fact
from crypto.words import BadInput, Words
from detection.condition import Condition
from detection.evaluate import matches
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError
from detection.sigma.load import parse_condition
from sensors.event import Event, LogSource, Observation, Value, stamp

ColumnKind = Literal["text", "number", "date", "time", "choice", "boolean"]
Cell = str | int | float | bool
Row = dict[str, Cell]
DOCUMENT_BYTES_MAX: Final = 2 * 1024 * 1024
ROWS_MAX: Final = 2_000
CELL_CHARS_MAX: Final = 500
NUMBER_MAX: Final = 1e15  # integers are exact below it
NAMED_MAX: Final = 10  # rows named for a count; the document has them all
AHEAD_MAX: Final = timedelta(minutes=5)
_RULES_BYTES_MAX: Final = 512 * 1024
_TRUE: Final = frozenset({"true", "yes", "1", "是", "有", "y"})
_FALSE: Final = frozenset({"false", "no", "0", "否", "无", "n"})


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column; ``choices`` maps the word that is kept to other spellings of it."""

    zh: str
    en: str
    kind: ColumnKind = "text"
    required: bool = True
    choices: dict[str, list[str]] = {}


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    title: Sentence
    columns: dict[str, Column]
    object: str = ""
    time: str = ""
    counts: dict[str, dict[str, Any]] = {}


class DocumentKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of document; ``counts`` are conditions asked of each row."""

    kind: str
    title: Words
    columns: dict[str, Column]
    object: str
    time: str
    counts: dict[str, Condition]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A document as kept: who brought it when, and its rows."""

    id: int
    system: str
    kind: str
    time: datetime
    actor: str
    sm3: str
    rows: tuple[Row, ...]


def load_kinds(path: Path) -> dict[str, DocumentKind]:
    """The kinds of documents by name. Raises BadInput (documents-malformed)."""
    try:
        with path.open("rb") as file:
            raw = file.read(_RULES_BYTES_MAX)
        listed = parse_documents(raw, path.name)[0].value
        forms = msgspec.convert(listed, list[_Form])
        kinds = {form.kind: _kind(form) for form in forms}
    except (RuleError, msgspec.ValidationError, OSError, LookupError, ValueError) as error:
        raise _malformed(str(error), path.name) from error
    if len(kinds) != len(forms):
        raise _malformed("a kind stands twice", path.name)
    return kinds


def _kind(form: _Form) -> DocumentKind:
    for name in (form.object, form.time):
        if name and name not in form.columns:
            raise ValueError(f"{form.kind}: there is no column {name}")
    return DocumentKind(
        kind=form.kind,
        title=form.title.words(),
        columns=form.columns,
        object=form.object,
        time=form.time,
        counts={name: parse_condition({"row": row, "condition": "row"}) for name, row in form.counts.items()},
    )


def read_document(kind: DocumentKind, data: bytes) -> tuple[Row, ...]:
    """The rows of a CSV file (UTF-8 or GB 18030). Raises BadInput naming row and column."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise _bad(0, "", f"文件超过 {DOCUMENT_BYTES_MAX} 字节", f"more than {DOCUMENT_BYTES_MAX} bytes")
    lines = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    try:
        header = _header(kind, next(lines, []))
        rows: list[Row] = []
        for number, cells in enumerate(lines, 2):
            if not any(cell.strip() for cell in cells):
                continue
            if len(rows) == ROWS_MAX:
                raise _bad(number, "", f"超过 {ROWS_MAX} 行", f"more than {ROWS_MAX} rows")
            rows.append(_row(kind, header, cells, number))
    except csv.Error as error:
        raise _bad(lines.line_num, "", f"不是有效的 CSV:{error}", f"no valid CSV: {error}") from None
    return tuple(rows)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _bad(0, "", "编码须为 UTF-8 或 GB 18030", "the encoding must be UTF-8 or GB 18030")


def _header(kind: DocumentKind, cells: Sequence[str]) -> list[str]:
    by_title = {
        title: name for name, column in kind.columns.items() for title in (name, column.zh, column.en)
    }
    names = []
    for cell in cells:
        name = by_title.get(cell.strip())
        if name is None or name in names:
            raise _bad(1, cell.strip()[:32], "未知或重复的列", "an unknown column, or twice the same")
        names.append(name)
    missing = [name for name, column in kind.columns.items() if column.required and name not in names]
    if missing:
        raise _bad(
            1, missing[0], f"缺少列 {kind.columns[missing[0]].zh}", f"the column {missing[0]} is missing"
        )
    return names


def _row(kind: DocumentKind, header: Sequence[str], cells: Sequence[str], number: int) -> Row:
    if len(cells) > len(header):
        raise _bad(number, "", "单元格多于列", "more cells than columns")
    row: Row = {}
    for name, raw in zip(header, cells, strict=False):
        text = raw.strip()
        if len(text) > CELL_CHARS_MAX:
            raise _bad(number, name, "内容过长", "too long")
        if text:
            row[name] = _cell(kind.columns[name], name, text, number)
    for name, column in kind.columns.items():
        if column.required and name not in row:
            raise _bad(number, name, "不得为空", "must not be empty")
    return row


def _cell(column: Column, name: str, text: str, number: int) -> Cell:
    try:
        match column.kind:
            case "text":
                return text
            case "number":
                return _number(text)
            case "date":
                return date.fromisoformat(text).isoformat()
            case "time":
                moment = datetime.fromisoformat(text)
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
            case "boolean":
                if text.lower() in _TRUE | _FALSE:
                    return text.lower() in _TRUE
            case "choice":
                for kept, spellings in column.choices.items():
                    if text.lower() in {kept, *(one.lower() for one in spellings)}:
                        return kept
    except (ValueError, OverflowError):
        pass
    raise _bad(number, name, f"不合格式({column.kind}):{text[:40]}", f"is no {column.kind}: {text[:40]}")


def _number(text: str) -> int | float:
    number = float(text)
    if not abs(number) <= NUMBER_MAX:  # this way round NaN is refused too
        raise ValueError(text)
    return int(number) if number.is_integer() else number


def facts_of(kind: DocumentKind, document: Imported, now: datetime) -> list[Fact]:
    """One fact per object; a document without rows says so of the system as a whole."""
    grouped: dict[str, list[Row]] = {}
    for row in document.rows:
        grouped.setdefault(str(row.get(kind.object, "")) if kind.object else "", []).append(row)
    return [_fact(kind, document, name, rows, now) for name, rows in (grouped or {"": []}).items()]


def _fact(kind: DocumentKind, document: Imported, name: str, rows: Sequence[Row], now: datetime) -> Fact:
    timed = [row for row in rows if kind.time in row]
    newest = max(timed, key=lambda row: str(row[kind.time])) if timed else (rows[-1] if rows else {})
    time = datetime.fromisoformat(str(newest[kind.time])) if timed else document.time
    fields: dict[str, Value] = {
        f"document.{key}": value for key, value in _reckoned(kind, newest, now).items()
    }
    fields["document.rows"] = len(rows)
    for count, condition in kind.counts.items():
        found = [
            number
            for number, row in enumerate(rows, 1)
            if matches(condition, _asked(_reckoned(kind, row, now), now))
        ]
        fields[f"document.count.{count}"] = len(found)
        fields[f"document.named.{count}"] = [_named(rows[number - 1], number) for number in found[:NAMED_MAX]]
    ahead = time - now > AHEAD_MAX
    return Fact(
        object=name,
        name=f"import.{kind.kind}",
        time=time,
        fields=fields,
        event=f"import:{document.id}",
        method="imported document",
        raw=f"SM3 {document.sm3}, brought by {document.actor} at {document.time.isoformat()}",
        error=f"时间在未来 the time lies ahead: {time.isoformat()}" if ahead else "",
    )


def _reckoned(kind: DocumentKind, row: Row, now: datetime) -> Mapping[str, Value]:
    """A row with the days to and from each of its dates."""
    values: dict[str, Value] = dict(row)
    for name, column in kind.columns.items():
        if column.kind in ("date", "time") and name in row:
            day = datetime.fromisoformat(str(row[name])).date()
            days = (day - now.astimezone(UTC).date()).days
            values[f"{name}_days_left"], values[f"{name}_days_ago"] = days, -days
    return values


def _named(row: Row, number: int) -> str:
    return " ".join(str(value) for value in list(row.values())[:4])[:120] or f"#{number}"


def _asked(row: Mapping[str, Value], now: datetime) -> Event:
    seen = Observation(time=now, logsource=LogSource(), fields=dict(row))
    return stamp(seen, unit="", sensor="center", epoch=0, sequence=0)


def _malformed(reason: str, name: str) -> BadInput:
    return BadInput(
        "documents-malformed",
        Words(f"文档类型定义有误:{reason}", f"the kinds of documents are wrong: {reason}"),
        Words("请按 docs/reference/documents.md 改正", "correct them, see docs/reference/documents.md"),
        field=name,
    )


def _bad(row: int, column: str, zh: str, en: str) -> BadInput:
    return BadInput(
        "document-malformed",
        Words(f"第 {row} 行 {column} {zh}", f"row {row} {column}: {en}"),
        Words("请按模板改正后重新导入", "correct it by the template and import it again"),
        field=f"{row}:{column}",
    )
