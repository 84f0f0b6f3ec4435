"""Rule files -> rules: pySigma 1.5 parses, the rest is checked here; a bad rule never stops the others.

Our own keys stand under ``liuhe`` at the top level: entity, title_zh, description_zh, reason {zh, en},
clauses, drill. Correlations: detection/sigma/correlations.py; filters: detection/sigma/filters.py.
"""

import warnings
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from crypto.words import Words
from detection.condition import Always
from detection.correlation.rule import Correlation
from detection.sigma.correlations import correlation_of, resolved
from detection.sigma.document import Document, parse_documents
from detection.sigma.errors import RuleError, malformed
from detection.sigma.filters import Filter, filter_of, filtered
from detection.sigma.heading import heading, own_keys
from detection.sigma.kept import Kept, KeptRules
from detection.sigma.lists import Lists, expanded, read_lists
from detection.sigma.processing import Processing
from detection.sigma.rule import EntityKind, Heading, Rule
from detection.sigma.translate import blamed, from_sigma, parse_condition, renamed_modifiers, translated
from rules import ROOT
from sensors.event import LogSource

__all__ = ["Loaded", "RuleError", "load_all", "load_rules", "parse_condition", "rule_files", "rules_in"]

_ACTIONS: Final = ("global", "reset", "repeat")
SHIPPED: Final = ROOT / "lists"
_SUFFIXES: Final = (".yml", ".yaml")


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Rules with their filters joined, correlations (inner ones first), and what is wrong with the others."""

    rules: tuple[Rule, ...]
    correlations: tuple[Correlation, ...]
    errors: tuple[RuleError, ...]


class Found(msgspec.Struct, kw_only=True):
    """What files hold; correlations still name their rules as written, filters are not joined."""

    rules: list[Rule] = []
    correlations: list[Correlation] = []
    filters: list[Filter] = []
    errors: list[RuleError] = []


def load_rules(paths: Iterable[Path], lists: Lists | None = None) -> tuple[list[Rule], list[RuleError]]:
    """All rules of the files and folders, sorted by path, and what is wrong with the others."""
    loaded = load_all(paths, lists)
    return list(loaded.rules), list(loaded.errors)


def load_all(
    paths: Iterable[Path],
    lists: Lists | None = None,
    *,
    cache: Path | None = None,
    processing: Processing | None = None,
) -> Loaded:
    """All rules and correlations of the files and folders, sorted by path; filters are joined to rules.

    ``lists`` are those that ``expand`` may name; the product's own where it is None. ``cache`` is a file that
    keeps translated rules for the next start, but not where ``processing`` changes rules before.
    """
    found = Found()
    if lists is None:
        lists, found.errors = read_lists([SHIPPED])
    kept = KeptRules(cache, lists) if cache and processing is None else None
    for path in paths:
        files = list(rule_files(path))
        if not files:
            found.errors.append(_no_rules(path))
        for file in files:
            one = found_in(file, lists, kept, processing)
            found.rules += one.rules
            found.correlations += one.correlations
            found.filters += one.filters
            found.errors += one.errors
    if kept is not None:
        kept.save()
    return linked(found)


def linked(found: Found) -> Loaded:
    """Ids made unique, filters joined, references of correlations resolved."""
    errors = list(found.errors)
    taken: dict[str, Heading] = {}
    rules = [one for one in found.rules if _first(one, taken, errors)]
    drafts = [one for one in found.correlations if _first(one, taken, errors)]
    rules, unknown = filtered(rules, found.filters)
    correlations, unresolved = resolved(drafts, rules)
    return Loaded(
        rules=tuple(rules), correlations=tuple(correlations), errors=(*errors, *unknown, *unresolved)
    )


def _first(one: Heading, taken: dict[str, Heading], errors: list[RuleError]) -> bool:
    first = taken.setdefault(one.id, one)
    if first is not one:
        errors.append(_doubled(one, first))
    return first is one


def rule_files(path: Path) -> Iterator[Path]:
    """The rule files at or under ``path``, sorted."""
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    elif path.is_file():
        yield path


def rules_in(path: Path, lists: Lists | None = None) -> tuple[list[Rule], list[RuleError]]:
    """The rules of one file (or collection of documents), and what is wrong with the others."""
    found = found_in(path, lists or {})
    return found.rules, found.errors


def found_in(
    path: Path, lists: Lists, kept: KeptRules | None = None, processing: Processing | None = None
) -> Found:
    """Everything in one file (or collection of documents), and what is wrong with the others."""
    found = Found()
    try:
        data = path.read_bytes()
        digest = sha256(data).hexdigest()
        known = kept.known(path, digest) if kept else None
        if known is not None:
            return Found(
                rules=list(known.rules), correlations=list(known.correlations), filters=list(known.filters)
            )
        documents = parse_documents(data, path)
    except OSError as error:
        what = Words(f"规则文件读不出来:{error.strerror}", f"cannot read the rule file: {error.strerror}")
        fix = Words("请检查路径和权限", "check the path and its permissions")
        found.errors.append(RuleError("rule-unreadable", what, fix, path=path))
        return found
    except RuleError as error:
        found.errors.append(error)
        return found
    template: list[dict[str, Any]] = []
    for document in documents:
        try:
            _take(found, document, template, path, digest, lists, processing)
        except RuleError as error:
            found.errors.append(error.at(path, document.line(*error.keys)))
    if not (found.rules or found.correlations or found.filters or found.errors):
        found.errors.append(malformed("文件里没有规则", "no rule in the file").at(path, 1))
    if kept is not None and not found.errors:
        kept.keep(path, Kept(digest, tuple(found.rules), tuple(found.correlations), tuple(found.filters)))
    return found


def _take(
    found: Found,
    document: Document,
    template: list[dict[str, Any]],
    path: Path,
    digest: str,
    lists: Lists,
    processing: Processing | None,
) -> None:
    raw = document.value
    if isinstance(raw, dict) and len({"correlation", "filter", "detection"} & raw.keys()) > 1:
        raise malformed(
            "detection、correlation、filter 只能有一个",
            "detection, correlation and filter exclude each other",
        ).under("correlation" if "correlation" in raw else "filter")
    if isinstance(raw, dict) and "correlation" in raw:
        found.correlations.append(correlation_of(raw, document, path, digest))
    elif isinstance(raw, dict) and "filter" in raw:
        found.filters.append(filter_of(raw, document, path, digest))
    else:
        rule = _rule(document, template, path, digest, lists, processing)
        if rule is not None:
            found.rules.append(rule)


def _rule(
    document: Document,
    template: list[dict[str, Any]],
    path: Path,
    digest: str,
    lists: Lists,
    processing: Processing | None,
) -> Rule | None:
    """The rule of one document, or None for an empty one or a collection action kept in ``template``."""
    raw = document.value
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise malformed("一条规则应是一组键值", "a rule is a mapping of keys to values")
    plain = dict(raw)
    if "detection" in plain:
        plain["detection"] = renamed_modifiers(plain["detection"])
    if plain.get("action") in _ACTIONS:
        if plain["action"] == "reset":
            template.clear()
            return None
        template.append(plain)
        if plain["action"] == "global":
            return None
    parsed = _parsed([*template, plain] if plain.get("action") is None else template)
    if processing is not None:
        processing.apply(parsed)
    merged: dict[str, Any] = {**(template[0] if template else {}), **plain}
    return _checked(parsed, merged, path, document, digest, lists)


def _parsed(documents: list[dict[str, Any]]) -> SigmaRule:
    copies: list[Any] = [dict(document) for document in documents]
    try:
        # pySigma tries each regex with Python's own compiler, which warns about some character sets
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            collection = SigmaCollection.from_dicts(copies, collect_errors=False, resolve_references=False)
    except SigmaError as error:
        raise from_sigma(error).under(*blamed(documents[-1].get("detection"))) from None
    except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
        raise malformed(str(error), str(error)).under("id") from None
    rule = collection.rules[-1] if collection.rules else None
    if not isinstance(rule, SigmaRule):
        raise malformed("这里没有规则", "there is no rule here")
    return rule


def _checked(
    parsed: SigmaRule, raw: dict[str, Any], path: Path, document: Document, digest: str, lists: Lists
) -> Rule:
    if parsed.id is None:
        raise malformed("缺少 id", "id is missing", Words("请给一个新的 UUID", "give it a new UUID")).under(
            "id"
        )
    source = LogSource(
        product=parsed.logsource.product or "",
        category=parsed.logsource.category or "",
        service=parsed.logsource.service or "",
    )
    needs, filled = expanded(parsed.detection, lists)
    return Rule(
        **heading(parsed, raw),
        id=str(parsed.id),
        path=str(path),
        line=document.line("detection"),
        logsource=source,
        # without its list a rule says nothing: an empty list under "not" would make it say everything
        condition=Always(False) if needs else translated(parsed.detection),
        needs=needs,
        entity=own_keys(raw).entity or _entity(source),
        digest=sha256(f"{digest}\x00{filled}".encode()).hexdigest() if filled else digest,
    )


def _entity(source: LogSource) -> EntityKind:
    if source.product == "zeek":
        return "source"
    return "user" if source.category == "authentication" or source.service == "login" else "host"


def _doubled(rule: Heading, first: Heading) -> RuleError:
    return RuleError(
        "rule-doubled",
        Words(f"规则编号 {rule.id} 已由 {first.path} 使用", f"rule id {rule.id} is taken by {first.path}"),
        Words("请换一个新的 UUID", "give it a new UUID"),
        path=rule.path,
        line=rule.line,
    )


def _no_rules(path: Path) -> RuleError:
    return RuleError(
        "rule-none",
        Words("这里没有规则文件(*.yml)", "no rule files (*.yml) here"),
        Words("请检查路径", "check the path"),
        path=path,
    )
