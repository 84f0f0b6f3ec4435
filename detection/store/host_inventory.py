"""What hosts are made of, read out of ``inventory.*`` events: tables of short texts, the newest of each kind.

Pure. A table may come in several parts that share a digest; a reader is told whether all of them are here.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from detection.store.inventory import HOST_CHARS_MAX, NAME_CHARS_MAX, RESERVED, integer, text
from sensors.event import Event

KIND_CHARS_MAX: Final = 32
COLUMNS_MAX: Final = 16
ROWS_PER_PART_MAX: Final = 20_000
PARTS_MAX: Final = 64
CELL_CHARS_MAX: Final = 512
_PREFIX: Final = "inventory."
_ERROR_CHARS_MAX: Final = 500
_METHOD_CHARS_MAX: Final = 200
_DIGEST_CHARS: Final = 64

Row = tuple[str, ...]


class InventoryPart(msgspec.Struct, frozen=True, kw_only=True):
    """One event's share of a host's table; ``error`` is '' where it could be read."""

    host: str
    kind: str
    part: int
    parts: int
    time: datetime
    event: str
    unit: str
    sensor: str
    digest: str
    method: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    truncated: bool
    error: str


class HostInventory(msgspec.Struct, frozen=True, kw_only=True):
    """The newest table of one kind on one host.

    ``complete`` is false while parts of it have not come; ``truncated`` where the host had more rows than are
    told. ``since`` is when this content was first told, ``time`` when last.
    """

    host: str
    kind: str
    time: datetime
    since: datetime
    event: str
    unit: str
    sensor: str
    digest: str
    method: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    complete: bool
    truncated: bool
    error: str

    def table(self) -> list[dict[str, str]]:
        """The rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def values(self) -> dict[str, str]:
        """First column -> second, for the kinds that are names and values."""
        return {row[0]: row[1] for row in self.rows if len(row) >= 2}


class KnownHost(msgspec.Struct, frozen=True, kw_only=True):
    """A host that told of itself: its unit and sensor by the newest event, and the kinds there are."""

    host: str
    unit: str
    sensor: str
    first_seen: datetime
    last_seen: datetime
    kinds: tuple[str, ...]


def inventory_parts(events: Iterable[Event]) -> list[InventoryPart]:
    """The newest part per (unit, host, kind, part) among the events, sorted by them."""
    newest: dict[tuple[str, str, str, int], Event] = {}
    for event in events:
        dataset = event.fields.get("event.dataset")
        if not isinstance(dataset, str) or not dataset.startswith(_PREFIX) or dataset == "inventory.change":
            continue
        kind = text(event, "gov.inventory.kind", KIND_CHARS_MAX)
        part = integer(event, "gov.inventory.part")
        if not kind or part >= PARTS_MAX or event.sensor.startswith(RESERVED):
            continue
        place = event.unit[:NAME_CHARS_MAX], _host(event), kind, part
        known = newest.get(place)
        if known is None or (known.time, known.id) < (event.time, event.id):
            newest[place] = event
    return [_part(place, event) for place, event in sorted(newest.items(), key=lambda one: one[0])]


def whole(parts: Sequence[InventoryPart], since: datetime) -> HostInventory:
    """The table the parts of one host and kind make: those that belong to the newest of them."""
    last = max(parts, key=lambda one: (one.time, one.event))
    ours = sorted((one for one in parts if one.digest == last.digest), key=lambda one: one.part)
    return HostInventory(
        host=last.host,
        kind=last.kind,
        time=last.time,
        since=since,
        event=last.event,
        unit=last.unit,
        sensor=last.sensor,
        digest=last.digest,
        method=last.method,
        columns=last.columns,
        rows=tuple(row for one in ours for row in one.rows),
        complete=not last.error and [one.part for one in ours] == list(range(last.parts)),
        truncated=any(one.truncated for one in ours),
        error=last.error,
    )


def _host(event: Event) -> str:
    return text(event, "host.name", HOST_CHARS_MAX) or event.sensor[:HOST_CHARS_MAX]


def _part(place: tuple[str, str, str, int], event: Event) -> InventoryPart:
    columns = tuple(
        one[:KIND_CHARS_MAX] for one in _texts(event, "gov.inventory.columns", COLUMNS_MAX) if one
    )
    rows = [
        row
        for line in _texts(event, "gov.inventory.items", ROWS_PER_PART_MAX)
        if len(row := tuple(cell[:CELL_CHARS_MAX] for cell in line.split("\t"))) == len(columns)
    ]
    unit, host, kind, part = place
    return InventoryPart(
        host=host,
        kind=kind,
        part=part,
        parts=min(max(integer(event, "gov.inventory.parts"), 1), PARTS_MAX),
        time=event.time,
        event=event.id,
        unit=unit,
        sensor=event.sensor[:NAME_CHARS_MAX],
        digest=text(event, "gov.inventory.digest", _DIGEST_CHARS),
        method=text(event, "gov.inventory.method", _METHOD_CHARS_MAX),
        columns=columns,
        rows=tuple(rows),
        truncated=event.fields.get("gov.inventory.truncated") is True,
        error=text(event, "gov.inventory.error", _ERROR_CHARS_MAX),
    )


def _texts(event: Event, name: str, count_max: int) -> list[str]:
    value = event.fields.get(name)
    if not isinstance(value, list):
        return []
    return [one for one in value[:count_max] if isinstance(one, str)]
