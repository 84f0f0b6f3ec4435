"""What the queue is narrowed to, as SQL over alert_groups: state, time, units and a query text.

The names a text may use are data (rules/query/alert_fields.toml); what they mean here is this file's table.
Nothing of a text ever becomes SQL: names are looked up, values are bound.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, get_args

import msgspec
from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, text, true, tuple_

from crypto.words import BadInput, Words
from detection.alert import SEVERITIES, Detector
from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or
from detection.query.fields import Fields, read_fields
from detection.query.parse import parse_query
from detection.risk import POINTS_MAX, heat_at
from detection.store.alert_group import WITHHELD
from detection.store.sql import like_pattern
from detection.store.tables import CLOSED_ROWS, OPEN_ROWS, TOP_ROWS, alert_groups, entity_heats, micros
from rules import ROOT

QUERY_CHARS_MAX: Final = 500
STATES: Final = ("open", "new", "acknowledged", "snoozed", "withheld", "closed", "all")
ENTITY_KINDS: Final = ("host", "source", "user", "sensor", "unit", "address")
_SYSTEM_KEYS_MAX: Final = 5_000  # hosts and addresses of one system that a query follows

_C: Final = alert_groups.c
_TEXTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "rule": (_C.rule,),
    "unit": (_C.unit,),
    "sensor": (_C.sensor,),
    "detector": (_C.detector,),
    "classification": (_C.classification,),
    "state": (_C.state,),
    "owner": (_C.owner,),
    "entity": (_C.entity_key,),
    "title": (_C.title_zh, _C.title_en),
    "reason": (_C.reason_zh, _C.reason_en),
    "close_reason": (_C.close_reason,),
    "group": (_C.id,),
}
# What a person may type for a value that is kept otherwise.
_SPOKEN: Final[Mapping[str, Mapping[str, str]]] = {
    "severity": {"提示": "informational", "低": "low", "中": "medium", "高": "high", "严重": "critical"},
    "state": {"未处理": "new", "处理中": "acknowledged", "已关闭": "closed"},
    "detector": {"规则": "sigma", "异常": "anomaly", "专项": "special", "健康": "health", "人工": "manual"},
    "classification": {
        "真实威胁": "true_positive",
        "属实但无害": "benign_positive",
        "误报": "false_positive",
        "测试或演练": "test",
    },
}
# The language compares numbers; severities have an order too.
_COMPARED: Final = re.compile(
    r"(severity|程度|严重程度|级别)(\s*(?:>=|<=|≥|≤|>|<)\s*)("
    + "|".join((*SEVERITIES, *_SPOKEN["severity"]))
    + r")(?![\w])",
    re.IGNORECASE,
)


class GroupFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What rows are wanted. ``folded`` leaves out those merged into others and open ones asleep."""

    state: str = "open"
    severity: str = ""
    detector: str = ""
    q: str = ""
    since: datetime | None = None  # of the last alert
    until: datetime | None = None
    units: frozenset[str] | None = None  # None: all
    folded: bool = False
    told: bool = False  # leaves out what the alert budget holds back
    actor: str = ""  # who ``owner:me`` is


Keys = Callable[[str], Collection[str]]


@cache
def alert_fields() -> Fields:
    """The names a query of the queue may use."""
    return read_fields(ROOT / "query" / "alert_fields.toml")


def narrowed(
    wanted: GroupFilter, now: datetime, *, keys_of_system: Keys | None = None
) -> list[ColumnElement[bool]]:
    """The conditions of the filter. Raises BadInput (alert-argument, alert-query, query-syntax)."""
    found = [*_state(wanted, now)]
    if wanted.told:
        found.append(_C.snoozed_until != micros(WITHHELD))
    if wanted.severity:
        found.append(_C.rank == _rank(wanted.severity))
    if wanted.detector:
        found.append(_C.detector == _one_of("detector", wanted.detector, get_args(Detector)))
    if wanted.units is not None:
        found.append(_C.unit.in_(sorted(wanted.units)))
    if wanted.since is not None:
        found.append(_C.latest >= micros(wanted.since))
    if wanted.until is not None:
        found.append(_C.latest < micros(wanted.until))
    if len(wanted.q) > QUERY_CHARS_MAX:
        raise bad_argument("q", f"{len(wanted.q)}", (f"<= {QUERY_CHARS_MAX}",))
    if wanted.q.strip():
        condition = parse_query(_COMPARED.sub(_numbered, wanted.q), alert_fields())
        found.append(_Compiler(now, wanted.actor, keys_of_system).of(condition))
    return found


