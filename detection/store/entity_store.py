"""What is stored of one entity: its alert groups, and how its risk went."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Engine, func, or_, select

from detection.risk import COLD, heat_of, points_of, repeated, summed
from detection.store.alert_group import AlertGroup
from detection.store.entity_heat import HARMLESS, groups_with_heat
from detection.store.group_store import group_of
from detection.store.tables import alert_groups, alerts, entity_heats, from_micros, micros

GROUPS_MAX: Final = 500  # whose alerts make the risk of an entity
_H: Final = entity_heats.c
_AFTER: Final = "\U0010ffff"  # sorts behind every name that begins alike


class EntityName(msgspec.Struct, frozen=True, kw_only=True):
    """How alerts name an entity: exactly, or by a beginning (a user's name on any host)."""

    keys: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()

    def where(self, column: ColumnElement[str] = alert_groups.c.entity_key) -> ColumnElement[bool]:
        """The condition on a column of names; both are answered by its index."""
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
        query = groups_with_heat().where(name.where(), *_within(units))
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

    def risk(self, name: EntityName, now: datetime, units: Collection[str] | None = None) -> int:
        """The entity's risk now: in units together, where it stands in several."""
        within = [] if units is None else [_H.unit.in_(list(units))]
        query = select(_H.heat).where(name.where(_H.entity_key), *within)
        with self._engine.connect() as connection:
            return points_of(summed(connection.scalars(query)), now)

    def risk_days(
        self, name: EntityName, now: datetime, days: int, units: Collection[str] | None = None
    ) -> list[RiskDay]:
        """The entity's risk at the end of each of the last days, oldest first; the last is now.

        Days past are worked out as if what is judged harmless by now had never counted, from the newest
        groups and as severe as these are now.
        """
        severities = {one.id: one.severity for one in self.groups(name, units, GROUPS_MAX) if _counts(one)}
        ends = [now - timedelta(days=back) for back in range(days - 1, -1, -1)]
        query = select(alerts.c.group_id, alerts.c.time).where(alerts.c.group_id.in_(list(severities)))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(alerts.c.time)).all()
        heats = dict.fromkeys(severities, COLD)
        found, at = [], 0
        for end in ends:
            fresh: dict[str, list[float]] = defaultdict(list)
            begin = micros(end - timedelta(days=1))
            number = 0
            while at < len(rows) and rows[at].time <= micros(end):
                group, time = rows[at]
                fresh[group].append(heat_of(severities[group], from_micros(time)))
                number += time > begin
                at += 1
            heats |= {group: repeated([heats[group], *some]) for group, some in fresh.items()}
            found.append(RiskDay(time=end, risk=points_of(summed(heats.values()), end), alerts=number))
        last = msgspec.structs.replace(found[-1], risk=self.risk(name, now, units))
        return [*found[:-1], last]


def _counts(group: AlertGroup) -> bool:
    return group.classification not in HARMLESS


def _within(units: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if units is None else [alert_groups.c.unit.in_(list(units))]
