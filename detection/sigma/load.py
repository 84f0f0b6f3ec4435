"""Rule files -> rules: pySigma 1.5 parses, the rest is checked here; a bad rule never stops the others.

Our own keys stand under ``liuhe`` at the top level: entity, title_zh, description_zh, reason {zh, en},
clauses, drill. Correlations and filters are refused until they are evaluated here.
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

from crypto.words import BadInput, Words
from detection.alert import SEVERITIES, Severity
from detection.reason import check_template
from detection.sigma.document import Document, parse_documents
from detection.sigma.errors import RuleError, from_known, malformed, unsupported
from detection.sigma.rule import EntityKind, Rule
from detection.sigma.translate import blamed, from_sigma, parse_condition, renamed_modifiers, translated
from sensors.event import LogSource

__all__ = ["RuleError", "load_rules", "parse_condition", "rule_files", "rules_in"]

_DEFAULT_LEVEL: Final[Severity] = "medium"  # a rule without a level still deserves a look
_ACTIONS: Final = ("global", "reset", "repeat")
_SUFFIXES: Final = (".yml", ".yaml")


class _Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class _Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``liuhe`` key of a rule."""

    entity: EntityKind | None = None
    title_zh: str = ""
    description_zh: str = ""
    reason: _Sentences | None = None
    clauses: tuple[str, ...] = ()
    drill: bool = False


def load_rules(paths: Iterable[Path]) -> tuple[list[Rule], list[RuleError]]:
    """All rules of the files and folders, sorted by path, and what is wrong with the others."""
    rules: dict[str, Rule] = {}
    errors: list[RuleError] = []
    for path in paths:
        files = list(rule_files(path))
        if not files:
            errors.append(_no_rules(path))
        for file in files:
            found, wrong = rules_in(file)
            errors.extend(wrong)
            for rule in found:
                first = rules.setdefault(rule.id, rule)
                if first is not rule:
                    errors.append(_doubled(rule, first))
    return list(rules.values()), errors


def rule_files(path: Path) -> Iterator[Path]:
    """The rule files at or under ``path``, sorted."""
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.is_file())
    elif path.is_file():
        yield path


def rules_in(path: Path) -> tuple[list[Rule], list[RuleError]]:
    """The rules of one file (or collection of documents), and what is wrong with the others."""
    try:
        data = path.read_bytes()
        documents = parse_documents(data, path)
    except OSError as error:
        what = Words(f"规则文件读不出来:{error.strerror}", f"cannot read the rule file: {error.strerror}")
        fix = Words("请检查路径和权限", "check the path and its permissions")
        return [], [RuleError("rule-unreadable", what, fix, path=path)]
    except RuleError as error:
        return [], [error]
    rules: list[Rule] = []
    errors: list[RuleError] = []
    digest = sha256(data).hexdigest()
    template: list[dict[str, Any]] = []
    for document in documents:
        try:
            rule = _rule(document, template, path, digest)
            if rule is not None:
                rules.append(rule)
        except RuleError as error:
            errors.append(error.at(path, document.line(*error.keys)))
    if not rules and not errors:
        errors.append(malformed("文件里没有规则", "no rule in the file").at(path, 1))
    return rules, errors


def _rule(document: Document, template: list[dict[str, Any]], path: Path, digest: str) -> Rule | None:
    """The rule of one document, or None for an empty one or a collection action kept in ``template``."""
    raw = document.value
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise malformed("一条规则应是一组键值", "a rule is a mapping of keys to values")
    if "correlation" in raw:
        raise unsupported("关联规则(correlation)", "a correlation rule").under("correlation")
    if "filter" in raw:
        raise unsupported("过滤规则(filter)", "a filter").under("filter")
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
    merged: dict[str, Any] = {**(template[0] if template else {}), **plain}
    return _checked(parsed, _own(merged), merged, path, document, digest)


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
    parsed: SigmaRule, own: _Own, raw: dict[str, Any], path: Path, document: Document, digest: str
) -> Rule:
    if parsed.id is None:
        raise malformed("缺少 id", "id is missing", Words("请给一个新的 UUID", "give it a new UUID")).under(
            "id"
        )
    level = str(parsed.level).lower() if parsed.level is not None else _DEFAULT_LEVEL
    source = LogSource(
        product=parsed.logsource.product or "",
        category=parsed.logsource.category or "",
        service=parsed.logsource.service or "",
    )
    title, description = str(parsed.title), str(parsed.description or "").strip()
    return Rule(
        id=str(parsed.id),
        path=str(path),
        line=document.line("detection"),
        title=Words(own.title_zh or title, title),
        description=Words(own.description_zh or description, description),
        level=next((known for known in SEVERITIES if known == level), _DEFAULT_LEVEL),
        logsource=source,
        condition=translated(parsed.detection),
        entity=own.entity or _entity(source),
        status=str(parsed.status).lower() if parsed.status else "",
        author=str(parsed.author or ""),
        attack=_techniques(raw.get("tags")),
        clauses=own.clauses,
        reason=Words(own.reason.zh, own.reason.en) if own.reason else None,
        falsepositives=tuple(str(one) for one in parsed.falsepositives or ()),
        references=tuple(str(one) for one in parsed.references or ()),
        drill=own.drill,
        digest=digest,
    )


def _own(raw: dict[str, Any]) -> _Own:
    try:
        own = msgspec.convert(raw.get("liuhe") or {}, _Own)
        for sentence in (own.reason.zh, own.reason.en) if own.reason else ():
            check_template(sentence)
    except msgspec.ValidationError as error:
        fix = Words(
            "liuhe 下可用:entity、title_zh、description_zh、reason、clauses、drill",
            "liuhe takes entity, title_zh, description_zh, reason, clauses and drill",
        )
        raise malformed(f"liuhe:{error}", f"liuhe: {error}", fix).under("liuhe") from None
    except BadInput as error:
        raise from_known(error).under("liuhe", "reason") from None
    return own


def _entity(source: LogSource) -> EntityKind:
    if source.product == "zeek":
        return "source"
    return "user" if source.category == "authentication" or source.service == "login" else "host"


def _techniques(tags: object) -> tuple[str, ...]:
    """ATT&CK technique ids among the tags: attack.t1059.004 -> T1059.004."""
    names = [str(tag).lower() for tag in tags] if isinstance(tags, list) else []
    return tuple(
        name.removeprefix("attack.").upper()
        for name in names
        if name.startswith("attack.t") and name[8:9].isdigit()
    )


def _doubled(rule: Rule, first: Rule) -> RuleError:
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
