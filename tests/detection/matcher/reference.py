"""A plain reading of docs/reference/normalisation.md: slow, without any of the product's matching code.

Every verdict of the product's matchers is compared with this one. It uses Python's own ``re``, so only tests
may run it.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def holds(condition: Condition, event: Any) -> bool:
    """Whether the event (anything with ``native`` and ``fields``) satisfies the condition."""
    if isinstance(condition, Always):
        return condition.value
    if isinstance(condition, Not):
        return not holds(condition.part, event)
    if isinstance(condition, And):
        return all(holds(part, event) for part in condition.parts)
    if isinstance(condition, Or):
        return any(holds(part, event) for part in condition.parts)
    merged = {**event.fields, **event.native}
    if isinstance(condition, Keyword):
        return any(_text(condition, one) for value in merged.values() for one in _texts(value))
    return _atom(condition, merged)


def _atom(atom: Atom, merged: dict[str, Any]) -> bool:
    present = atom.field in merged
    value = merged.get(atom.field)
    elements = value if isinstance(value, list) else [value]
    if atom.operator == "exists":
        return present is (atom.values != (False,))
    if atom.operator == "null":
        return not present or None in elements
    if atom.operator in ("gt", "gte", "lt", "lte"):
        numbers = [number for one in elements if (number := _number(one)) is not None]
        limits = [number for one in atom.values if (number := _number(one)) is not None]
        return any(_compare(atom.operator, number, limit) for number in numbers for limit in limits)
    texts = _texts(value) if present else []
    if atom.operator.startswith("field_"):
        others = [text for name in atom.values for text in _texts(merged.get(str(name)))]
        shape = atom.operator.removeprefix("field_")
        return any(_literal(shape, text, other, atom.cased) for text in texts for other in others)
    return any(_text(atom, text) for text in texts)


def _text(leaf: Atom | Keyword, text: str) -> bool:
    for wanted in map(str, leaf.values):
        if leaf.operator == "regex":
            found = re.search(wanted, text) is not None
        elif leaf.operator == "wildcard":
            found = _wildcard(wanted, text, leaf.cased, whole=isinstance(leaf, Atom))
        elif leaf.operator == "cidr":
            found = _inside(text, wanted)
        elif leaf.operator in ("minute", "hour", "day", "week", "month", "year"):
            found = _part(leaf.operator, text) == int(wanted)
        else:
            found = _literal(leaf.operator, text, wanted, leaf.cased)
        if found:
            return True
    return False


def _literal(operator: str, text: str, wanted: str, cased: bool) -> bool:
    if not cased:
        text, wanted = text.casefold(), wanted.casefold()
    return {
        "equals": text == wanted,
        "contains": wanted in text,
        "startswith": text.startswith(wanted),
        "endswith": text.endswith(wanted),
    }[operator]


def _wildcard(wanted: str, text: str, cased: bool, *, whole: bool) -> bool:
    if not cased:
        text, wanted = text.casefold(), wanted.casefold()
    pattern = re.sub(
        r"\\[*?\\]|[*?]|(?s:.)",
        lambda m: {"*": "(?s:.*)", "?": "(?s:.)"}.get(m[0], re.escape(m[0][-1])),
        wanted,
    )
    return (re.fullmatch if whole else re.search)(pattern, text) is not None


def _inside(text: str, network: str) -> bool:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address) in ip_network(network, strict=False)


def _part(part: str, text: str) -> int | None:
    try:
        number = _number(text)
        if number is not None:
            moment = datetime.fromtimestamp(number / 1000 if abs(number) >= 1e11 else number, UTC)
        else:
            moment = datetime.fromisoformat(text.strip())
            moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isocalendar().week if part == "week" else int(getattr(moment, part))


def _texts(value: Any) -> list[str]:
    elements = value if isinstance(value, list) else [value]
    return [_as_text(one) for one in elements if one is not None]


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value == int(value) else f"{Decimal(repr(value)):f}"
    return str(value)


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        if len(value) > 40 or not NUMBER.fullmatch(value):
            return None
        return int(value) if value.lstrip("+-").isdigit() else float(value)
    return float(value) if isinstance(value, float) else int(value)


def _compare(operator: str, number: float, limit: float) -> bool:
    return {
        "gt": number > limit,
        "gte": number >= limit,
        "lt": number < limit,
        "lte": number <= limit,
    }[operator]
