"""Figures that several pages count alike, within the units an account sees."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from compliance.incident import Incident, next_due
from compliance.incident_store import IncidentFigures, IncidentQuery
from compliance.notice import Notice, Receipt
from compliance.order import Order
from detection.condition import Always
from detection.store.survey import Question

if TYPE_CHECKING:
    from soc_api.context import Center

Units = frozenset[str] | None

ORDERS_SPAN: Final = timedelta(days=30)
LATE_MAX: Final = 50


def events_last_hour(center: "Center", now: datetime, units: Units) -> int:
    """How many events of these units the center stored in the last hour."""
    since = now - timedelta(hours=1)
    if units is None:
        return center.events.count_since(since)
    question = Question(condition=Always(True), since=since, until=now, units=units, limit=1, slots=1)
    matched = 0
    for progress in center.events.survey(question):
        matched = progress.matched
    return matched


def open_receipts(center: "Center", units: Units) -> Iterator[tuple[Notice, Receipt]]:
    """What receivers within these units still owe about notices that are out."""
    if center.casework is None:
        return
    for notice in center.casework.notice_rows.running():
        for receipt in notice.receipts:
            if receipt.open and (units is None or receipt.unit in units):
                yield notice, receipt


def incident_figures(center: "Center", units: Units, now: datetime) -> IncidentFigures:
    """How many incidents of these units are active, and how many owe a report that is late."""
    if center.casework is None:
        return IncidentFigures(active=0, overdue=0, grades={})
    return center.casework.incident_rows.figures(units, now)


def late_incidents(center: "Center", units: Units, now: datetime) -> Iterator[tuple[Incident, datetime]]:
    """Active incidents of these units that owe a report which is late, and since when."""
    if center.casework is None:
        return
    asked = IncidentQuery(units=units, state="active", overdue=now, limit=LATE_MAX)
    for incident in center.casework.incident_rows.page(asked):
        if due := next_due(incident, center.casework.rules.clocks):
            yield incident, due


def orders_in_sight(center: "Center", units: Units, now: datetime) -> list[Order]:
    """Orders of the systems of these units: all that are open, and those of the last month."""
    if center.enforcement is None or center.registry is None:
        return []
    systems = [one.id for one in center.registry.registry.systems(units)]
    return center.enforcement.order_rows.between(now - ORDERS_SPAN, now + timedelta(microseconds=1), systems)


def notice_deadline(receipt: Receipt) -> datetime | None:
    """The deadline that comes first of what is still owed."""
    owed = [
        receipt.sign_due if receipt.signed is None else None,
        receipt.due if receipt.answered is None else None,
    ]
    return min((due for due in owed if due is not None), default=None)
