"""The numbers a shift goes by: what is open and for how long, who holds it, how fast it is answered."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from statistics import median
from typing import Final, Literal

import msgspec
from sqlalchemy import ColumnElement, Engine, case, func, select

from crypto.words import Words
from detection.alert import SEVERITIES, Severity
from detection.store.tables import alert_groups, alert_history, from_micros, micros

# Older than the last one: the rest.
AGES: Final[tuple[tuple[str, timedelta], ...]] = (
    ("hour", timedelta(hours=1)),
    ("shift", timedelta(hours=8)),
    ("day", timedelta(days=1)),
    ("week", timedelta(days=7)),
)
OLDEST: Final = "older"
OWNERS_MAX: Final = 20
WAITS_MAX: Final = 50_000  # groups of which waits are taken; the newest
_HOUR: Final = 3_600_000_000
_MICRO: Final = 1_000_000

_columns: Final = alert_groups.c


class PlaceCount(msgspec.Struct, frozen=True, kw_only=True):
    """Open groups of one unit and severity."""

    unit: str
    severity: Severity
    groups: int


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group as a screen in a room may show it: the rule's title, never whom it is about."""

    id: str
    time: datetime
    severity: Severity
    title: Words
    unit: str
    state: str
    count: int


class OwnerCount(msgspec.Struct, frozen=True, kw_only=True):
    """What a person holds; '' is nobody. ``oldest`` is when the first of them was seen first."""

    owner: str
    groups: int
    urgent: int  # high and critical
    oldest: datetime


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """How long groups waited, in seconds; None where there was none."""

    groups: int
    mean: float | None
    median: float | None


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Groups opened and closed by the hour, oldest first."""

    opened: tuple[int, ...]
    closed: tuple[int, ...]


class ShiftStore:
    """Reads over one state database; safe to share between threads. ``units`` None is all of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def places(self, units: Collection[str] | None) -> list[PlaceCount]:
        """Open groups by unit and severity."""
        by = _columns.unit, _columns.rank
        query = select(*by, func.count()).where(*_open(units)).group_by(*by)
        with self._engine.connect() as connection:
            return [
                PlaceCount(unit=unit, severity=SEVERITIES[rank], groups=int(number))
                for unit, rank, number in connection.execute(query)
            ]

    def untouched(self, severity: Severity, units: Collection[str] | None) -> int:
        """Open groups of a severity that nobody took over."""
        rank = SEVERITIES.index(severity)
        wanted = *_open(units), _columns.state == "new", _columns.rank == rank
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(alert_groups).where(*wanted)) or 0)

    def newest(self, units: Collection[str] | None, limit: int) -> list[FlowRow]:
        """The groups that were hit last."""
        wanted = [_columns.parent == "", *_within(units)]
        query = select(alert_groups).where(*wanted).order_by(_columns.latest.desc(), _columns.id.desc())
        with self._engine.connect() as connection:
            return [
                FlowRow(
                    id=row["id"],
                    time=from_micros(row["latest"]),
                    severity=row["severity"],
                    title=Words(row["title_zh"], row["title_en"]),
                    unit=row["unit"],
                    state=row["state"],
                    count=int(row["count"]),
                )
                for row in connection.execute(query.limit(limit)).mappings()
            ]

    def ages(self, now: datetime, units: Collection[str] | None) -> dict[str, dict[Severity, int]]:
        """Open groups by how long ago they were seen first, and severity."""
        edges = [(_columns.first_seen > micros(now - span), name) for name, span in AGES]
        age = case(*edges, else_=OLDEST).label("age")
        query = select(age, _columns.rank, func.count()).where(*_open(units)).group_by(age, _columns.rank)
        found: dict[str, dict[Severity, int]] = {name: {} for name in (*(name for name, _ in AGES), OLDEST)}
        with self._engine.connect() as connection:
            for name, rank, number in connection.execute(query):
                found[name][SEVERITIES[rank]] = int(number)
        return found

    def owners(self, units: Collection[str] | None) -> list[OwnerCount]:
        """Who holds what is open, the most first; what nobody holds is told as ''."""
        urgent = func.count().filter(_columns.rank >= SEVERITIES.index("high"))
        query = (
            select(_columns.owner, func.count(), urgent, func.min(_columns.first_seen))
            .where(*_open(units))
            .group_by(_columns.owner)
            .order_by(func.count().desc(), _columns.owner)
            .limit(OWNERS_MAX)
        )
        with self._engine.connect() as connection:
            return [
                OwnerCount(owner=owner, groups=int(n), urgent=int(some), oldest=from_micros(int(first)))
                for owner, n, some, first in connection.execute(query)
            ]

    def waits(
        self,
        action: Literal["acknowledged", "closed"],
        since: datetime,
        units: Collection[str] | None,
    ) -> Waits:
        """From when a group was opened to when it was first taken over or closed, of acts since then."""
        acts, opened = alert_history, alert_history.alias("opened")
        done = (
            select(acts.c.group_id, func.min(acts.c.time).label("time"))
            .where(acts.c.action == action, acts.c.time >= micros(since))
            .group_by(acts.c.group_id)
            .subquery()
        )
        query = (
            select(done.c.time - opened.c.time)
            .join_from(done, opened, done.c.group_id == opened.c.group_id)
            .where(opened.c.action == "opened")
            .order_by(done.c.time.desc())
            .limit(WAITS_MAX)
        )
        if units is not None:
            query = query.join(alert_groups, _columns.id == done.c.group_id).where(_columns.unit.in_(units))
        with self._engine.connect() as connection:
            seconds = [max(0, int(wait)) / _MICRO for wait in connection.scalars(query)]
        if not seconds:
            return Waits(groups=0, mean=None, median=None)
        return Waits(groups=len(seconds), mean=sum(seconds) / len(seconds), median=median(seconds))

    def flow(self, now: datetime, hours: int, units: Collection[str] | None) -> Flow:
        """Groups opened and closed in each of the last hours."""
        start = micros(now - timedelta(hours=hours))
        slot = ((alert_history.c.time - start) // _HOUR).label("slot")
        wanted = [
            alert_history.c.action.in_(("opened", "closed")),
            alert_history.c.time >= start,
            alert_history.c.time < micros(now),
        ]
        query = select(alert_history.c.action, slot, func.count()).where(*wanted)
        if units is not None:
            query = query.join(alert_groups, _columns.id == alert_history.c.group_id)
            query = query.where(_columns.unit.in_(units))
        counted: Counter[tuple[str, int]] = Counter()
        with self._engine.connect() as connection:
            for action, place, number in connection.execute(query.group_by(alert_history.c.action, slot)):
                counted[action, int(place)] += int(number)
        return Flow(
            opened=tuple(counted["opened", at] for at in range(hours)),
            closed=tuple(counted["closed", at] for at in range(hours)),
        )


def _open(units: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [_columns.state != "closed", _columns.parent == "", *_within(units)]


def _within(units: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if units is None else [_columns.unit.in_(units)]
