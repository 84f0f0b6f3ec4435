"""Unusual entities within the shift's budget and beyond it, and what closings of them speak for."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from soc_api.anomaly_bodies import CoursePage, CourseRow, ProposalPage, ProposalRow, UnusualPage, UnusualRow
from soc_api.anomaly_desk import AnomalyDesk, Unusual
from soc_api.errors import text
from soc_api.routes.alerts import Group
from soc_api.routes.guard import Here, needs, router
from soc_api.routes.registry import Seen

anomalies = router("alerts")


def desk_of(center: Here) -> AnomalyDesk:
    """The center's anomalies."""
    assert center.anomalies is not None
    return center.anomalies


Desk = Annotated[AnomalyDesk, Depends(desk_of)]


@anomalies.get(
    "/anomalies",
    summary="Unusual entities",
    response_model=UnusualPage,
    openapi_extra=needs("alerts.read"),
)
def page(
    center: Here,
    desk: Desk,
    scope: Seen,
    entity: Annotated[str, Query(max_length=200)] = "",
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> UnusualPage:
    """Ranked by risk, which halves each day; what is beyond the budget stays here and in the queue."""
    found = desk.ranked(scope.units, center.clock(), entity)
    return UnusualPage(
        rows=[_row(one) for one in found[offset : offset + limit]],
        total=len(found),
        within=sum(one.within for one in found),
        budget=desk.parameters.budget_per_unit,
        shift_hours=desk.parameters.shift_hours,
        learned=any(one.odd is not None for one in found),
    )


@anomalies.get(
    "/anomalies/proposals",
    summary="What closings of anomalies speak for",
    response_model=ProposalPage,
    openapi_extra=needs("alerts.read"),
)
def proposed(center: Here, desk: Desk, scope: Seen) -> ProposalPage:
    """Exceptions to ask for; nothing holds before somebody has."""
    now = center.clock()
    labels, found = desk.proposals(scope.units, now)
    asked = center.exceptions.store.page(units=scope.units, limit=500) if center.exceptions else []
    held = {
        (rule, one.unit, one.condition) for one in asked if one.phase(now) in _STANDING for rule in one.rules
    }
    return ProposalPage(
        rows=[
            ProposalRow(
                kind=one.kind,
                rule=one.rule,
                unit=one.unit,
                condition=one.condition,
                labels=one.labels,
                days=one.days,
                why=text(one.why),
            )
            for one in found
            if (one.rule, one.unit, one.condition) not in held
        ],
        labels=labels,
        needed=desk.parameters.labels_min,
    )


@anomalies.get(
    "/anomalies/{group}/course",
    summary="What the windows before an unusual one counted",
    response_model=CoursePage,
    openapi_extra=needs("alerts.read"),
)
def course(group: Group, center: Here, desk: Desk) -> CoursePage:
    """Counted again from the stored events; empty for what is not of windows of a host or a source."""
    found = desk.course(center.alerts.detail(group), center.events)
    return CoursePage(
        window_seconds=found.width,
        starts=[datetime.fromtimestamp(start, UTC) for start in found.starts],
        rows=[CourseRow(field=name, values=list(values)) for name, values in found.counts.items()],
    )


_STANDING = ("waiting", "scheduled", "active")


def _row(one: Unusual) -> UnusualRow:
    top = one.groups[0].group
    return UnusualRow(
        unit=one.unit,
        entity=one.entity,
        risk=round(one.risk),
        odd=one.odd,
        within=one.within,
        groups=len(one.groups),
        group=top.id,
        title=text(top.title),
        reason=text(top.reason),
        severity=top.severity,
        last=max(each.group.latest or each.group.last_seen for each in one.groups),
    )
