"""What is known of each item on each object of a graded system: verdicts of checks and confirmed statements.

Pure. A check's verdict counts for every item it evidences. A person's statement counts once another person
has confirmed it; it may set an item 不适用 or lower it and decide what no check decides, but it never lifts
what a check found short. What nobody has said is 未知.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from compliance.catalogue import Catalogue, Item
from compliance.checklist import Check
from compliance.evaluation import Verdict
from compliance.registry import AssessmentObject, ObjectKind
from crypto.words import Words

Risk = Literal["", "low", "medium", "high", "major"]
StatementState = Literal["proposed", "confirmed", "refused", "withdrawn", "replaced"]
SHORT: Final[tuple[Verdict, ...]] = ("不符合", "部分符合")
# One of a kind in a system: what a check says of the system as a whole, it says of them.
_SINGLE: Final[frozenset[ObjectKind]] = frozenset(
    {"room", "network", "boundary", "center", "organisation", "data"}
)
# A check of one layer says nothing of the other's objects where both ask the same item.
_LAYERS: Final[dict[ObjectKind, tuple[str, ...]]] = {
    "application": ("application",),
    "network-device": ("platform", "network"),
    "security-device": ("platform", "network"),
    "host": ("platform",),
    "terminal": ("platform",),
    "storage": ("platform",),
    "database": ("platform",),
    "middleware": ("platform",),
}
_NAMED_MAX: Final = 3
_UNKNOWN: Final[tuple[Verdict, ...]] = ("未知",)
_NO_CHECK: Final = Words("没有检查项涉及,须人工陈述", "no check speaks of it; a person must")
_NO_OBJECT: Final = Words("尚未登记可判定的测评对象", "no object it could be judged on is registered")


class CheckVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one check says of one object ('' is the system as a whole) now."""

    object: str
    check: str
    verdict: Verdict
    reason: Words
    stale_at: datetime | None = None
    leaf: int | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of an item on an object ('' is every object); see grading.md."""

    number: int = 0
    system: str
    object: str = ""
    item: str
    verdict: Literal["", "符合", "部分符合", "不符合", "不适用"] = ""
    risk: Literal["", "low", "medium"] = ""  # after mitigation
    reason: str
    mitigation: str = ""
    author: str
    made: datetime
    valid_until: datetime | None = None
    state: StatementState = "proposed"
    reviewer: str = ""
    reviewed: datetime | None = None
    review: str = ""

    def counts_at(self, now: datetime) -> bool:
        """Confirmed by another person and not past its time."""
        return self.state == "confirmed" and (self.valid_until is None or now <= self.valid_until)


class ItemResult(msgspec.Struct, frozen=True, kw_only=True):
    """One item on one object, with who says so and until when; ``object`` is '' where there is none."""

    item: str
    object: str
    verdict: Verdict
    reason: Words
    by: tuple[str, ...]  # check ids, or "user:…" of a statement's author
    leaves: tuple[int, ...]
    stale_at: datetime | None
    risk: Risk
    mitigation: str = ""
    statement: int | None = None


def grade_items(
    items: Sequence[Item],
    *,
    catalogue: Catalogue,
    objects: Sequence[AssessmentObject],
    checks: Sequence[Check],
    verdicts: Iterable[CheckVerdict],
    statements: Iterable[Statement],
    now: datetime,
) -> tuple[ItemResult, ...]:
    """Every item on every object it is judged on, in the order of the items."""
    asking = _Asking(asking_checks(checks), {check.id: check.layer for check in checks})
    said: dict[str, dict[str, CheckVerdict]] = {}
    for one in verdicts:
        said.setdefault(one.check, {})[one.object] = one
    voices: dict[tuple[str, str], Statement] = {}
    for statement in sorted(statements, key=lambda one: one.number):
        if statement.counts_at(now):
            voices[statement.item, statement.object] = statement
    return tuple(
        _voiced(result, item, voices.get((item.id, result.object)) or voices.get((item.id, "")))
        for item in items
        for result in _by_checks(item, catalogue, objects, asking, said)
    )


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """Several verdicts as one: short of it anywhere is short, unknown anywhere else is 未知."""
    those = list(verdicts)
    decided = [one for one in those if one not in ("未知", "不适用")]
    if any(one in SHORT for one in decided):
        return "不符合" if all(one == "不符合" for one in decided) else "部分符合"
    if not those or "未知" in those:
        return "未知"
    return "符合" if decided else "不适用"


def checks_of(item: Item, catalogue: Catalogue, asking: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Checks that evidence an item, at its own level or by the level-3 items that say the same."""
    names = [item.id, *catalogue.source(item).items]
    return tuple(dict.fromkeys(check for name in names for check in asking.get(name, ())))


def asked_of(items: Iterable[Item], catalogue: Catalogue, checks: Sequence[Check]) -> frozenset[str]:
    """The checks that a system with these items is asked: those that evidence one, and those law asks."""
    asking = asking_checks(checks)
    law = {check.id for check in checks if check.every_system}
    return frozenset(law.union(*(checks_of(item, catalogue, asking) for item in items)))


def asking_checks(checks: Sequence[Check]) -> dict[str, list[str]]:
    """Item id -> ids of the checks that name it."""
    asking: dict[str, list[str]] = {}
    for check in checks:
        for clause in check.clauses:
            name = f"L3-{clause}" if clause.startswith("8.") else clause
            asking.setdefault(name, []).append(check.id)
    return asking


