"""The hunt page: stored events by query, their fields and values, completion, and exports without a limit."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Path, Query
from fastapi.responses import StreamingResponse

from crypto.words import BadInput, Refused, Words
from detection.condition import Always, Condition
from detection.query.completion import complete
from detection.query.parse import QUERY_CHARS_MAX, parse_query
from detection.store.recent import Recent
from detection.store.survey import EVENTS_MAX, SLOTS_MAX, Question
from soc_api.bodies import EventRow, Problem
from soc_api.context import Center
from soc_api.export_stream import Charset, FileKind, Label, Mark, csv_pieces, download, ndjson_pieces
from soc_api.hunt_bodies import CompletionPage, HuntProgress, ValuePage
from soc_api.hunt_view import (
    COLUMNS,
    event_row,
    export_objects,
    export_rows,
    place_of,
    progress_line,
)
from soc_api.identity import Visit
from soc_api.routes.guard import Here, Veiled, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen, Within
from soc_api.unit_scope import UnitScope

hunt = router("hunt")

RANGE_DEFAULT: Final = timedelta(days=1)
SECONDS_MAX: Final = 60.0  # of one question; what it found until then stays
TOGETHER_MAX: Final = 4  # questions at once: two cores are not made faster by more
COLUMNS_MAX: Final = 40
_LINE: Final = "application/x-ndjson"
_BUSY: Final[dict[int | str, dict[str, Any]]] = {
    429: {"model": Problem, "description": "Too many questions are being answered"},
}
_FILE: Final = {"schema": {"type": "string", "format": "binary"}}
_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": _FILE, _LINE: _FILE}},
    **_BUSY,
}
_room: Final = threading.BoundedSemaphore(TOGETHER_MAX)

QueryText = Annotated[str, Query(max_length=QUERY_CHARS_MAX, examples=["user.name:root"])]
When = Annotated[datetime | None, Query(examples=["2026-11-22T08:00:00Z"])]
FieldName = Annotated[str, Query(min_length=1, max_length=200)]
EventId = Annotated[str, Path(pattern=r"^[0-9a-f]{32,64}$")]


class Lines(StreamingResponse):
    """One JSON object a line, as they are known."""

    media_type = _LINE


class Asked(msgspec.Struct, frozen=True):
    """What a request asks: a condition within a range and one's own units."""

    condition: Condition
    since: datetime
    until: datetime
    scope: UnitScope
    text: str

    def question(self, **more: Any) -> Question:
        """For the store."""
        return Question(
            condition=self.condition, since=self.since, until=self.until, units=self.scope.units, **more
        )


def asked(center: Here, scope: Seen, q: QueryText = "", since: When = None, until: When = None) -> Asked:
    """The request's query and range. Raises BadInput (query-syntax, hunt-range)."""
    last = _aware(until, "until") or center.clock()
    first = _aware(since, "since") or last - RANGE_DEFAULT
    if first >= last:
        raise _bad_range("since")
    condition = parse_query(q) if q.strip() else Always(True)
    return Asked(condition, first, last, scope, q)


Wanted = Annotated[Asked, Depends(asked)]


@hunt.get(
    "/hunt/events",
    summary="Search stored events",
    response_class=Lines,
    response_model=HuntProgress,
    responses=_BUSY,
    openapi_extra=needs("events.search"),
)
def events(
    wanted: Wanted,
    center: Here,
    visit: Visitor,
    cursor: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
    slots: Annotated[int, Query(ge=0, le=SLOTS_MAX)] = 60,
) -> Lines:
    """The newest events first, how many there were when, and their fields; a line with every few files read.

    Closing the connection stops the search. After 60 s it stops by itself and says how far back it came.
    """
    before = place_of(cursor)
    if before is None:
        with recorded(center, visit, "events.search", _about(wanted)):
            pass
    rows = limit if cursor else EVENTS_MAX
    question = wanted.question(limit=rows, slots=0 if cursor else slots, before=before)
    progress = center.events.survey(question, _deadline())
    lines = (_line(progress_line(one, question, limit)) for one in progress)
    return Lines(_in_turn(lines), headers={"Cache-Control": "no-store"})


@hunt.get(
    "/hunt/events/{event}",
    summary="One stored event",
    response_model=EventRow,
    responses=conflicts("Never"),
    openapi_extra=needs("events.search"),
)
def event(event: EventId, reach: Within) -> EventRow:
    """Every field of it, as it was sent."""
    found = reach.center.events.get([event])
    if not found:
        raise Refused(
            "event-not-found",
            Words("没有这个事件,或已过保存期", "there is no such event, or its time of keeping is over"),
            Words("请核对编号", "check its id"),
            field=event,
        )
    reach.unit(found[0].unit)
    return EventRow.model_validate(event_row(found[0]))


