"""The audit log, for the audit administrator."""

from typing import Annotated

from fastapi import Query

from soc_api.audit import Line
from soc_api.bodies import AuditPage, AuditRow
from soc_api.routes.guard import Here, needs, router

audit = router("audit")


@audit.get("/audit", summary="The audit log", response_model=AuditPage, openapi_extra=needs("audit.read"))
def page(
    center: Here,
    cursor: Annotated[str, Query(max_length=20)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Operations of people and processes, newest first."""
    found = center.audit.page(cursor=cursor, limit=limit)
    return AuditPage(rows=[_row(line) for line in found.rows], next=found.next)


def _row(line: Line) -> AuditRow:
    said = line.entry
    return AuditRow(
        time=said.time,
        actor=said.actor,
        source=said.source,
        action=said.action,
        object=said.object,
        result=said.result,
    )
