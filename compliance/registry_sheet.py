"""The registry as tables people fill in: columns, rows to values, values to rows; an error names its cell.

Pure and hostile: bounded rows and cells, every error is collected with sheet, row and column. The formats are
registry_xlsx and registry_csv; docs/reference/registry.md describes the columns.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec

from compliance.grading_process import STAGES
from compliance.registry import (
    AssessmentObject,
    Asset,
    Contact,
    GradedSystem,
    Unit,
    checked_asset,
    checked_contact,
    checked_object,
    checked_system,
    checked_unit,
    parse_grade,
)
from crypto.words import LiuheError, Words

SheetName = Literal["units", "systems", "assets", "objects", "contacts"]
Value = Unit | GradedSystem | Asset | AssessmentObject | Contact
ROWS_MAX: Final = 20_000
CELL_CHARS_MAX: Final = 4_000
ERRORS_MAX: Final = 200

SHEETS: Final[dict[SheetName, Words]] = {
    "units": Words("单位", "units"),
    "systems": Words("定级对象", "systems"),
    "assets": Words("资产", "assets"),
    "objects": Words("测评对象", "objects"),
    "contacts": Words("联系人", "contacts"),
}
UNIT_KINDS: Final = {
    "province": "省",
    "city": "设区市",
    "county": "县区",
    "department": "部门",
    "institution": "单位",
}
KINDS: Final = {
    "room": "机房",
    "network": "网络",
    "boundary": "边界",
    "host": "服务器",
    "terminal": "终端",
    "network-device": "网络设备",
    "security-device": "安全设备",
    "storage": "存储设备",
    "database": "数据库",
    "middleware": "中间件",
    "application": "应用",
    "data": "数据",
    "center": "安全管理中心",
    "organisation": "管理体系",
    "other": "其他",
}
DUTIES: Final = {
    "leader": "分管领导",
    "responsible": "责任人",
    "security-officer": "安全管理员",
    "data-officer": "数据安全负责人",
    "crypto-officer": "密码管理员",
    "contact": "联络员",
}
EXTENSIONS: Final = {"cloud": "云计算", "mobile": "移动互联", "iot": "物联网", "ics": "工业控制"}
_YES: Final = frozenset({"是", "yes", "true", "1", "y"})
_NO: Final = frozenset({"", "否", "no", "false", "0", "n"})


class Column(msgspec.Struct, frozen=True):
    """One column: the field, its Chinese head, and how its cells are read and written."""

    field: str
    head: str
    kind: Literal["text", "flag", "day", "choice", "choices"] = "text"
    choices: Mapping[str, str] = {}
    required: bool = False


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one cell; ``row`` as the sheet counts, its head being row 1."""

    sheet: SheetName
    row: int
    column: str
    what: Words
    fix: Words


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Rows read: (row number, value) of each sheet, and everything that is wrong."""

    values: dict[SheetName, list[tuple[int, Value]]]
    errors: list[RowError]


_STAGES: Final[dict[str, str]] = {name: words.zh for name, words in STAGES.items()}
COLUMNS: Final[dict[SheetName, tuple[Column, ...]]] = {
    "units": (
        Column("code", "代码", required=True),
        Column("name", "名称", required=True),
        Column("parent", "上级代码"),
        Column("kind", "类别", "choice", UNIT_KINDS),
        Column("retired", "停用", "flag"),
    ),
    "systems": (
        Column("id", "编号", required=True),
        Column("unit", "单位代码", required=True),
        Column("name", "名称", required=True),
        Column("grade", "定级", required=True),
        Column("extensions", "扩展要求", "choices", EXTENSIONS),
        Column("owner", "责任人"),
        Column("internet", "互联网可达", "flag"),
        Column("critical", "关键信息基础设施", "flag"),
        Column("state_secret", "涉密", "flag"),
        Column("launched", "上线日期", "day"),
        Column("note", "备注"),
        # Read for systems that are new here; afterwards the steps of the system alone change them.
        Column("stage", "阶段", "choice", _STAGES),
        Column("filing_number", "备案证明编号"),
        Column("filed", "备案日期", "day"),
        Column("filing_expires", "备案有效期至", "day"),
        Column("assessed", "测评日期", "day"),
        Column("assessment_due", "下次测评", "day"),
        Column("crypto_assessed", "密评日期", "day"),
        Column("crypto_due", "下次密评", "day"),
    ),
    "assets": (
        Column("system", "系统编号", required=True),
        Column("name", "名称", required=True),
        Column("kind", "类别", "choice", KINDS),
        Column("address", "地址"),
        Column("owner", "责任人"),
        Column("location", "位置"),
        Column("model", "型号"),
        Column("retired", "停用", "flag"),
    ),
    "objects": (
        Column("system", "系统编号", required=True),
        Column("kind", "类别", "choice", KINDS, required=True),
        Column("name", "名称", required=True),
        Column("note", "备注"),
        Column("retired", "停用", "flag"),
    ),
    "contacts": (
        Column("unit", "单位代码", required=True),
        Column("system", "系统编号"),
        Column("duty", "职责", "choice", DUTIES, required=True),
        Column("name", "姓名", required=True),
        Column("phone", "电话"),
        Column("email", "邮箱"),
    ),
}


def read_rows(tables: Mapping[SheetName, Iterable[Sequence[object]]]) -> Read:
    """Sheets of raw cells, heads first, as values; nothing is thrown, everything wrong is listed."""
    values: dict[SheetName, list[tuple[int, Value]]] = {}
    errors: list[RowError] = []
    for sheet, rows in tables.items():
        values[sheet] = []
        places: list[tuple[int, Column]] = []
        for number, row in enumerate(rows, 1):
            if number > ROWS_MAX + 1 or len(errors) >= ERRORS_MAX:
                what = Words(
                    f"超过 {ROWS_MAX} 行,或错误过多", f"more than {ROWS_MAX} rows, or too many errors"
                )
                errors.append(_error(sheet, number, "", what))
                break
            if number == 1:
                places = _head(sheet, row, errors)
                if errors and not places:
                    break
            elif any(_text(cell) for cell in row):
                _row(sheet, number, row, places, values[sheet], errors)
    return Read(values=values, errors=errors)


def written_rows(sheet: SheetName, values: Iterable[Value]) -> list[list[str]]:
    """Values as rows of text below their head; reading them gives the values again."""
    columns = COLUMNS[sheet]
    rows = [[column.head for column in columns]]
    rows += [[_written(column, getattr(value, column.field)) for column in columns] for value in values]
    return rows


def _head(sheet: SheetName, row: Sequence[object], errors: list[RowError]) -> list[tuple[int, Column]]:
    known = {name: column for column in COLUMNS[sheet] for name in (column.head, column.field)}
    places = []
    for place, cell in enumerate(row):
        head = _text(cell)
        if head in known:
            places.append((place, known[head]))
        elif head:
            errors.append(_error(sheet, 1, head[:40], Words("不认识的列", "an unknown column")))
    present = [column.field for _, column in places]
    for column in COLUMNS[sheet]:
        if column.required and column.field not in present:
            errors.append(_error(sheet, 1, column.head, Words("缺少此列", "the column is missing")))
        if present.count(column.field) > 1:
            errors.append(_error(sheet, 1, column.head, Words("此列重复", "the column stands twice")))
    missing = any(column.required and column.field not in present for column in COLUMNS[sheet])
    return [] if missing else places  # without them no row can be read


def _row(
    sheet: SheetName,
    number: int,
    row: Sequence[object],
    places: Sequence[tuple[int, Column]],
    values: list[tuple[int, Value]],
    errors: list[RowError],
) -> None:
    fields: dict[str, Any] = {}
    before = len(errors)
    for place, column in places:
        cell = row[place] if place < len(row) else None
        try:
            fields[column.field] = _parsed(column, cell)
        except ValueError as error:
            errors.append(_error(sheet, number, column.head, Words(*error.args)))
        if column.required and not _text(cell):
            errors.append(_error(sheet, number, column.head, Words("不能为空", "is empty")))
    if len(errors) > before:
        return
    try:
        values.append((number, _MADE[sheet]({name: one for name, one in fields.items() if one is not None})))
    except LiuheError as error:
        heads = {column.field: column.head for column in COLUMNS[sheet]}
        column_name = heads.get(error.field, heads.get(error.code.removeprefix("system-"), ""))
        errors.append(RowError(sheet=sheet, row=number, column=column_name, what=error.what, fix=error.fix))


def _parsed(column: Column, cell: object) -> object:
    """A cell as its field's value, None where it is empty. Raises ValueError (zh, en)."""
    text = _text(cell)
    if len(text) > CELL_CHARS_MAX:
        raise ValueError(f"超过 {CELL_CHARS_MAX} 个字符", f"is longer than {CELL_CHARS_MAX} characters")
    if column.kind == "flag":
        if text.lower() in _YES | _NO:
            return text.lower() in _YES
        raise ValueError("须为 是 或 否", "is neither 是 nor 否")
    if not text:
        return None
    if column.kind == "day":
        return _day(cell, text)
    if column.kind == "choice":
        return _choice(column, text)
    if column.kind == "choices":
        parts = [part.strip() for part in text.replace(",", "、").replace(",", "、").split("、")]
        return tuple(_choice(column, part) for part in parts if part)
    return text


