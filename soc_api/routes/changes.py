"""Changes of rules, gates and retention: their versions, the second person, the diff as a file."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from fastapi import Path
from fastapi.responses import StreamingResponse

from soc_api.change_bodies import ChangeDecision, ChangePage, ConfigurationChange
from soc_api.change_desk import ChangeDesk
from soc_api.change_store import Change
from soc_api.context import Center
from soc_api.evidence_scope import need_center
from soc_api.export_stream import Mark
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded

changes = router("changes")

Number = Annotated[int, Path(ge=1, le=2**53)]
_DIFF: Final = "text/x-diff"


def desk_of(center: Center) -> ChangeDesk:
    """Versions of the center."""
    assert center.changes is not None
    return center.changes


@changes.get(
    "/changes",
    summary="Changes and their second persons",
    response_model=ChangePage,
    openapi_extra=needs("changes.read"),
)
def page(center: Here, visit: Visitor) -> ChangePage:
    """Of the whole center, so its own unit's people see them alone."""
    need_center(center, visit)
    rows = desk_of(center).store.rows()
    return ChangePage(rows=[ConfigurationChange.model_validate(row, from_attributes=True) for row in rows])


@changes.post(
    "/changes/{change}/decide",
    summary="Confirm or refuse a change",
    response_model=ConfigurationChange,
    responses=conflicts("It is one's own, or has been decided about"),
    openapi_extra=needs("changes.decide"),
)
def decide(change: Number, body: ChangeDecision, center: Here, visit: Visitor) -> ConfigurationChange:
    """By another person; what is refused is undone at once."""
    need_center(center, visit)
    word = "confirm" if body.approve else "refuse"
    with recorded(center, visit, f"change.{word}", f"change:{change} {body.note}") as act:
        before = desk_of(center).store.change(change)
        after = desk_of(center).decide(
            change, body.approve, decider=visit.actor, note=body.note, now=center.clock()
        )
        act.changed(before.before if body.approve else before.after, after.after)
    return ConfigurationChange.model_validate(after, from_attributes=True)


@changes.get(
    "/changes/export",
    summary="All changes as a diff",
    response_class=StreamingResponse,
    responses={200: {"content": {_DIFF: {"schema": {"type": "string", "format": "binary"}}}}},
    openapi_extra=needs("changes.read"),
)
def export(center: Here, visit: Visitor) -> StreamingResponse:
    """Unified diffs, oldest first, with who asked, who agreed and why; the first line is the watermark."""
    need_center(center, visit)
    with recorded(center, visit, "change.export", "changes"):
        rows = desk_of(center).store.rows()[::-1]
    mark = Mark(person=visit.actor, time=center.clock(), center=center.name, about="changes")
    headers = {"Content-Disposition": 'attachment; filename="changes.diff"', "Cache-Control": "no-store"}
    return StreamingResponse(_pieces(rows, mark), media_type=f"{_DIFF}; charset=utf-8", headers=headers)


def _pieces(rows: Sequence[Change], mark: Mark) -> Iterator[bytes]:
    yield f"# {mark.line()}\n".encode()
    for one in rows:
        said = f"{one.state} {one.time.isoformat()} {one.author} -> {one.decider or '-'}"
        head = f"# {one.id} {one.kind} {said}: {one.reason.splitlines()[0] if one.reason else ''}\n"
        yield (head + one.diff()).encode()
