"""A report as numbers: everything a rendering may print, and nothing it would have to look up.

Chapters whose data a center does not have carry None and say so in print: no zero stands for "not known".
Times and dates are already text, in Beijing time (compliance/report/times.py).
"""

from typing import Final, Literal

import msgspec

from compliance.evaluation import VERDICTS
from crypto.words import Words

TEMPLATE_VERSION: Final = "2"
DISCLAIMER: Final = Words(
    "自查参考，不作为等级测评结论", "a self-check for reference, never an assessment result"
)
CRYPTO_NOTE: Final = Words(
    "软件密码实现未经认证，密评不计分", "software cryptography, uncertified: no score in 密评"
)
VERDICT_RULE: Final = Words(
    "符合率 = 符合 ÷ (符合 + 部分符合 + 不符合)；未知与不适用不计入分母，另行列出",
    "rate = 符合 / (符合 + 部分符合 + 不符合); 未知 and 不适用 are listed apart",
)
SEVERITIES_ZH: Final = {
    "critical": "严重",
    "high": "高",
    "medium": "中",
    "low": "低",
    "informational": "信息",
}
Scope = Literal["unit", "system"]
State = Literal["draft", "prepared", "reviewed", "issued", "superseded"]
Step = Literal["prepare", "review", "approve"]
# What each step makes of a report, and what it must be before.
STEPS: Final[dict[Step, tuple[State, State]]] = {
    "prepare": ("draft", "prepared"),
    "review": ("prepared", "reviewed"),
    "approve": ("reviewed", "issued"),
}
STEPS_ZH: Final[dict[Step, str]] = {"prepare": "编制", "review": "审核", "approve": "批准"}


class SystemLine(msgspec.Struct, frozen=True, kw_only=True):
    """One graded system with its filing and assessments; '' where a date is not known."""

    id: str
    name: str
    unit: str
    unit_name: str
    level: int
    grade: str
    stage: str = ""
    filing_number: str = ""
    filing_expires: str = ""
    assessed: str = ""
    assessment_due: str = ""
    crypto_assessed: str = ""
    crypto_due: str = ""
    warnings: tuple[str, ...] = ()  # what is over its time, or will be within 90 days
    rate: float | None = None
    decided: int = 0


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One layer: number of checks per verdict."""

    layer: str
    name: str
    counts: dict[str, int]
    before: float | None = None  # its rate a month earlier

    @property
    def rate(self) -> float | None:
        """Share of 符合 among decided checks, 0..1; None where nothing is decided."""
        return rate_of(self.counts)


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The rate at the end of a month."""

    month: str
    rate: float | None
    decided: int


class AreaRow(msgspec.Struct, frozen=True, kw_only=True):
    """One unit below the reported one."""

    code: str
    name: str
    systems: int
    counts: dict[str, int]
    overdue: int = 0


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check of one system as the annex lists it."""

    id: str
    system: str
    layer: str
    title: str
    severity: str
    clauses: str
    verdict: str
    reason: str
    evaluated: str
    leaf: int | None


class RiskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check that falls short where the guide of high-risk cases has a case for its items."""

    system: str
    check: str
    title: str
    severity: str
    cases: str  # numbers of the cases
    triggers: str  # 重大风险隐患 A-01 … A-32
    verdict: str
    mitigation: str
    mended: bool  # it fell short in the month and does no more


class ScoreLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one system comes to by the rule of grading: a self-check, never an assessment result."""

    system: str
    template: str
    conclusion: str
    rate: float | None  # per cent, as the rule counts it
    decided: float  # per cent of items decided
    items: int
    high_risks: int
    mitigated: int
    major_risks: int  # counted before rectification
    rectified: int
    rule: str


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
    """One alert group of the month."""

    title: str
    severity: str
    entity: str
    count: int
    first_seen: str
    last_seen: str
    state: str
    classification: str
    category: str = ""


class AlertFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The month's alerts in numbers; times in minutes, None where there was nothing to measure."""

    total: int
    severities: dict[str, int]
    matrix: dict[str, dict[str, int]]  # category -> severity -> groups
    entities: tuple[tuple[str, int], ...]
    judged: int
    false_positives: int
    acknowledge_minutes: float | None
    close_minutes: float | None