class _Asking(msgspec.Struct, frozen=True):
    checks: Mapping[str, Sequence[str]]  # item -> checks that name it
    layers: Mapping[str, str]  # check -> its layer


def _by_checks(
    item: Item,
    catalogue: Catalogue,
    objects: Sequence[AssessmentObject],
    asking: _Asking,
    said: Mapping[str, Mapping[str, CheckVerdict]],
) -> Iterable[ItemResult]:
    names = checks_of(item, catalogue, asking.checks)
    # A check that names an item of level 4 itself asks as much as it does.
    as_strict = catalogue.source(item).exact or item.id in asking.checks
    judged = catalogue.judged_on(item, objects)
    if not judged:
        yield _result(item, "", "未知", _NO_OBJECT)
    for one in judged:
        fitting = [name for name in names if asking.layers[name] in _LAYERS.get(one.kind, ())] or names
        heard = [row for name in fitting if (row := _heard(one, said.get(name, {}), name)) is not None]
        yield _of_checks(item, one, fitting, heard, as_strict=as_strict)


def _heard(one: AssessmentObject, rows: Mapping[str, CheckVerdict], check: str) -> CheckVerdict | None:
    """What a check says of an object: by its name, else as a whole where the check does not go by objects."""
    own = rows.get(one.name) or (rows.get("center") if one.kind == "center" else None)
    if own is not None:
        return own
    whole = rows.get("")
    named = [row for name, row in rows.items() if name not in ("", "center")]
    if one.kind in _SINGLE or not named:
        if whole is not None or not named:
            return whole
        worst = combined(row.verdict for row in named)
        return next((row for row in named if row.verdict == worst), named[0])
    unread = Words(f"{check} 在此对象上没有读数", f"{check} has no reading of this object")
    return CheckVerdict(object=one.name, check=check, verdict="未知", reason=unread)


def _of_checks(
    item: Item,
    one: AssessmentObject,
    names: Sequence[str],
    heard: Sequence[CheckVerdict],
    *,
    as_strict: bool,
) -> ItemResult:
    if not names:
        return _result(item, one.id, "未知", _NO_CHECK)
    missing = [name for name in names if name not in {row.check for row in heard}]
    verdict = combined([*(row.verdict for row in heard), *_UNKNOWN[: len(missing)]])
    reason = _why(verdict, heard, missing)
    if verdict == "符合" and item.level == 4 and not as_strict:
        verdict = "部分符合"
        reason = Words(
            "检查项只及三级要求,四级加严部分须人工陈述",
            "the checks ask no more than level 3; a person must state the rest",
        )
    # What made the verdict: an unknown check says nothing to a known shortcoming.
    telling = SHORT if verdict in SHORT else (verdict,)
    counted = [row for row in heard if row.verdict in telling] or list(heard)
    return _result(
        item,
        one.id,
        verdict,
        reason,
        by=tuple(row.check for row in counted),
        leaves=tuple(row.leaf for row in counted if row.leaf is not None),
        stale_at=min((row.stale_at for row in counted if row.stale_at), default=None),
    )


def _why(verdict: Verdict, heard: Sequence[CheckVerdict], missing: Sequence[str]) -> Words:
    if verdict == "未知" and missing:
        names = "、".join(missing[:_NAMED_MAX])
        return Words(f"{names} 尚未评估", f"{', '.join(missing[:_NAMED_MAX])} not evaluated yet")
    telling = [row for row in heard if row.verdict == verdict] or [
        row for row in heard if row.verdict in SHORT
    ]
    shown = telling[:_NAMED_MAX]
    return Words(
        ";".join(f"{row.check} {row.reason.zh}" for row in shown),
        "; ".join(f"{row.check} {row.reason.en}" for row in shown),
    )


def _voiced(result: ItemResult, item: Item, statement: Statement | None) -> ItemResult:
    """The result with what people have stated and confirmed."""
    if statement is None:
        return result
    said, verdict = statement.verdict or result.verdict, result.verdict
    if verdict == "未知" or said in ("不适用", *SHORT):
        verdict = said
    changed = verdict != result.verdict
    reason = result.reason
    if changed or verdict == "未知":
        reason = Words(statement.reason, statement.reason)
    elif said != verdict:
        reason = Words(
            f"{result.reason.zh};陈述「{said}」与之矛盾,不予采信",
            f"{result.reason.en}; a statement says otherwise and does not count",
        )
    risk = _risk(item, verdict)
    return msgspec.structs.replace(
        result,
        verdict=verdict,
        reason=reason,
        by=(statement.author,) if changed else (*result.by, statement.author),
        stale_at=min((t for t in (result.stale_at, statement.valid_until) if t), default=None),
        risk=statement.risk if risk and statement.risk else risk,
        mitigation=statement.mitigation,
        statement=statement.number,
    )


def _result(
    item: Item,
    name: str,
    verdict: Verdict,
    reason: Words,
    *,
    by: tuple[str, ...] = (),
    leaves: tuple[int, ...] = (),
    stale_at: datetime | None = None,
) -> ItemResult:
    return ItemResult(
        item=item.id,
        object=name,
        verdict=verdict,
        reason=reason,
        by=by,
        leaves=leaves,
        stale_at=stale_at,
        risk=_risk(item, verdict),
    )


def _risk(item: Item, verdict: Verdict) -> Risk:
    """What falling short means: by major-risk triggers and high-risk cases, else by the item's weight."""
    if verdict not in SHORT:
        return ""
    if item.major_risk_triggers:
        return "major"
    if item.high_risk_cases:
        return "high"
    return "low" if item.severity == "low" else "medium"
