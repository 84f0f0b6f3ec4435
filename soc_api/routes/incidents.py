"""Incidents: the list, opening one from alerts or by hand, judging it, its steps, its alerts."""

from typing import Annotated, Final, Literal

import msgspec
from fastapi import Query

from compliance.incident import Incident
from compliance.incident_acts import IncidentChange
from compliance.incident_desk import NewIncident
from compliance.incident_store import IncidentQuery
from crypto.transfer.request import refuse_state_secrets
from crypto.words import Refused, Words
from soc_api.identity import Visit
from soc_api.incident_bodies import (
    IncidentAlertsOrder,
    IncidentChangeOrder,
    IncidentDecision,
    IncidentDetail,
    IncidentFigures,
    IncidentMerge,
    IncidentOrder,
    IncidentPage,
    IncidentRulesBody,
    IncidentSplit,
    IncidentStepOrder,
)
from soc_api.incident_rows import Cases, Own, aware, incident_detail, incident_row, rules_body
from soc_api.permissions import allows
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Reach, Seen, Within

incidents = router("incidents")

REFUSES: Final = conflicts("The incident is not in the state this starts from, or an alert is in another one")
State = Literal["", "active", "open", "handling", "handled", "closed", "dismissed", "merged"]


@incidents.get(
    "/incidents", summary="Incidents", response_model=IncidentPage, openapi_extra=needs("incidents.read")
)
def page(
    center: Here,
    cases: Cases,
    scope: Seen,
    state: State = "active",
    grade: Annotated[int, Query(ge=0, le=4)] = 0,
    unit: Annotated[str, Query(max_length=128)] = "",
    system: Annotated[str, Query(max_length=64)] = "",
    owner: Annotated[str, Query(max_length=128)] = "",
    group: Annotated[str, Query(max_length=64)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    overdue: bool = False,
    before: Annotated[str, Query(max_length=20, pattern=r"^(20\d\d-\d{6,12})?$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> IncidentPage:
    """Of one's own unit and those below, newest first."""
    now = center.clock()
    asked = IncidentQuery(
        units=scope.units,
        state=state,
        grade=grade,
        unit=unit,
        system=system,
        owner=owner,
        group=group,
        text=q,
        overdue=now if overdue else None,
        before=int(before[5:]) if before else 0,
        limit=limit,
    )
    found = cases.incident_rows.page(asked)
    figures = cases.incident_rows.figures(scope.units, now)
    return IncidentPage(
        rows=[incident_row(one, cases, now) for one in found],
        figures=IncidentFigures.model_validate(figures, from_attributes=True),
        next=found[-1].number if len(found) == limit else "",
    )


@incidents.post(
    "/incidents",
    summary="Open an incident",
    response_model=IncidentDetail,
    status_code=201,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def open_one(body: IncidentOrder, cases: Cases, reach: Within) -> IncidentDetail:
    """From alert groups or by hand; what is left out is filled in from them and from the registry."""
    refuse_state_secrets((), (body.title, body.summary, body.note))
    _own_groups(reach, body.groups)
    if body.system:
        reach.system(body.system)
    if body.unit:
        reach.unit(body.unit)
    given = body.model_dump() | {"groups": tuple(body.groups), "discovered": aware(body.discovered)}
    about = " ".join(body.groups) or body.title
    with recorded(reach.center, reach.visit, "incident.open", about[:500]):
        made = cases.incidents.open(NewIncident(**given), reach.visit.actor, reach.center.clock())
    return incident_detail(made, reach.center, cases)


@incidents.get(
    "/incidents/rules",
    summary="Categories, grades, clocks",
    response_model=IncidentRulesBody,
    openapi_extra=needs("incidents.read"),
)
def rules(cases: Cases) -> IncidentRulesBody:
    """As data with their sources; what a report says."""
    return rules_body(cases.rules)


@incidents.get(
    "/incidents/{number}",
    summary="One incident",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.read"),
)
def detail(incident: Own, center: Here, cases: Cases) -> IncidentDetail:
    """With its alerts, tasks, reports, files and everything that happened, in the order it happened."""
    return incident_detail(incident, center, cases)


@incidents.post(
    "/incidents/{number}/change",
    summary="Judge it anew",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def change(incident: Own, body: IncidentChangeOrder, cases: Cases, reach: Within) -> IncidentDetail:
    """Title, category, grade, owner and the like, for a reason; a lower grade is for who may decide."""
    refuse_state_secrets((), (body.title or "", body.summary or "", body.note))
    if body.system:
        reach.system(body.system)
    if body.grade is not None and body.grade > incident.grade:
        _need_decider(reach.visit)
    given = body.model_dump(exclude={"note"}) | {"discovered": aware(body.discovered)}
    center, visit = reach.center, reach.visit
    with recorded(center, visit, "incident.change", f"incident:{incident.number}") as act:
        done = cases.incidents.change(
            incident.number, IncidentChange(**given), body.note, visit.actor, center.clock()
        )
        act.changed(msgspec.to_builtins(incident), msgspec.to_builtins(done))
    return incident_detail(done, center, cases)


@incidents.post(
    "/incidents/{number}/steps",
    summary="Go on with it",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def step(
    incident: Own, body: IncidentStepOrder, center: Here, cases: Cases, visit: Visitor
) -> IncidentDetail:
    """受理, 处置结束, 继续处置."""
    with recorded(center, visit, f"incident.{body.step}", f"incident:{incident.number}"):
        done = cases.incidents.step(incident.number, body.step, body.note, visit.actor, center.clock())
    return incident_detail(done, center, cases)


@incidents.post(
    "/incidents/{number}/decide",
    summary="Close, dismiss or reopen it",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.decide"),
)
def decide(
    incident: Own, body: IncidentDecision, center: Here, cases: Cases, visit: Visitor
) -> IncidentDetail:
    """结案 only where every report that is owed was given and every task is ended."""
    with recorded(center, visit, f"incident.{body.step}", f"incident:{incident.number}"):
        done = cases.incidents.step(incident.number, body.step, body.note, visit.actor, center.clock())
    return incident_detail(done, center, cases)


@incidents.post(
    "/incidents/{number}/alerts",
    summary="Alerts join or leave it",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def alerts(incident: Own, body: IncidentAlertsOrder, cases: Cases, reach: Within) -> IncidentDetail:
    """An alert group is in one incident at most: with ``move`` it is taken from the one it is in."""
    _own_groups(reach, body.groups)
    if body.move:
        _own_incidents_of(reach, cases, body.groups)
    desk, actor, now = cases.incidents, reach.visit.actor, reach.center.clock()
    with recorded(reach.center, reach.visit, "incident.alerts", f"incident:{incident.number}"):
        if body.drop:
            done = desk.drop_alerts(incident.number, body.groups, body.note, actor, now)
        else:
            done = desk.add_alerts(incident.number, body.groups, body.note, actor, now, move=body.move)
    return incident_detail(done, reach.center, cases)


@incidents.post(
    "/incidents/{number}/merge",
    summary="Merge it into another",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.decide"),
)
def merge(incident: Own, body: IncidentMerge, cases: Cases, reach: Within) -> IncidentDetail:
    """Its alerts go there and it ends; the other one is the answer."""
    reach.unit(cases.incident_rows.get(body.into).unit)
    about = f"incident:{incident.number} into {body.into}"
    with recorded(reach.center, reach.visit, "incident.merge", about):
        done = cases.incidents.merge(
            incident.number, body.into, body.note, reach.visit.actor, reach.center.clock()
        )
    return incident_detail(done, reach.center, cases)


@incidents.post(
    "/incidents/{number}/split",
    summary="Make a part of it an incident of its own",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.decide"),
)
def split(incident: Own, body: IncidentSplit, center: Here, cases: Cases, visit: Visitor) -> IncidentDetail:
    """The new one is the answer; it has the category, grade and clocks of the whole."""
    refuse_state_secrets((), (body.title, body.note))
    with recorded(center, visit, "incident.split", f"incident:{incident.number}"):
        made = cases.incidents.split(
            incident.number, body.groups, body.title, body.note, visit.actor, center.clock()
        )
    return incident_detail(made, center, cases)


def _own_groups(reach: Reach, groups: list[str]) -> None:
    for group in groups:
        reach.unit(reach.center.alerts.unit_of(group))


def _own_incidents_of(reach: Reach, cases: Cases, groups: list[str]) -> None:
    """Nobody takes alerts out of an incident of a unit they do not see."""
    for group in groups:
        held: list[Incident] = cases.incident_rows.page(IncidentQuery(group=group, limit=1))
        for one in held:
            reach.unit(one.unit)


def _need_decider(visit: Visit) -> None:
    if not allows(visit.account.role, "incidents.decide"):
        raise Refused(
            "incident-regrade",
            Words("降低事件等级须由有权定级者办理", "a lower grade is for who may decide about incidents"),
            Words("请由值班长或安全管理员办理", "ask the shift leader or the security administrator"),
            field="grade",
        )
