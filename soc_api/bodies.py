"""Bodies of the HTTP API as pydantic models: the contract between the console and the routes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Severity = Literal["informational", "low", "medium", "high", "critical"]
AlertState = Literal["new", "acknowledged", "closed"]
Classification = Literal["true_positive", "benign_positive", "false_positive", "test"]
Verdict = Literal["符合", "部分符合", "不符合", "不适用", "未知"]
Role = Literal[
    "system_admin",
    "security_admin",
    "audit_admin",
    "analyst",
    "shift_lead",
    "compliance_officer",
    "wall_display",
]


class Body(BaseModel):
    """Strict by default: an unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid")


class Text(Body):
    """One sentence in both languages."""

    zh: str
    en: str


class Problem(Body):
    """Every error answer: stable code, the field at fault, and what to do, in both languages."""

    code: str
    message: Text
    fix: Text
    field: str = ""


class SystemBadge(Body):
    """The graded system an alert's host or address is part of, with what its badge shows."""

    id: str
    name: str
    level: int
    grade: str
    filing_number: str
    critical: bool


class AlertGroup(Body):
    """One row of the queue: rule x entity, with the exact number of alerts in it.

    ``total`` counts the alerts of the ``members`` merged into it as well; ``parent`` is the group it is
    merged into itself. ``risk`` is the entity's, ``risk_own`` what this group adds to it. ``act`` is the act
    whose answer this is: it can be taken back for ten seconds.
    """

    id: str
    rule: str
    detector: Literal["sigma", "anomaly", "special", "health", "manual"]
    title: Text
    severity: Severity
    entity: str
    unit: str
    sensor: str
    count: int
    first_seen: datetime
    last_seen: datetime
    state: AlertState
    owner: str
    classification: Classification | Literal[""]
    close_reason: str
    reason: Text
    attack: list[str]
    clauses: list[str]
    revision: int
    risk: int = 0
    risk_own: int = 0
    latest: datetime | None = None
    unit_name: str = ""
    system: SystemBadge | None = None
    members: int = 0
    total: int = 0
    parent: str = ""
    snoozed_until: datetime | None = None
    withheld: bool = False  # by the alert budget, until one of its alerts is within it
    act: int | None = None
    incident: str = ""  # the number of the one that holds it


class AlertPage(Body):
    """GET /api/v1/alerts; ``next`` is the cursor of the following page, '' at the end.

    Where ``total`` is not ``exact``, there are at least that many: GET /api/v1/alerts/count tells.
    """

    rows: list[AlertGroup]
    total: int
    revision: int
    next: str
    exact: bool = True


class AlertCount(Body):
    """GET /api/v1/alerts/count: how many groups the filter holds, exactly."""

    total: int
    revision: int


def _set(value: Any) -> Any:
    """What a structure leaves unset is null."""
    return None if value is UNSET else value


Span = Annotated[tuple[float, float] | None, BeforeValidator(_set)]


class MatchRow(Body):
    """One field that made the alert true."""

    event: str
    field: str
    value: Any
    selection: str
    usual: Span = None  # of an anomaly: from, to of the entity itself
    peers: Span = None  # and of its peers
    label: Annotated[Text | None, BeforeValidator(_set)] = None  # what the value counts
    one_in: Annotated[float | None, BeforeValidator(_set)] = None  # windows, of which one is as rare
    last: Annotated[datetime | None, BeforeValidator(_set)] = None  # when the entity did it before


class EventRow(Body):
    """An event as stored."""

    id: str
    time: datetime
    ingested: datetime | None
    unit: str
    sensor: str
    logsource: dict[str, str]
    fields: dict[str, Any]
    native: dict[str, Any]


class AlertBody(Body):
    """One alert of a group, with its events and the fields that matched."""

    id: str
    time: datetime
    detected: datetime
    reason: Text
    events: list[EventRow]
    matched: list[MatchRow]


class HistoryRow(Body):
    """Who did what to a group, newest first."""

    time: datetime
    actor: str
    action: str
    note: str


class AlertDetail(Body):
    """GET /api/v1/alerts/{group}; the newest alerts first, 20 at most; groups merged into it."""

    group: AlertGroup
    alerts: list[AlertBody]
    history: list[HistoryRow]
    members: list[AlertGroup] = Field(default_factory=list)


