"""The monthly report as numbers: everything a rendering may print, and nothing it would have to look up.

Structure after the chapters a provincial officer expects (overview, graded systems, six layers, alerts,
sensors, logs, evidence). Chapters whose data this version does not have say so instead of showing zeros.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, UTC, datetime
from typing import Final

import msgspec

from compliance.checklist import LAYERS, Check
from compliance.evaluation import VERDICTS, Evaluation
from compliance.registry_store import GradedSystem
from crypto.words import BadInput, Words
from detection.store.inventory import Gap, SensorState

TEMPLATE_VERSION: Final = "1"
DISCLAIMER: Final = Words(
    "自查参考，不作为等级测评结论", "a self-check for reference, never an assessment result"
)
CRYPTO_NOTE: Final = Words(
    "软件密码实现未经认证，密评不计分", "software cryptography, uncertified: no score in 密评"
)
VERDICT_RULE: Final = Words(
    "符合率 = 符合 ÷ (符合 + 部分符合 + 不符合);未知与不适用不计入分母,另行列出",
    "rate = 符合 / (符合 + 部分符合 + 不符合); 未知 and 不适用 are listed apart",
)
SEVERITIES_ZH: Final = {
    "critical": "严重",
    "high": "高",
    "medium": "中",
    "low": "低",
    "informational": "信息",
}


class LayerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One layer: number of checks per verdict."""

    layer: str
    name: str
    counts: dict[str, int]

    @property
    def rate(self) -> float | None:
        """Share of 符合 among decided checks, 0..1; None where nothing is decided."""
        decided = sum(self.counts[v] for v in ("符合", "部分符合", "不符合"))
        return self.counts["符合"] / decided if decided else None


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One check as the annex lists it."""

    id: str
    layer: str
    title: str
    severity: str
    clauses: str
    verdict: str
    reason: str
    evaluated: str
    leaf: int | None


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


class SensorLine(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor at the end of the month."""

    id: str
    kind: str
    host: str
    state: str
    last_seen: str
    gaps: int
    lost: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the renderings print. Times are local to ``zone`` and already text."""

    template: str
    month: str
    edition: int
    unit: str
    unit_name: str
    center: str
    created: str
    systems: tuple[GradedSystem, ...]
    layers: tuple[LayerRow, ...]
    checks: tuple[CheckLine, ...]
    alerts: tuple[AlertLine, ...]
    alerts_total: int
    alert_counts: dict[str, int]
    sensors: tuple[SensorLine, ...]
    events_total: int
    events_oldest: str
    retention_days: int
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
        return LayerRow(layer="", name="", counts=self.totals).rate


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """[start, end) of a YYYY-MM month in UTC. Raises BadInput (report-month)."""
    try:
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise _bad_month(month) from error
    if start.strftime("%Y-%m") != month or start.year == MAXYEAR:
        raise _bad_month(month)
    following = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    return start, datetime(*following, 1, tzinfo=UTC)


def layer_rows(checks: Sequence[Check], verdicts: Mapping[str, str]) -> tuple[LayerRow, ...]:
    """The six layers in their order with the number of checks per verdict; unevaluated counts as 未知."""
    rows = []
    for layer, name in LAYERS.items():
        counted = Counter(verdicts.get(check.id, "未知") for check in checks if check.layer == layer)
        counts: dict[str, int] = {verdict: counted[verdict] for verdict in VERDICTS}
        rows.append(LayerRow(layer=layer, name=name.zh, counts=counts))
    return tuple(rows)


def check_lines(checks: Sequence[Check], kept: Mapping[str, tuple[Evaluation, int]]) -> tuple[CheckLine, ...]:
    """The annex: every check with its verdict and the leaf that proves it."""
    lines = []
    for check in checks:
        evaluation, leaf = kept.get(check.id, (None, None))
        lines.append(
            CheckLine(
                id=check.id,
                layer=LAYERS[check.layer].zh,
                title=check.title.zh,
                severity=SEVERITIES_ZH[check.severity],
                clauses="、".join(check.clauses),
                verdict=evaluation.verdict if evaluation else "未知",
                reason=evaluation.reason.zh if evaluation else "尚未评估",
                evaluated=minute(evaluation.evaluated) if evaluation else "",
                leaf=leaf,
            )
        )
    return tuple(lines)


def sensor_lines(sensors: Sequence[SensorState], gaps: Sequence[Gap]) -> tuple[SensorLine, ...]:
    """Sensors with what they lost."""
    return tuple(
        SensorLine(
            id=sensor.sensor,
            kind={"host": "主机", "network": "网络"}.get(sensor.kind, sensor.kind),
            host=sensor.host,
            state={"online": "在线", "silent": "失联"}[sensor.state],
            last_seen=minute(sensor.last_seen),
            gaps=sum(gap.sensor == sensor.sensor for gap in gaps),
            lost=sum(gap.count for gap in gaps if gap.sensor == sensor.sensor),
        )
        for sensor in sensors
    )


def minute(moment: datetime) -> str:
    """A time as reports print it: UTC to the minute, said so in the table's head."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _bad_month(month: str) -> BadInput:
    return BadInput(
        "report-month",
        Words(f"月份 {month!r} 不合格式", f"{month!r} is not a month"),
        Words("请写成 YYYY-MM,例如 2026-11", "write YYYY-MM, for example 2026-11"),
        field="month",
    )
