"""The inventory in tables: newest probe results, sensor state and gaps, kept within the pipeline commit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update

from detection.store.host_change_store import record_changes
from detection.store.host_inventory_store import record_inventory
from detection.store.inventory import (
    SILENT_SECONDS,
    Gap,
    ProbeResult,
    SensorState,
    Sighting,
    SourceState,
    gaps,
    probe_results,
    sightings,
)
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros, sensor_gaps, sensor_state
from detection.store.tables import probe_results as probe_table
from sensors.event import Event, Value

_encoder: Final = msgspec.json.Encoder()
_values: Final = msgspec.json.Decoder(dict[str, Value])
_received: Final = msgspec.json.Decoder(dict[str, tuple[int, int]])
_GAP_TIMES: Final = ("time", "begins", "ends")
_sources: Final = msgspec.json.Decoder(tuple[SourceState, ...])
_drops: Final = msgspec.json.Decoder(dict[str, int])


class InventoryStore:
    """Reads of the inventory over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sensors(self, now: datetime) -> list[SensorState]:
        """Every sensor that ever sent an event; silent after SILENT_SECONDS without one."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(sensor_state).order_by(sensor_state.c.sensor)).mappings().all()
        return [_sensor(row, now) for row in rows]

    def sensor(self, sensor: str, now: datetime) -> SensorState | None:
        """One sensor, None where it never sent an event."""
        query = select(sensor_state).where(sensor_state.c.sensor == sensor)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _sensor(row, now)

    def probe_results(self, host: str | None = None) -> list[ProbeResult]:
        """The newest result per (unit, host, probe), of the hosts of one name or of all."""
        query = select(probe_table).order_by(probe_table.c.host, probe_table.c.probe, probe_table.c.unit)
        if host is not None:
            query = query.where(probe_table.c.host == host)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [_probe(row) for row in rows]

    def gaps(self, sensor: str | None = None, limit: int = 100) -> list[Gap]:
        """Gaps of one sensor or of all, newest first."""
        query = select(sensor_gaps).order_by(sensor_gaps.c.time.desc(), sensor_gaps.c.event.desc())
        if sensor is not None:
            query = query.where(sensor_gaps.c.sensor == sensor)
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(limit)).mappings().all()
        return [_gap(row) for row in rows]

    def gaps_after(self, number: int, limit: int) -> list[Gap]:
        """Gaps with a higher number, in the order they were committed."""
        query = select(sensor_gaps).where(sensor_gaps.c.number > number).order_by(sensor_gaps.c.number)
        with self._engine.connect() as connection:
            return [_gap(row) for row in connection.execute(query.limit(limit)).mappings()]

    def keep_gap_leaves(self, leaves: Sequence[tuple[int, int]]) -> None:
        """Note the ledger's records of gaps: (number, leaf)."""
        with writing(self._engine) as connection:
            for number, leaf in leaves:
                place = sensor_gaps.c.number == number
                connection.execute(update(sensor_gaps).where(place).values(leaf=leaf))
            bump(connection, "sensors")

    def gap_counts(self) -> dict[str, int]:
        """How many gaps each sensor has that has any."""
        query = select(sensor_gaps.c.sensor, func.count()).group_by(sensor_gaps.c.sensor)
        with self._engine.connect() as connection:
            return {sensor: int(count) for sensor, count in connection.execute(query)}

    def sensors_revision(self) -> int:
        """Grows with every change of a sensor's state or gaps."""
        with self._engine.connect() as connection:
            return counter(connection, "sensors")


def record(connection: Connection, events: Sequence[Event]) -> None:
    """Bring the inventory up to these events within an open transaction; replay changes nothing."""
    if not events:
        return
    for sighting in sightings(events):
        _keep_sighting(connection, sighting)
    for gap in gaps(events):
        _keep_gap(connection, gap)
    bump(connection, "sensors")
    kept = [_keep_probe(connection, result) for result in probe_results(events)]
    if any(kept):
        bump(connection, "probes")
    record_inventory(connection, events)
    record_changes(connection, events)


