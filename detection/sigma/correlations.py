"""Correlation documents -> correlations: parsed strictly here, checked by pySigma where it knows the form.

pySigma 1.5 knows neither ranges (two bounds) nor ids in extended conditions; those are read here alone.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError

from crypto.words import Words
from detection.correlation.expression import alternatives_of, names_in
from detection.correlation.rule import Alternative, Comparison, Correlation, Kind, Limit
from detection.correlation.sequences import ordered_choices
from detection.sigma.document import Document
from detection.sigma.errors import RuleError, malformed
from detection.sigma.heading import heading, named_id, own_keys
from detection.sigma.rule import Rule
from detection.sigma.translate import from_sigma

RULES_MAX: Final = 64  # rules one correlation watches
FIELDS_MAX: Final = 16  # it groups by, and counts values of
SPAN_SECONDS_MAX: Final = 366 * 86_400
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_629_746, "y": 31_556_952}
_TEMPORAL: Final = ("temporal", "temporal_ordered")
_COMPARISONS: Final[tuple[Comparison, ...]] = get_args(Comparison)


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The ``correlation`` key."""

    type: str
    timespan: str
    rules: tuple[str, ...] | str = ()
    group_by: tuple[str, ...] | str | None = None
    condition: dict[str, Any] | str | None = None
    aliases: dict[str, dict[str, str]] | None = None
    generate: bool = False


def correlation_of(raw: dict[str, Any], document: Document, path: Path, digest: str) -> Correlation:
    """The correlation of one document; its ``rules`` are as written until ``resolved``. Raises RuleError."""
    section = _section(raw)
    kind, expression = _kind(section)
    labels = (section.rules,) if isinstance(section.rules, str) else section.rules
    if expression and not labels:
        labels = names_in(expression)
    if not 0 < len(labels) <= RULES_MAX or len(set(labels)) != len(labels):
        raise _wrong(
            "rules",
            f"rules 要有 1 至 {RULES_MAX} 条不同的规则",
            f"rules takes 1 to {RULES_MAX} different rules",
        )
    group_by = _group_by(section)
    parsed = _parsed(raw, section, labels, group_by)
    limits, fields, percentile = _condition(kind, section, labels)
    alternatives: tuple[Alternative, ...] = ()
    if expression:
        alternatives, limits = _extended(expression, labels), ()
    elif kind == "temporal_ordered":
        alternatives, limits = _ordered(limits, labels), ()
    return Correlation(
        **heading(parsed, raw),
        id=named_id(parsed),
        path=str(path),
        line=document.line("correlation"),
        digest=digest,
        kind=kind,
        rules=labels,
        labels=labels,
        span_seconds=_span(section.timespan),
        group_by=group_by,
        aliases=section.aliases or {},
        limits=limits,
        fields=fields,
        percentile=percentile,
        alternatives=alternatives,
        generate=section.generate or raw.get("generate") is True,
        entity=own_keys(raw).entity,
    )


def resolved(
    drafts: Iterable[Correlation], rules: Sequence[Rule]
) -> tuple[list[Correlation], list[RuleError]]:
    """The correlations whose rules are all known, references replaced by ids, inner ones first."""
    errors: list[RuleError] = []
    ready: dict[str, Correlation] = {}
    waiting = {draft.id: draft for draft in drafts}
    find = _finder([*rules, *waiting.values()])
    for draft in list(waiting.values()):
        try:
            waiting[draft.id] = _with_ids(draft, find)
        except RuleError as error:
            errors.append(error.at(draft.path, draft.line))
            del waiting[draft.id]
    known = {rule.id for rule in rules}
    while waiting:
        done = [one for one in waiting.values() if all(name in known for name in one.rules)]
        if not done:
            break
        for one in done:
            ready[one.id] = waiting.pop(one.id)
            known.add(one.id)
    errors.extend(_stuck(one) for one in waiting.values())
    return list(ready.values()), errors


def silent_rules(correlations: Iterable[Correlation]) -> frozenset[str]:
    """Ids of the rules that raise no alert of their own: watched, and no correlation says ``generate``."""
    watched: set[str] = set()
    loud: set[str] = set()
    for one in correlations:
        (loud if one.generate else watched).update(one.rules)
    return frozenset(watched - loud)


