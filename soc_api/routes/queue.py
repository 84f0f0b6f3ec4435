"""Around the alert queue: buckets, acts on many groups, undo, saved views, completion, alerts by hand."""

from typing import Annotated, Final

import msgspec
from fastapi import Depends, Query

from crypto.words import Refused, Words
from detection.store.act import Act
from detection.store.act_store import ITEMS_MAX
from detection.store.group_page import Facet
from detection.store.group_query import GroupFilter, bad_argument
from soc_api.bodies import AlertCount, AlertGroup
from soc_api.context import Center
from soc_api.errors import text
from soc_api.hunt_bodies import CompletionPage
from soc_api.identity import Visit
from soc_api.queue_bodies import (
    ActDetail,
    ActOrder,
    ActPage,
    ActRow,
    BucketPage,
    FilterOrder,
    NewAlert,
    PersonPage,
    PersonRow,
    ShareOrder,
    ViewOrder,
    ViewPage,
    ViewRow,
    ViewSettings,
)
from soc_api.queue_desk import QueueDesk
from soc_api.queue_rows import act_row, bucket_rows, group_row, item_row
from soc_api.queue_views import SHIPPED
from soc_api.routes.guard import Here, Visitor, conflicts, needs, router
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Number, Reach, Seen, Within
from soc_api.saved_view_store import SavedView
from soc_api.unit_scope import UnitScope

queue = router("alerts")

_REFUSES: Final = conflicts("The act cannot be done, or undone, any more")
_ASSIGNABLE: Final = ("analyst", "shift_lead")


def desk_of(center: Here) -> QueueDesk:
    """The desk of the center's queue."""
    assert center.queue is not None
    return center.queue


Desk = Annotated[QueueDesk, Depends(desk_of)]


def filter_of(order: FilterOrder, scope: UnitScope, visit: Visit) -> GroupFilter:
    """The filter as the store takes it, within reach of the visitor."""
    return GroupFilter(
        **{name: getattr(order, name) for name in FilterOrder.model_fields},
        units=scope.units,
        folded=True,
        actor=visit.actor,
    )


def filter_asked(
    scope: Seen,
    visit: Visitor,
    order: Annotated[FilterOrder, Query()],
) -> GroupFilter:
    """The filter of a page's parameters."""
    return filter_of(order, scope, visit)


Wanted = Annotated[GroupFilter, Depends(filter_asked)]


class BucketAsk(FilterOrder):
    """Parameters of the buckets."""

    by: Facet


@queue.get(
    "/alerts/buckets",
    summary="The queue by the values of a field",
    response_model=BucketPage,
    openapi_extra=needs("alerts.read"),
)
def buckets(
    center: Here, desk: Desk, scope: Seen, visit: Visitor, ask: Annotated[BucketAsk, Query()]
) -> BucketPage:
    """How many groups and alerts share each value; for grouping, and for a value to click on."""
    order = FilterOrder(**ask.model_dump(exclude={"by"}))
    places = desk.places.now()
    wanted = filter_of(order, scope, visit)
    found = center.alerts.buckets(wanted, center.clock(), ask.by, keys_of_system=places.keys_of)
    rows = bucket_rows(ask.by, found, places)
    return BucketPage(by=ask.by, rows=rows, revision=center.alerts.revision())


@queue.get(
    "/alerts/count",
    summary="How many groups the queue holds",
    response_model=AlertCount,
    openapi_extra=needs("alerts.read"),
)
def count(center: Here, desk: Desk, wanted: Wanted) -> AlertCount:
    """Exactly, for a filter whose page was shown before its rows were counted."""
    places = desk.places.now()
    total = center.alerts.count(wanted, center.clock(), keys_of_system=places.keys_of)
    return AlertCount(total=total, revision=center.alerts.revision())


@queue.get(
    "/alerts/completion",
    summary="What may stand at the cursor of the query bar",
    response_model=CompletionPage,
    openapi_extra=needs("alerts.read"),
)
def completion(
    desk: Desk,
    center: Here,
    scope: Seen,
    q: Annotated[str, Query(max_length=500)] = "",
    cursor: Annotated[int, Query(ge=0, le=500)] = 0,
) -> CompletionPage:
    """Fields by their Chinese and English names, operators, and values of open groups."""
    wanted = GroupFilter(units=scope.units, folded=True)
    found = desk.completion(q, cursor, wanted, center.clock())
    items = [msgspec.structs.asdict(item) for item in found.items]
    return CompletionPage.model_validate(msgspec.structs.asdict(found) | {"items": items})


