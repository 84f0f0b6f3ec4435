"""The hosts' inventory in a table: the newest parts of each kind, kept within the pipeline commit."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update

from detection.store.host_inventory import (
    HostInventory,
    InventoryPart,
    KnownHost,
    Row,
    inventory_parts,
    whole,
)
from detection.store.progress_store import bump, counter
from detection.store.tables import from_micros, host_inventory, micros
from sensors.event import Event

_encoder: Final = msgspec.json.Encoder()
_columns: Final = msgspec.json.Decoder(tuple[str, ...])
_rows: Final = msgspec.json.Decoder(tuple[Row, ...])


class HostInventoryStore:
    """Reads of the hosts' inventory over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(
        self, host: str | None = None, kind: str | None = None, *, unit: str | None = None
    ) -> list[HostInventory]:
        """The newest table per unit, host and kind, of those asked for or of all, sorted by them."""
        columns = host_inventory.c
        query = select(host_inventory).order_by(columns.unit, columns.host, columns.kind)
        for column, wanted in ((columns.host, host), (columns.kind, kind), (columns.unit, unit)):
            if wanted is not None:
                query = query.where(column == wanted)
        with self._engine.connect() as connection:
            found = connection.execute(query).mappings().all()
        return [
            whole([_part(row) for row in rows], from_micros(min(row["since"] for row in rows)))
            for rows in (list(those) for _, those in groupby(found, _place))
        ]

    def hosts(self) -> list[KnownHost]:
        """Every host that told of itself, without its tables."""
        columns = host_inventory.c
        query = select(
            columns.host, columns.kind, columns.unit, columns.sensor, columns.since, columns.time
        ).order_by(columns.unit, columns.host, columns.time, columns.event)
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        hosts = []
        for (unit, host), those in groupby(found, lambda row: (row.unit, row.host)):
            rows = list(those)
            hosts.append(
                KnownHost(
                    host=host,
                    unit=unit,
                    sensor=rows[-1].sensor,
                    first_seen=from_micros(min(row.since for row in rows)),
                    last_seen=from_micros(rows[-1].time),
                    kinds=tuple(sorted({row.kind for row in rows})),
                )
            )
        return hosts

    def revision(self) -> int:
        """Grows with every new or changed table; not where a host only said the same again."""
        with self._engine.connect() as connection:
            return counter(connection, "host_inventory")


def record_inventory(connection: Connection, events: Sequence[Event]) -> None:
    """Bring the tables up to these events within an open transaction; replay changes nothing."""
    kept = [_keep(connection, part) for part in inventory_parts(events)]
    if any(kept):
        bump(connection, "host_inventory")


def _keep(connection: Connection, part: InventoryPart) -> bool:
    """Keep a part where it is newer than what is known; whether its content is new."""
    columns = host_inventory.c
    ours = columns.unit == part.unit, columns.host == part.host, columns.kind == part.kind
    place = *ours, columns.part == part.part
    known = connection.execute(
        select(columns.time, columns.event, columns.digest, columns.error, columns.since).where(*place)
    ).first()
    values = _values(part)
    if known is not None and (known.time, known.event) >= (values["time"], part.event):
        return False
    if part.error and not part.columns:
        return _keep_error(connection, part)
    if part.part == 0:  # a shorter table: what lies behind its last part is of the past
        gone = columns.part >= part.parts, columns.time < values["time"]
        connection.execute(delete(host_inventory).where(*ours, *gone))
    if known is None:
        first = connection.scalar(select(func.min(columns.since)).where(*ours, columns.digest == part.digest))
        connection.execute(insert(host_inventory).values(values | {"since": first or values["time"]}))
        return True
    same = known.digest == part.digest
    since = known.since if same else values["time"]
    connection.execute(update(host_inventory).where(*place).values(values | {"since": since}))
    return not same or bool(known.error)


def _keep_error(connection: Connection, part: InventoryPart) -> bool:
    """What was known before stays beside the error: it is old, not wrong."""
    columns = host_inventory.c
    ours = columns.unit == part.unit, columns.host == part.host, columns.kind == part.kind
    place = *ours, columns.part == 0
    values = {"time": micros(part.time), "event": part.event, "error": part.error}
    done = connection.execute(update(host_inventory).where(*place).values(values))
    if done.rowcount == 0:
        connection.execute(insert(host_inventory).values(_values(part) | {"since": values["time"]}))
    return True


def _values(part: InventoryPart) -> dict[str, Any]:
    values = msgspec.structs.asdict(part) | {"time": micros(part.time)}
    values["columns"] = _encoder.encode(part.columns).decode()
    values["rows"] = _encoder.encode(part.rows).decode()
    return values


def _place(row: RowMapping) -> tuple[str, str, str]:
    return row["unit"], row["host"], row["kind"]


def _part(row: RowMapping) -> InventoryPart:
    plain = set(InventoryPart.__struct_fields__) - {"time", "columns", "rows"}
    return InventoryPart(
        **{name: row[name] for name in plain},
        time=from_micros(row["time"]),
        columns=_columns.decode(row["columns"]),
        rows=_rows.decode(row["rows"]),
    )