def _section(raw: dict[str, Any]) -> _Section:
    try:
        return msgspec.convert(raw["correlation"], _Section)
    except msgspec.ValidationError as error:
        raise malformed(f"correlation:{error}", f"correlation: {error}").under("correlation") from None


def _kind(section: _Section) -> tuple[Kind, str]:
    """The type without ``_extended``, and the expression of an extended one."""
    name = section.type.removesuffix("_extended")
    if name not in get_args(Kind) or (name != section.type and name not in _TEMPORAL):
        raise _wrong(
            "type", f"没有 {section.type} 这种关联", f"there is no correlation type {section.type!r}"
        )
    kind: Kind = next(known for known in get_args(Kind) if known == name)
    expression = section.condition if isinstance(section.condition, str) else ""
    if expression and kind not in _TEMPORAL:
        raise _wrong(
            "condition", f"{kind} 的 condition 应是一组键值", f"the condition of {kind} is a mapping"
        )
    if name != section.type and not expression:
        raise _wrong(
            "condition", f"{section.type} 需要 condition 文字", f"{section.type} needs a condition text"
        )
    return kind, expression


def _group_by(section: _Section) -> tuple[str, ...]:
    names = section.group_by or ()
    names = (names,) if isinstance(names, str) else names
    if len(names) > FIELDS_MAX or "" in names or len(set(names)) != len(names):
        raise _wrong(
            "group-by",
            f"group-by 至多 {FIELDS_MAX} 个不同字段",
            f"group-by takes at most {FIELDS_MAX} different fields",
        )
    return names


def _parsed(
    raw: dict[str, Any], section: _Section, labels: tuple[str, ...], group_by: tuple[str, ...]
) -> SigmaCorrelationRule:
    """pySigma's opinion of the document, in the form it knows."""
    plain: dict[str, Any] = {
        "type": section.type.removesuffix("_extended"),
        "rules": list(labels),
        "timespan": section.timespan,
        "group-by": list(group_by),
        "aliases": section.aliases,
    }
    if isinstance(section.condition, dict):
        first = next((name for name in _COMPARISONS if name in section.condition), None)
        others = {name: value for name, value in section.condition.items() if name not in _COMPARISONS}
        plain["condition"] = {**others, first: section.condition[first]} if first else others
    try:
        return SigmaCorrelationRule.from_dict({**raw, "correlation": plain})
    except SigmaError as error:
        raise from_sigma(error).under("correlation") from None
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise malformed(str(error), str(error)).under("correlation") from None


def _condition(
    kind: Kind, section: _Section, labels: tuple[str, ...]
) -> tuple[tuple[Limit, ...], tuple[str, ...], float | None]:
    table = section.condition
    if not isinstance(table, dict):
        if kind not in _TEMPORAL:
            raise _wrong("condition", f"{kind} 需要 condition", f"{kind} needs a condition")
        return (Limit("gte", len(labels)),), (), None
    unknown = [str(name) for name in table if name not in (*_COMPARISONS, "field", "percentile")]
    if unknown:
        raise _wrong("condition", f"condition 里没有 {unknown[0]}", f"the condition takes no {unknown[0]!r}")
    limits = tuple(Limit(name, _number(table[name])) for name in _COMPARISONS if name in table)
    if not limits:
        raise _wrong(
            "condition", "condition 里没有界限(gte 等)", "the condition has no bound (gte and so on)"
        )
    return limits, _fields(kind, table.get("field")), _percentile(kind, table.get("percentile"))


def _fields(kind: Kind, value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value] if value is not None else []
    fields = tuple(name for name in names if isinstance(name, str) and name)
    wanted = kind.startswith("value_")
    alone = kind != "value_count"  # only distinct values can be counted of several fields together
    if (
        len(fields) != len(names)
        or len(fields) > FIELDS_MAX
        or wanted != bool(fields)
        or (alone and len(fields) > 1)
    ):
        raise _wrong("condition", f"{kind} 的 field 不对", f"the field of {kind} is not right")
    return fields


