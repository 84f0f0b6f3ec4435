"""The numbers a shift goes by: what waits, since when, with whom; how fast, how right, what is late."""

from datetime import datetime, timedelta
from typing import Final

from compliance.order import statistics
from detection.store.shift_store import Waits
from soc_api.bodies import Severity, Text
from soc_api.context import Center
from soc_api.errors import text
from soc_api.figures import ORDERS_SPAN, incident_figures, open_receipts, orders_in_sight
from soc_api.permissions import Permission, allows
from soc_api.routes.guard import Here, Visitor, needs, router
from soc_api.routes.registry import Seen
from soc_api.routes.wall import Shown
from soc_api.shift_bodies import (
    AgeRow,
    BusyRule,
    LateOrder,
    OverduePage,
    OwnerRow,
    ShiftPage,
    SilentSensor,
    WaitRow,
)

shift = router("overview")

HOURS: Final = 24
WEEK: Final = timedelta(days=7)
RULES_MAX: Final = 10
LATE_MAX: Final = 10
SILENT_MAX: Final = 20
_URGENT: Final[tuple[Severity, ...]] = ("critical", "high")
_ORDERS_MAX: Final = 500


@shift.get(
    "/shift", summary="Numbers of a shift", response_model=ShiftPage, openapi_extra=needs("alerts.read")
)
def numbers(center: Here, shown: Shown, scope: Seen) -> ShiftPage:
    """Of one's own unit and those below it."""
    now, units, store = center.clock(), scope.units, shown.shift
    flow = store.flow(now, HOURS, units)
    opened, overdue, late = _orders(center, units, now)
    incidents = incident_figures(center, units, now)
    owed, exceptions = list(open_receipts(center, units)), center.exceptions
    waiting = exceptions.store.page(units=units, limit=_ORDERS_MAX) if exceptions else []
    return ShiftPage(
        time=now,
        untouched={name: store.untouched(name, units) for name in _URGENT},
        ages=[
            AgeRow(age=name, open=dict(open_groups)) for name, open_groups in store.ages(now, units).items()
        ],
        owners=[OwnerRow.model_validate(row, from_attributes=True) for row in store.owners(units)],
        taken=_waits(store.waits("acknowledged", now - WEEK, units)),
        closed=_waits(store.waits("closed", now - WEEK, units)),
        opened_per_hour=list(flow.opened),
        closed_per_hour=list(flow.closed),
        rules=_rules(center, units, now),
        orders_open=opened,
        orders_overdue=overdue,
        late=late,
        notices_open=len({notice.id for notice, _ in owed}),
        notices_overdue=sum(receipt.overdue(now) for _, receipt in owed),
        incidents_open=incidents.active,
        incidents_overdue=incidents.overdue,
        silent=_silent(center, units, now),
        held_day=exceptions.store.held_since(now - timedelta(hours=HOURS), units) if exceptions else 0,
        exceptions_waiting=sum(one.phase(now) == "waiting" for one in waiting),
    )


@shift.get(
    "/overdue",
    summary="What is past its time",
    response_model=OverduePage,
    openapi_extra=needs("overview.read"),
)
def overdue(center: Here, scope: Seen, visit: Visitor) -> OverduePage:
    """Of one's own units and of what the account may read: the numbers beside the navigation."""
    now, units = center.clock(), scope.units

    def may(permission: Permission) -> bool:
        return allows(visit.account.role, permission) and visit.holds(permission)

    return OverduePage(
        incidents=incident_figures(center, units, now).overdue if may("incidents.read") else 0,
        notices=sum(one.overdue(now) for _, one in open_receipts(center, units))
        if may("notices.read")
        else 0,
        orders=sum(one.closed is None and one.overdue(now) for one in orders_in_sight(center, units, now))
        if may("checks.read")
        else 0,
    )


def _waits(found: Waits) -> WaitRow:
    return WaitRow.model_validate(found, from_attributes=True)


def _rules(center: Center, units: frozenset[str] | None, now: datetime) -> list[BusyRule]:
    rows = [row for row in center.rules.page(now, units).rows if row.hits]
    return [
        BusyRule(
            id=row.id,
            title=text(row.title),
            level=row.level,
            hits=row.hits,
            judged=sum(row.judged.values()),
            precision=row.precision,
        )
        for row in sorted(rows, key=lambda row: (-row.hits, row.id))[:RULES_MAX]
    ]


def _orders(center: Center, units: frozenset[str] | None, now: datetime) -> tuple[int, int, list[LateOrder]]:
    if center.enforcement is None:
        return 0, 0, []
    orders = orders_in_sight(center, units, now)
    figures = statistics(orders, now - ORDERS_SPAN, now + timedelta(microseconds=1))
    late = sorted((one for one in orders if one.overdue(now)), key=lambda one: one.deadline)
    checks = center.enforcement.checks
    return (
        figures.open,
        figures.overdue,
        [
            LateOrder(
                number=one.number,
                check=one.check,
                title=text(checks[one.check].title)
                if one.check in checks
                else Text(zh=one.check, en=one.check),
                owner=one.owner,
                deadline=one.deadline,
            )
            for one in late[:LATE_MAX]
        ],
    )


def _silent(center: Center, units: frozenset[str] | None, now: datetime) -> list[SilentSensor]:
    rows = [
        row for row in center.sensors.page(now).rows if row.state == "silent" and row.standing != "revoked"
    ]
    return [
        SilentSensor(id=row.id, host=row.host, unit=row.unit, last_seen=row.last_seen)
        for row in rows
        if units is None or row.unit in units
    ][:SILENT_MAX]
