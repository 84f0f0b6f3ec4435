"""The condition language: one typed tree for Sigma rules, checklist probes, exceptions and queries.

Meaning of every node and operator: docs/reference/normalisation.md. Back ends: detection/evaluate.py.
The tree is plain data (frozen, hashable, encodable by msgspec); it is built through ``all_of``, ``any_of``
and ``negated``, which flatten it and join tests of the same field.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

Operator = Literal[
    "equals",
    "contains",
    "startswith",
    "endswith",
    "wildcard",
    "regex",
    "cidr",
    "gt",
    "gte",
    "lt",
    "lte",
    "exists",
    "null",
    "field_equals",
    "field_contains",
    "field_startswith",
    "field_endswith",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
]
Wanted = str | int | float | bool

# Operators whose values mean "one of these", so that two atoms on one field may be joined under Or.
_JOINED: Final = frozenset(
    {"equals", "contains", "startswith", "endswith", "wildcard", "regex", "cidr", "null"}
    | {"field_equals", "field_contains", "field_startswith", "field_endswith"}
    | {"minute", "hour", "day", "week", "month", "year"}
)


class Always(msgspec.Struct, frozen=True, tag="always"):
    """True or false whatever the event."""

    value: bool


class Atom(msgspec.Struct, frozen=True, tag="atom", omit_defaults=True):
    """One test of one field: true if any element of the field satisfies any of ``values``.

    ``wildcard`` values use ``*``, ``?`` and a backslash before a literal one of the three; ``regex`` values
    are RE2 patterns searched anywhere; ``field_*`` values name another field of the same event; ``minute`` to
    ``year`` compare that part of a time, in the zone of docs/reference/normalisation.md.
    """

    field: str
    operator: Operator
    values: tuple[Wanted, ...] = ()
    cased: bool = False
    selection: str = ""  # where the author wrote it, shown beside what matched


class Keyword(msgspec.Struct, frozen=True, tag="keyword", omit_defaults=True):
    """Text sought in every value of the event: contains, wildcard (unanchored) or regex."""

    operator: Literal["contains", "wildcard", "regex"]
    values: tuple[str, ...]
    cased: bool = False
    selection: str = ""


class And(msgspec.Struct, frozen=True, tag="and"):
    """True if every part is; two parts at least."""

    parts: "tuple[Condition, ...]"


class Or(msgspec.Struct, frozen=True, tag="or"):
    """True if some part is; two parts at least."""

    parts: "tuple[Condition, ...]"


class Not(msgspec.Struct, frozen=True, tag="not"):
    """True if the part is not."""

    part: "Condition"


Condition = Always | Atom | Keyword | And | Or | Not


def all_of(parts: Iterable[Condition]) -> Condition:
    """The conjunction, flattened; of nothing it is Always(True)."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, And) else (part,))
    flat = [part for part in flat if part != Always(True)]
    if Always(False) in flat:
        return Always(False)
    if not flat:
        return Always(True)
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(parts: Iterable[Condition]) -> Condition:
    """The disjunction, flattened, atoms on one field joined; of nothing it is Always(False)."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Or) else (part,))
    flat = [part for part in flat if part != Always(False)]
    if Always(True) in flat:
        return Always(True)
    joined = _join(flat)
    if not joined:
        return Always(False)
    return joined[0] if len(joined) == 1 else Or(tuple(joined))


def negated(part: Condition) -> Condition:
    """The negation; two negations cancel."""
    if isinstance(part, Not):
        return part.part
    if isinstance(part, Always):
        return Always(not part.value)
    return Not(part)


def leaves(condition: Condition) -> Iterator[Always | Atom | Keyword]:
    """Every test of the tree, left to right."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    else:
        yield condition


def fields(condition: Condition) -> frozenset[str]:
    """Names of all fields the condition reads; keywords read every field and name none."""
    names: set[str] = set()
    for leaf in leaves(condition):
        if isinstance(leaf, Atom):
            names.add(leaf.field)
            if leaf.operator.startswith("field_"):
                names.update(str(value) for value in leaf.values)
    return frozenset(names)


def describe(condition: Condition) -> str:
    """One line a person can read, for example ``process.name endswith "sh" and not user.name = "root"``."""
    if isinstance(condition, Always):
        return "always" if condition.value else "never"
    if isinstance(condition, Not):
        return f"not {_wrapped(condition.part)}"
    if isinstance(condition, And):
        return " and ".join(_wrapped(part) for part in condition.parts)
    if isinstance(condition, Or):
        return " or ".join(_wrapped(part) for part in condition.parts)
    subject = condition.field if isinstance(condition, Atom) else "any field"
    sign = {"equals": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "null": "is null"}
    operator = sign.get(condition.operator, condition.operator)
    if not condition.values:
        return f"{subject} {operator}"
    shown = [msgspec.json.encode(value).decode() for value in condition.values]
    return f"{subject} {operator} {shown[0] if len(shown) == 1 else '(' + ', '.join(shown) + ')'}"


def _wrapped(condition: Condition) -> str:
    text = describe(condition)
    return f"({text})" if isinstance(condition, And | Or) else text


def _join(parts: list[Condition]) -> list[Condition]:
    joined: dict[object, Condition] = {}
    for part in parts:
        key: object = part
        if isinstance(part, Atom) and part.operator in _JOINED:
            key = (part.field, part.operator, part.cased, part.selection)
        elif isinstance(part, Keyword):
            key = (part.operator, part.cased, part.selection)
        known = joined.get(key)
        if isinstance(part, Atom | Keyword) and isinstance(known, Atom | Keyword) and known != part:
            part = msgspec.structs.replace(known, values=_united(known.values, part.values))
        joined[key] = part
    return list(joined.values())


def _united(first: tuple[Wanted, ...], second: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    # dict keeps the author's order; a value written twice is tested once
    return tuple(dict.fromkeys((*first, *second)))
