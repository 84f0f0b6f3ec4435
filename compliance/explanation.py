"""A check explained: why this verdict on each object, on which evidence, and what would change it. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from compliance.attestation import Attestation
from compliance.attestation_form import AttestationForm
from compliance.check_store import Kept
from compliance.checklist import Check
from compliance.documents import DocumentKind
from compliance.evaluation import ATTESTED, Finding, FindingState, Verdict, by_object
from compliance.fact_names import fact_name
from compliance.gate import ENFORCED_BY, GateRules, failing
from compliance.order import Order, days_of
from compliance.views import valid_at
from crypto.words import Words
from sensors.event import Value

SOON: Final = timedelta(days=30)  # an end within it is named beforehand
_IMPORT: Final = "import."


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One test or statement on one object."""

    fact: str
    state: FindingState
    why: Words
    wanted: str  # the condition as its author wrote it; '' for a statement
    values: dict[str, Value]
    event: str
    seen: datetime | None
    stale_at: datetime | None
    change: Words  # what would change it; '' where nothing need be done


class ObjectReasons(msgspec.Struct, frozen=True, kw_only=True):
    """One object with its verdict and everything it rests on."""

    object: str
    verdict: Verdict
    reason: Words
    stale_at: datetime | None
    reasons: tuple[Reason, ...]


class GateStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What this check does to a gate now."""

    gate: str
    closes: bool
    fail_closed: bool
    at_once: bool


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a person needs to understand and to change a verdict."""

    check: str
    system: str
    verdict: Verdict
    reason: Words
    evaluated: datetime | None
    leaf: int | None
    objects: tuple[ObjectReasons, ...]
    changes: tuple[Words, ...]  # without repetition, what falls short first
    form: AttestationForm | None
    attestations: tuple[Attestation, ...]
    orders: tuple[Order, ...]
    gates: tuple[GateStanding, ...]
    days: int | None  # of an order it opens


def explain(
    check: Check,
    system: str,
    kept: Kept | None,
    now: datetime,
    *,
    attestations: Sequence[Attestation] = (),
    orders: Sequence[Order] = (),
    kinds: Mapping[str, DocumentKind],
    gates: GateRules,
) -> Explanation:
    """The explanation of a check's newest evaluation as it counts at ``now``."""
    evaluation = None if kept is None else valid_at(kept.evaluation, now)
    findings = () if evaluation is None else evaluation.findings
    objects = () if evaluation is None else by_object(check, evaluation)
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.object, []).append(finding)
    told = tuple(
        ObjectReasons(
            object=one.object,
            verdict=one.verdict,
            reason=one.reason,
            stale_at=one.stale_at,
            reasons=tuple(
                _reason(check, finding, kinds, attestations, now) for finding in grouped[one.object]
            ),
        )
        for one in objects
    )
    return Explanation(
        check=check.id,
        system=system,
        verdict="未知" if evaluation is None else evaluation.verdict,
        reason=Words("尚未评估", "not evaluated yet") if evaluation is None else evaluation.reason,
        evaluated=None if evaluation is None else evaluation.evaluated,
        leaf=None if kept is None else kept.leaf,
        objects=told,
        changes=_changes(check, told),
        form=check.form,
        attestations=tuple(attestations),
        orders=tuple(orders),
        gates=_gates(check, kept, now, gates),
        days=days_of(check),
    )


def _reason(
    check: Check,
    finding: Finding,
    kinds: Mapping[str, DocumentKind],
    attestations: Sequence[Attestation],
    now: datetime,
) -> Reason:
    wanted = next((test.text for test in check.tests if test.fact == finding.fact), "")
    evidence = finding.evidence
    return Reason(
        fact=finding.fact,
        state=finding.state,
        why=finding.why,
        wanted=wanted,
        values={} if evidence is None else evidence.fields,
        event="" if evidence is None else evidence.event,
        seen=None if evidence is None else evidence.time,
        stale_at=finding.stale_at,
        change=_change(check, finding, kinds, attestations, now),
    )


def _change(
    check: Check,
    finding: Finding,
    kinds: Mapping[str, DocumentKind],
    attestations: Sequence[Attestation],
    now: datetime,
) -> Words:
    """What would change one finding."""
    if finding.fact == ATTESTED:
        return _statement(check, finding, attestations, now)
    kind = kinds.get(finding.fact.removeprefix(_IMPORT)) if finding.fact.startswith(_IMPORT) else None
    if finding.state == "unsatisfied":
        return check.remedy
    called = fact_name(finding.fact)
    if finding.state == "unknown":
        if kind is not None:
            return Words(f"导入最新的「{kind.title.zh}」", f"import the newest: {kind.title.en}")
        if finding.evidence is not None and finding.evidence.error:
            return Words(
                f"让传感器能读取「{called.zh}」:{finding.evidence.error}",
                f"let the sensor read this: {called.en}: {finding.evidence.error}",
            )
        where = (f" {finding.object} 上", f" on {finding.object}") if finding.object else ("", "")
        return Words(
            f"恢复{where[0]}「{called.zh}」的上报", f"have this reported again{where[1]}: {called.en}"
        )
    if kind is not None and finding.stale_at is not None and finding.stale_at - now < SOON:
        day = finding.stale_at.date()
        return Words(f"在 {day} 前再次导入「{kind.title.zh}」", f"import again before {day}: {kind.title.en}")
    return Words("", "")


def _statement(check: Check, finding: Finding, attestations: Sequence[Attestation], now: datetime) -> Words:
    waiting = [one for one in attestations if one.state == "submitted"]
    if finding.state == "unknown":
        if waiting:
            author = waiting[-1].statement.author
            return Words(
                f"由 {author} 以外的人复核证明 {waiting[-1].id}",
                f"somebody other than {author} reviews attestation {waiting[-1].id}",
            )
        return Words(f"提交人工证明:{check.evidence_form}", f"hand in an attestation: {check.evidence_form}")
    if finding.state in ("unsatisfied", "partial"):
        return check.remedy
    if finding.stale_at is not None and finding.stale_at - now < SOON:
        day = finding.stale_at.date()
        return Words(f"在 {day} 前续报证明", f"renew the attestation before {day}")
    return Words("", "")


def _changes(check: Check, objects: Sequence[ObjectReasons]) -> tuple[Words, ...]:
    if not objects:
        return (check.remedy,)
    order: tuple[FindingState, ...] = ("unsatisfied", "partial", "unknown", "satisfied", "inapplicable")
    reasons = sorted((r for one in objects for r in one.reasons), key=lambda r: order.index(r.state))
    return tuple(dict.fromkeys(reason.change for reason in reasons if reason.change.zh))


def _gates(check: Check, kept: Kept | None, now: datetime, gates: GateRules) -> tuple[GateStanding, ...]:
    found = []
    for name in ENFORCED_BY:
        rule = gates.gates[name]
        if check.id not in rule.checks:
            continue
        evaluation = None if kept is None else valid_at(kept.evaluation, now)
        unknown = evaluation is None or evaluation.verdict == "未知"
        strict = check.id in rule.unknown or check.id in rule.fail_closed
        closes = strict if unknown else evaluation is not None and failing(rule, check.id, evaluation)
        found.append(
            GateStanding(
                gate=name,
                closes=closes,
                fail_closed=check.id in rule.fail_closed,
                at_once=check.id in rule.at_once,
            )
        )
    return tuple(found)
