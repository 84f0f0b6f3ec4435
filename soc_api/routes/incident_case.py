"""What is in an incident: its timeline, tasks, reports and the evidence locker."""

from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from compliance.incident import CaseFile
from compliance.incident_acts import FilingOrder as Filing
from compliance.report.incident_paper import filing_paper
from compliance.report.paper import MEDIA_TYPES, PaperForm, render_paper
from crypto.transfer.request import refuse_state_secrets
from crypto.words import LiuheError, Refused, Words
from soc_api.context import Center
from soc_api.incident_bodies import FilingOrder, IncidentDetail, TaskChange, TaskOrder, TimelineEntry
from soc_api.incident_files import IncidentFiles
from soc_api.incident_rows import (
    Cases,
    Own,
    aware,
    incident_detail,
    paper_mark,
    people_of_alerts,
    veiled_paper,
)
from soc_api.routes.guard import Here, Veiled, Visitor, needs, router
from soc_api.routes.incidents import REFUSES
from soc_api.routes.recorded import recorded, taken
from soc_api.routes.registry import Within

incident_case = router("incidents")

LOCKER: Final = "/incidents/files"  # takes a file as its body
_BINARY: Final[dict[str, Any]] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}
_PAPERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()}
    },
    **REFUSES,
}


@incident_case.post(
    "/incidents/{number}/notes",
    summary="Add to the timeline",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def note(incident: Own, body: TimelineEntry, center: Here, cases: Cases, visit: Visitor) -> IncidentDetail:
    """What happened, and when; it is never changed after."""
    refuse_state_secrets((), (body.note,))
    with recorded(center, visit, "incident.note", f"incident:{incident.number}"):
        done = cases.incidents.note(incident.number, body.note, aware(body.at), visit.actor, center.clock())
    return incident_detail(done, center, cases)


@incident_case.post(
    "/incidents/{number}/tasks",
    summary="Add a task",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def add_task(incident: Own, body: TaskOrder, center: Here, cases: Cases, visit: Visitor) -> IncidentDetail:
    """Something to do, by whom and until when."""
    with recorded(center, visit, "incident.task", f"incident:{incident.number}"):
        done = cases.incidents.add_task(
            incident.number, body.title, body.owner, aware(body.due), visit.actor, center.clock()
        )
    return incident_detail(done, center, cases)


@incident_case.post(
    "/incidents/{number}/tasks/{task}",
    summary="End a task, or take it up again",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def change_task(
    incident: Own,
    task: Annotated[int, Path(ge=1, le=1000)],
    body: TaskChange,
    center: Here,
    cases: Cases,
    visit: Visitor,
) -> IncidentDetail:
    """Done, dropped for a reason, open again, or somebody else's."""
    with recorded(center, visit, "incident.task", f"incident:{incident.number} task {task}"):
        done = cases.incidents.change_task(
            incident.number, task, body.state, body.owner, body.note, visit.actor, center.clock()
        )
    return incident_detail(done, center, cases)


@incident_case.post(
    "/incidents/{number}/filings",
    summary="Record a report that was given",
    response_model=IncidentDetail,
    responses=REFUSES,
    openapi_extra=needs("incidents.act"),
)
def add_filing(
    incident: Own, body: FilingOrder, center: Here, cases: Cases, visit: Visitor
) -> IncidentDetail:
    """首报, then 续报, the 总结报告 after handling ended; what it said stays as it was said."""
    refuse_state_secrets((), tuple(body.fields.values()))
    order = Filing(
        kind=body.kind,
        to=body.to,
        channel=body.channel,
        sent=aware(body.sent) or center.clock(),
        fields=body.fields,
    )
    with recorded(center, visit, "incident.file", f"incident:{incident.number} {body.kind}"):
        done = cases.incidents.file(incident.number, order, visit.actor, center.clock())
    return incident_detail(done, center, cases)


@incident_case.get(
    "/incidents/{number}/filings/{filing}/{form}",
    summary="A report as a form",
    response_class=Response,
    responses=_PAPERS,
    openapi_extra=needs("incidents.read"),
)
def filing_file(
    incident: Own,
    filing: Annotated[int, Path(ge=1, le=1000)],
    form: PaperForm,
    center: Here,
    cases: Cases,
    visit: Visitor,
    veil: Veiled,
) -> Response:
    """DOCX or PDF of what was reported, marked with who took it and when; names only for who sees them."""
    found = next((one for one in incident.filings if one.number == filing), None)
    if found is None:
        raise Refused(
            "filing-not-found",
            Words(f"没有第 {filing} 份报告", f"there is no report {filing}"),
            Words("请刷新后重试", "reload and try again"),
            field=str(filing),
        )
    with recorded(center, visit, "incident.download", f"incident:{incident.number} report {filing}.{form}"):
        mark = paper_mark(visit, center.clock())
        paper = filing_paper(incident, found, cases.rules, center=center.name, watermark=mark)
        if veil is not None:
            veil.know(people_of_alerts(incident, center, cases))
        data = render_paper(veiled_paper(paper, veil), form)
    name = f"liuhe-incident-{incident.number}-{filing}.{form}"
    return Response(
        data,
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@incident_case.post(
    LOCKER,
    summary="Put a file into the evidence locker",
    response_model=IncidentDetail,
    status_code=201,
    responses=REFUSES,
    openapi_extra={**needs("incidents.act"), "requestBody": {"required": True, "content": _BINARY}},
)
async def add_file(
    request: Request,
    cases: Cases,
    reach: Within,
    incident: Annotated[str, Query(pattern=r"^20\d\d-\d{6,12}$")],
    name: Annotated[str, Query(min_length=1, max_length=200)],
    note: Annotated[str, Query(max_length=2000)] = "",
) -> IncidentDetail:
    """The file as the body: sealed on disk, its SM3 in the ledger with who handed it in."""
    refuse_state_secrets((), (name, note))
    data = await request.body()
    center, visit = reach.center, reach.visit

    def work() -> IncidentDetail:
        reach.unit(cases.incident_rows.get(incident).unit)
        now = center.clock()
        with recorded(center, visit, "incident.evidence", f"incident:{incident} {name}"):
            digest = _locker(center).put(data)
            file = CaseFile(sm3=digest, name=name, bytes=len(data), time=now, actor=visit.actor, note=note)
            done = cases.incidents.add_file(incident, file, visit.actor, now)
        return incident_detail(done, center, cases)

    return await run_in_threadpool(work)


@incident_case.get(
    "/incidents/{number}/files/{digest}",
    summary="A file of the evidence locker",
    response_class=Response,
    responses={200: {"content": _BINARY}, **REFUSES},
    openapi_extra=needs("incidents.act"),
)
def file(
    incident: Own,
    digest: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    center: Here,
    visit: Visitor,
    veil: Veiled,
) -> Response:
    """Checked against its SM3; every look at it is audited. For who sees names: it goes out as it is."""
    if veil is not None:
        veil.need_names()
    if not any(one.sm3 == digest for one in incident.files):
        raise Refused(
            "incident-file-not-found",
            Words("此事件没有这个文件", "this incident has no such file"),
            Words("请刷新后重试", "reload and try again"),
            field=digest,
        )
    with recorded(center, visit, "incident.evidence-read", f"incident:{incident.number} {digest}"):
        data = _locker(center).get(digest)
    name = f"evidence-{digest[:16]}-{taken(visit, center.clock())}.bin"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type="application/octet-stream", headers=headers)


def _locker(center: Center) -> IncidentFiles:
    if center.locker is None:
        raise LiuheError(
            "incident-locker",
            Words("本中心没有证据柜", "this center has no evidence locker"),
            Words("请用 liuhe center run 启动中心", "start it with liuhe center run"),
        )
    return center.locker