def _state(wanted: GroupFilter, now: datetime) -> list[ColumnElement[bool]]:
    state = _one_of("state", wanted.state, STATES)
    asleep = _C.snoozed_until > micros(now)
    held = _C.snoozed_until == micros(WITHHELD)
    found: list[ColumnElement[bool]] = []
    if state in ("open", "snoozed", "withheld") or (state in ("new", "acknowledged") and wanted.folded):
        if wanted.folded:
            found.append(text(OPEN_ROWS))  # type: ignore[arg-type]  # as the index says it
        states = (state,) if state in ("new", "acknowledged") else ("new", "acknowledged")
        found.append(_C.state.in_(states))
        if state == "withheld":
            found.append(held)
        elif state == "snoozed":
            found.append(and_(asleep, not_(held)))
        elif wanted.folded:
            found.append(not_(asleep))
    elif wanted.folded:
        found.append(text(TOP_ROWS if state == "all" else CLOSED_ROWS))  # type: ignore[arg-type]
    elif state != "all":
        found.append(_C.state == state)
    return found


class _Compiler:
    """One condition into SQL."""

    def __init__(self, now: datetime, actor: str, keys_of_system: Keys | None) -> None:
        self._now = now
        self._actor = actor
        self._keys_of_system = keys_of_system

    def of(self, condition: Condition) -> ColumnElement[bool]:
        if isinstance(condition, Always):
            return true() if condition.value else false()
        if isinstance(condition, Not):
            return not_(self.of(condition.part))
        if isinstance(condition, And):
            return and_(*map(self.of, condition.parts))
        if isinstance(condition, Or):
            return or_(*map(self.of, condition.parts))
        if isinstance(condition, Keyword):
            return self._keyword(condition)
        return self._atom(condition)

    def _keyword(self, leaf: Keyword) -> ColumnElement[bool]:
        if leaf.operator == "regex":
            raise _cannot("regex")
        values = [value.lower() for value in leaf.values]
        if leaf.operator == "wildcard":
            return or_(*(_C.sought.like(f"%{like_pattern(value)}%", escape="\\") for value in values))
        return or_(*(_C.sought.contains(value, autoescape=True) for value in values))

    def _atom(self, leaf: Atom) -> ColumnElement[bool]:
        name = leaf.field.lower()
        if name in ENTITY_KINDS and name not in _TEXTS:  # host:web-01 as it stands in the list
            named = tuple(f"{name}:{value}" for value in leaf.values)
            return self._atom(Atom("entity", leaf.operator, named))
        values = [_SPOKEN.get(name, {}).get(str(value), str(value)) for value in leaf.values]
        if name == "severity":
            return self._number(_C.rank, leaf, [_rank(value) for value in values])
        if name == "count":
            return self._number(_C.count, leaf, [_number(name, value) for value in values])
        if name == "risk":
            return self._risk(leaf, [_number(name, value) for value in values])
        if name == "attack":
            return _listed(_C.attack, leaf, [value.upper() for value in values], part=".")
        if name == "clause":
            return _listed(_C.clauses, leaf, values, part="")
        if name == "system":
            return self._system(leaf, values)
        if name not in _TEXTS:
            raise _unknown(name)
        if name == "owner":
            values = [self._person(value) for value in values]
        if name == "entity":
            return _entity(leaf, [value.lower() for value in values])
        return _text(_TEXTS[name], leaf, values)

    def _number(self, column: Any, leaf: Atom, values: list[float]) -> ColumnElement[bool]:
        compare: dict[str, Callable[[float], ColumnElement[bool]]] = {
            "equals": lambda value: column == value,
            "gt": lambda value: column > value,
            "gte": lambda value: column >= value,
            "lt": lambda value: column < value,
            "lte": lambda value: column <= value,
        }
        if leaf.operator == "exists":
            return true()
        if leaf.operator not in compare:
            raise _cannot(leaf.operator)
        return or_(*(compare[leaf.operator](value) for value in values))

    def _risk(self, leaf: Atom, values: list[float]) -> ColumnElement[bool]:
        """By the risk of the entity; the number shown is a rounded one."""
        heat = entity_heats.c.heat
        if leaf.operator == "equals":
            asked = or_(
                *(
                    and_(
                        heat >= heat_at(value - 0.5, self._now),
                        true() if value >= POINTS_MAX else heat < heat_at(value + 0.5, self._now),
                    )
                    for value in values
                )
            )
        else:
            asked = self._number(heat, leaf, [heat_at(value, self._now) for value in values])
        names = select(entity_heats.c.entity_key, entity_heats.c.unit).where(asked).correlate(None)
        return tuple_(_C.entity_key, _C.unit).in_(names)

    def _person(self, value: str) -> str:
        if value in ("me", "我"):
            return self._actor
        return value if ":" in value else f"user:{value}"

    def _system(self, leaf: Atom, values: list[str]) -> ColumnElement[bool]:
        if leaf.operator != "equals" or self._keys_of_system is None:
            raise _cannot(leaf.operator)
        keys = sorted({key for value in values for key in self._keys_of_system(value)})
        return _C.entity_key.in_(keys[:_SYSTEM_KEYS_MAX])


