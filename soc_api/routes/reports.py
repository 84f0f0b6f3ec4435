"""Reports: the list, drafts and their texts, three signatures, and the files of an edition."""

from typing import Annotated, Final

from fastapi import Path, Response

from compliance.report_signing import OwnSignature
from soc_api.context import Center
from soc_api.enforcement_bodies import Draft
from soc_api.identity import Visit
from soc_api.report_bodies import (
    ReportChart,
    ReportCharts,
    ReportDetail,
    ReportOrder,
    ReportPage,
    ReportReturn,
    ReportRow,
    ReportSigning,
    ReportStepOrder,
    ReportTexts,
)
from soc_api.report_port import ReportKind, ReportStep
from soc_api.report_scope import need_report, reach_of_reports
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded, taken

reports = router("reports")

Report = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_REFUSES: Final = conflicts("The report cannot be made")
_STATE: Final = conflicts("The report is in another state, has changed, or the same person signed before")
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_TYPES: Final[dict[ReportKind, str]] = {
    "pdf": "application/pdf",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "p7s": "application/pkcs7-signature",
}


@reports.get(
    "/reports", summary="All reports", response_model=ReportPage, openapi_extra=needs("reports.read")
)
def page(center: Here, visit: Visitor) -> ReportPage:
    """Every report and edition of one's own unit and those below, the newest first."""
    sees = reach_of_reports(center, visit)
    rows = [row for row in center.reports.reports() if sees(row.scope, row.unit)]
    return ReportPage(rows=[ReportRow.model_validate(row, from_attributes=True) for row in rows])


@reports.post(
    "/reports",
    summary="Draft the report of a month",
    response_model=ReportRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("reports.make"),
)
def make(body: ReportOrder, center: Here, visit: Visitor) -> ReportRow:
    """Draft it from what the center knows now; an existing one stays and gets a new edition beside it."""
    unit = body.unit or visit.account.unit
    need_report(center, visit, body.scope, unit)
    with recorded(center, visit, "report.make", f"{body.month} {body.scope} {unit}"):
        made = center.reports.make_report(
            body.month, visit.actor, center.clock(), scope=body.scope, unit=unit
        )
    return ReportRow.model_validate(made, from_attributes=True)


@reports.get(
    "/reports/{report}",
    summary="One report",
    response_model=ReportDetail,
    responses=_REFUSES,
    openapi_extra=needs("reports.read"),
)
def detail(report: Report, center: Here, visit: Visitor) -> ReportDetail:
    """An edition with the texts of its chapters and its signatures."""
    _need(center, visit, report)
    return ReportDetail.model_validate(center.reports.report_detail(report), from_attributes=True)


@reports.get(
    "/reports/{report}/charts",
    summary="The pictures of a report as numbers",
    response_model=ReportCharts,
    responses=_REFUSES,
    openapi_extra=needs("reports.read"),
)
def charts(report: Report, center: Here, visit: Visitor) -> ReportCharts:
    """What the printed charts show: layers, trend, units, alerts, orders, retention."""
    _need(center, visit, report)
    found = center.reports.report_charts(report)
    return ReportCharts(rows=[ReportChart.model_validate(one, from_attributes=True) for one in found])


@reports.put(
    "/reports/{report}/sections",
    summary="Write into chapters of a draft",
    response_model=ReportDetail,
    responses=_STATE,
    openapi_extra=needs("reports.make"),
)
def edit(report: Report, body: ReportTexts, center: Here, visit: Visitor) -> ReportDetail:
    """Texts are added below a chapter's numbers; the numbers are never edited."""
    _need(center, visit, report)
    with recorded(center, visit, "report.edit", f"{report} {' '.join(sorted(body.texts))}"[:200]):
        done = center.reports.edit_report(report, body.texts, visit.actor, center.clock())
    return ReportDetail.model_validate(done, from_attributes=True)


@reports.post(
    "/reports/{report}/draft",
    summary="The bytes to sign for a step",
    response_model=Draft,
    responses=_STATE,
    openapi_extra=needs("reports.read"),
)
def draft(report: Report, body: ReportStepOrder, center: Here, visit: Visitor) -> Draft:
    """For a person with an SM2 key of their own; nothing is kept, and it is good for 30 minutes."""
    _need(center, visit, report)
    made = center.reports.report_draft(report, body.step, body.content_sm3, visit.actor, center.clock())
    return Draft(statement=made.decode())


@reports.post(
    "/reports/{report}/prepare",
    summary="Sign as the one who prepared it",
    response_model=ReportDetail,
    responses=_STATE,
    openapi_extra=needs("reports.make"),
)
def prepare(report: Report, body: ReportSigning, center: Here, visit: Visitor) -> ReportDetail:
    """编制: the draft is done and goes to the reviewer."""
    return _sign(report, "prepare", body, center, visit)


