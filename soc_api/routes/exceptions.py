"""Exceptions and maintenance windows: previewed, asked for, decided by a second person, ended."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Depends, Path, Query

from crypto.words import Words
from detection.exceptions import Exemption
from detection.store.exception_store import Held
from soc_api.bodies import Text
from soc_api.errors import text
from soc_api.exception_bodies import (
    ExceptionDecision,
    ExceptionDetail,
    ExceptionDraft,
    ExceptionEnd,
    ExceptionOrder,
    ExceptionPage,
    ExceptionPreview,
    ExceptionRow,
    ExceptionScope,
    ExceptionStep,
    GroupHitRow,
    HeldAlert,
    HeldHour,
)
from soc_api.exception_desk import Asked, ExceptionDesk
from soc_api.routes.alerts import Group
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Reach, Seen, Within

exceptions = router("exceptions")

RECENT: Final = timedelta(days=7)
DAY: Final = timedelta(hours=24)
EXAMPLES_MAX: Final = 20  # shown
_REFUSES: Final = conflicts("It is not in the state this action starts from, or needs a second person")


def desk_of(center: Here) -> ExceptionDesk:
    """The center's exceptions."""
    assert center.exceptions is not None
    return center.exceptions


Desk = Annotated[ExceptionDesk, Depends(desk_of)]
Identifier = Annotated[int, Path(ge=1, le=2**53)]


def own_exception(identifier: Identifier, desk: Desk, reach: Within) -> Exemption:
    """The exception, if its unit is within reach. Raises Refused (exception-not-found, unit-scope)."""
    one = desk.store.get(identifier)
    reach.unit(one.unit)
    return one


Own = Annotated[Exemption, Depends(own_exception)]


