"""What the console is told of checks: rows, pages and details, frozen and in both languages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from compliance.check_store import Kept
from compliance.checklist import LAYERS, Check
from compliance.evaluation import VERDICTS, Evaluation, Finding
from compliance.registry import GradedSystem
from compliance.report.model import DISCLAIMER
from crypto.words import Words
from sensors.event import Value

_NOT_YET: Final = Words("尚未评估", "not evaluated yet")
_STALE: Final = Words("证据已过期,按未知计", "the evidence is stale and counts as unknown")


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """One check with the verdict valid now."""

    id: str
    layer: str
    title: Words
    severity: str
    clauses: tuple[str, ...]
    method: str
    verdict: str
    reason: Words
    evaluated: datetime | None
    stale_at: datetime | None
    leaf: int | None


class CheckEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One fact behind a verdict."""

    event: str
    time: datetime
    host: str
    probe: str
    method: str
    raw: str
    values: dict[str, Value]
    satisfied: bool


class CheckDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Why this verdict, on which evidence, and what would change it."""

    check: CheckRow
    condition: str
    evidence: tuple[CheckEvidence, ...]
    remedy: Words
    history: tuple[CheckRow, ...]


class LayerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Number of checks of a layer per verdict."""

    layer: str
    counts: dict[str, int]


class CheckPage(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of one graded system."""

    system: str
    system_name: str
    grade: str
    layers: tuple[LayerSummary, ...]
    checks: tuple[CheckRow, ...]
    disclaimer: Words


def valid_at(evaluation: Evaluation, now: datetime) -> Evaluation:
    """The evaluation as it counts at ``now``: past its freshness it is 未知."""
    if evaluation.stale_at is None or now <= evaluation.stale_at or evaluation.verdict == "未知":
        return evaluation
    return msgspec.structs.replace(evaluation, verdict="未知", reason=_STALE)


def row_of(check: Check, kept: Kept | None, now: datetime | None) -> CheckRow:
    """The row of a check; ``now`` None shows the verdict as it was when given (history)."""
    evaluation = kept.evaluation if kept else None
    if evaluation and now:
        evaluation = valid_at(evaluation, now)
    return CheckRow(
        id=check.id,
        layer=check.layer,
        title=check.title,
        severity=check.severity,
        clauses=check.clauses,
        method=check.method,
        verdict=evaluation.verdict if evaluation else "未知",
        reason=evaluation.reason if evaluation else _NOT_YET,
        evaluated=evaluation.evaluated if evaluation else None,
        stale_at=evaluation.stale_at if evaluation else None,
        leaf=kept.leaf if kept else None,
    )


def page_of(
    system: GradedSystem, checks: Sequence[Check], kept: Mapping[str, Kept], now: datetime
) -> CheckPage:
    """The page of a system."""
    rows = tuple(row_of(check, kept.get(check.id), now) for check in checks)
    layers = tuple(
        LayerSummary(
            layer=layer,
            counts={
                verdict: sum(row.layer == layer and row.verdict == verdict for row in rows)
                for verdict in VERDICTS
            },
        )
        for layer in LAYERS
    )
    return CheckPage(
        system=system.id,
        system_name=system.name,
        grade=system.grade,
        layers=layers,
        checks=rows,
        disclaimer=DISCLAIMER,
    )


def detail_of(check: Check, kept: Kept | None, history: Sequence[Kept], now: datetime) -> CheckDetail:
    """The detail of a check."""
    findings = kept.evaluation.findings if kept else ()
    condition = "\n\n".join(f"# {test.fact}\n{test.text}" for test in check.tests)
    return CheckDetail(
        check=row_of(check, kept, now),
        condition=condition or check.looks_at,
        evidence=tuple(_evidence(finding) for finding in findings if finding.evidence),
        remedy=check.remedy,
        history=tuple(row_of(check, one, None) for one in history),
    )


def _evidence(finding: Finding) -> CheckEvidence:
    fact = finding.evidence
    assert fact is not None
    return CheckEvidence(
        event=fact.event,
        time=fact.time,
        host=fact.object,
        probe=fact.name,
        method=fact.method,
        raw=fact.error or fact.raw,
        values=fact.fields,
        satisfied=finding.state == "satisfied",
    )
