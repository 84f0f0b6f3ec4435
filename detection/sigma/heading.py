"""What every rule, correlation and filter says of itself, and our own keys under ``liuhe``."""

from hashlib import sha256
from typing import Any, Final

import msgspec
from sigma.rule.base import SigmaRuleBase

from crypto.words import BadInput, Words
from detection.alert import SEVERITIES, Severity
from detection.reason import check_template
from detection.sigma.errors import from_known, malformed
from detection.sigma.rule import EntityKind
from detection.sigma.tactics import tactics_of

DEFAULT_LEVEL: Final[Severity] = "medium"  # a rule without a level still deserves a look


class _Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class Own(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``liuhe`` key of a rule."""

    entity: EntityKind | None = None
    title_zh: str = ""
    description_zh: str = ""
    reason: _Sentences | None = None
    clauses: tuple[str, ...] = ()
    drill: bool = False


def own_keys(raw: dict[str, Any]) -> Own:
    """The ``liuhe`` key of a document. Raises RuleError."""
    try:
        own = msgspec.convert(raw.get("liuhe") or {}, Own)
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


def heading(parsed: SigmaRuleBase, raw: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``Heading`` but for id and place. Raises RuleError."""
    own = own_keys(raw)
    level = str(parsed.level).lower() if parsed.level is not None else DEFAULT_LEVEL
    title, description = str(parsed.title), str(parsed.description or "").strip()
    return {
        "title": Words(own.title_zh or title, title),
        "description": Words(own.description_zh or description, description),
        "level": next((known for known in SEVERITIES if known == level), DEFAULT_LEVEL),
        "name": str(parsed.name or ""),
        "status": str(parsed.status).lower() if parsed.status else "",
        "author": str(parsed.author or ""),
        "attack": _techniques(raw.get("tags")),
        "tactics": tactics_of(raw.get("tags")),
        "clauses": own.clauses,
        "reason": Words(own.reason.zh, own.reason.en) if own.reason else None,
        "falsepositives": tuple(str(one) for one in parsed.falsepositives or ()),
        "references": tuple(str(one) for one in parsed.references or ()),
        "drill": own.drill,
    }


def named_id(parsed: SigmaRuleBase) -> str:
    """The id of a document for which Sigma does not ask one: its own, or one made of name and title."""
    if parsed.id is not None:
        return str(parsed.id)
    return sha256(f"{parsed.name or ''}\x00{parsed.title}".encode()).hexdigest()[:32]


def _techniques(tags: object) -> tuple[str, ...]:
    """ATT&CK technique ids among the tags: attack.t1059.004 -> T1059.004."""
    names = [str(tag).lower() for tag in tags] if isinstance(tags, list) else []
    return tuple(
        name.removeprefix("attack.").upper()
        for name in names
        if name.startswith("attack.t") and name[8:9].isdigit()
    )
