"""What an exception would have held back of late: stored alerts asked one by one, and events beside them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, func, select

from crypto.words import Words
from detection.alert import Alert, Severity
from detection.condition import Always, fields
from detection.exceptions import Exemption, about_alert, condition_of, covers, names_of, of_health
from detection.store.event_store import EventStore
from detection.store.tables import alert_groups, alerts, from_micros, micros

DAYS: Final = 7
ALERTS_MAX: Final = 20_000  # alerts asked, the newest
EVENTS_MAX: Final = 2_000  # events counted; what is more is told as "more"
GROUPS_MAX: Final = 20

_decoder: Final = msgspec.json.Decoder(Alert)


class GroupHit(msgspec.Struct, frozen=True, kw_only=True):
    """A group of which alerts would have been held back."""

    id: str
    title: Words
    entity: str
    severity: Severity
    unit: str
    state: str
    classification: str
    alerts: int
    last: datetime


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would have been held back in the last days; ``per_day`` oldest first.

    ``asked`` alerts were looked at, the newest; ``unasked`` are older ones, or kept without their events.
    ``events`` is None where the condition asks for words of the alert, which events do not have.
    ``true_positives`` are groups somebody judged to be real attacks.
    """

    days: int
    asked: int
    unasked: int
    alerts: int
    groups: int
    per_day: tuple[int, ...]
    shown: tuple[GroupHit, ...]
    events: int | None
    events_more: bool
    critical: int
    true_positives: int
    health: int
    names: frozenset[str] = frozenset()


class Previews:
    """Reads over one state database and event store; safe to share between threads."""

    def __init__(self, engine: Engine, events: EventStore) -> None:
        self._engine = engine
        self._events = events

    def of(self, one: Exemption, now: datetime) -> Preview:
        """The preview of an exception that need not be kept yet. Raises BadInput (query-syntax)."""
        condition_of(one.condition)  # a wrong one is told before anything is read
        since = now - timedelta(days=DAYS)
        found, per_day, names = dict[str, _Tally](), [0] * DAYS, set[str]()
        asked = health = 0
        wanted = _wanted(one, since)
        columns = alerts.c.group_id, alerts.c.body, alerts.c.time
        query = (
            select(*columns)
            .join_from(alerts, alert_groups, alerts.c.group_id == alert_groups.c.id)
            .where(*wanted, alerts.c.body.is_not(None))
            .order_by(alerts.c.time.desc())
            .limit(ALERTS_MAX)
        )
        with self._engine.connect() as connection:
            total = int(connection.scalar(_count(wanted)) or 0)
            for group, body, time in connection.execute(query):
                asked += 1
                alert = _decoder.decode(body)
                if not covers(one, alert):
                    continue
                if of_health(alert):
                    health += 1
                    continue
                found.setdefault(group, _Tally()).take(alert.severity, time)
                names |= names_of(alert)
                per_day[min(DAYS - 1, max(0, (from_micros(time) - since) // timedelta(days=1)))] += 1
            shown = self._groups(found)
        events, more = self._count_events(one, since, now)
        return Preview(
            days=DAYS,
            asked=asked,
            unasked=max(0, total - asked),
            alerts=sum(tally.alerts for tally in found.values()),
            groups=len(found),
            per_day=tuple(per_day),
            shown=tuple(shown[:GROUPS_MAX]),
            events=events,
            events_more=more,
            critical=sum(tally.critical for tally in found.values()),
            true_positives=sum(one.classification == "true_positive" for one in shown),
            health=health,
            names=frozenset(names),
        )

    def _groups(self, found: "dict[str, _Tally]") -> list[GroupHit]:
        columns = alert_groups.c
        hits: list[GroupHit] = []
        identifiers = list(found)
        with self._engine.connect() as connection:
            for start in range(0, len(identifiers), 500):
                some = select(alert_groups).where(columns.id.in_(identifiers[start : start + 500]))
                hits += [
                    GroupHit(
                        id=row["id"],
                        title=Words(row["title_zh"], row["title_en"]),
                        entity=row["entity"],
                        severity=row["severity"],
                        unit=row["unit"],
                        state=row["state"],
                        classification=row["classification"],
                        alerts=found[row["id"]].alerts,
                        last=from_micros(found[row["id"]].last),
                    )
                    for row in connection.execute(some).mappings()
                ]
        return sorted(hits, key=lambda hit: (-hit.alerts, hit.id))

    def _count_events(self, one: Exemption, since: datetime, now: datetime) -> tuple[int | None, bool]:
        condition = condition_of(one.condition)
        if isinstance(condition, Always) or about_alert(fields(condition)):
            return None, False
        found = self._events.search(condition, since=since, until=now, limit=EVENTS_MAX).events
        return sum(event.unit in one.units for event in found), len(found) >= EVENTS_MAX


class _Tally:
    """Counts of one group."""

    __slots__ = ("alerts", "critical", "last")

    def __init__(self) -> None:
        self.alerts = self.critical = self.last = 0

    def take(self, severity: Severity, time: int) -> None:
        self.alerts += 1
        self.critical += severity == "critical"
        self.last = max(self.last, time)


def _wanted(one: Exemption, since: datetime) -> Collection[ColumnElement[bool]]:
    columns = alert_groups.c
    wanted = [alerts.c.time >= micros(since), columns.last_seen >= micros(since), columns.unit.in_(one.units)]
    return [*wanted, columns.rule.in_(one.rules)] if one.rules else wanted


def _count(wanted: Collection[ColumnElement[bool]]) -> Select[int]:
    joined = select(func.count()).join_from(alerts, alert_groups, alerts.c.group_id == alert_groups.c.id)
    return joined.where(*wanted)
