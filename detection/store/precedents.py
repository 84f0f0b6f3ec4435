"""What is known beside a group: how its like was closed before, and what else happened around it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, or_, select

from detection.store.alert_group import AlertGroup
from detection.store.entity_heat import groups_with_heat
from detection.store.group_store import group_of, group_row
from detection.store.tables import alert_groups, alert_history, from_micros

SHOWN_MAX: Final = 10
RELATED_MAX: Final = 30
AROUND: Final = timedelta(hours=24)

_columns: Final = alert_groups.c


class Precedent(msgspec.Struct, frozen=True, kw_only=True):
    """A closed group: how, by whom, when, why."""

    group: AlertGroup
    closed: datetime | None
    closed_by: str


class Precedents(msgspec.Struct, frozen=True, kw_only=True):
    """Closed groups of the same rule: about the same entity, about others, and how all were judged."""

    same: tuple[Precedent, ...]
    others: tuple[Precedent, ...]
    judged: dict[str, int]


class PrecedentStore:
    """Reads over one state database; safe to share between threads. ``units`` None is all of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, group: str, units: Collection[str] | None) -> Precedents:
        """What was decided before about the group's rule. Raises Refused (alert-not-found)."""
        with self._engine.connect() as connection:
            row = group_row(connection, group)
            like = [_columns.rule == row["rule"], _columns.state == "closed", _columns.id != group]
            if units is not None:
                like.append(_columns.unit.in_(units))
            same = _columns.entity_key == row["entity"].lower()
            counted = select(_columns.classification, func.count()).where(*like)
            judged = connection.execute(counted.group_by(_columns.classification)).all()
            return Precedents(
                same=self._newest(connection, [*like, same]),
                others=self._newest(connection, [*like, ~same]),
                judged={str(name): int(number) for name, number in judged},
            )

    def around(self, group: str, units: Collection[str] | None) -> list[AlertGroup]:
        """Other groups about the same entity or host within a day. Raises Refused (alert-not-found)."""
        with self._engine.connect() as connection:
            row = group_row(connection, group)
            near = [
                _columns.id != group,
                _columns.latest >= row["first_seen"] - micros_of(AROUND),
                _columns.first_seen <= row["last_seen"] + micros_of(AROUND),
                _columns.unit == row["unit"],
                _about(row["entity"]),
            ]
            if units is not None:
                near.append(_columns.unit.in_(units))
            query = groups_with_heat().where(*near).order_by(_columns.latest.desc()).limit(RELATED_MAX)
            return [group_of(one) for one in connection.execute(query).mappings()]

    def _newest(self, connection: Connection, wanted: Sequence[ColumnElement[bool]]) -> tuple[Precedent, ...]:
        query = groups_with_heat().where(*wanted).order_by(_columns.latest.desc()).limit(SHOWN_MAX)
        groups = [group_of(row) for row in connection.execute(query).mappings()]
        told = (
            select(alert_history.c.group_id, alert_history.c.actor, alert_history.c.time)
            .where(
                alert_history.c.group_id.in_([one.id for one in groups]), alert_history.c.action == "closed"
            )
            .order_by(alert_history.c.id)
        )
        closed = {row.group_id: (row.actor, from_micros(row.time)) for row in connection.execute(told)}
        return tuple(
            Precedent(
                group=one,
                closed=closed[one.id][1] if one.id in closed else None,
                closed_by=closed[one.id][0] if one.id in closed else "",
            )
            for one in groups
        )


def micros_of(span: timedelta) -> int:
    """A span in the unit of stored times."""
    return span // timedelta(microseconds=1)


def _about(entity: str) -> ColumnElement[bool]:
    """Groups about the entity, or about the host it is on and people on that host."""
    kind, _, name = entity.lower().partition(":")
    host = name.rpartition("@")[2] if kind == "user" else name if kind == "host" else ""
    own = _columns.entity_key == entity.lower()
    if not host:
        return own
    people = and_(
        _columns.entity_key.startswith("user:"), _columns.entity_key.endswith(f"@{host}", autoescape=True)
    )
    return or_(own, _columns.entity_key == f"host:{host}", people)