def _entity(leaf: Atom, values: list[str]) -> ColumnElement[bool]:
    column = _C.entity_key
    if leaf.operator == "equals":
        whole = [
            key
            for value in values
            for key in ([value] if _has_kind(value) else [f"{kind}:{value}" for kind in ENTITY_KINDS])
        ]
        return column.in_(whole)
    if leaf.operator == "cidr":
        return or_(*(column.like(f"%:{_prefix(value)}%") for value in values))
    return _text((column,), leaf, values)


def _has_kind(value: str) -> bool:
    return value.partition(":")[0] in ENTITY_KINDS and ":" in value


def _prefix(value: str) -> str:
    """The beginning that addresses of an IPv4 network share as text. Raises BadInput (alert-query)."""
    network = ipaddress.ip_network(value, strict=False)
    if network.version != 4 or network.prefixlen not in (8, 16, 24):
        raise _cannot(value)
    octets = str(network.network_address).split(".")[: network.prefixlen // 8]
    return ".".join(octets) + "."


def _text(columns: tuple[Any, ...], leaf: Atom, values: list[str]) -> ColumnElement[bool]:
    operator = leaf.operator
    if operator in ("exists", "null"):
        there = or_(*(column != "" for column in columns))
        return there if (operator == "exists") is (leaf.values != (False,)) else not_(there)
    if operator == "equals":
        kept = sorted({*values, *(value.lower() for value in values)})
        return or_(*(column.in_(kept) for column in columns))
    tests: dict[str, Callable[[Any, str], ColumnElement[bool]]] = {
        "contains": lambda column, value: column.contains(value, autoescape=True),
        "startswith": lambda column, value: column.startswith(value, autoescape=True),
        "endswith": lambda column, value: column.endswith(value, autoescape=True),
        "wildcard": lambda column, value: column.like(like_pattern(value), escape="\\"),
    }
    if operator not in tests:
        raise _cannot(operator)
    test = tests[operator]
    return or_(*(test(func.lower(column), value.lower()) for column in columns for value in values))


def _listed(column: Any, leaf: Atom, values: list[str], *, part: str) -> ColumnElement[bool]:
    """A member of a JSON list of texts; ``part`` joins what is more special than the value."""
    if leaf.operator in ("exists", "null"):
        there: ColumnElement[bool] = column != "[]"
        return there if (leaf.operator == "exists") is (leaf.values != (False,)) else not_(there)
    if leaf.operator == "equals":
        ends = ['"', part] if part else ['"']
        return or_(*(column.contains(f'"{value}{end}', autoescape=True) for value in values for end in ends))
    if leaf.operator == "wildcard":
        return or_(*(column.like(f'%"{like_pattern(value)}"%', escape="\\") for value in values))
    raise _cannot(leaf.operator)


def _numbered(found: re.Match[str]) -> str:
    value = found[3].lower()
    return f"{found[1]}{found[2]}{_rank(_SPOKEN['severity'].get(value, value))}"


def _rank(value: str) -> int:
    if value.isascii() and value.isdigit() and int(value) < len(SEVERITIES):
        return int(value)
    names: tuple[str, ...] = SEVERITIES
    return names.index(_one_of("severity", value.lower(), names))


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise bad_argument(name, value, ("0, 1, 2 …",)) from None


def _one_of(field: str, given: str, allowed: tuple[str, ...]) -> str:
    if given not in allowed:
        raise bad_argument(field, given, allowed)
    return given


def bad_argument(field: str, given: str, allowed: Collection[str]) -> BadInput:
    """A value that is none of those allowed."""
    choices = ", ".join(allowed)
    return BadInput(
        "alert-argument",
        Words(f"参数 {field} 的值无效:{given[:80]}", f"invalid {field}: {given[:80]}"),
        Words(f"可用的值:{choices}", f"use one of: {choices}"),
        field=field,
    )


def _unknown(name: str) -> BadInput:
    names = "、".join(field.aliases[0] for field in alert_fields().known if field.aliases)
    return BadInput(
        "alert-query",
        Words(f"告警没有字段 {name[:80]}", f"alerts have no field {name[:80]}"),
        Words(
            f"可用的字段:{names}",
            "use one of: " + ", ".join(field.name for field in alert_fields().known),
        ),
        field="q",
    )


def _cannot(what: str) -> BadInput:
    return BadInput(
        "alert-query",
        Words(f"告警查询不支持:{what[:80]}", f"a query of alerts cannot do this: {what[:80]}"),
        Words(
            "请改用等于、* 通配或比较;正则与网段请到事件检索",
            "use equality, * or a comparison; regular expressions and odd networks are for events",
        ),
        field="q",
    )