class CloseAlert(Body):
    """POST /api/v1/alerts/{group}/close: classification and reason are both mandatory."""

    classification: Classification
    reason: str = Field(min_length=2, max_length=2000)


class CheckRow(Body):
    """One of the six-layer checks with its verdict now."""

    id: str
    layer: Literal["physical", "network", "platform", "data", "application", "management"]
    title: Text
    severity: Literal["critical", "high", "medium", "low"]
    clauses: list[str]
    method: Literal["probe", "attestation", "mixed"]
    verdict: Verdict
    reason: Text
    evaluated: datetime | None
    stale_at: datetime | None
    leaf: int | None


class CheckEvidence(Body):
    """One piece of evidence behind a verdict: the probe event, its raw output and parsed values."""

    event: str
    time: datetime
    host: str
    probe: str
    method: str
    raw: str
    values: dict[str, Any]
    satisfied: bool


class CheckDetail(Body):
    """GET /api/v1/checks/{id}: why this verdict and what would change it."""

    check: CheckRow
    condition: str
    evidence: list[CheckEvidence]
    remedy: Text
    history: list[CheckRow]


class LayerSummary(Body):
    """Counts of verdicts in one layer."""

    layer: str
    counts: dict[Verdict, int]


class CheckPage(Body):
    """GET /api/v1/checks."""

    system: str
    system_name: str
    grade: str
    layers: list[LayerSummary]
    checks: list[CheckRow]
    disclaimer: Text


class LeafRow(Body):
    """One evidence record of the ledger."""

    index: int
    kind: str
    time: datetime
    actor: str
    subject: str
    summary: str
    payload_sm3: str
    leaf_hash: str


class EvidencePage(Body):
    """GET /api/v1/evidence, newest first."""

    size: int
    root: str
    checkpoint: str
    rows: list[LeafRow]
    next: str


class WitnessRow(Body):
    """How far one witness has followed this center's ledger; ``problem`` says why not further."""

    witness: str
    size: int
    time: datetime | None
    problem: Text | None


class WitnessedLog(Body):
    """A ledger of another center that this one cosigns; size 0 where it has not asked yet."""

    origin: str
    size: int


class WitnessAlarm(Body):
    """An alert that a ledger was forked or rolled back, or that ours waited too long; ``group`` is its id."""

    kind: Literal["fork", "unwitnessed"]
    group: str
    origin: str
    time: datetime
    open: bool
    reason: Text


class WitnessState(Body):
    """GET /api/v1/witness: what the policy's quorum has cosigned, and since when records wait for it.

    ``key`` is the line other centers put into their policy to be witnessed by this one; ``logs`` are the
    ledgers this one cosigns. ``waits_since`` is no earlier than the policy; an alert is raised
    after ``patience_minutes``.
    """

    key: str
    quorum: bool
    size: int
    time: datetime | None
    unwitnessed_since: datetime | None
    waits_since: datetime | None
    patience_minutes: int
    witnesses: list[WitnessRow]
    logs: list[WitnessedLog]
    alarms: list[WitnessAlarm]


class VerifyResult(Body):
    """POST /api/v1/evidence/verify: the whole ledger recomputed from its leaves."""

    ok: bool
    size: int
    root: str
    checked_leaves: int
    checked_payloads: int
    checked_segments: int
    seconds: float
    findings: list[Text]


class Overview(Body):
    """GET /api/v1/overview: the numbers of the first page."""

    open_alerts: dict[Severity, int]
    events_last_hour: int
    alerts_last_day: list[int]
    sensors_online: int
    sensors_total: int
    verdicts: dict[Verdict, int]
    ledger_size: int
    ledger_root: str
    anomaly_state: Text


class AuditRow(Body):
    """One operation of a person or process."""

    sequence: int
    time: datetime
    actor: str
    source: str
    action: str
    object: str
    result: str
    before: str  # SM3 of the object as it was; "" where nothing is told
    after: str
    digest: str  # binds the line to the one before it


class AuditCheckResult(Body):
    """POST /api/v1/audit/verify: the chain followed, each line compared with its leaf in the ledger."""

    ok: bool
    lines: int
    leaves: int
    head: str
    findings: list[Text]


class AuditPage(Body):
    """GET /api/v1/audit."""

    rows: list[AuditRow]
    next: str