@exceptions.get(
    "/exceptions", summary="Exceptions", response_model=ExceptionPage, openapi_extra=needs("alerts.read")
)
def page(
    center: Here,
    desk: Desk,
    scope: Seen,
    rule: Annotated[str, Query(max_length=128)] = "",
    before: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ExceptionPage:
    """Of one's own unit and those below, newest first, with what each held back."""
    now = center.clock()
    found = desk.store.page(units=scope.units, before=before, limit=limit, rule=rule)
    rows = _rows(desk, found, now)
    return ExceptionPage(
        rows=rows,
        held_day=desk.store.held_since(now - DAY, scope.units),
        waiting=sum(row.phase == "waiting" for row in rows),
        next=found[-1].id if len(found) == limit else 0,
    )


@exceptions.post(
    "/exceptions/preview",
    summary="What an exception would have held back",
    response_model=ExceptionPreview,
    openapi_extra=needs("exceptions.ask"),
)
def preview(body: ExceptionScope, center: Here, desk: Desk, reach: Within) -> ExceptionPreview:
    """Of the last 7 days; nothing is kept."""
    now = center.clock()
    order = ExceptionOrder(
        **body.model_dump(), title="preview", reason="preview", owner="preview", expires=now + DAY
    )
    found, grave = desk.preview(_asked(order, reach), now)
    shown = [GroupHitRow.model_validate(hit, from_attributes=True) for hit in found.shown]
    names = set(ExceptionPreview.model_fields) - {"shown", "grave"}
    return ExceptionPreview(
        **{name: getattr(found, name) for name in names}, shown=shown, grave=_texts(grave)
    )


@exceptions.post(
    "/exceptions",
    summary="Ask for an exception",
    status_code=201,
    response_model=ExceptionRow,
    responses=_REFUSES,
    openapi_extra=needs("exceptions.ask"),
)
def ask(body: ExceptionOrder, center: Here, desk: Desk, reach: Within, visit: Visitor) -> ExceptionRow:
    """In force within seconds; where it is grave, only once a second person agreed."""
    now = center.clock()
    if body.origin:
        reach.unit(center.alerts.unit_of(body.origin))
    asked = _asked(body, reach, owner=visit.account.username)
    with recorded(center, visit, "exception.ask", f"unit:{body.unit} {body.title}") as act:
        kept = desk.ask(asked, visit.actor, now)
        act.changed(None, kept)
    return _rows(desk, [kept], now)[0]


@exceptions.get(
    "/exceptions/{identifier}",
    summary="One exception",
    response_model=ExceptionDetail,
    responses=_REFUSES,
    openapi_extra=needs("alerts.read"),
)
def detail(own: Own, center: Here, desk: Desk) -> ExceptionDetail:
    """With its history, what it held back by the hour, and the last of it."""
    return _detail(desk, own, center.clock())


@exceptions.post(
    "/exceptions/{identifier}/decide",
    summary="Agree to an exception, or not",
    response_model=ExceptionDetail,
    responses=_REFUSES,
    openapi_extra=needs("exceptions.decide"),
)
def decide(own: Own, body: ExceptionDecision, center: Here, desk: Desk, visit: Visitor) -> ExceptionDetail:
    """Never by who asked for it."""
    now, answer = center.clock(), "approve" if body.approve else "refuse"
    with recorded(center, visit, f"exception.{answer}", f"exception:{own.id}") as act:
        after = desk.decide(own.id, body.approve, body.note, visit.actor, now)
        act.changed(own, after)
    return _detail(desk, after, now)


@exceptions.post(
    "/exceptions/{identifier}/end",
    summary="End an exception",
    response_model=ExceptionDetail,
    responses=_REFUSES,
    openapi_extra=needs("exceptions.ask"),
)
def end(own: Own, body: ExceptionEnd, center: Here, desk: Desk, visit: Visitor) -> ExceptionDetail:
    """Alerts come through again within seconds; what was kept of those held back may be brought back."""
    now = center.clock()
    with recorded(center, visit, "exception.end", f"exception:{own.id}") as act:
        after = desk.end(own.id, body.note, visit.actor, now, bring_back=body.bring_back)
        act.changed(own, after)
    return _detail(desk, after, now)


@exceptions.get(
    "/alerts/{group}/exception",
    summary="A proposal for an exception",
    response_model=ExceptionDraft,
    responses=_REFUSES,
    openapi_extra=needs("exceptions.ask"),
)
def draft(group: Group, desk: Desk) -> ExceptionDraft:
    """Terms that fit the newest alert of the group; nothing is kept."""
    return ExceptionDraft.model_validate(desk.draft(group), from_attributes=True)


def _asked(body: ExceptionOrder, reach: Reach, *, owner: str = "") -> Asked:
    unit = reach.unit(body.unit)
    below = reach.desk.registry.tree().subtree(unit) if body.below else frozenset({unit})
    return Asked(
        kind=body.kind,
        title=body.title,
        rules=tuple(body.rules),
        unit=unit,
        units=tuple(sorted(below)),
        condition=body.condition,
        reason=body.reason,
        owner=body.owner.strip() or owner,
        begins=_aware(body.begins) if body.begins else None,
        expires=_aware(body.expires),
        origin=body.origin,
    )


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _rows(desk: ExceptionDesk, found: Sequence[Exemption], now: datetime) -> list[ExceptionRow]:
    held = desk.store.held([one.id for one in found], now - RECENT)
    return [_row(one, held.get(one.id, Held()), now) for one in found]


def _row(one: Exemption, held: Held, now: datetime) -> ExceptionRow:
    same = set(ExceptionRow.model_fields) & set(Exemption.__struct_fields__) - {"units", "grave"}
    return ExceptionRow(
        **{name: getattr(one, name) for name in same},
        units=len(one.units),
        grave=_texts(one.grave),
        phase=one.phase(now),
        held=held.total,
        recent=held.recent,
        last=held.last,
    )


def _detail(desk: ExceptionDesk, one: Exemption, now: datetime) -> ExceptionDetail:
    examples = desk.store.examples(one.id, EXAMPLES_MAX)
    return ExceptionDetail(
        exception=_rows(desk, [one], now)[0],
        history=[
            ExceptionStep(time=step.time, actor=step.actor, action=step.action, note=step.note)
            for step in desk.store.history(one.id)
        ],
        per_hour=[
            HeldHour(hour=hour, count=count)
            for hour, count in sorted(desk.store.held_per_hour(one.id, now - RECENT).items())
        ],
        examples=[
            HeldAlert(
                **{name: getattr(alert, name) for name in ("id", "time", "rule", "severity", "entity")},
                title=text(alert.title),
                reason=text(alert.reason),
                unit=alert.unit,
                sensor=alert.sensor,
            )
            for alert in examples
        ],
    )


def _texts(words: Sequence[Words]) -> list[Text]:
    return [text(one) for one in words]