def _percentile(kind: Kind, value: object) -> float | None:
    if value is None:
        return None
    if kind != "value_percentile":
        raise _wrong("condition", f"{kind} 没有 percentile", f"{kind} takes no percentile")
    number = _number(value)
    if not 0 <= number <= 100:
        raise _wrong("condition", "percentile 应在 0 到 100 之间", "percentile lies between 0 and 100")
    return float(number)


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e18:
        raise _wrong("condition", f"{value!r} 不是可用的数", f"{value!r} is no usable number")
    return value


def _extended(expression: str, labels: tuple[str, ...]) -> tuple[Alternative, ...]:
    named = names_in(expression)
    if set(named) != set(labels):
        odd = min(set(named) ^ set(labels))
        raise _wrong(
            "condition",
            f"{odd} 应同时出现在 rules 和 condition 里",
            f"{odd} must stand both under rules and in the condition",
        )
    try:
        return alternatives_of(expression, labels)
    except RuleError as error:
        raise error.under("correlation", "condition") from None


def _ordered(limits: tuple[Limit, ...], labels: tuple[str, ...]) -> tuple[Alternative, ...]:
    """At least so many of the rules, in their order."""
    least = 0
    for limit in limits:
        if limit.comparison not in ("gte", "gt") or not float(limit.value).is_integer():
            raise _wrong(
                "condition", "temporal_ordered 只能用 gte 或 gt", "temporal_ordered takes gte or gt only"
            )
        least = max(least, int(limit.value) + (limit.comparison == "gt"))
    choices = ordered_choices(len(labels), max(least, 1))
    if choices is None:
        raise _wrong(
            "condition",
            "condition 永远不成立或情形太多",
            "the condition can never hold or has too many alternatives",
        )
    return choices


def _span(text: str) -> int:
    number, unit = text[:-1], text[-1:]
    seconds = (
        int(number) * _SECONDS[unit]
        if number.isascii() and number.isdigit() and len(number) <= 9 and unit in _SECONDS
        else 0
    )
    if not 0 < seconds <= SPAN_SECONDS_MAX:
        raise _wrong(
            "timespan", f"时间跨度 {text} 不可用", f"the timespan {text!r} cannot be used", _SPAN_FIX
        )
    return seconds


_SPAN_FIX: Final = Words(
    "写成数字加单位 s、m、h、d、w,例如 10m,至多 366d",
    "write a number and s, m, h, d or w, for example 10m; at most 366d",
)


def _finder(known: Sequence[Rule | Correlation]) -> Callable[[str, Correlation], str]:
    by_id = {one.id: one for one in known}
    by_name: dict[str, list[Rule | Correlation]] = {}
    for one in known:
        if one.name:
            by_name.setdefault(one.name, []).append(one)

    def find(label: str, user: Correlation) -> str:
        if label in by_id:
            return label
        named = by_name.get(label, [])
        named = [one for one in named if one.path == user.path] or named
        if len(named) == 1:
            return named[0].id
        if named:
            raise _reference(f"有多条规则名为 {label}", f"several rules are named {label!r}")
        raise _reference(f"没有编号或名字为 {label} 的规则", f"no rule has the id or name {label!r}")

    return find


def _with_ids(draft: Correlation, find: Callable[[str, Correlation], str]) -> Correlation:
    ids = tuple(find(label, draft) for label in draft.labels)
    if len(set(ids)) != len(ids):
        raise _reference("rules 两次指向同一条规则", "rules names one rule twice")
    aliases = {
        alias: {find(label, draft): field for label, field in names.items()}
        for alias, names in draft.aliases.items()
    }
    return msgspec.structs.replace(draft, rules=ids, aliases=aliases)


def _stuck(one: Correlation) -> RuleError:
    return _reference(
        f"关联“{one.title.zh}”引用的关联不可用或形成循环",
        f"the correlation “{one.title.en}” refers to one that cannot be used, or to itself in a circle",
    ).at(one.path, one.line)


def _reference(zh: str, en: str) -> RuleError:
    fix = Words("请改正 rules,或装入那条规则", "correct rules, or load that rule")
    return RuleError("rule-reference", Words(zh, en), fix, keys=("correlation", "rules"))


def _wrong(key: str, zh: str, en: str, fix: Words | None = None) -> RuleError:
    return malformed(zh, en, fix).under("correlation", key)