def _keep_sighting(connection: Connection, seen: Sighting) -> None:
    known = (
        connection.execute(select(sensor_state).where(sensor_state.c.sensor == seen.sensor))
        .mappings()
        .first()
    )
    values: dict[str, Any] = {
        "unit": seen.unit,
        "last_seen": micros(seen.last_seen),
        "last_epoch": seen.last_epoch,
        "last_sequence": seen.last_sequence,
    }
    if seen.heartbeat is not None:
        values |= msgspec.structs.asdict(seen.heartbeat)
        values["sources"] = _encoder.encode(seen.heartbeat.sources).decode()
        values["drops"] = _encoder.encode(seen.heartbeat.drops).decode()
        values["last_sequences"] = _encoder.encode(seen.heartbeat.last_sequences).decode()
        values["beat"] = micros(min(values.pop("time"), seen.last_seen))
        if seen.heartbeat.clock_offset_seconds is None:
            del values["clock_offset_seconds"]  # what was known before stays
    if known is None:
        blank = {"kind": "", "host": "", "version": "", "backlog": 0, "events": 0}
        blank |= {"cpu_percent": 0.0, "rss_bytes": 0, "sources": "[]"}
        values["received"] = _encoder.encode(seen.received).decode()
        connection.execute(insert(sensor_state).values(**(blank | {"sensor": seen.sensor} | values)))
        return
    place = max((known["last_epoch"], known["last_sequence"]), (seen.last_epoch, seen.last_sequence))
    if values["last_seen"] < known["last_seen"]:  # a replay, or an older lane: it must not undo a heartbeat
        values = {"last_seen": known["last_seen"]}
    values["last_epoch"], values["last_sequence"] = place
    before = _received.decode(known["received"])
    further = {lane: max(before.get(lane, (0, 0)), here) for lane, here in seen.received.items()}
    values["received"] = _encoder.encode(before | further).decode()
    connection.execute(update(sensor_state).where(sensor_state.c.sensor == seen.sensor).values(**values))


def _keep_gap(connection: Connection, gap: Gap) -> None:
    known = connection.scalar(select(sensor_gaps.c.event).where(sensor_gaps.c.event == gap.event))
    if known is None:
        values = msgspec.structs.asdict(gap)
        values |= {name: None if values[name] is None else micros(values[name]) for name in _GAP_TIMES}
        values["number"] = bump(connection, "gaps")
        connection.execute(insert(sensor_gaps).values(**values))


def _keep_probe(connection: Connection, result: ProbeResult) -> bool:
    place = (
        probe_table.c.unit == result.unit,
        probe_table.c.host == result.host,
        probe_table.c.probe == result.probe,
    )
    known = connection.execute(select(probe_table.c.time, probe_table.c.event).where(*place)).first()
    values = msgspec.structs.asdict(result) | {"time": micros(result.time)}
    values["values"] = _encoder.encode(result.values).decode()
    if known is None:
        connection.execute(insert(probe_table).values(values))
        return True
    if (known.time, known.event) >= (values["time"], result.event):
        return False
    connection.execute(update(probe_table).where(*place).values(values))
    return True


def _sensor(row: RowMapping, now: datetime) -> SensorState:
    last_seen = from_micros(row["last_seen"])
    silent = now - last_seen > timedelta(seconds=SILENT_SECONDS)
    plain = set(SensorState.__struct_fields__) - {"state", "last_seen", "sources", "drops"}
    return SensorState(
        **{name: row[name] for name in plain},
        state="silent" if silent else "online",
        last_seen=last_seen,
        sources=_sources.decode(row["sources"]),
        drops=_drops.decode(row["drops"]),
    )


def _gap(row: RowMapping) -> Gap:
    values = {name: row[name] for name in Gap.__struct_fields__}
    times = {name: None if values[name] is None else from_micros(values[name]) for name in _GAP_TIMES}
    return Gap(**(values | times))


def _probe(row: RowMapping) -> ProbeResult:
    plain = set(ProbeResult.__struct_fields__) - {"time", "values"}
    return ProbeResult(
        **{name: row[name] for name in plain}, time=_time(row), values=_values.decode(row["values"])
    )


def _time(row: RowMapping) -> datetime:
    return from_micros(row["time"])
