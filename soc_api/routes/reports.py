"""Monthly reports: the list, a new edition, and the two files of one."""

from typing import Annotated, Final

from fastapi import Path, Response

from soc_api.bodies import ReportOrder, ReportPage, ReportRow
from soc_api.compliance_port import ReportKind
from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded

reports = router("reports")

Report = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_REFUSES: Final = conflicts("The report cannot be made")
_TYPES: Final[dict[ReportKind, str]] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@reports.get(
    "/reports", summary="All reports", response_model=ReportPage, openapi_extra=needs("reports.read")
)
def page(center: Here) -> ReportPage:
    """Every report and edition, the newest first."""
    rows = [ReportRow.model_validate(row, from_attributes=True) for row in center.compliance.reports()]
    return ReportPage(rows=rows)


@reports.post(
    "/reports",
    summary="Make the report of a month",
    response_model=ReportRow,
    status_code=201,
    responses=_REFUSES,
    openapi_extra=needs("reports.make"),
)
def make(body: ReportOrder, center: Here, visit: Visitor) -> ReportRow:
    """Make it from what the center knows now; an existing report stays and gets a new edition beside it."""
    with recorded(center, visit, "report.make", body.month):
        made = center.compliance.make_report(body.month, visit.actor, center.clock())
    return ReportRow.model_validate(made, from_attributes=True)


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


def _file(report: str, kind: ReportKind, center: Center, visit: Visit) -> Response:
    with recorded(center, visit, "report.download", f"{report}.{kind}"):
        body = center.compliance.report_file(report, kind)
    # The id's alphabet has no quote and no line end, so it can stand in a header as it is.
    headers = {"Content-Disposition": f'attachment; filename="liuhe-{report}.{kind}"'}
    return Response(body, media_type=_TYPES[kind], headers=headers)
