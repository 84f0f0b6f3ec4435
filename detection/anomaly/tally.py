"""Open windows of one kind of entity: columns of whole numbers, a row for each deed of each entity.

Entities and deeds are interned: an event finds its rows by one look-up. A column is one window; when the
shortest closes it is added to the next longer one, so an event is counted once whatever the lengths. Sums of
whole numbers do not depend on their order. A window belongs to the lane of all sensors, or to that of a
sensor behind the others. Where rows run out, entities seen longest ago leave with what was counted of them.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from detection.anomaly.deeds import OTHER
from sensors.event import Event

_EVENTS_KEPT: Final = 3  # of an entity, those that brought something new; and the last one
_SPARE: Final = 256  # rows a column has room for beyond those there are, at least
_KEPT_SHARE: Final = 0.9  # of the rows, after making room
_CELL: Final = np.dtype("<i8")

Lane = tuple[str, int]  # sensor, or '' for all; start of the window


class Window(NamedTuple):
    """A closed window: whose, its peer group, how often or how much of what, and events to show."""

    entity: str
    peer: str
    counts: dict[str, int]
    events: tuple[Event, ...]

    def shown(self, start: int, end: int) -> tuple[Event, ...]:
        """Those of its events that lie in the window; where none does, those there are."""
        kept = {one.id: one for one in self.events}
        inside = [one for one in kept.values() if start <= one.time.timestamp() < end]
        return tuple(sorted(inside or kept.values(), key=lambda one: (one.time, one.id)))


class Column(msgspec.Struct, array_like=True):
    """An open window, as kept: the rows that are not nothing."""

    seconds: int
    sensor: str
    start: int
    rows: bytes
    amounts: bytes


class TallyMemory(msgspec.Struct, array_like=True):
    """Everything, for a snapshot."""

    entities: list[str] = []
    peers: list[str] = []
    owners: bytes = b""
    values: list[str] = []
    seen: bytes = b""
    columns: list[Column] = []
    fresh: list[list[Event]] = []
    last: list[Event | None] = []


class Tally:
    """The open windows of one kind; ``seconds`` are their lengths, each a multiple of the one before."""

    def __init__(self, seconds: Sequence[int], *, rows_max: int, deeds_max: int) -> None:
        self.seconds = tuple(seconds)
        self._rows_max, self._deeds_max = rows_max, deeds_max
        self.evicted = 0  # rows that left before their windows closed
        self._clear()
        self.columns: dict[int, dict[Lane, array[int]]] = {one: {} for one in self.seconds}

    def _clear(self) -> None:
        self._entities: dict[str, int] = {}
        self.names: list[str] = []
        self.peers: list[str] = []
        self._deeds: list[int] = []  # rows of each entity
        self._fresh: list[list[Event]] = []
        self._last: list[Event | None] = []
        self._rows: dict[tuple[int, str], int] = {}
        self._values: list[str] = []
        self._owner: array[int] = array("q")
        self._seen: array[int] = array("q")
        self._capacity = _SPARE  # of every column
        self.known: dict[object, tuple[int, ...]] = {}  # rows by what events said; only to be quick

    def __len__(self) -> int:
        return len(self._values)

    def rows(
        self, entity: str, peer: str, values: Sequence[str], start: int, event: Event
    ) -> tuple[int, ...]:
        """The rows of an entity's deeds, made where they are new; room is made for all of them first.

        The peer group is what it was when the entity came.
        """
        if len(self._values) + len(values) + 1 > self._rows_max:
            self._make_room()
        at = self._entities.get(entity)
        if at is None:
            at = self._entities[entity] = len(self.names)
            self.names.append(entity)
            self.peers.append(peer)
            self._deeds.append(0)
            self._fresh.append([])
            self._last.append(None)
        before = len(self._values)
        found = tuple([self._row(at, value, start) for value in values])
        if len(self._values) > before:
            fresh = self._fresh[at]
            fresh.append(event)
            del fresh[:-_EVENTS_KEPT]
        return found

    def _row(self, entity: int, value: str, start: int) -> int:
        row = self._rows.get((entity, value))
        if row is None and self._deeds[entity] >= self._deeds_max:
            value = OTHER
            row = self._rows.get((entity, value))
        if row is None:
            row = self._rows[entity, value] = len(self._values)
            self._values.append(value)
            self._owner.append(entity)
            self._seen.append(start)
            self._deeds[entity] += 1
            if row >= self._capacity:
                more = max(row // 4, _SPARE)
                self._capacity += more
                for columns in self.columns.values():
                    for column in columns.values():
                        column.extend(bytes(more))
        return row

    def column(self, lane: Lane) -> "array[int]":
        """The shortest window of the lane, opened where it is not."""
        return self._column(self.seconds[0], lane)

    def met(self, row: int, event: Event) -> None:
        """The first time in a shortest window that an entity does this: the event stands for it."""
        self._last[self._owner[row]] = event

    def open(self, seconds: int) -> list[Lane]:
        """Open windows of a length, by start."""
        return sorted(self.columns[seconds], key=lambda lane: (lane[1], lane[0]))

    def close(self, seconds: int, lane: Lane, into: Lane | None) -> list[Window]:
        """End a window, and add it to the next longer one in the lane ``into``; what it held, by entity."""
        cells = np.frombuffer(self.columns[seconds].pop(lane), dtype=_CELL)[: len(self._values)]
        rows = np.flatnonzero(cells)
        amounts = cells[rows]
        if seconds == self.seconds[0]:
            seen = np.frombuffer(self._seen, dtype=_CELL)
            np.maximum.at(seen, rows, lane[1])
        if into is not None and len(rows):
            longer = np.frombuffer(self._column(self._after(seconds), into), dtype=_CELL)
            longer[rows] += amounts
        found = sorted(self._windows(rows, amounts), key=lambda one: one.entity)
        if seconds == self.seconds[-1]:
            self._leave_idle()
        return found

    def _windows(
        self,
        rows: "np.ndarray[tuple[int], np.dtype[np.intp]]",
        amounts: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    ) -> Iterator[Window]:
        by_entity: dict[int, dict[str, int]] = {}
        for row, amount in zip(rows.tolist(), amounts.tolist(), strict=True):
            by_entity.setdefault(self._owner[row], {})[self._values[row]] = amount
        for at, counts in by_entity.items():
            last = self._last[at]
            events = tuple(self._fresh[at]) if last is None else (*self._fresh[at], last)
            yield Window(self.names[at], self.peers[at], counts, events)

    def _column(self, seconds: int, lane: Lane) -> "array[int]":
        columns = self.columns[seconds]
        column = columns.get(lane)
        if column is None:
            column = columns[lane] = array("q", bytes(8 * self._capacity))
        return column

    def _after(self, seconds: int) -> int:
        return self.seconds[self.seconds.index(seconds) + 1]

    def _used(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        used = np.zeros(len(self._values), dtype=np.bool_)
        for columns in self.columns.values():
            for column in columns.values():
                used |= np.frombuffer(column, dtype=_CELL)[: len(used)] != 0
        return used

    def _leave_idle(self) -> None:
        """Rows in no open window leave: they are found again by name when they are needed."""
        used = self._used()
        if not used.all():
            self._keep(used)

    def _make_room(self) -> None:
        """Idle rows leave; if that is too little, entities seen longest ago, of equals those met last."""
        kept = self._used()
        most = int(self._rows_max * _KEPT_SHARE)
        if int(kept.sum()) > most:
            owner = np.frombuffer(self._owner, dtype=_CELL)
            seen = np.zeros(len(self.names), dtype=np.int64)
            np.maximum.at(seen, owner, np.frombuffer(self._seen, dtype=_CELL))
            each = np.bincount(owner[kept], minlength=len(self.names))
            order = np.lexsort((np.arange(len(seen)), -seen))  # seen last first, then met first
            stays = np.zeros(len(seen), dtype=np.bool_)
            stays[order[np.cumsum(each[order]) <= most]] = True
            self.evicted += int((kept & ~stays[owner]).sum())
            kept &= stays[owner]
        self._keep(kept)

    def _keep(self, kept: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> None:
        """Number rows and entities anew."""
        rows = np.flatnonzero(kept)
        columns = {
            seconds: {lane: np.frombuffer(column, dtype=_CELL)[rows].copy() for lane, column in table.items()}
            for seconds, table in self.columns.items()
        }
        old = self.names, self.peers, self._fresh, self._last, self._values
        owners = np.frombuffer(self._owner, dtype=_CELL)[rows].tolist()
        seen = np.frombuffer(self._seen, dtype=_CELL)[rows].tobytes()
        self._clear()
        names, peers, fresh, last, values = old
        for owner, row in zip(owners, rows.tolist(), strict=True):
            at = self._entities.get(names[owner])
            if at is None:
                at = self._entities[names[owner]] = len(self.names)
                self.names.append(names[owner])
                self.peers.append(peers[owner])
                self._deeds.append(0)
                self._fresh.append(fresh[owner])
                self._last.append(last[owner])
            self._deeds[at] += 1
            self._rows[at, values[row]] = len(self._values)
            self._values.append(values[row])
            self._owner.append(at)
        self._seen.frombytes(seen)
        self._capacity = len(self._values) + _SPARE
        for seconds, table in columns.items():
            for lane, cells in table.items():
                self.columns[seconds][lane] = array("q", cells.tobytes() + bytes(8 * _SPARE))

    def memory(self) -> TallyMemory:
        """Everything, as plain values."""
        columns: list[Column] = []
        for seconds, table in self.columns.items():
            for (sensor, start), column in sorted(table.items()):
                cells = np.frombuffer(column, dtype=_CELL)[: len(self._values)]
                rows = np.flatnonzero(cells)
                columns.append(
                    Column(seconds, sensor, start, rows.astype("<i4").tobytes(), cells[rows].tobytes())
                )
        return TallyMemory(
            self.names,
            self.peers,
            self._owner.tobytes(),
            self._values,
            self._seen.tobytes(),
            columns,
            self._fresh,
            self._last,
        )

    def recall(self, memory: TallyMemory) -> None:
        """Take up what ``memory`` gave; of another shape it is left aside."""
        owners = np.frombuffer(memory.owners, dtype=_CELL)
        count, entities = len(memory.values), len(memory.entities)
        fits = len(owners) == count == len(memory.seen) // 8 <= self._rows_max
        fits = fits and entities == len(memory.peers) == len(memory.fresh) == len(memory.last)
        if not fits or (count and not 0 <= int(owners.min()) <= int(owners.max()) < entities):
            return
        self._clear()
        self.names, self.peers = list(memory.entities), list(memory.peers)
        self._fresh, self._last = [list(one) for one in memory.fresh], list(memory.last)
        self._entities = {name: at for at, name in enumerate(self.names)}
        self._deeds = np.bincount(owners, minlength=entities).tolist()
        self._values = list(memory.values)
        self._owner, self._seen = array("q", memory.owners), array("q", memory.seen)
        self._rows = {
            (int(at), value): row for row, (at, value) in enumerate(zip(owners, self._values, strict=True))
        }
        self._capacity = count + _SPARE
        for one in memory.columns:
            rows = np.frombuffer(one.rows, dtype="<i4")
            if one.seconds in self.columns and (not len(rows) or int(rows.max()) < count):
                cells = np.zeros(self._capacity, dtype=_CELL)
                cells[rows] = np.frombuffer(one.amounts, dtype=_CELL)
                self.columns[one.seconds][one.sensor, one.start] = array("q", cells.tobytes())
