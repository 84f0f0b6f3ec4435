"""The alert queue: pages, one group with its events, and what a person decides about it."""

from typing import Annotated, Final

from fastapi import Depends, Path, Query
from pydantic import Field

from detection.alert import Alert
from detection.store.act import Act
from detection.store.alert_group import AlertRecord
from detection.store.group_page import Sort
from sensors.event import Event
from soc_api.bodies import (
    AlertBody,
    AlertDetail,
    AlertGroup,
    AlertPage,
    CloseAlert,
    EventRow,
    HistoryRow,
    MatchRow,
)
from soc_api.context import Center
from soc_api.errors import text
from soc_api.identity import Visit
from soc_api.permissions import allows
from soc_api.queue_bodies import FilterOrder
from soc_api.queue_desk import QueueDesk
from soc_api.queue_rows import group_row, group_rows
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.queue import Desk, filter_of
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen, Within
from soc_api.unit_scope import UnitScope

alerts = router("alerts")

GroupId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9a-f]+(-[0-9]+)?$")]


def own_group(group: GroupId, reach: Within) -> str:
    """The group, if its unit is within reach. Raises Refused (alert-not-found, unit-scope)."""
    reach.unit(reach.center.alerts.unit_of(group))
    return group


Group = Annotated[str, Depends(own_group)]
_REFUSES: Final = conflicts("The group is not in the state this action starts from")


class PageAsk(FilterOrder):
    """Parameters of a page."""

    sort: Sort = "latest"
    cursor: str = Field(default="", max_length=120)
    offset: int = Field(default=0, ge=0, le=10_000_000)
    limit: int = Field(default=50, ge=1, le=500)
    whole: bool = True


@alerts.get("/alerts", summary="The queue", response_model=AlertPage, openapi_extra=needs("alerts.read"))
def page(
    center: Here, desk: Desk, scope: Seen, visit: Visitor, ask: Annotated[PageAsk, Query()]
) -> AlertPage:
    """Groups of one's own unit and those below, highest of ``sort`` first, ``offset`` behind the cursor.

    open means new or acknowledged and not snoozed; ``q`` is a query over the fields of a row. Without
    ``whole`` the page does not wait for a count that takes long, and is then not ``exact``.
    """
    now, places = center.clock(), desk.places.now()
    wanted = filter_of(FilterOrder(**ask.model_dump(include=set(FilterOrder.model_fields))), scope, visit)
    found = center.alerts.queue(
        wanted,
        now,
        sort=ask.sort,
        cursor=ask.cursor,
        offset=ask.offset,
        limit=ask.limit,
        keys_of_system=places.keys_of,
        whole=ask.whole,
    )
    return AlertPage(
        rows=_with_incidents(group_rows(found.rows, places, now), center, scope, visit),
        total=found.total,
        revision=found.revision,
        next=found.next,
        exact=found.exact,
    )


@alerts.get(
    "/alerts/{group}",
    summary="One group with its events",
    response_model=AlertDetail,
    responses=_REFUSES,
    openapi_extra=needs("alerts.read"),
)
def detail(group: Group, center: Here, desk: Desk, scope: Seen, visit: Visitor) -> AlertDetail:
    """The newest alerts of a group with the events behind them, the fields that matched, and the history."""
    now, places = center.clock(), desk.places.now()
    found = center.alerts.detail(group)
    return AlertDetail(
        group=_with_incidents([group_row(found.group, places, now)], center, scope, visit)[0],
        alerts=[_alert(record) for record in found.alerts],
        history=[HistoryRow.model_validate(row, from_attributes=True) for row in found.history],
        members=group_rows(found.members, places, now),
    )


@alerts.post(
    "/alerts/{group}/acknowledge",
    summary="Take a group over",
    response_model=AlertGroup,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def acknowledge(group: Group, center: Here, desk: Desk, visit: Visitor) -> AlertGroup:
    """new -> acknowledged; the visitor becomes the owner."""
    with recorded(center, visit, "alert.acknowledge", group):
        return _acted(Act(action="acknowledge"), group, center, desk, visit)


@alerts.post(
    "/alerts/{group}/close",
    summary="Close a group with a judgement",
    response_model=AlertGroup,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def close(group: Group, body: CloseAlert, center: Here, desk: Desk, visit: Visitor) -> AlertGroup:
    """acknowledged -> closed, with a classification and the reason for it."""
    with recorded(center, visit, "alert.close", f"{group} {body.classification}"):
        return _acted(
            Act(action="close", classification=body.classification, reason=body.reason),
            group,
            center,
            desk,
            visit,
        )


@alerts.post(
    "/alerts/{group}/reopen",
    summary="Reopen a closed group",
    response_model=AlertGroup,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def reopen(group: Group, center: Here, desk: Desk, visit: Visitor) -> AlertGroup:
    """closed -> acknowledged; the visitor becomes the owner."""
    with recorded(center, visit, "alert.reopen", group):
        return _acted(Act(action="reopen"), group, center, desk, visit)


def _with_incidents(
    rows: list[AlertGroup], center: Center, scope: UnitScope, visit: Visit
) -> list[AlertGroup]:
    """The rows with the incidents that hold them, where the account may read those."""
    if center.casework is None or not rows or not allows(visit.account.role, "incidents.read"):
        return rows
    if not visit.holds("incidents.read"):
        return rows
    held = center.casework.incident_rows.holding([row.id for row in rows], scope.units)
    for row in rows:
        row.incident = held.get(row.id, "")
    return rows


def _acted(act: Act, group: str, center: Center, desk: QueueDesk, visit: Visit) -> AlertGroup:
    now = center.clock()
    after, number = desk.acts.single(act, group, visit.actor, now)
    return group_row(after, desk.places.now(), now, act=number)


def _alert(record: AlertRecord) -> AlertBody:
    alert: Alert = record.alert
    return AlertBody(
        id=alert.id,
        time=alert.time,
        detected=record.detected,
        reason=text(alert.reason),
        events=[_event(event) for event in alert.events],
        matched=[MatchRow.model_validate(match, from_attributes=True) for match in alert.matched],
    )


def _event(event: Event) -> EventRow:
    source = event.logsource
    return EventRow(
        id=event.id,
        time=event.time,
        ingested=event.ingested,
        unit=event.unit,
        sensor=event.sensor,
        logsource={"product": source.product, "category": source.category, "service": source.service},
        fields=dict(event.fields),
        native=dict(event.native),
    )