@hunt.get(
    "/hunt/values",
    summary="The values of a field",
    response_model=ValuePage,
    responses=_BUSY,
    openapi_extra=needs("events.search"),
)
def values(
    wanted: Wanted, center: Here, field: FieldName, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> ValuePage:
    """All values in the range with their number, the most frequent first; folded as they are compared."""
    with Turn():
        found = center.events.values(wanted.question(slots=1), field, limit, _deadline())
    return ValuePage(
        field=field,
        matched=found.matched,
        rows=[{"value": value, "count": number} for value, number in found.rows],  # type: ignore[misc]
        more=found.more,
        stopped=found.stopped,
    )


@hunt.get(
    "/hunt/complete",
    summary="What may stand at the cursor of a query",
    response_model=CompletionPage,
    openapi_extra=needs("events.search"),
)
def completion(
    center: Here,
    scope: Seen,
    veil: Veiled,
    q: QueryText = "",
    cursor: Annotated[int, Query(ge=0, le=QUERY_CHARS_MAX)] = 0,
) -> CompletionPage:
    """Fields with their Chinese names, operators, and values of the newest events of one's own units."""
    found = complete(q, cursor, Recent(center.events, scope.units))
    items = [msgspec.structs.asdict(item) for item in found.items]
    if veil is not None and found.expects == "value":
        items = veil.values(q[: found.start], items)
    return CompletionPage.model_validate(
        {"start": found.start, "end": found.end, "expects": found.expects, "items": items}
    )


@hunt.get(
    "/hunt/export",
    summary="Everything a query finds, as a file",
    response_class=StreamingResponse,
    responses=_EXPORTED,
    openapi_extra=needs("events.search"),
)
def export(
    wanted: Wanted,
    center: Here,
    visit: Visitor,
    veil: Veiled,
    format: FileKind = "csv",  # noqa: A002 - the name in the address
    charset: Charset = "utf-8",
    columns: Annotated[str, Query(max_length=4_000)] = ",".join(COLUMNS),
) -> StreamingResponse:
    """CSV of the chosen columns or NDJSON of whole events, however many; marked with who took it."""
    names = [name for name in columns.split(",") if name][:COLUMNS_MAX] or list(COLUMNS)
    with recorded(center, visit, "events.export", f"{format} {_about(wanted)}"):
        found = center.events.matching(wanted.question(slots=0))
    mark = _mark(center, visit, wanted, names=veil is None or veil.plain)
    if format == "csv":
        pieces = csv_pieces(
            names, export_rows(found, names, None if veil is None else veil.row), mark, charset
        )
    else:
        pieces = ndjson_pieces(export_objects(found), mark)
    return download(_in_turn(pieces), format, "events", charset)


def _mark(center: Center, visit: Visit, wanted: Asked, *, names: bool) -> Mark:
    about = f"events {wanted.since.isoformat()} - {wanted.until.isoformat()} {wanted.text}"
    label: Label = "重要" if names else "一般"  # names of people are personal information
    return Mark(person=visit.actor, time=center.clock(), center=center.name, about=about, label=label)


def _in_turn(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces while one of the few places is held. Raises Refused (hunt-busy) before the first."""
    turn = Turn()
    turn.__enter__()

    def held() -> Iterator[bytes]:
        with turn:
            yield from pieces

    return held()


class Turn:
    """One of the places for questions; given back once, whoever gives it back."""

    def __init__(self) -> None:
        self._held = False

    def __enter__(self) -> None:
        if not self._held:
            if not _room.acquire(blocking=False):
                raise _busy()
            self._held = True

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()  # an answer nobody began to read

    def release(self) -> None:
        """Give the place back."""
        if self._held:
            self._held = False
            _room.release()


def _deadline(seconds: float = SECONDS_MAX) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def _line(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body) + b"\n"


def _about(wanted: Asked) -> str:
    return f"{wanted.since:%Y-%m-%dT%H:%MZ}..{wanted.until:%Y-%m-%dT%H:%MZ} {wanted.text}"[:500]


def _aware(time: datetime | None, field: str) -> datetime | None:
    if time is not None and time.tzinfo is None:
        raise _bad_range(field)
    return time


def _bad_range(field: str) -> BadInput:
    return BadInput(
        "hunt-range",
        Words("时间范围不对", "the range of time is not right"),
        Words(
            "起始须早于截止,时间须带时区,如 2026-11-22T08:00:00+08:00",
            "it must begin before it ends, with time zones, as in 2026-11-22T08:00:00+08:00",
        ),
        field=field,
    )


def _busy() -> Refused:
    return Refused(
        "hunt-busy",
        Words("正在进行的检索太多", "too many searches are being answered"),
        Words("请稍候再试,或先停止自己的检索", "wait a moment, or stop one of your own"),
    )
