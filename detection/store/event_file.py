"""One sealed file of events: Parquet, zstd, small row groups, sorted by time; written once, never changed.

Columns are listed in docs/reference/storage.md. ``fields`` and ``native`` are the truth, as JSON text. The
plain columns beside them (host, user, source_ip, …) are for people and tools that open the file;
``folded`` holds every value as conditions compare it (detection.facts: native name first, case folded), so
that a query in SQL answers exactly as the streaming matcher does.
"""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from crypto.sm3 import new as new_sm3
from detection.facts import texts_of
from detection.store.tables import micros
from sensors.event import Event, Value, decode

ROW_GROUP_ROWS: Final = 20_000  # small, so that a narrow time range or a list of ids reads little
_COMPRESSION_LEVEL: Final = 3
_READ_BYTES: Final = 1 << 20
_PLAIN: Final = {
    "dataset": "event.dataset",
    "host": "host.name",
    "user": "user.name",
    "source_ip": "source.ip",
    "destination_ip": "destination.ip",
    "process_name": "process.name",
    "message": "message",
}
_MICROS: Final = pa.timestamp("us")  # UTC; without a zone, as DuckDB needs no time zone data for it

SCHEMA: Final = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("time", _MICROS, nullable=False),
        pa.field("ingested", _MICROS),
        *(
            pa.field(name, pa.string(), nullable=False)
            for name in ("unit", "sensor", "product", "category", "service")
        ),
        *(pa.field(name, pa.string()) for name in _PLAIN),
        pa.field("destination_port", pa.int32()),
        pa.field("fields", pa.string(), nullable=False),
        pa.field("native", pa.string(), nullable=False),
        pa.field("folded", pa.map_(pa.string(), pa.list_(pa.string())), nullable=False),
    ]
)

_encode: Final = msgspec.json.Encoder().encode


class Written(NamedTuple):
    """What a file holds: rows, bytes, its SM3 and the range of its times in microseconds."""

    rows: int
    bytes: int
    sm3: str
    time_min: int
    time_max: int


def table_of(events: Sequence[Event]) -> pa.Table:
    """The events as an Arrow table of SCHEMA, in the order given."""
    columns: dict[str, Any] = {
        "id": [event.id for event in events],
        "time": [micros(event.time) for event in events],
        "ingested": [None if event.ingested is None else micros(event.ingested) for event in events],
        "unit": [event.unit for event in events],
        "sensor": [event.sensor for event in events],
        "product": [event.logsource.product for event in events],
        "category": [event.logsource.category for event in events],
        "service": [event.logsource.service for event in events],
        "destination_port": [_port(event.fields.get("destination.port")) for event in events],
        "fields": [_encode(event.fields).decode() for event in events],
        "native": [_encode(event.native).decode() for event in events],
    }
    for name, field in _PLAIN.items():
        columns[name] = [_plain(event.fields.get(field)) for event in events]
    arrays = [pa.array(columns[field.name], type=field.type) for field in SCHEMA if field.name != "folded"]
    arrays.append(_folded(events))
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _folded(events: Sequence[Event]) -> pa.Array:
    """Every field as conditions see it: folded texts, and a null behind them if the value has one.

    Built from flat lists and offsets: a tenth of the time of nested Python lists.
    """
    names: list[str] = []
    texts: list[str | None] = []
    of_names: list[int] = [0]  # where each field's texts end
    of_events: list[int] = [0]  # where each event's fields end
    for event in events:
        own = event.native.keys()
        shared = ((name, value) for name, value in event.fields.items() if name not in own)
        for name, value in chain(event.native.items(), shared):
            names.append(name)
            texts.extend([text.casefold() for text in texts_of(value)])
            if value is None or (isinstance(value, list) and None in value):
                texts.append(None)
            of_names.append(len(texts))
        of_events.append(len(names))
    values = pa.ListArray.from_arrays(pa.array(of_names, pa.int32()), pa.array(texts, pa.string()))
    return pa.MapArray.from_arrays(pa.array(of_events, pa.int32()), pa.array(names, pa.string()), values)


def write_file(path: Path, tables: Sequence[pa.Table]) -> Written:
    """Write the rows sorted by time and sync the file; the caller renames it to its final name."""
    table = pa.concat_tables(tables).sort_by([("time", "ascending"), ("id", "ascending")])
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=_COMPRESSION_LEVEL,
        row_group_size=ROW_GROUP_ROWS,
        write_statistics=["id", "time"],
    )
    with path.open("rb") as file:
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
    times = table.column("time").cast(pa.int64())
    return Written(table.num_rows, size, sm3_of(path), times[0].as_py(), times[-1].as_py())


def sm3_of(path: Path) -> str:
    """The SM3 of a file as 64 hex digits. Raises OSError."""
    digest = new_sm3()
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def event_of(row: Sequence[Any]) -> Event:
    """The event of a row of EVENT_COLUMNS. Raises BadInput where the file holds something else."""
    identifier, time, ingested, unit, sensor, product, category, service, fields, native = row
    body = {
        "id": identifier,
        "time": _utc(time),
        "unit": unit,
        "sensor": sensor,
        "logsource": {"product": product, "category": category, "service": service},
        "fields": msgspec.Raw(fields.encode()),
        "native": msgspec.Raw(native.encode()),
    }
    if ingested is not None:
        body["ingested"] = _utc(ingested)
    return decode(_encode(body))


# The columns ``event_of`` takes, as a DuckDB select list.
EVENT_COLUMNS: Final = "id, time, ingested, unit, sensor, product, category, service, fields, native"


def events_in(path: Path) -> Iterator[Event]:
    """All events of a file in order of time. Raises OSError or pyarrow.ArrowException."""
    names = EVENT_COLUMNS.split(", ")
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=2_048, columns=names):
            columns = [batch.column(name).to_pylist() for name in names]
            yield from map(event_of, zip(*columns, strict=True))


def _plain(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _port(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 65_535 else None


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC)
