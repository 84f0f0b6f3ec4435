"""What is stored of one entity: its alert groups, and how its risk went."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Engine, func, or_, select

from detection.alert import Severity
from detection.risk import heat_of, points_of
from detection.store.alert_group import AlertGroup
from detection.store.group_store import group_of
from detection.store.tables import alert_groups, alerts, from_micros, micros

GROUPS_MAX: Final = 500  # whose alerts make the risk of an entity
POINTS_MAX: Final = 100
_AFTER: Final = "\U0010ffff"  # sorts behind every name that begins alike


class EntityName(msgspec.Struct, frozen=True, kw_only=True):
    """How alerts name an entity: exactly, or by a beginning (a user's name on any host)."""

    keys: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()

    def where(self) -> ColumnElement[bool]:
        """The condition on alert_groups; both are answered by the index on entity_key."""
        column = alert_groups.c.entity_key
        exact = [column.in_([key.lower() for key in self.keys])] if self.keys else []
        ranges = [
            (column >= beginning.lower()) & (column < beginning.lower() + _AFTER)
            for beginning in self.beginnings
        ]
        return or_(*exact, *ranges)


class RiskDay(msgspec.Struct, frozen=True, kw_only=True):
    """The risk at the end of a day (or now), and the alerts of that day."""

    time: datetime
    risk: int
    alerts: int


class StoredAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of an entity's timeline."""

    time: datetime
    group: AlertGroup


class EntityStore:
    """Reads over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def groups(
        self, name: EntityName, units: Collection[str] | None = None, limit: int = 100
    ) -> list[AlertGroup]:
        """The groups about the entity, those of the last alert first."""
        query = select(alert_groups).where(name.where(), *_within(units))
        query = query.order_by(alert_groups.c.latest.desc(), alert_groups.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [group_of(row) for row in connection.execute(query).mappings()]

    def open_count(self, name: EntityName, units: Collection[str] | None = None) -> int:
        """How many of its groups nobody has closed."""
        query = select(func.count()).select_from(alert_groups)
        query = query.where(name.where(), alert_groups.c.state != "closed", *_within(units))
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def alerts(
        self,
        name: EntityName,
        since: datetime,
        until: datetime,
        units: Collection[str] | None = None,
        limit: int = 200,
    ) -> list[StoredAlert]:
        """The newest alerts about the entity in the range."""
        groups = {group.id: group for group in self.groups(name, units, GROUPS_MAX)}
        query = select(alerts.c.group_id, alerts.c.time).where(
            alerts.c.group_id.in_(list(groups)), alerts.c.time >= micros(since), alerts.c.time < micros(until)
        )
        query = query.order_by(alerts.c.time.desc()).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [StoredAlert(time=from_micros(row.time), group=groups[row.group_id]) for row in rows]

    def risk(
        self, name: EntityName, now: datetime, days: int, units: Collection[str] | None = None
    ) -> list[RiskDay]:
        """The entity's risk at the end of each of the last days, oldest first; the last is now.

        What people closed as harmless counts no longer. The risks of its groups add up to 100 at most.
        """
        counted = [group for group in self.groups(name, units, GROUPS_MAX) if _threatens(group)]
        severities: dict[str, Severity] = {group.id: group.severity for group in counted}
        ends = [now - timedelta(days=back) for back in range(days - 1, -1, -1)]
        query = select(alerts.c.group_id, alerts.c.time).where(alerts.c.group_id.in_(list(severities)))
        with self._engine.connect() as connection:
            rows = [(row.group_id, from_micros(row.time)) for row in connection.execute(query)]
        found = []
        for place, end in enumerate(ends):
            begin = ends[place - 1] if place else end - timedelta(days=1)
            seen: dict[str, tuple[int, datetime]] = {}
            for group, time in rows:
                if time <= end:
                    number, last = seen.get(group, (0, time))
                    seen[group] = number + 1, max(last, time)
            points = sum(
                points_of(heat_of(severities[group], number, last), end)
                for group, (number, last) in seen.items()
            )
            fresh = sum(begin < time <= end for _, time in rows)
            found.append(RiskDay(time=end, risk=min(POINTS_MAX, points), alerts=fresh))
        return found


def _threatens(group: AlertGroup) -> bool:
    return group.classification not in ("false_positive", "test", "benign_positive")


def _within(units: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if units is None else [alert_groups.c.unit.in_(list(units))]
