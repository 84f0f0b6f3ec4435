"""The numbers a shift goes by: what waits, since when, with whom; how fast, how right, what is late."""

from datetime import datetime, timedelta
from typing import Final

from compliance.order import statistics
from detection.store.shift_store import Waits
from soc_api.bodies import Severity, Text
from soc_api.context import Center
from soc_api.errors import text
from soc_api.figures import open_receipts
from soc_api.routes.guard import Here, needs, router
from soc_api.routes.registry import Desk, Seen
from soc_api.routes.wall import Shown
from soc_api.shift_bodies import (
    AgeRow,
    BusyRule,
    LateOrder,
    OwnerRow,
    ShiftPage,
    SilentSensor,
    WaitRow,
)

shift = router("overview")

HOURS: Final = 24
WEEK: Final = timedelta(days=7)
SPAN: Final = timedelta(days=30)
RULES_MAX: Final = 10
LATE_MAX: Final = 10
SILENT_MAX: Final = 20
_URGENT: Final[tuple[Severity, ...]] = ("critical", "high")
_ORDERS_MAX: Final = 500


@shift.get(
    "/shift", summary="Numbers of a shift", response_model=ShiftPage, openapi_extra=needs("alerts.read")
)
def numbers(center: Here, shown: Shown, scope: Seen, desk: Desk) -> ShiftPage:
    """Of one's own unit and those below it."""
    now, units, store = center.clock(), scope.units, shown.shift
    flow = store.flow(now, HOURS, units)
    opened, overdue, late = _orders(center, [one.id for one in desk.registry.systems(units)], now)
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
        silent=_silent(center, units, now),
        held_day=exceptions.store.held_since(now - timedelta(hours=HOURS), units) if exceptions else 0,
        exceptions_waiting=sum(one.phase(now) == "waiting" for one in waiting),
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


def _orders(center: Center, systems: list[str], now: datetime) -> tuple[int, int, list[LateOrder]]:
    if center.enforcement is None:
        return 0, 0, []
    start, end = now - SPAN, now + timedelta(microseconds=1)
    orders = center.enforcement.order_rows.between(start, end, systems)
    figures = statistics(orders, start, end)
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
