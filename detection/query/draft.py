"""A query as a Sigma rule that ``liuhe rules check`` accepts: the draft somebody goes on from. Pure.

Each leaf of the condition becomes a selection of its own, joined by the rule's condition text.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
import yaml

from crypto.words import BadInput, Words
from detection.alert import Severity
from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or
from sensors.event import LogSource

SELECTIONS_MAX: Final = 64
_MODIFIERS: Final = {
    "equals": "",
    "wildcard": "",
    "contains": "|contains",
    "startswith": "|startswith",
    "endswith": "|endswith",
    "regex": "|re",
    "cidr": "|cidr",
    "gt": "|gt",
    "gte": "|gte",
    "lt": "|lt",
    "lte": "|lte",
    "exists": "|exists",
}
_LITERAL: Final = ("equals", "contains", "startswith", "endswith")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the head of the draft says; ``rule`` is its id, a UUID."""

    rule: str
    title: str
    level: Severity
    author: str
    day: date
    query: str


def draft_rule(condition: Condition, logsource: LogSource, head: Draft) -> str:
    """The rule as YAML. Raises BadInput (draft-condition, draft-source)."""
    if not (logsource.product or logsource.category or logsource.service):
        raise BadInput(
            "draft-source",
            Words("命中的事件没有共同的日志来源", "the events found have no log source in common"),
            Words("请加上 数据集:… 之类的条件再存为规则", "add a condition such as event.dataset:… first"),
        )
    detection = _Detection()
    text = detection.text_of(condition, whole=True)
    body: dict[str, Any] = {
        "title": head.title,
        "id": head.rule,
        "status": "experimental",
        "description": f"From a hunt: {head.query}",
        "author": head.author,
        "date": head.day.isoformat(),
        "logsource": {name: value for name, value in msgspec.structs.asdict(logsource).items() if value},
        "detection": {**detection.selections, "condition": text},
        "falsepositives": ["Unknown"],
        "level": head.level,
        "liuhe": {"title_zh": head.title},
    }
    return yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=1_000)


class _Detection:
    """Selections made so far, and how the condition text names them."""

    def __init__(self) -> None:
        self.selections: dict[str, Any] = {}

    def text_of(self, condition: Condition, *, whole: bool = False) -> str:
        """The condition text of a part; in parentheses unless it is the ``whole`` or needs none."""
        if isinstance(condition, Always):
            raise _everything()
        if isinstance(condition, Not):
            return f"not {self.text_of(condition.part)}"
        if isinstance(condition, And | Or):
            word = " and " if isinstance(condition, And) else " or "
            text = word.join(self.text_of(part) for part in condition.parts)
            return text if whole else f"({text})"
        return self._named(_selection(condition))

    def _named(self, selection: Mapping[str, Any] | Sequence[str]) -> str:
        for name, known in self.selections.items():
            if known == selection:
                return name
        if len(self.selections) >= SELECTIONS_MAX:
            raise BadInput(
                "draft-condition",
                Words(f"条件超过 {SELECTIONS_MAX} 个", f"more than {SELECTIONS_MAX} conditions"),
                Words("请缩短查询语句", "shorten the query"),
            )
        name = f"selection_{len(self.selections) + 1}"
        self.selections[name] = selection
        return name


def _selection(leaf: Atom | Keyword) -> Mapping[str, Any] | Sequence[str]:
    if isinstance(leaf, Keyword):
        if leaf.operator == "regex" or leaf.cased:
            raise _no_sigma()
        literal = leaf.operator != "wildcard"
        return [_escaped(str(value)) if literal else _wild(str(value)) for value in leaf.values]
    cased = "|cased" if leaf.cased else ""
    if leaf.operator == "null":
        return {leaf.field: None}
    if leaf.operator == "exists":
        return {f"{leaf.field}|exists": leaf.values != (False,)}
    modifier = _MODIFIERS.get(leaf.operator)
    if modifier is None:
        raise _no_sigma()
    values = [_value(leaf.operator, value) for value in leaf.values]
    return {f"{leaf.field}{modifier}{cased}": values[0] if len(values) == 1 else values}


def _value(operator: str, value: Any) -> Any:
    if operator in _LITERAL:
        return _escaped(str(value))
    return _wild(value) if operator == "wildcard" else value


def _escaped(text: str) -> str:
    """Literal text as Sigma writes it: wildcards escaped, and backslashes where they would escape."""
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterable[str]:
    for place, character in enumerate(text):
        if character in "*?":
            yield f"\\{character}"
        elif character == "\\" and text[place + 1 : place + 2] in ("\\", "*", "?", ""):
            yield "\\\\"
        else:
            yield character


def _wild(text: Any) -> str:
    return str(text)


def _everything() -> BadInput:
    return BadInput(
        "draft-condition",
        Words("没有条件的规则会对每个事件告警", "a rule without a condition would alert on every event"),
        Words("请先写查询条件", "write a query first"),
    )


def _no_sigma() -> BadInput:
    return BadInput(
        "draft-condition",
        Words("这种条件无法写成 Sigma 规则", "this kind of condition cannot be said in Sigma"),
        Words("请改用 字段:值 的写法", "write it as field:value"),
    )
