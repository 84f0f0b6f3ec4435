"""What changed on hosts, in a table: every ``inventory.change`` of late, kept within the pipeline commit."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select

from detection.store.host_inventory import KIND_CHARS_MAX
from detection.store.inventory import HOST_CHARS_MAX, NAME_CHARS_MAX, RESERVED, text
from detection.store.tables import from_micros, host_changes, micros
from sensors.event import Event

DATASET: Final = "inventory.change"
KEPT: Final = timedelta(days=31)  # the event itself stays as long as every other
_TEXT_CHARS_MAX: Final = 2_000
_CHUNK: Final = 500


class HostChange(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a host's table that came, went or became another."""

    event: str
    unit: str
    host: str
    time: datetime
    kind: str
    action: str
    item: str
    before: str
    after: str
    while_down: bool


class HostChangeStore:
    """Reads over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def changes(
        self,
        host: str,
        *,
        since: datetime,
        until: datetime | None = None,
        units: Collection[str] | None = None,
        kind: str = "",
        limit: int = 200,
    ) -> list[HostChange]:
        """The newest changes of the hosts of a name within the units (None: all)."""
        columns = host_changes.c
        query = select(host_changes).where(columns.host == host, columns.time >= micros(since))
        if until is not None:
            query = query.where(columns.time < micros(until))
        if units is not None:
            query = query.where(columns.unit.in_(list(units)))
        if kind:
            query = query.where(columns.kind == kind)
        query = query.order_by(columns.time.desc(), columns.event.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [
                HostChange(**{**row, "time": from_micros(row["time"])})
                for row in connection.execute(query).mappings()
            ]


def record_changes(connection: Connection, events: Sequence[Event]) -> None:
    """Keep the changes among these events within an open transaction; replay changes nothing."""
    rows = {
        event.id: _row(event)
        for event in events
        if event.fields.get("event.dataset") == DATASET and not event.sensor.startswith(RESERVED)
    }
    if not rows:
        return
    names = list(rows)
    for start in range(0, len(names), _CHUNK):
        some = names[start : start + _CHUNK]
        known = connection.scalars(select(host_changes.c.event).where(host_changes.c.event.in_(some)))
        for name in known:
            del rows[name]
    if rows:
        connection.execute(insert(host_changes), list(rows.values()))
        newest = max(row["time"] for row in rows.values())
        old = newest - KEPT // timedelta(microseconds=1)
        connection.execute(delete(host_changes).where(host_changes.c.time < old))


def _row(event: Event) -> dict[str, Any]:
    return {
        "event": event.id,
        "unit": event.unit[:NAME_CHARS_MAX],
        "host": text(event, "host.name", HOST_CHARS_MAX) or event.sensor[:HOST_CHARS_MAX],
        "time": micros(event.time),
        "kind": text(event, "gov.inventory.kind", KIND_CHARS_MAX),
        "action": text(event, "event.action", 16),
        "item": text(event, "gov.inventory.key", _TEXT_CHARS_MAX),
        "before": text(event, "gov.inventory.before", _TEXT_CHARS_MAX),
        "after": text(event, "gov.inventory.after", _TEXT_CHARS_MAX),
        "while_down": event.fields.get("gov.inventory.while_down") is True,
    }
