"""Values of incidents as the bodies of the API, and whose incident a request may be about."""

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from fastapi import Depends, Path

from compliance.casework import Casework
from compliance.incident import STEPS, Incident, clocks_of
from compliance.incident_rules import IncidentRules
from compliance.report.paper import Paper
from compliance.report.times import minute
from crypto.words import LiuheError, Refused, Words
from soc_api import incident_bodies as bodies
from soc_api.bodies import Text
from soc_api.context import Center
from soc_api.errors import text
from soc_api.identity import Visit
from soc_api.routes.guard import center_of
from soc_api.routes.registry import Within
from soc_api.routes.veil import Veil

VEILED_NOTE: Final = "其中人员以代号表示 · persons by pseudonyms"


def casework_of(center: Annotated[Center, Depends(center_of)]) -> Casework:
    """The incidents and notices of a center. Raises LiuheError where it was opened without."""
    if center.casework is None:
        raise LiuheError(
            "casework-closed",
            Words("本中心未启用事件与通报", "this center runs without incidents and notices"),
            Words("请用 liuhe center run 启动中心", "start it with liuhe center run"),
        )
    return center.casework


Cases = Annotated[Casework, Depends(casework_of)]
IncidentNumber = Annotated[str, Path(pattern=r"^20\d\d-\d{6,12}$")]


def own_incident(number: IncidentNumber, cases: Cases, reach: Within) -> Incident:
    """The incident, if its unit is within reach. Raises Refused (incident-not-found, unit-scope)."""
    found = cases.incident_rows.get(number)
    reach.unit(found.unit)
    return found


Own = Annotated[Incident, Depends(own_incident)]


def aware(moment: datetime | None) -> datetime | None:
    """A moment in UTC; one without a zone is taken as UTC."""
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def paper_mark(visit: Visit, now: datetime) -> str:
    """What is printed across a paper: who took it out, and when."""
    return f"{visit.account.username} {minute(now)}"


def veiled_paper(paper: Paper, veil: Veil | None) -> Paper:
    """A paper as the visitor may see it, which says so where names are pseudonyms."""
    if veil is None or veil.plain:
        return paper
    told = veil.document(msgspec.json.decode(msgspec.json.encode(paper)))
    shown = msgspec.convert({**told, "watermark": paper.watermark, "author": paper.author}, Paper)
    return msgspec.structs.replace(shown, notes=(*shown.notes, VEILED_NOTE))


def people_of_alerts(incident: Incident, center: Center, cases: Casework) -> set[str]:
    """Users that alerts of an incident are about."""
    entities = (_alert(center, group).entity for group in cases.incident_rows.groups(incident))
    return {one[5:].partition("@")[0] for one in entities if one.startswith("user:")}


def incident_row(one: Incident, cases: Casework, now: datetime) -> bodies.IncidentRow:
    """An incident as the list shows it."""
    clocks = [
        bodies.ClockRow(
            id=clock.id,
            to=text(clock.to),
            started=clock.started,
            due=clock.due,
            done=clock.done,
            overdue=clock.overdue(now),
            source=clock.source,
            confidence=clock.confidence,
        )
        for clock in clocks_of(one, cases.rules.clocks)
    ]
    made: dict[str, object] = {"unit_name": cases.registry.unit_name(one.unit), "clocks": clocks}
    made["tasks_open"] = sum(task.state == "open" for task in one.tasks)
    names = [name for name in bodies.IncidentRow.model_fields if name not in made]
    return bodies.IncidentRow.model_validate({**{name: getattr(one, name) for name in names}, **made})


def incident_detail(one: Incident, center: Center, cases: Casework) -> bodies.IncidentDetail:
    """An incident with everything of it."""
    now = center.clock()
    return bodies.IncidentDetail(
        incident=incident_row(one, cases, now),
        place=one.place,
        persons=one.persons,
        summary=one.summary,
        alerts=[_alert(center, group) for group in cases.incident_rows.groups(one)],
        tasks=[
            bodies.IncidentTask.model_validate(
                {
                    **{name: getattr(task, name) for name in type(task).__struct_fields__},
                    "overdue": task.overdue(now),
                }
            )
            for task in one.tasks
        ],
        filings=[
            bodies.FilingRow.model_validate(
                {name: getattr(filing, name) for name in bodies.FilingRow.model_fields}
            )
            for filing in one.filings
        ],
        files=[bodies.CaseFileRow.model_validate(file, from_attributes=True) for file in one.files],
        events=[
            bodies.IncidentEventRow.model_validate(event, from_attributes=True)
            for event in cases.incident_rows.events(one)
        ],
        steps=[step for step, (before, _) in STEPS.items() if one.state in before],
    )


def rules_body(rules: IncidentRules) -> bodies.IncidentRulesBody:
    """What the console offers."""
    classification, clocks, form = rules.classification, rules.clocks, rules.form
    return bodies.IncidentRulesBody(
        source=classification.source,
        confidence=classification.confidence,
        categories=[
            bodies.CategoryRow(id=one.id, name=Text(zh=one.zh, en=one.en), kinds=list(one.kinds))
            for one in classification.categories
        ],
        grades=[
            bodies.GradeRow(grade=one.grade, name=Text(zh=one.zh, en=one.en), persons=one.persons)
            for one in classification.grades
        ],
        clocks=[
            bodies.ClockKindRow(
                id=one.id,
                name=Text(zh=one.zh, en=one.en),
                minutes=one.minutes,
                to=Text(zh=one.to.zh, en=one.to.en),
                grade=one.grade,
                source=one.source,
                confidence=one.confidence,
            )
            for one in clocks.kinds
        ],
        closing_days=clocks.closing.days,
        form=[
            bodies.FormFieldRow(
                name=one.name,
                title=Text(zh=one.zh, en=one.en),
                asked=list(one.asked),
                required=list(one.required),
            )
            for one in form.fields
        ],
        titles={kind: Text(zh=told.zh, en=told.en) for kind, told in form.titles.items()},
    )


def _alert(center: Center, group: str) -> bodies.IncidentAlert:
    try:
        found = center.alerts.detail(group).group
    except Refused:
        gone = Text(zh="(已过留存期)", en="(not kept any more)")
        return bodies.IncidentAlert(
            id=group,
            title=gone,
            severity="informational",
            entity="",
            state="closed",
            count=0,
            last_seen=None,
            attack=[],
        )
    return bodies.IncidentAlert(
        id=group,
        title=text(found.title),
        severity=found.severity,
        entity=found.entity,
        state=found.state,
        count=found.count,
        last_seen=found.last_seen,
        attack=list(found.attack),
    )