class SensorLine(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor at the time of the report, with what it lost in the month."""

    id: str
    kind: str
    host: str
    state: str
    last_seen: str
    gaps: int
    lost: int


class RetentionLine(msgspec.Struct, frozen=True, kw_only=True):
    """How far back the events of one source go."""

    source: str
    oldest: str
    days: int
    gaps: int
    lost: int


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the month, or one that is still open."""

    number: str
    system: str
    check: str
    severity: str
    state: str
    owner: str
    issued: str
    deadline: str
    closed: str
    overdue: bool
    retests_failed: int


class OrderFigures(msgspec.Struct, frozen=True, kw_only=True):
    """整改 in numbers: of the orders issued in the month and those open from before."""

    issued: int
    answered: int
    closed: int
    on_time: int
    open: int
    overdue: int
    retests_failed: int
    worst: tuple[tuple[str, int], ...]  # units with the most overdue orders
    rows: tuple[OrderLine, ...]


class AttestationFigures(msgspec.Struct, frozen=True, kw_only=True):
    """人工证明 in numbers at the end of the month."""

    valid: int
    waiting: int
    expired: int
    rejected: int
    expiring: int  # within 30 days


class GateFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the gates said in the month."""

    allowed: int
    refused: int
    overridden: int
    refusals: tuple[tuple[str, str, str], ...]  # time, gate, about


class TransferFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Cross-network transfers of the month, both directions."""

    sent: int
    received: int
    refused: int
    content_bytes: int
    labels: dict[str, int]


class ImportLine(msgspec.Struct, frozen=True, kw_only=True):
    """One document imported as facts, such as a scan's or a backup's results."""

    system: str
    kind: str
    time: str
    rows: int
    sm3: str


class EvidenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the ledger the report rests on."""

    leaf: int
    kind: str
    subject: str
    time: str
    actor: str
    payload_sm3: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A text a person has written into a chapter."""

    section: str
    text: str
    author: str
    changed: str


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who took a step, and the record of it; ``key`` is the person's own SM2 key, '' signed in a session."""

    step: Step
    actor: str
    name: str
    time: str
    leaf: int
    key: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the renderings print of a month; texts and signatures come with ``Edition``."""

    template: str
    id: str
    month: str
    edition: int
    corrects: str
    due: str
    scope: Scope
    unit: str  # code of the unit, or id of the system
    unit_name: str
    center: str
    created: str
    rules: int
    systems: tuple[SystemLine, ...]
    layers: tuple[LayerRow, ...]
    trend: tuple[TrendPoint, ...]
    areas: tuple[AreaRow, ...]
    checks: tuple[CheckLine, ...]
    risks: tuple[RiskLine, ...]
    scores: tuple[ScoreLine, ...]
    alerts: tuple[AlertLine, ...]
    alert_figures: AlertFigures
    sensors: tuple[SensorLine, ...]
    events_total: int
    events_oldest: str
    retention_days: int
    retention: tuple[RetentionLine, ...]
    orders: OrderFigures | None
    attestations: AttestationFigures | None
    gates: GateFigures | None
    transfers: TransferFigures | None
    imports: tuple[ImportLine, ...]
    evidence: tuple[EvidenceLine, ...]
    ledger_size: int
    ledger_root: str
    checkpoint: str

    @property
    def totals(self) -> dict[str, int]:
        """Number of checks per verdict over all layers."""
        return {verdict: sum(row.counts[verdict] for row in self.layers) for verdict in VERDICTS}

    @property
    def rate(self) -> float | None:
        """Share of 符合 among decided checks over all layers."""
        return rate_of(self.totals)


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """A report with what people did to it: all that its files are made from."""

    report: Report
    state: State
    sections: tuple[Section, ...] = ()
    signatures: tuple[Signature, ...] = ()


def rate_of(counts: dict[str, int]) -> float | None:
    """Share of 符合 among decided verdicts, 0..1; None where nothing is decided."""
    decided = decided_of(counts)
    return counts.get("符合", 0) / decided if decided else None


def decided_of(counts: dict[str, int]) -> int:
    """How many verdicts the rate is a share of."""
    return sum(counts.get(verdict, 0) for verdict in ("符合", "部分符合", "不符合"))
