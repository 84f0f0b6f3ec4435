"""What rules led to: when each hit last, how often of late, and how people judged what it raised."""

from collections import defaultdict
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Engine, func, select

from detection.store.alert_group import AlertGroup
from detection.store.entity_heat import groups_with_heat
from detection.store.group_store import group_of
from detection.store.tables import alert_groups, alerts, from_micros, micros


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """The hits of one rule; ``judged`` counts closed groups by classification."""

    last: datetime
    recent: int = 0
    judged: dict[str, int] = {}

    @property
    def precision(self) -> float | None:
        """The share of judged groups in which the rule was right; None before any was judged.

        Harmless but real counts as right, tests and drills count as nothing.
        """
        right = self.judged.get("true_positive", 0) + self.judged.get("benign_positive", 0)
        judged = right + self.judged.get("false_positive", 0)
        return right / judged if judged else None


class HitStore:
    """Reads over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def hits(self, since: datetime, units: frozenset[str] | None = None) -> dict[str, Hits]:
        """By rule id, of every rule that raised an alert in ``units``; ``recent`` are alerts since then."""
        columns = alert_groups.c
        within = _within(units)
        seen = select(columns.rule, func.max(columns.latest)).where(*within).group_by(columns.rule)
        recent = (
            select(columns.rule, func.count())
            .join_from(alerts, alert_groups, alerts.c.group_id == columns.id)
            .where(alerts.c.time >= micros(since), *within)
            .group_by(columns.rule)
        )
        closed = (
            select(columns.rule, columns.classification, func.count())
            .where(columns.state == "closed", *within)
            .group_by(columns.rule, columns.classification)
        )
        judged: dict[str, dict[str, int]] = defaultdict(dict)
        with self._engine.connect() as connection:
            for rule, classification, number in connection.execute(closed):
                judged[rule][classification] = int(number)
            numbers = {rule: int(number) for rule, number in connection.execute(recent)}
            return {
                rule: Hits(last=from_micros(last), recent=numbers.get(rule, 0), judged=judged.get(rule, {}))
                for rule, last in connection.execute(seen)
            }

    def latest(self, rule: str, limit: int, units: frozenset[str] | None = None) -> list[AlertGroup]:
        """The groups of ``units`` a rule hit last, newest first."""
        query = (
            groups_with_heat()
            .where(alert_groups.c.rule == rule, *_within(units))
            .order_by(alert_groups.c.latest.desc(), alert_groups.c.id.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [group_of(row) for row in connection.execute(query).mappings()]


def _within(units: frozenset[str] | None) -> list[ColumnElement[bool]]:
    return [] if units is None else [alert_groups.c.unit.in_(sorted(units))]
