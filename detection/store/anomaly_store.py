"""Anomaly groups in the state database: those judged, to learn from, and those open, to be ranked."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select

from detection.alert import Alert
from detection.anomaly.feedback import VERDICTS, Label
from detection.store.alert_group import AlertGroup
from detection.store.entity_heat import groups_with_heat
from detection.store.group_store import group_of
from detection.store.tables import alert_groups, alerts, micros

JUDGED_MAX: Final = 5_000  # the newest
OPEN_MAX: Final = 5_000  # the riskiest
LEARNED: Final = timedelta(days=366)

_columns: Final = alert_groups.c
_alert: Final = msgspec.json.Decoder(Alert)


class OpenAnomaly(msgspec.Struct, frozen=True, kw_only=True):
    """An open group and its newest alert."""

    group: AlertGroup
    alert: Alert


class AnomalyStore:
    """Reads over one state database; safe to share between threads. ``units`` None is all of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def labels(self, now: datetime, units: Collection[str] | None = None) -> list[Label]:
        """Closed groups with a verdict, of the last year, the newest first."""
        wanted = [
            _columns.state == "closed",
            _columns.classification.in_(VERDICTS),
            _columns.latest >= micros(now - LEARNED),
        ]
        with self._engine.connect() as connection:
            found = self._with_alerts(connection, wanted, units, JUDGED_MAX, _columns.latest)
        labels: list[Label] = []
        for one in found:
            verdict = next(name for name in VERDICTS if name == one.group.classification)
            labels.append(Label(group=one.group.id, verdict=verdict, count=one.group.count, alert=one.alert))
        return labels

    def open(self, units: Collection[str] | None, entity: str = "") -> list[OpenAnomaly]:
        """Open groups, the riskiest first; ``entity`` is a part of the entity's name."""
        wanted = [_columns.state != "closed", _columns.parent == ""]
        if entity:
            wanted.append(_columns.entity_key.contains(entity.lower(), autoescape=True))
        with self._engine.connect() as connection:
            return self._with_alerts(connection, wanted, units, OPEN_MAX, _columns.heat)

    def _with_alerts(
        self,
        connection: Connection,
        wanted: Sequence[ColumnElement[bool]],
        units: Collection[str] | None,
        most: int,
        order: ColumnElement[int] | ColumnElement[float],
    ) -> list[OpenAnomaly]:
        of = [_columns.detector == "anomaly", *wanted]
        if units is not None:
            of.append(_columns.unit.in_(units))
        chosen = select(_columns.id).where(*of).order_by(order.desc()).limit(most).subquery()
        newest = (
            select(alerts.c.group_id, func.max(alerts.c.time).label("time"))
            .where(alerts.c.group_id.in_(select(chosen.c.id)), alerts.c.body.is_not(None))
            .group_by(alerts.c.group_id)
            .subquery()
        )
        same = and_(alerts.c.group_id == newest.c.group_id, alerts.c.time == newest.c.time)
        query = (
            groups_with_heat()
            .add_columns(alerts.c.body)
            .join(newest, newest.c.group_id == _columns.id)
            .join(alerts, same)
            .where(alerts.c.body.is_not(None))
            .order_by(order.desc(), _columns.id, alerts.c.id)
        )
        found: dict[str, OpenAnomaly] = {}
        for row in connection.execute(query).mappings():
            group = group_of(row)
            if group.id not in found:
                found[group.id] = OpenAnomaly(group=group, alert=_alert.decode(row["body"]))
        return list(found.values())
