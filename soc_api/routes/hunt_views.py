"""What is kept of hunts: views one comes back to, and drafts of rules that wait for a decision."""

from typing import Annotated, Final
from uuid import uuid4

from fastapi import Path

from detection.query.draft import Draft, draft_rule
from detection.query.parse import parse_query
from detection.store.survey import EVENTS_MAX, Question
from sensors.event import Event, LogSource
from soc_api.context import Center
from soc_api.hunt_bodies import (
    HuntViewOrder,
    HuntViewPage,
    HuntViewRow,
    RuleDraftDecision,
    RuleDraftOrder,
    RuleDraftPage,
    RuleDraftRow,
)
from soc_api.hunt_desk import HuntDesk
from soc_api.hunt_store import HuntStore
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen, Within

hunt_views = router("hunt")

Number = Annotated[int, Path(ge=1, le=2**53)]
_GONE: Final = conflicts("There are too many already")
_DECIDED: Final = conflicts("It has been decided about, or is one's own")


def _desk(center: Center) -> HuntDesk:
    assert center.hunts is not None
    return center.hunts


def _store(center: Center) -> HuntStore:
    return _desk(center).store


@hunt_views.get(
    "/hunt/views", summary="Saved views", response_model=HuntViewPage, openapi_extra=needs("events.search")
)
def views(center: Here, visit: Visitor) -> HuntViewPage:
    """One's own and those shared with one's role and unit."""
    account = visit.account
    found = _store(center).views(visit.actor, account.role, account.unit)
    return HuntViewPage(rows=[HuntViewRow.model_validate(row, from_attributes=True) for row in found])


@hunt_views.post(
    "/hunt/views",
    summary="Save a view",
    response_model=HuntViewRow,
    responses=_GONE,
    openapi_extra=needs("events.search"),
)
def save(body: HuntViewOrder, center: Here, visit: Visitor) -> HuntViewRow:
    """One of the same name and owner is replaced."""
    role = visit.account.role if body.shared else ""
    with recorded(center, visit, "view.save", f"hunt {body.name}"):
        kept = _store(center).save_view(
            body.name,
            body.settings,
            owner=visit.actor,
            role=role,
            unit=visit.account.unit,
            now=center.clock(),
        )
    return HuntViewRow.model_validate(kept, from_attributes=True)


@hunt_views.post(
    "/hunt/views/{view}/remove",
    summary="Forget a view",
    response_model=HuntViewPage,
    responses=_GONE,
    openapi_extra=needs("events.search"),
)
def remove(view: Number, center: Here, visit: Visitor) -> HuntViewPage:
    """One of one's own; the others stay."""
    with recorded(center, visit, "view.remove", f"hunt {view}"):
        _store(center).remove_view(view, visit.actor)
    return views(center, visit)


@hunt_views.post(
    "/hunt/drafts",
    summary="Save a query as a draft of a rule",
    response_model=RuleDraftRow,
    responses=_GONE,
    openapi_extra=needs("events.search"),
)
def draft(body: RuleDraftOrder, center: Here, visit: Visitor, scope: Seen) -> RuleDraftRow:
    """Sigma YAML; the log source is what the newest events it finds have in common. Nothing runs yet."""
    condition = parse_query(body.q)
    since, until = body.since.astimezone(), body.until.astimezone()
    asked = Question(
        condition=condition, since=since, until=until, units=scope.units, limit=EVENTS_MAX // 4, slots=0
    )
    found: tuple[Event, ...] = ()
    for progress in center.events.survey(asked):
        found = progress.events or found
    now = center.clock()
    head = Draft(
        rule=str(uuid4()),
        title=body.title.strip(),
        level=body.level,
        author=visit.actor,
        day=now.date(),
        query=body.q.strip(),
    )
    text = draft_rule(condition, common_source(found), head)
    with recorded(center, visit, "rule.draft", f"rule:{head.rule} {body.q}"[:500]):
        kept = _store(center).save_draft(
            head.rule, head.title, text, author=visit.actor, unit=visit.account.unit, now=now
        )
    return RuleDraftRow.model_validate(kept, from_attributes=True)


@hunt_views.get(
    "/rules-drafts",
    summary="Drafts of rules",
    response_model=RuleDraftPage,
    openapi_extra=needs("rules.read"),
)
def drafts(center: Here, scope: Seen) -> RuleDraftPage:
    """The newest first, of one's own units."""
    rows = _store(center).drafts(scope.units)
    return RuleDraftPage(rows=[RuleDraftRow.model_validate(row, from_attributes=True) for row in rows])


@hunt_views.post(
    "/rules-drafts/{draft}/accept",
    summary="Accept a draft",
    response_model=RuleDraftRow,
    responses=_DECIDED,
    openapi_extra=needs("rules.decide"),
)
def accept(draft: Number, body: RuleDraftDecision, reach: Within) -> RuleDraftRow:
    """Written beside the rules of the center; in force from the next start of detection."""
    return _decided(draft, "accept", body, reach)


@hunt_views.post(
    "/rules-drafts/{draft}/refuse",
    summary="Refuse a draft",
    response_model=RuleDraftRow,
    responses=_DECIDED,
    openapi_extra=needs("rules.decide"),
)
def refuse(draft: Number, body: RuleDraftDecision, reach: Within) -> RuleDraftRow:
    """It stays on record with the reason."""
    return _decided(draft, "refuse", body, reach)


def _decided(draft: int, word: str, body: RuleDraftDecision, reach: Within) -> RuleDraftRow:
    desk = _desk(reach.center)
    reach.unit(desk.store.draft(draft).unit)
    decide = desk.accept if word == "accept" else desk.refuse
    with recorded(reach.center, reach.visit, f"rule.draft-{word}", f"draft:{draft} {body.reason}"):
        after = decide(draft, decider=reach.visit.actor, reason=body.reason.strip(), now=reach.center.clock())
    return RuleDraftRow.model_validate(after, from_attributes=True)


def common_source(events: tuple[Event, ...]) -> LogSource:
    """What the log sources of all events have in common."""
    sources = [event.logsource for event in events]

    def same(name: str) -> str:
        values = {getattr(source, name) for source in sources}
        return str(values.pop()) if len(values) == 1 else ""

    return LogSource(product=same("product"), category=same("category"), service=same("service"))
