"""The audit log, for the audit administrator: search, export, check against the ledger. Nobody changes it."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from crypto.words import Refused, Words
from soc_api.audit import Line, entry
from soc_api.audit_file import COLUMNS, told
from soc_api.audit_ledger import check_audit
from soc_api.audit_store import AuditFilter
from soc_api.bodies import AuditCheckResult, AuditPage, AuditRow
from soc_api.evidence_scope import need_center, scope_of_evidence
from soc_api.export_stream import Charset, FileKind, Mark, csv_pieces, download, ndjson_pieces
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded

audit = router("audit")

_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")},
        "description": "The first line is the watermark",
    }
}
Cursor = Annotated[str, Query(max_length=20)]
Sought = Annotated[str, Query(max_length=128)]


def sought_here(
    center: Here,
    visit: Visitor,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    actor: Sought = "",
    action: Sought = "",
    source: Sought = "",
    about: Annotated[str, Query(max_length=512)] = "",
    result: Sought = "",
) -> AuditFilter:
    """What is sought; an auditor of a unit below the center's sees what the accounts of its tree did."""
    return AuditFilter(
        since=since,
        until=until,
        actor=actor,
        action=action,
        source=source,
        about=about,
        result=result,
        units=scope_of_evidence(center, visit).units,
    )


Filter = Annotated[AuditFilter, Depends(sought_here)]


@audit.get("/audit", summary="The audit log", response_model=AuditPage, openapi_extra=needs("audit.read"))
def page(
    center: Here,
    sought: Filter,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> AuditPage:
    """Operations of people and processes, newest first; ``*`` at the end of a text stands for any rest."""
    found = center.audit.page(cursor=cursor, limit=limit, sought=sought)
    return AuditPage(rows=[_row(line) for line in found.rows], next=found.next)


@audit.get(
    "/audit/export",
    summary="The audit log as a file",
    response_class=StreamingResponse,
    responses=_FILES,
    openapi_extra=needs("audit.read"),
)
def export(
    center: Here,
    visit: Visitor,
    sought: Filter,
    kind: FileKind = "csv",
    charset: Charset = "utf-8",
) -> StreamingResponse:
    """Every line sought, oldest first, as it is read; the watermark says who took it and when."""
    now = center.clock()
    with recorded(center, visit, "audit.export", f"audit:{kind}"):
        lines = center.audit.export(sought)
    mark = Mark(person=visit.actor, time=now, center=center.name, about="audit", label="重要")
    rows = (told(line, previous) for line, previous in lines)
    pieces: Iterator[bytes]
    if kind == "csv":
        pieces = csv_pieces(COLUMNS, ([row[name] for name in COLUMNS] for row in rows), mark, charset)
    else:
        pieces = ndjson_pieces(rows, mark)
    return download(pieces, kind, f"liuhe-audit-{now:%Y%m%d-%H%M%S}", charset)


@audit.post(
    "/audit/verify",
    summary="Check the audit log against the ledger",
    response_model=AuditCheckResult,
    openapi_extra=needs("audit.read"),
)
def verify(center: Here, visit: Visitor) -> AuditCheckResult:
    """The chain followed from the first line, each line compared with the digest the ledger holds of it."""
    need_center(center, visit)
    with recorded(center, visit, "audit.verify", "audit"):
        checked = check_audit(center.audit, center.ledger)
    return AuditCheckResult.model_validate(checked, from_attributes=True)


@audit.delete(
    "/audit",
    summary="Refused",
    status_code=204,
    responses=conflicts("Always"),
    openapi_extra=needs("session.own"),
)
@audit.put(
    "/audit",
    summary="Refused",
    status_code=204,
    responses=conflicts("Always"),
    openapi_extra=needs("session.own"),
)
@audit.patch(
    "/audit",
    summary="Refused",
    status_code=204,
    responses=conflicts("Always"),
    openapi_extra=needs("session.own"),
)
def alter(center: Here, visit: Visitor) -> None:
    """Nobody changes or deletes audit lines; the attempt is one of them."""
    center.audit.record(
        entry(
            time=center.clock(),
            actor=visit.actor,
            source=visit.source,
            action="audit.tamper",
            about="audit",
            result="refused: audit-immutable",
        )
    )
    raise Refused(
        "audit-immutable",
        Words(
            "审计日志不可修改或删除,此次尝试已记录", "the audit log is never changed; the attempt is recorded"
        ),
        Words("请改用导出与检索", "search or export it instead"),
    )


def _row(line: Line) -> AuditRow:
    row = told(line, "")
    return AuditRow.model_validate({name: row[name] for name in AuditRow.model_fields})
