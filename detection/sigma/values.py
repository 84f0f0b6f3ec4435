"""One value of a Sigma detection, as pySigma parsed it, turned into a leaf of the condition tree."""

from collections.abc import Sequence
from operator import ge, gt, le, lt
from typing import Any, Final, Literal

from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
    TimestampPart,
)

from crypto.words import Words
from detection.condition import Atom, Condition, Keyword, Operator, any_of
from detection.facts import text_of
from detection.sigma.errors import RuleError, malformed, unsupported

_COMPARE: Final[dict[CompareOperators, Operator]] = {
    CompareOperators.GT: "gt",
    CompareOperators.GTE: "gte",
    CompareOperators.LT: "lt",
    CompareOperators.LTE: "lte",
}
_PARTS: Final[dict[TimestampPart, Operator]] = {
    TimestampPart.MINUTE: "minute",
    TimestampPart.HOUR: "hour",
    TimestampPart.DAY: "day",
    TimestampPart.WEEK: "week",
    TimestampPart.MONTH: "month",
    TimestampPart.YEAR: "year",
}
_RANGES: Final = {
    "minute": (0, 60),
    "hour": (0, 24),
    "day": (1, 32),
    "week": (1, 54),
    "month": (1, 13),
    "year": (1970, 2200),
}
_FLAGS: Final = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
Shape = Literal["equals", "contains", "startswith", "endswith", "wildcard"]


def leaf(field: str | None, value: Any, selection: str) -> Condition:
    """The leaf that tests ``field`` (None: every field) for one parsed value. Raises RuleError."""
    if isinstance(value, SigmaExpansion):
        return any_of(leaf(field, one, selection) for one in value.values)
    if isinstance(value, SigmaString | SigmaRegularExpression) and value.contains_placeholder():
        raise _needs_list(value)
    return _keyword(value, selection) if field is None else _atom(field, value, selection)


def _atom(field: str, value: Any, selection: str) -> Atom:
    if isinstance(value, SigmaString):
        operator, text = shape(value.s)
        return Atom(field, operator, (text,), isinstance(value, SigmaCasedString), selection)
    if isinstance(value, SigmaRegularExpression):
        return Atom(field, "regex", (_regex(value),), False, selection)
    if isinstance(value, SigmaNull):
        return Atom(field, "null", (), False, selection)
    if isinstance(value, SigmaExists):
        return Atom(field, "exists", (value.exists,), False, selection)
    if isinstance(value, SigmaCIDRExpression):
        return Atom(field, "cidr", (value.cidr,), False, selection)
    if isinstance(value, SigmaCompareExpression) and isinstance(value.number, SigmaTimestampPart):
        return Atom(field, *_compared_part(value), False, selection)
    if isinstance(value, SigmaCompareExpression) and value.op in _COMPARE:
        return Atom(field, _COMPARE[value.op], (value.number.number,), False, selection)
    if isinstance(value, SigmaTimestampPart):
        return Atom(field, _PARTS[value.timestamp_part], (int(value.number),), False, selection)
    if isinstance(value, SigmaFieldReference):
        return Atom(field, _reference(value), (value.field,), False, selection)
    return Atom(field, "equals", (_plain(value),), False, selection)


def _keyword(value: Any, selection: str) -> Keyword:
    if isinstance(value, SigmaRegularExpression):
        return Keyword("regex", (_regex(value),), False, selection)
    cased = isinstance(value, SigmaCasedString)
    if isinstance(value, SigmaString):
        parts = list(value.s)
        while parts and parts[0] is SpecialChars.WILDCARD_MULTI:
            parts.pop(0)
        while parts and parts[-1] is SpecialChars.WILDCARD_MULTI:
            parts.pop()
        operator, text = shape(parts)
        if not text:
            raise malformed("关键词为空", "empty keyword")
        return Keyword("contains" if operator == "equals" else "wildcard", (text,), cased, selection)
    if isinstance(value, SigmaNumber | SigmaBool) and not isinstance(value, SigmaTimestampPart):
        return Keyword("contains", (_plain(value),), False, selection)
    raise malformed("关键词必须是文字或数字", "a keyword must be text or a number")


def shape(parts: Sequence[Any]) -> tuple[Shape, str]:
    """The cheapest operator for a parsed string, and its text (wildcard text where it has inner ones)."""
    star = SpecialChars.WILDCARD_MULTI
    inner = list(parts)
    starts = bool(inner) and inner[0] is star
    ends = len(inner) > 1 and inner[-1] is star
    inner = inner[1 if starts else 0 : -1 if ends else None]
    if all(isinstance(part, str) for part in inner) and (inner or not starts):
        text = "".join(inner)
        if starts and ends:
            return "contains", text
        if starts or ends:
            return ("endswith" if starts else "startswith"), text
        return "equals", text
    return "wildcard", "".join(_wildcard_text(part) for part in parts)


def _wildcard_text(part: Any) -> str:
    if part is SpecialChars.WILDCARD_MULTI:
        return "*"
    if part is SpecialChars.WILDCARD_SINGLE:
        return "?"
    return "".join("\\" + character if character in "\\*?" else character for character in str(part))


def _regex(value: SigmaRegularExpression) -> str:
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    return f"(?{flags}){value.regexp}" if flags else str(value.regexp)


def _reference(value: SigmaFieldReference) -> Operator:
    if value.starts_with and value.ends_with:
        return "field_contains"
    if value.starts_with:
        return "field_startswith"
    return "field_endswith" if value.ends_with else "field_equals"


def _compared_part(value: SigmaCompareExpression) -> tuple[Operator, tuple[int, ...]]:
    """``hour|gte: 18`` as the hours it means; a part of a time has few values."""
    assert isinstance(value.number, SigmaTimestampPart)
    meets = {"gt": gt, "gte": ge, "lt": lt, "lte": le}[_COMPARE[value.op]]
    part = _PARTS[value.number.timestamp_part]
    return part, tuple(one for one in range(*_RANGES[part]) if meets(one, int(value.number.number)))


def _plain(value: Any) -> str:
    if isinstance(value, SigmaBool):
        return "true" if value.boolean else "false"
    if isinstance(value, SigmaNumber):
        return text_of(value.number) or ""
    raise unsupported(f"这种取值({type(value).__name__})", f"a value of this kind ({type(value).__name__})")


def _needs_list(value: Any) -> RuleError:
    return RuleError(
        "rule-placeholder",
        Words(f"占位符 {value} 没有名单", f"placeholder {value} has no list"),
        Words("这里不能用 expand,请写具体的值", "expand cannot be used here: write the values themselves"),
    )