@queue.get(
    "/alerts/people",
    summary="Whom an alert can be assigned to",
    response_model=PersonPage,
    openapi_extra=needs("alerts.act"),
)
def people(desk: Desk, scope: Seen) -> PersonPage:
    """Accounts in use, of one's own unit and those below, whose role acts on alerts."""
    rows = [person for person in desk.views.people(_ASSIGNABLE) if scope.holds(person.unit)]
    return PersonPage(
        rows=[
            PersonRow(actor=f"user:{one.username}", name=one.display_name or one.username, role=one.role)  # type: ignore[arg-type]
            for one in rows
        ]
    )


@queue.post(
    "/alerts/acts",
    summary="Do something to one group or any number of them",
    response_model=ActRow,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def begin(body: ActOrder, center: Here, desk: Desk, reach: Within) -> ActRow:
    """Up to 200 groups are done when this answers; of more the act tells how far it is."""
    act = _act(body, reach, desk)
    now = center.clock()
    if (body.filter is None) is (not body.groups):
        raise bad_argument("groups", f"{len(body.groups)}", ("groups", "filter"))
    of = filter_of(body.filter, reach.scope, reach.visit) if body.filter else _own(center, reach, body.groups)
    about = f"{body.action} {_said(body)}"[:500]
    with recorded(center, reach.visit, "alert.acts", about):
        places = desk.places.now()
        record = desk.acts.begin(act, of, reach.visit.actor, now, keys_of_system=places.keys_of)
    return act_row(record)


@queue.get(
    "/alerts/acts",
    summary="One's own acts on many groups",
    response_model=ActPage,
    openapi_extra=needs("alerts.act"),
)
def acts(desk: Desk, visit: Visitor) -> ActPage:
    """The newest first, with how far they are."""
    return ActPage(rows=[act_row(one) for one in desk.acts.recent(visit.actor)])


@queue.get(
    "/alerts/acts/{act}",
    summary="How far an act is, and what became of each group",
    response_model=ActDetail,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def act(
    act: Number,
    desk: Desk,
    visit: Visitor,
    state: Annotated[str, Query(pattern="^(waiting|done|refused|undone)?$")] = "",
    cursor: Annotated[str, Query(max_length=64)] = "",
) -> ActDetail:
    """Groups by id; ``state`` picks those of one outcome."""
    record = desk.acts.record(act)
    if record.actor != visit.actor:
        raise _no_act()
    items = desk.acts.items(act, state=state, after=cursor)
    following = items[-1].group if len(items) == ITEMS_MAX else ""
    return ActDetail(act=act_row(record), items=[item_row(one) for one in items], next=following)


@queue.post(
    "/alerts/acts/{act}/undo",
    summary="Take an act back",
    response_model=ActRow,
    responses=_REFUSES,
    openapi_extra=needs("alerts.act"),
)
def undo(act: Number, center: Here, desk: Desk, visit: Visitor) -> ActRow:
    """Within ten seconds of its end, by who did it; a group somebody else decided since stays."""
    with recorded(center, visit, "alert.undo", f"act:{act}"):
        return act_row(desk.acts.undo(act, visit.actor, center.clock()))


@queue.post(
    "/alerts",
    summary="Raise an alert by hand",
    response_model=AlertGroup,
    status_code=201,
    openapi_extra=needs("alerts.act"),
)
def create(body: NewAlert, center: Here, desk: Desk, reach: Within) -> AlertGroup:
    """What somebody told by telephone or mail; it is worked on like any other."""
    unit = reach.unit(body.unit or reach.visit.account.unit)
    now = center.clock()
    time = min(body.time, now) if body.time else now
    with recorded(center, reach.visit, "alert.create", f"{unit} {body.entity}"):
        group = desk.raise_by_hand(
            title=body.title.strip(),
            reason=body.reason.strip(),
            severity=body.severity,
            entity=body.entity.strip(),
            unit=unit,
            actor=reach.visit.actor,
            time=time,
            now=now,
        )
    return group_row(center.alerts.detail(group).group, desk.places.now(), now)


@queue.get(
    "/alerts/views",
    summary="Saved views of the queue",
    response_model=ViewPage,
    openapi_extra=needs("alerts.read"),
)
def views(desk: Desk, visit: Visitor) -> ViewPage:
    """Those that come with the product (negative numbers), those shared with one's role, one's own."""
    account = visit.account
    shipped = [
        ViewRow(id=-place, name=text(view.name), settings=view.settings, role=account.role, own=False)
        for place, view in enumerate(SHIPPED, 1)
        if account.role in view.roles
    ]
    saved = [
        ViewRow(
            id=one.id,
            name={"zh": one.name, "en": one.name},  # type: ignore[arg-type]
            settings=ViewSettings.model_validate_json(one.settings),
            role=one.role,
            own=one.owner == visit.actor,
        )
        for one in desk.views.views(visit.actor, account.role, account.unit)
    ]
    return ViewPage(rows=[*shipped, *saved])


@queue.post(
    "/alerts/views",
    summary="Save a view",
    response_model=ViewPage,
    responses=conflicts("There are too many views"),
    openapi_extra=needs("alerts.read"),
)
def save_view(body: ViewOrder, center: Here, desk: Desk, visit: Visitor) -> ViewPage:
    """One's own, in the place of an older one of that name."""
    view = SavedView(
        name=body.name.strip(),
        owner=visit.actor,
        role="",
        unit=visit.account.unit,
        settings=body.settings.model_dump_json(),
        time=center.clock(),
    )
    with recorded(center, visit, "alert.view", view.name):
        desk.views.save(view)
    return views(desk, visit)


@queue.post(
    "/alerts/views/{view}/share",
    summary="Share one's own view with a role",
    response_model=ViewPage,
    responses=_REFUSES,
    openapi_extra=needs("alerts.share"),
)
def share_view(view: Number, body: ShareOrder, center: Here, desk: Desk, visit: Visitor) -> ViewPage:
    """Everybody of that role in one's unit sees it."""
    with recorded(center, visit, "alert.view", f"share {view} {body.role}"):
        desk.views.share(view, visit.actor, body.role)
    return views(desk, visit)


@queue.delete(
    "/alerts/views/{view}",
    summary="Delete one's own view",
    status_code=204,
    responses=_REFUSES,
    openapi_extra=needs("alerts.read"),
)
def drop_view(view: Number, center: Here, desk: Desk, visit: Visitor) -> None:
    """Only who saved it may."""
    with recorded(center, visit, "alert.view", f"delete {view}"):
        desk.views.forget(view, visit.actor)


def _act(body: ActOrder, reach: Reach, desk: QueueDesk) -> Act:
    owner = body.owner.strip()
    if body.action == "assign" and owner:
        known = {f"user:{one.username}": one for one in desk.views.people(_ASSIGNABLE)}
        if owner not in known or not reach.scope.holds(known[owner].unit):
            raise bad_argument("owner", owner, ("GET /alerts/people",))
    if body.action == "merge" and body.into:
        reach.unit(reach.center.alerts.unit_of(body.into))
    return msgspec.convert(
        {name: getattr(body, name) for name in Act.__struct_fields__ if name != "owner"} | {"owner": owner},
        Act,
    )


def _own(center: Center, reach: Reach, groups: list[str]) -> list[str]:
    """The groups, if their units are within reach. Raises Refused (alert-not-found, unit-scope)."""
    for unit in center.alerts.units_of(groups):
        reach.unit(unit)
    return groups


def _said(body: ActOrder) -> str:
    if body.filter is not None:
        return f"filter {body.filter.model_dump_json(exclude_defaults=True)}"
    named = " ".join(body.groups[:5])
    return f"{len(body.groups)} groups {named}"


def _no_act() -> Refused:
    return Refused(
        "act-not-found",
        Words("没有这项操作,或不是您做的", "there is no such act, or it is not yours"),
        Words("请刷新后重试", "reload and try again"),
    )