def _choice(column: Column, text: str) -> str:
    names = {zh: name for name, zh in column.choices.items()}
    found = names.get(text, text)
    if found not in column.choices:
        listed = "、".join(column.choices.values())
        raise ValueError(f"须为 {listed} 之一", f"is none of {listed}")
    return found


def _day(cell: object, text: str) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    try:
        return date.fromisoformat(text.replace("/", "-").replace(".", "-"))
    except ValueError:
        raise ValueError("须写成 2026-11-22 的样子", "is no day such as 2026-11-22") from None


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a code typed as a number
    return str(cell).strip()


def _written(column: Column, value: object) -> str:
    if value is None:
        return ""
    if column.kind == "flag":
        return "是" if value else "否"
    if column.kind == "choice":
        return column.choices[str(value)]
    if column.kind == "choices":
        assert isinstance(value, tuple)
        return "、".join(column.choices[name] for name in value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _system(fields: dict[str, Any]) -> Value:
    level = parse_grade(fields["grade"])[2]
    return checked_system(GradedSystem(**fields, level=level))


def _asset(fields: dict[str, Any]) -> Value:
    return checked_asset(Asset(**fields, origin="import"))


_MADE: Final[dict[SheetName, Callable[[dict[str, Any]], Value]]] = {
    "units": lambda fields: checked_unit(Unit(**fields)),
    "systems": _system,
    "assets": _asset,
    "objects": lambda fields: checked_object(AssessmentObject(**fields)),
    "contacts": lambda fields: checked_contact(Contact(**fields)),
}


def _error(sheet: SheetName, row: int, column: str, what: Words) -> RowError:
    fix = Words("请对照 docs/reference/registry.md 改正", "correct it, see docs/reference/registry.md")
    return RowError(sheet=sheet, row=row, column=column, what=what, fix=fix)
