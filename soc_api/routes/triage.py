"""Beside an alert: how its like was closed before, what happened around it, and what to do now."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Depends

from detection.facts import texts_of
from detection.playbooks import Playbook
from detection.store.alert_group import AlertGroup
from detection.store.playbook_store import Mark
from detection.store.precedents import Precedent
from detection.store.surroundings import Process
from sensors.event import Event
from soc_api.errors import text
from soc_api.routes.alerts import Group
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen
from soc_api.triage_bodies import (
    BesideRow,
    GroupPlaybook,
    PlaybookMark,
    PlaybookPage,
    PlaybookRow,
    PlaybookStep,
    PrecedentPage,
    ProcessRow,
    RelatedPage,
    SessionEvent,
)
from soc_api.triage_desk import TriageDesk

triage = router("triage")

_REFUSES: Final = conflicts("The group's playbook has changed meanwhile")
_SUMMARY: Final = ("message", "process.command_line", "dns.question.name", "url.path", "file.path")
_CHARS_MAX: Final = 300


def desk_of(center: Here) -> TriageDesk:
    """What the center knows beside alerts."""
    assert center.triage is not None
    return center.triage


Desk = Annotated[TriageDesk, Depends(desk_of)]


@triage.get(
    "/alerts/{group}/precedents",
    summary="Seen before",
    response_model=PrecedentPage,
    responses=_REFUSES,
    openapi_extra=needs("alerts.read"),
)
def precedents(group: Group, desk: Desk, scope: Seen) -> PrecedentPage:
    """Closed groups of the same rule, about the same entity and about others: how, by whom, why."""
    found = desk.precedents(group, scope.units)
    return PrecedentPage(
        same=[_precedent(one) for one in found.same],
        others=[_precedent(one) for one in found.others],
        judged=found.judged,
    )


@triage.get(
    "/alerts/{group}/related",
    summary="What happened around it",
    response_model=RelatedPage,
    responses=_REFUSES,
    openapi_extra=needs("alerts.read"),
)
def related(group: Group, desk: Desk, scope: Seen) -> RelatedPage:
    """Groups about the same entity or host within a day; processes above and below; the session."""
    found = desk.related(group, scope.units)
    return RelatedPage(
        groups=[_beside(one) for one in found.groups],
        processes=[_process(one) for one in found.around.processes],
        session_field=found.around.session_field,
        session_value=found.session_value[:_CHARS_MAX],
        session=[_session(event) for event in found.around.session],
    )


@triage.get(
    "/alerts/{group}/playbook",
    summary="What to do",
    response_model=GroupPlaybook,
    responses=_REFUSES,
    openapi_extra=needs("alerts.read"),
)
def playbook(group: Group, desk: Desk) -> GroupPlaybook:
    """The playbook of the group's rule, with the steps that are done."""
    return _of_group(desk, group)


@triage.post(
    "/alerts/{group}/playbook",
    summary="Mark a step",
    response_model=GroupPlaybook,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def mark(group: Group, body: PlaybookMark, center: Here, desk: Desk, visit: Visitor) -> GroupPlaybook:
    """As done, or not after all; with who and when."""
    about = f"{group} {body.step} {'done' if body.done else 'open'}"
    with recorded(center, visit, "playbook.mark", about):
        desk.mark(group, body.step, body.done, visit.actor, center.clock())
    return _of_group(desk, group)


@triage.get(
    "/playbooks", summary="All playbooks", response_model=PlaybookPage, openapi_extra=needs("alerts.read")
)
def page(desk: Desk) -> PlaybookPage:
    """With the rules each is for."""
    return PlaybookPage(rows=[_book(one, {}) for one in desk.playbooks.every])


def _of_group(desk: TriageDesk, group: str) -> GroupPlaybook:
    book, marks = desk.playbook(group)
    if book is None:
        return GroupPlaybook(playbook=None, done=0, total=0)
    row = _book(book, marks)
    return GroupPlaybook(playbook=row, done=sum(step.done for step in row.steps), total=len(row.steps))


def _book(book: Playbook, marks: Mapping[str, Mark]) -> PlaybookRow:
    steps = []
    for step in book.steps:
        kept = marks.get(step.id)
        said = {"done": kept.done, "time": kept.time, "actor": kept.actor} if kept else {}
        steps.append(PlaybookStep.model_validate({"id": step.id, "text": text(step.text), **said}))
    return PlaybookRow(id=book.id, title=text(book.title), steps=steps, rules=list(book.rules))


def _precedent(one: Precedent) -> BesideRow:
    return _beside(one.group).model_copy(update={"closed": one.closed, "closed_by": one.closed_by})


def _beside(group: AlertGroup) -> BesideRow:
    names = set(BesideRow.model_fields) - {"title", "closed", "closed_by"}
    return BesideRow(**{name: getattr(group, name) for name in names}, title=text(group.title))


def _process(one: Process) -> ProcessRow:
    event = one.event
    return ProcessRow(
        place=one.place,
        event=event.id,
        time=event.time,
        pid=_said(event, "process.pid"),
        executable=_said(event, "process.executable"),
        command_line=_said(event, "process.command_line"),
        user=_said(event, "user.name"),
    )


def _session(event: Event) -> SessionEvent:
    told = next((said for name in _SUMMARY if (said := _said(event, name))), "")
    return SessionEvent(event=event.id, time=event.time, dataset=_said(event, "event.dataset"), summary=told)


def _said(event: Event, field: str) -> str:
    texts = texts_of(event.fields.get(field))
    return texts[0][:_CHARS_MAX] if texts else ""
