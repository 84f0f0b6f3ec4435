"""Checks, layers, systems and sensors as lines of a report: pure, from values already read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from compliance.checklist import LAYERS, Check
from compliance.evaluation import VERDICTS, Evaluation
from compliance.registry import GradedSystem
from compliance.report.model import SEVERITIES_ZH, CheckLine, LayerRow, SensorLine, rate_of
from compliance.report.times import ZONE, minute
from detection.store.inventory import Gap, SensorState

WARN: Final = timedelta(days=90)
STAGES_ZH: Final = {
    "draft": "草稿",
    "graded": "已定级",
    "reviewed": "已评审",
    "approved": "已核准",
    "filed": "已备案",
    "building": "建设整改",
    "assessed": "已测评",
    "rectifying": "整改中",
    "operating": "运行",
    "changing": "变更中",
    "retired": "已退役",
}

Verdicts = Mapping[tuple[str, str], Evaluation]


def counts_of(
    checks: Sequence[Check], systems: Sequence[str] | Mapping[str, str], verdicts: Verdicts
) -> dict[str, int]:
    """Number of (system, check) per verdict; unevaluated counts as 未知."""
    counted = Counter(
        verdicts[system, check.id].verdict if (system, check.id) in verdicts else "未知"
        for system in systems
        for check in checks
    )
    return {verdict: counted[verdict] for verdict in VERDICTS}


def layer_rows(
    checks: Sequence[Check], systems: Mapping[str, str], verdicts: Verdicts, before: Verdicts
) -> tuple[LayerRow, ...]:
    """The six layers in their order with the number of checks per verdict, and their rate a month earlier."""
    rows = []
    for layer, name in LAYERS.items():
        inside = [check for check in checks if check.layer == layer]
        rows.append(
            LayerRow(
                layer=layer,
                name=name.zh,
                counts=counts_of(inside, systems, verdicts),
                before=rate_of(counts_of(inside, systems, before)),
            )
        )
    return tuple(rows)


def check_lines(
    checks: Sequence[Check],
    systems: Sequence[GradedSystem],
    kept: Mapping[tuple[str, str], tuple[Evaluation, int]],
) -> tuple[CheckLine, ...]:
    """The annex: every check of every system with its verdict and the leaf that proves it."""
    lines = []
    for system in systems:
        for check in checks:
            evaluation, leaf = kept.get((system.id, check.id), (None, None))
            lines.append(
                CheckLine(
                    id=check.id,
                    system=system.name,
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


def warnings_of(system: GradedSystem, now: datetime) -> tuple[str, ...]:
    """What of a system is over its time or will be within 90 days; what a level-3 system lacks."""
    today = now.astimezone(ZONE).date()
    found = []
    for what, until in (
        ("备案证明", system.filing_expires),
        ("等级测评", system.assessment_due),
        ("密评", system.crypto_due),
    ):
        if until is not None and until < today:
            found.append(f"{what}已于 {until} 到期")
        elif until is not None and until - today <= WARN:
            found.append(f"{what}将于 {until} 到期")
    if system.level >= 2 and not system.filing_number:
        found.append("未登记备案证明")
    if system.level >= 3 and system.assessed is None:
        found.append("未登记等级测评")
    return tuple(found)
