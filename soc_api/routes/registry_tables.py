"""The registry as a whole: what is lacking, how far the center sees, and tables to fill in, out and in."""

from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from compliance.registry_sheet import SheetName
from compliance.registry_xlsx import FILE_BYTES_MAX
from crypto.words import BadInput, Words
from soc_api.export_stream import Mark
from soc_api.registry_bodies import (
    CoveragePage,
    ImportResult,
    TaskDismissal,
    TaskPage,
    TaskRow,
)
from soc_api.routes.guard import Visitor, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import REFUSES, Desk, Number, Seen, Within

registry_tables = router("registry")

UPLOAD: Final = "/registry/import"  # takes a file as its body
UPLOAD_BYTES_MAX: Final = FILE_BYTES_MAX
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV: Final = "text/csv"
_FILE: Final = {"schema": {"type": "string", "format": "binary"}}


@registry_tables.get(
    "/registry/tasks",
    summary="What is lacking",
    response_model=TaskPage,
    openapi_extra=needs("registry.read"),
)
def tasks(
    desk: Desk,
    scope: Seen,
    state: Literal["open", "done", "dismissed", "all"] = "open",
) -> TaskPage:
    """Unregistered machines, silent ones, filings and assessments that run out; most urgent first."""
    rows = desk.tasks.tasks(scope.units, None if state == "all" else state)
    return TaskPage(rows=[TaskRow.model_validate(row, from_attributes=True) for row in rows])


@registry_tables.post(
    "/registry/tasks/{task}/dismiss",
    summary="Say why a task need not be done",
    response_model=TaskRow,
    responses=REFUSES,
    openapi_extra=needs("registry.edit"),
)
def dismiss(task: Number, body: TaskDismissal, reach: Within) -> TaskRow:
    """It stays on record with the reason."""
    reach.unit(reach.desk.tasks.task(task).unit)
    with recorded(reach.center, reach.visit, "registry.dismiss", f"task:{task}"):
        after = reach.desk.tasks.dismiss(
            task, actor=reach.visit.actor, reason=body.reason, now=reach.center.clock()
        )
    return TaskRow.model_validate(after, from_attributes=True)


@registry_tables.get(
    "/registry/coverage",
    summary="How far the center sees",
    response_model=CoveragePage,
    openapi_extra=needs("registry.read"),
)
def coverage(reach: Within) -> CoveragePage:
    """Units and systems with sensors, fresh evidence and open work."""
    found = reach.desk.coverage(reach.scope.units, reach.center.clock())
    return CoveragePage.model_validate(found, from_attributes=True)


@registry_tables.get(
    "/registry/export",
    summary="Everything as a workbook",
    response_class=Response,
    responses={200: {"content": {_XLSX: _FILE}}},
    openapi_extra=needs("registry.edit"),
)
def export(reach: Within) -> Response:
    """XLSX, one sheet a kind; the template of an import. It holds names and numbers of people: audited."""
    with recorded(reach.center, reach.visit, "registry.export", "registry:xlsx"):
        data = reach.desk.export(reach.scope.units, mark=_mark(reach))
    return _download(data, _XLSX, "registry.xlsx")


@registry_tables.get(
    "/registry/export/{sheet}",
    summary="One sheet as CSV",
    response_class=Response,
    responses={200: {"content": {_CSV: _FILE}}},
    openapi_extra=needs("registry.edit"),
)
def export_csv(sheet: SheetName, reach: Within) -> Response:
    """UTF-8 with a mark that spreadsheets know."""
    with recorded(reach.center, reach.visit, "registry.export", f"registry:{sheet}"):
        data = reach.desk.export_csv(sheet, reach.scope.units, mark=_mark(reach))
    return _download(data, _CSV, f"registry-{sheet}.csv")


@registry_tables.post(
    UPLOAD,
    summary="Import a workbook or a CSV",
    response_model=ImportResult,
    responses=REFUSES,
    openapi_extra={
        **needs("registry.edit"),
        "requestBody": {"required": True, "content": {"application/octet-stream": _FILE}},
    },
)
async def import_(
    request: Request,
    reach: Within,
    visit: Visitor,
    sheet: Annotated[SheetName | None, Query(description="of a CSV; none for a workbook")] = None,
    dry_run: bool = True,
) -> ImportResult:
    """The file is the body. All rows or none; a dry run changes nothing and says what would be."""
    data = await request.body()
    if not data:
        raise BadInput(
            "registry-file",
            Words("没有文件", "there is no file"),
            Words("请求正文须为 XLSX 或 CSV 文件", "the body must be an XLSX or CSV file"),
            field="file",
        )

    def put() -> Any:
        about = f"registry:{sheet or 'xlsx'}{' dry-run' if dry_run else ''}"
        with recorded(reach.center, visit, "registry.import", about):
            return reach.desk.put_file(
                data,
                sheet,
                scope=reach.scope.units,
                dry_run=dry_run,
                now=reach.center.clock(),
                actor=visit.actor,
            )

    found = await run_in_threadpool(put)
    return ImportResult.model_validate(found, from_attributes=True)


def _download(data: bytes, media: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(data, media_type=media, headers=headers)


def _mark(reach: Within) -> str:
    """Names and numbers of people stand in it."""
    center = reach.center
    mark = Mark(
        person=reach.visit.actor, time=center.clock(), center=center.name, about="registry", label="重要"
    )
    return mark.line()
