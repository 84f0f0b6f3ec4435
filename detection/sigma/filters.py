"""Sigma filters: conditions added to rules of others without touching their files.

A filter joins the rules it names (ids or names, or ``any``) whose log source gives each key the filter gives:
a rule holds where both its own condition and the filter's do. Filters never touch correlations.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter

from crypto.words import Words
from detection.condition import Condition, all_of
from detection.sigma.document import Document
from detection.sigma.errors import RuleError, malformed
from detection.sigma.heading import named_id
from detection.sigma.rule import Rule, routes
from detection.sigma.translate import from_sigma, parse_condition
from sensors.event import LogSource


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One filter; ``rules`` is None where it joins every rule of the log source."""

    id: str
    path: str
    line: int
    title: str
    logsource: LogSource
    rules: tuple[str, ...] | None
    condition: Condition
    digest: str


def filter_of(raw: dict[str, Any], document: Document, path: Path, digest: str) -> Filter:
    """The filter of one document. Raises RuleError."""
    section = raw["filter"]
    if not isinstance(section, dict):
        raise malformed("filter 应是一组键值", "filter is a mapping").under("filter")
    detection = {name: value for name, value in section.items() if name != "rules"}
    try:
        condition = parse_condition(detection)
    except RuleError as error:
        raise RuleError(error.code, error.what, error.fix, keys=("filter", *error.keys[1:])) from None
    try:
        parsed = SigmaFilter.from_dict(dict(raw))
    except SigmaError as error:
        raise from_sigma(error).under("filter") from None
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise malformed(str(error), str(error)).under("filter") from None
    named = parsed.filter.rules
    return Filter(
        id=named_id(parsed),
        path=str(path),
        line=document.line("filter"),
        title=str(parsed.title),
        logsource=LogSource(
            product=parsed.logsource.product or "",
            category=parsed.logsource.category or "",
            service=parsed.logsource.service or "",
        ),
        rules=None if isinstance(named, str) else tuple(one.reference for one in named),
        condition=condition,
        digest=digest,
    )


def filtered(rules: Sequence[Rule], filters: Iterable[Filter]) -> tuple[list[Rule], list[RuleError]]:
    """The rules with their filters joined, and the references no rule answers to."""
    joined = list(rules)
    errors: list[RuleError] = []
    for one in filters:
        wanted = set(one.rules or ())
        met: set[str] = set()
        for place, rule in enumerate(joined):
            names = {rule.id, rule.name} & wanted
            if (one.rules is None or names) and routes(one.logsource, rule.logsource):
                joined[place] = _joined(rule, one)
            met |= names
        errors.extend(_unknown(one, name) for name in one.rules or () if name not in met)
    return joined, errors


def _joined(rule: Rule, one: Filter) -> Rule:
    digest = sha256(f"{rule.digest}\x00{one.digest}".encode()).hexdigest()
    return msgspec.structs.replace(rule, condition=all_of((rule.condition, one.condition)), digest=digest)


def _unknown(one: Filter, name: str) -> RuleError:
    return RuleError(
        "rule-reference",
        Words(f"过滤“{one.title}”:没有编号或名字为 {name} 的规则", f"filter “{one.title}”: no rule {name!r}"),
        Words("请改正 rules,或装入那条规则", "correct rules, or load that rule"),
        path=one.path,
        line=one.line,
    )
