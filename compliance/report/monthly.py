"""Collects the month's numbers from the stores into one Report; reads only, time is an argument."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from compliance.check_store import Kept
from compliance.checklist import Check
from compliance.ledger import Ledger
from compliance.registry_store import GradedSystem
from compliance.report.model import (
    SEVERITIES_ZH,
    TEMPLATE_VERSION,
    AlertLine,
    Report,
    check_lines,
    layer_rows,
    minute,
    month_bounds,
    sensor_lines,
)
from compliance.views import valid_at
from detection.store.alert_group import AlertGroup
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.inventory_store import InventoryStore

_PAGE: Final = 200
_GAPS_MAX: Final = 100_000
_GROUPS_MAX: Final = 20_000  # of one month; more would make an unreadable annex
_STATES_ZH: Final = {"new": "新", "acknowledged": "已确认", "closed": "已关闭"}
_CLASSES_ZH: Final = {
    "": "",
    "true_positive": "属实",
    "benign_positive": "属实无害",
    "false_positive": "误报",
    "test": "演练",
}


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the numbers come from."""

    systems: tuple[GradedSystem, ...]
    unit: str
    unit_name: str
    center: str
    checks: tuple[Check, ...]
    kept: Mapping[str, Kept]
    alerts: AlertStore
    inventory: InventoryStore
    events: EventStore
    ledger: Ledger
    retention_days: int


def monthly(sources: Sources, *, month: str, edition: int, now: datetime) -> Report:
    """The report of ``month`` as of ``now``. Raises BadInput (report-month)."""
    start, end = month_bounds(month)
    evaluations = {check: (valid_at(kept.evaluation, now), kept.leaf) for check, kept in sources.kept.items()}
    groups = list(_groups(sources.alerts, start, end))
    gaps = [gap for gap in sources.inventory.gaps(limit=_GAPS_MAX) if start <= gap.time < end]
    signed = sources.ledger.latest()
    size = signed.checkpoint.size if signed else 0  # what the checkpoint covers, whatever came after it
    return Report(
        template=TEMPLATE_VERSION,
        month=month,
        edition=edition,
        unit=sources.unit,
        unit_name=sources.unit_name,
        center=sources.center,
        created=minute(now),
        systems=sources.systems,
        layers=layer_rows(sources.checks, {name: one.verdict for name, (one, _) in evaluations.items()}),
        checks=check_lines(sources.checks, evaluations),
        alerts=tuple(map(_line, groups)),
        alerts_total=len(groups),
        alert_counts=dict(Counter(group.severity for group in groups)),
        sensors=sensor_lines(sources.inventory.sensors(now), gaps),
        events_total=max(0, sources.events.count_since(start) - sources.events.count_since(end)),
        events_oldest=_oldest(sources.events),
        retention_days=sources.retention_days,
        ledger_size=size,
        ledger_root=sources.ledger.root(size).hex(),
        checkpoint=signed.raw.decode() if signed else "",
    )


def _groups(store: AlertStore, start: datetime, end: datetime) -> Iterator[AlertGroup]:
    cursor, seen = "", 0
    while seen < _GROUPS_MAX:
        page = store.page(state="all", cursor=cursor, limit=_PAGE)
        for group in page.rows:
            if group.last_seen < start:
                return  # rows come newest first
            if group.first_seen < end:
                seen += 1
                yield group
        cursor = page.next
        if not cursor:
            return


def _line(group: AlertGroup) -> AlertLine:
    return AlertLine(
        title=group.title.zh,
        severity=SEVERITIES_ZH[group.severity],
        entity=group.entity,
        count=group.count,
        first_seen=minute(group.first_seen),
        last_seen=minute(group.last_seen),
        state=_STATES_ZH[group.state],
        classification=_CLASSES_ZH[group.classification],
    )


def _oldest(events: EventStore) -> str:
    times = [segment.time_min for segment in events.segments() if segment.status == "sealed"]
    return minute(min(times)) if times else "尚无封存段"
