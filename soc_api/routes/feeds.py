"""What changed, read by programs in the order it changed; who goes on from ``next`` misses nothing."""

import re
from typing import Annotated, Final

from fastapi import Query

from compliance.incident_store import IncidentQuery
from compliance.notice_store import NoticeQuery
from compliance.views import row_of
from crypto.words import BadInput, Words
from detection.store.changed_groups import START, Place, changed_groups
from detection.store.group_query import GroupFilter
from soc_api.bodies import AlertGroup, CheckRow
from soc_api.enforcement_rows import Enforcing, order_row, systems_of
from soc_api.feed_bodies import (
    AlertChanges,
    CheckChanges,
    IncidentChanges,
    NoticeChanges,
    OrderChanges,
    SystemCheck,
)
from soc_api.incident_rows import Cases, incident_row
from soc_api.notice_rows import cut, notice_row
from soc_api.routes.guard import Here, Visitor, needs, router
from soc_api.routes.registry import Seen, Within
from soc_api.routes.webhooks import Desk

feeds = router("webhooks")

_ALERTS: Final = re.compile(r"(\d{1,15})-([0-9a-f]+(?:-[0-9]+)?)?")
_CASES: Final = re.compile(r"\d{1,15}")
Since = Annotated[str, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=500)]


@feeds.get(
    "/changes/alerts",
    summary="Groups by their last change",
    response_model=AlertChanges,
    openapi_extra=needs("alerts.read"),
)
def alerts(
    center: Here,
    desk: Desk,
    scope: Seen,
    visit: Visitor,
    updated_since: Since = "",
    q: Annotated[str, Query(max_length=500)] = "",
    limit: Limit = 100,
) -> AlertChanges:
    """For programs: begin without a cursor, then pass ``next``; a group comes again whenever it changed."""
    wanted = GroupFilter(state="all", q=q, units=scope.units, actor=visit.actor)
    place = _group_place(updated_since)
    found = changed_groups(desk.store.engine, place, wanted, center.clock(), limit)
    return AlertChanges(
        rows=[AlertGroup.model_validate(one, from_attributes=True) for one in found.rows],
        next=f"{found.place[0]}-{found.place[1]}",
        more=len(found.rows) == limit,
    )


@feeds.get(
    "/changes/incidents",
    summary="Incidents by their last change",
    response_model=IncidentChanges,
    openapi_extra=needs("incidents.read"),
)
def incidents(
    center: Here, cases: Cases, scope: Seen, updated_since: Since = "", limit: Limit = 100
) -> IncidentChanges:
    """Whatever their state; one comes again whenever anything happened to it."""
    asked = IncidentQuery(units=scope.units, limit=limit)
    found, place = cases.incident_rows.changed(_place(updated_since), asked)
    rows = [incident_row(one, cases, center.clock()) for one in found]
    return IncidentChanges(rows=rows, next=str(place), more=len(rows) == limit)


@feeds.get(
    "/changes/notices",
    summary="Notices by their last change",
    response_model=NoticeChanges,
    openapi_extra=needs("notices.read"),
)
def notices(cases: Cases, reach: Within, updated_since: Since = "", limit: Limit = 100) -> NoticeChanges:
    """Those of one's units, and those they received once they are out; reminders count as changes."""
    asked = NoticeQuery(units=reach.scope.units, limit=limit)
    found, place = cases.notice_rows.changed(_place(updated_since), asked)
    rows = [notice_row(cut(one, reach), reach.center, cases) for one in found]
    return NoticeChanges(rows=rows, next=str(place), more=len(rows) == limit)


@feeds.get(
    "/changes/orders",
    summary="Orders by their last change",
    response_model=OrderChanges,
    openapi_extra=needs("checks.read"),
)
def orders(
    center: Here, enforcement: Enforcing, visit: Visitor, updated_since: Since = "", limit: Limit = 100
) -> OrderChanges:
    """Of every graded system this account may see; reminders and escalations count as changes."""
    systems = [one.id for one in systems_of(center, enforcement, visit)]
    found, place = enforcement.order_rows.changed(_place(updated_since), systems, limit)
    rows = [order_row(one, center.clock()) for one in found]
    return OrderChanges(rows=rows, next=str(place), more=len(rows) == limit)


@feeds.get(
    "/changes/checks",
    summary="Checks by their last change",
    response_model=CheckChanges,
    openapi_extra=needs("checks.read"),
)
def checks(
    center: Here, enforcement: Enforcing, visit: Visitor, updated_since: Since = "", limit: Limit = 100
) -> CheckChanges:
    """Those whose verdict or grounds changed, in every system this account may see; not every evaluation."""
    systems = [one.id for one in systems_of(center, enforcement, visit)]
    found, place = enforcement.verdicts.changed(_place(updated_since), systems, limit)
    now, rows = center.clock(), []
    for kept in found:
        check = enforcement.checks.get(kept.evaluation.check)
        if check is not None:  # else it is not of the checklist any more
            row = CheckRow.model_validate(row_of(check, kept, now), from_attributes=True)
            rows.append(SystemCheck(system=kept.evaluation.system, check=row))
    return CheckChanges(rows=rows, next=str(place), more=len(found) == limit)


def _group_place(cursor: str) -> Place:
    if not cursor:
        return START
    match = _ALERTS.fullmatch(cursor)
    if match is None:
        raise _no_cursor()
    return int(match[1]), match[2] or ""


def _place(cursor: str) -> int:
    if cursor and _CASES.fullmatch(cursor) is None:
        raise _no_cursor()
    return int(cursor or 0)


def _no_cursor() -> BadInput:
    return BadInput(
        "changes-cursor",
        Words("游标无效", "not a cursor of these changes"),
        Words("请不带游标重新开始", "begin again without one"),
        field="updated_since",
    )
