"""A month's alert groups as lines and as figures."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from compliance.report.categories import CATEGORIES, category_of
from compliance.report.model import SEVERITIES_ZH, AlertFigures, AlertLine
from compliance.report.times import minute
from detection.store.alert_group import AlertGroup

_ENTITIES_MAX: Final = 10
_STATES_ZH: Final = {"new": "新", "acknowledged": "已确认", "closed": "已关闭"}
_CLASSES_ZH: Final = {
    "": "",
    "true_positive": "属实",
    "benign_positive": "属实无害",
    "false_positive": "误报",
    "test": "演练",
}


def alert_line(group: AlertGroup) -> AlertLine:
    """One group as the annex lists it."""
    return AlertLine(
        title=group.title.zh,
        severity=SEVERITIES_ZH[group.severity],
        entity=group.entity,
        count=group.count,
        first_seen=minute(group.first_seen),
        last_seen=minute(group.last_seen),
        state=_STATES_ZH[group.state],
        classification=_CLASSES_ZH[group.classification],
        category=category_of(group.attack, group.detector),
    )


def alert_figures(groups: Sequence[AlertGroup], handling: tuple[float | None, float | None]) -> AlertFigures:
    """The figures of groups; ``handling`` are the mean minutes to acknowledgement and to closing."""
    matrix: dict[str, dict[str, int]] = {}
    for group in groups:
        row = matrix.setdefault(category_of(group.attack, group.detector), {})
        row[group.severity] = row.get(group.severity, 0) + 1
    entities = Counter(group.entity for group in groups)
    judged = [group for group in groups if group.classification not in ("", "test")]
    acknowledged, closed = handling
    return AlertFigures(
        total=len(groups),
        severities=dict(Counter(group.severity for group in groups)),
        matrix={name: matrix[name] for name in CATEGORIES if name in matrix},
        entities=tuple(sorted(entities.items(), key=lambda one: (-one[1], one[0]))[:_ENTITIES_MAX]),
        judged=len(judged),
        false_positives=sum(group.classification == "false_positive" for group in judged),
        acknowledge_minutes=acknowledged,
        close_minutes=closed,
    )