@reports.post(
    "/reports/{report}/review",
    summary="Sign as reviewer",
    response_model=ReportDetail,
    responses=_STATE,
    openapi_extra=needs("reports.review"),
)
def review(report: Report, body: ReportSigning, center: Here, visit: Visitor) -> ReportDetail:
    """审核, by the security administrator."""
    return _sign(report, "review", body, center, visit)


@reports.post(
    "/reports/{report}/approve",
    summary="Approve and issue",
    response_model=ReportDetail,
    responses=_STATE,
    openapi_extra=needs("reports.approve"),
)
def approve(report: Report, body: ReportSigning, center: Here, visit: Visitor) -> ReportDetail:
    """批准: the report is issued, signed with the center's SM2 certificate, and never changes again."""
    return _sign(report, "approve", body, center, visit)


@reports.post(
    "/reports/{report}/return",
    summary="Send back to draft",
    response_model=ReportDetail,
    responses=_STATE,
    openapi_extra=needs("reports.review"),
)
def send_back(report: Report, body: ReportReturn, center: Here, visit: Visitor) -> ReportDetail:
    """退回: signatures are taken off, the reason stays in the ledger."""
    _need(center, visit, report)
    with recorded(center, visit, "report.return", report):
        done = center.reports.return_report(report, body.reason, visit.actor, center.clock())
    return ReportDetail.model_validate(done, from_attributes=True)


def _need(center: Center, visit: Visit, report: str) -> None:
    """Return where the report may be seen. Raises Refused (report-not-found, unit-scope)."""
    row = center.reports.report_detail(report).report
    need_report(center, visit, row.scope, row.unit)


def _sign(report: str, step: ReportStep, body: ReportSigning, center: Center, visit: Visit) -> ReportDetail:
    _need(center, visit, report)
    signed = body.own
    own = None
    if signed is not None:
        own = OwnSignature(statement=signed.statement, key=signed.key, value=signed.signature)
    with recorded(center, visit, f"report.{step}", report):
        done = center.reports.sign_report(
            report,
            step,
            content=body.content_sm3,
            actor=visit.actor,
            name=visit.account.display_name,
            now=center.clock(),
            own=own,
        )
    return ReportDetail.model_validate(done, from_attributes=True)


def _file_responses(kind: ReportKind) -> dict[int | str, dict[str, object]]:
    return {200: {"content": {_TYPES[kind]: {"schema": {"type": "string", "format": "binary"}}}}, **_REFUSES}


@reports.get(
    "/reports/{report}/pdf",
    summary="The report for people",
    response_class=Response,
    responses=_file_responses("pdf"),
    openapi_extra=needs("reports.read"),
)
def pdf(report: Report, center: Here, visit: Visitor) -> Response:
    """The PDF, checked against its recorded SM3."""
    return _file(report, "pdf", center, visit)


@reports.get(
    "/reports/{report}/xlsx",
    summary="The report's tables",
    response_class=Response,
    responses=_file_responses("xlsx"),
    openapi_extra=needs("reports.read"),
)
def xlsx(report: Report, center: Here, visit: Visitor) -> Response:
    """The workbook, checked against its recorded SM3."""
    return _file(report, "xlsx", center, visit)


@reports.get(
    "/reports/{report}/docx",
    summary="The report to be worked on",
    response_class=Response,
    responses=_file_responses("docx"),
    openapi_extra=needs("reports.read"),
)
def docx(report: Report, center: Here, visit: Visitor) -> Response:
    """The DOCX, checked against its recorded SM3."""
    return _file(report, "docx", center, visit)


@reports.get(
    "/reports/{report}/p7s",
    summary="The signature of an issued report",
    response_class=Response,
    responses=_file_responses("p7s"),
    openapi_extra=needs("reports.read"),
)
def p7s(report: Report, center: Here, visit: Visitor) -> Response:
    """Detached CMS (GB/T 35275) over the PDF, by the center's SM2 certificate."""
    return _file(report, "p7s", center, visit)


def _file(report: str, kind: ReportKind, center: Center, visit: Visit) -> Response:
    _need(center, visit, report)
    with recorded(center, visit, "report.download", f"{report}.{kind}"):
        body = center.reports.report_file(report, kind)
    # The id's alphabet has no quote and no line end, so it can stand in a header as it is.
    # What is issued is signed byte for byte, so the watermark stands in its name.
    kept = f"{report}-{taken(visit, center.clock())}"
    name = f"{kept}.pdf.p7s" if kind == "p7s" else f"{kept}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="liuhe-{name}"'}
    return Response(body, media_type=_TYPES[kind], headers=headers)
