"""The alert queue: pages, one group with its events, and what a person decides about it."""

from typing import Annotated, Final, Literal

from fastapi import Depends, Path, Query

from detection.alert import Alert
from detection.store.alert_group import AlertRecord
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
from soc_api.errors import text
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen, Within

alerts = router("alerts")

GroupId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[0-9a-f]+(-[0-9]+)?$")]


def own_group(group: GroupId, reach: Within) -> str:
    """The group, if its unit is within reach. Raises Refused (alert-not-found, unit-scope)."""
    reach.unit(reach.center.alerts.unit_of(group))
    return group


Group = Annotated[str, Depends(own_group)]
_REFUSES: Final = conflicts("The group is not in the state this action starts from")


@alerts.get("/alerts", summary="The queue", response_model=AlertPage, openapi_extra=needs("alerts.read"))
def page(
    center: Here,
    scope: Seen,
    state: Literal["open", "new", "acknowledged", "closed", "all"] = "open",
    severity: Literal["informational", "low", "medium", "high", "critical", ""] = "",
    detector: Literal["sigma", "anomaly", "special", "health", ""] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> AlertPage:
    """Groups of one's own unit and those below, the last seen first; open means new or acknowledged."""
    found = center.alerts.page(
        state=state,
        severity=severity,
        detector=detector,
        q=q,
        cursor=cursor,
        limit=limit,
        units=scope.units,
    )
    return AlertPage.model_validate(found, from_attributes=True)


@alerts.get(
    "/alerts/{group}",
    summary="One group with its events",
    response_model=AlertDetail,
    responses=_REFUSES,
    openapi_extra=needs("alerts.read"),
)
def detail(group: Group, center: Here) -> AlertDetail:
    """The newest alerts of a group with the events behind them, the fields that matched, and the history."""
    found = center.alerts.detail(group)
    return AlertDetail(
        group=AlertGroup.model_validate(found.group, from_attributes=True),
        alerts=[_alert(record) for record in found.alerts],
        history=[HistoryRow.model_validate(row, from_attributes=True) for row in found.history],
    )


@alerts.post(
    "/alerts/{group}/acknowledge",
    summary="Take a group over",
    response_model=AlertGroup,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def acknowledge(group: Group, center: Here, visit: Visitor) -> AlertGroup:
    """new -> acknowledged; the visitor becomes the owner."""
    with recorded(center, visit, "alert.acknowledge", group):
        after = center.alerts.acknowledge(group, visit.actor, center.clock())
    return AlertGroup.model_validate(after, from_attributes=True)


@alerts.post(
    "/alerts/{group}/close",
    summary="Close a group with a judgement",
    response_model=AlertGroup,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def close(group: Group, body: CloseAlert, center: Here, visit: Visitor) -> AlertGroup:
    """acknowledged -> closed, with a classification and the reason for it."""
    with recorded(center, visit, "alert.close", f"{group} {body.classification}"):
        after = center.alerts.close(group, visit.actor, body.classification, body.reason, center.clock())
    return AlertGroup.model_validate(after, from_attributes=True)


@alerts.post(
    "/alerts/{group}/reopen",
    summary="Reopen a closed group",
    response_model=AlertGroup,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def reopen(group: Group, center: Here, visit: Visitor) -> AlertGroup:
    """closed -> acknowledged; the visitor becomes the owner."""
    with recorded(center, visit, "alert.reopen", group):
        after = center.alerts.reopen(group, visit.actor, center.clock())
    return AlertGroup.model_validate(after, from_attributes=True)


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
