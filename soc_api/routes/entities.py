"""Hosts, users and addresses: what is known of each, what happened around it, and whom it was seen with."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Path, Query

from detection.query.completion import quoted
from detection.query.parse import parse_query
from detection.store.entity_store import EntityName
from detection.store.survey import Question
from soc_api.context import Center
from soc_api.entity_bodies import (
    EntityDetail,
    EntityKind,
    EntityUnit,
    NeighbourPage,
    NeighbourRow,
    RiskPoint,
    TimelinePage,
)
from soc_api.entity_view import change_row, event_row, group_row, merged
from soc_api.hunt_desk import HuntDesk
from soc_api.queue_rows import group_rows
from soc_api.routes.guard import Here, Visitor, needs, router
from soc_api.routes.inventory import known_hosts
from soc_api.routes.recorded import recorded
from soc_api.routes.registry import Seen, Within

entities = router("entities")

NAME_CHARS_MAX: Final = 255
TIMELINE_MAX: Final = 200
NEIGHBOURS_MAX: Final = 60
SECONDS_MAX: Final = 10.0

EntityName_ = Annotated[str, Path(min_length=1, max_length=NAME_CHARS_MAX)]
Days = Annotated[int, Query(ge=1, le=90)]
When = Annotated[datetime | None, Query()]

_FIELDS: Final[dict[EntityKind, tuple[str, ...]]] = {
    "host": ("host.name",),
    "user": ("user.name",),
    "address": ("source.ip", "destination.ip"),
}


def named(kind: EntityKind, name: str) -> EntityName:
    """How alerts name the entity; a user without a host is that user on every host."""
    if kind == "address":
        return EntityName(keys=tuple(f"{word}:{name}" for word in ("source", "address", "destination")))
    if kind == "host":
        return EntityName(keys=(f"host:{name}",))
    if "@" in name:
        return EntityName(keys=(f"user:{name}",))
    return EntityName(keys=(f"user:{name}",), beginnings=(f"user:{name}@",))


def query_of(kind: EntityKind, name: str) -> str:
    """The query that finds the entity's events."""
    if kind == "user" and "@" in name:
        user, _, host = name.rpartition("@")
        return f"user.name:{quoted(user)} and host.name:{quoted(host)}"
    return " or ".join(f"{field}:{quoted(name)}" for field in _FIELDS[kind])


@entities.get(
    "/entities/{kind}/{name}",
    summary="A host, user or address",
    response_model=EntityDetail,
    openapi_extra=needs("events.search"),
)
def detail(
    kind: EntityKind, name: EntityName_, reach: Within, visit: Visitor, days: Days = 14
) -> EntityDetail:
    """Its risk and how that went, its alerts, the machine it is, the units and systems it belongs to."""
    center, scope = reach.center, reach.scope
    with recorded(center, visit, "entity.read", f"{kind}:{name}"):
        desk, key, now = _desk(center), named(kind, name), center.clock()
        groups = desk.entities.groups(key, scope.units)
        history = desk.entities.risk_days(key, now, days, scope.units)
        machines = known_hosts(reach)
        hosts = [
            row
            for row in machines
            if (kind == "host" and row.host == name) or (kind == "address" and name in row.addresses)
        ]
    units = list(dict.fromkeys([*(row.unit for row in hosts), *(group.unit for group in groups)]))
    assert center.queue is not None
    rows = group_rows(groups, center.queue.places.now(), now)
    systems = {row.system.id: row.system for row in rows if row.system is not None}
    return EntityDetail(
        kind=kind,
        name=name,
        risk=history[-1].risk,
        days=[RiskPoint.model_validate(day, from_attributes=True) for day in history],
        alerts=rows,
        alerts_open=desk.entities.open_count(key, scope.units),
        hosts=hosts,
        units=[EntityUnit(unit=unit, name=reach.desk.registry.unit_name(unit)) for unit in units],
        systems=list(systems.values()),
        query=query_of(kind, name),
    )


@entities.get(
    "/entities/{kind}/{name}/timeline",
    summary="What happened around an entity",
    response_model=TimelinePage,
    openapi_extra=needs("events.search"),
)
def timeline(
    kind: EntityKind, name: EntityName_, center: Here, scope: Seen, since: When = None, until: When = None
) -> TimelinePage:
    """Alerts, events and changes of the inventory, the newest first."""
    last = until if until is not None and until.tzinfo else center.clock()
    first = since if since is not None and since.tzinfo and since < last else last - timedelta(days=1)
    desk, key = _desk(center), named(kind, name)
    alerts = desk.entities.alerts(key, first, last, scope.units, TIMELINE_MAX)
    rows = [group_row(alert) for alert in alerts]
    if kind == "host":
        changes = desk.changes.changes(name, since=first, until=last, units=scope.units, limit=TIMELINE_MAX)
        rows += [change_row(change) for change in changes]
    asked = Question(
        condition=parse_query(query_of(kind, name)),
        since=first,
        until=last,
        units=scope.units,
        limit=TIMELINE_MAX,
        slots=0,
    )
    reached = first
    for progress in center.events.survey(asked, _deadline()):
        if progress.events is not None:
            found = progress.events
        reached = first if progress.done else progress.reached
    rows += [event_row(event) for event in found]
    shown, cut = merged(rows, TIMELINE_MAX)
    return TimelinePage(rows=shown, since=first, until=last, reached=max(reached, cut or reached))


@entities.get(
    "/entities/{kind}/{name}/neighbours",
    summary="Whom an entity was seen with",
    response_model=NeighbourPage,
    openapi_extra=needs("events.search"),
)
def neighbours(
    kind: EntityKind, name: EntityName_, center: Here, scope: Seen, since: When = None, until: When = None
) -> NeighbourPage:
    """Hosts, users and addresses that stand in the same events."""
    last = until if until is not None and until.tzinfo else center.clock()
    first = since if since is not None and since.tzinfo and since < last else last - timedelta(days=7)
    user = name.rpartition("@")[0] if kind == "user" and "@" in name else name
    found = center.events.neighbours.of(kind, user, first, last, scope.units, _deadline())
    desk, now = _desk(center), center.clock()
    rows = []
    for row in found.rows[:NEIGHBOURS_MAX]:
        risk = desk.entities.risk(named(row.kind, row.name), now, scope.units)
        rows.append(
            NeighbourRow(kind=row.kind, name=row.name, relation=row.relation, events=row.events, risk=risk)
        )
    return NeighbourPage(rows=rows, more=found.more or len(found.rows) > len(rows), stopped=found.stopped)


def _desk(center: Center) -> HuntDesk:
    assert center.hunts is not None
    return center.hunts


def _deadline() -> Callable[[], bool]:
    end = time.monotonic() + SECONDS_MAX
    return lambda: time.monotonic() > end
