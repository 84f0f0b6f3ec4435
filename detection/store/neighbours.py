"""Whom stored events show an entity together with: hosts, users and addresses, by how often.

Read from the plain columns of sealed files, which cost a hundredth of whole events, and from the log.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import duckdb
import msgspec
import pyarrow as pa

from detection.store.log_tail import LogTail
from detection.store.segment_store import Sealed, SegmentStore
from detection.store.tables import from_micros, micros
from sensors.event import Event

Kind = Literal["host", "user", "address"]
KINDS: Final[tuple[Kind, ...]] = ("host", "user", "address")
PAIRS_MAX: Final = 60  # of one relation
_TOGETHER: Final = 32
_BROKEN: Final = (duckdb.Error, pa.ArrowException, OSError)
# relation: the column that names the entity, the column and kind of the other, for each kind of entity
_RELATIONS: Final[dict[Kind, tuple[tuple[str, str, str, Kind], ...]]] = {
    "host": (
        ("user", "host", "user", "user"),
        ("from", "host", "source_ip", "address"),
        ("to", "host", "destination_ip", "address"),
    ),
    "user": (("host", "user", "host", "host"), ("from", "user", "source_ip", "address")),
    "address": (
        ("to", "source_ip", "destination_ip", "address"),
        ("from", "destination_ip", "source_ip", "address"),
        ("host", "source_ip", "host", "host"),
        ("user", "source_ip", "user", "user"),
    ),
}
_FIELDS: Final = {
    "host": "host.name",
    "user": "user.name",
    "source_ip": "source.ip",
    "destination_ip": "destination.ip",
}


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """One other entity, in which relation, and in how many events."""

    kind: Kind
    name: str
    relation: str
    events: int


class Neighbourhood(msgspec.Struct, frozen=True, kw_only=True):
    """The neighbours, most events first; ``more`` where rarer ones were left out."""

    rows: tuple[Neighbour, ...]
    more: bool
    stopped: bool


class Neighbours:
    """Answers over a store's files and log; safe to share between threads."""

    def __init__(
        self,
        folder: Path,
        tail: LogTail,
        catalogue: SegmentStore,
        cursor: Callable[[], duckdb.DuckDBPyConnection],
    ) -> None:
        self._folder = folder
        self._tail = tail
        self._catalogue = catalogue
        self._cursor = cursor

    def of(
        self,
        kind: Kind,
        name: str,
        since: datetime,
        until: datetime,
        units: frozenset[str] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Neighbourhood:
        """Everybody the entity was seen with in the range."""
        counted: Counter[tuple[str, Kind, str]] = Counter()
        for summary in self._tail.summaries(self._catalogue.position()):
            if summary.time_max >= since and summary.time_min < until:
                for event in self._tail.frame_events(summary.sequence):
                    if since <= event.time < until and (units is None or event.unit in units):
                        counted.update(_pairs(kind, name, event))
        files = self._catalogue.between(since, until)
        stopped = False
        for first in range(0, len(files), _TOGETHER):
            if stopped := stop():
                break
            self._add(kind, name, (since, until), units, files[first : first + _TOGETHER], counted)
        rows: list[Neighbour] = []
        more = False
        for relation, _, _, other in _RELATIONS[kind]:
            found = [(one, number) for one, number in counted.items() if one[:2] == (relation, other)]
            found.sort(key=lambda one: (-one[1], one[0][2]))
            more = more or len(found) > PAIRS_MAX
            rows += [
                Neighbour(kind=other, name=who, relation=relation, events=number)
                for (_, _, who), number in found[:PAIRS_MAX]
            ]
        rows.sort(key=lambda row: (-row.events, row.name))
        return Neighbourhood(rows=tuple(rows), more=more, stopped=stopped)

    def _add(
        self,
        kind: Kind,
        name: str,
        between: tuple[datetime, datetime],
        units: frozenset[str] | None,
        files: list[Sealed],
        counted: Counter[tuple[str, Kind, str]],
    ) -> None:
        since, until = (from_micros(micros(one)).replace(tzinfo=None) for one in between)
        paths = [str(self._folder / file.name) for file in files]
        scope = "" if units is None else " AND list_contains(?::VARCHAR[], unit)"
        try:
            for relation, own, column, other in _RELATIONS[kind]:
                # Names of columns are constants of this module; every value is a parameter.
                query = (
                    f"SELECT {column}, count(*) FROM read_parquet(?) WHERE lower({own}) = lower(?) "  # noqa: S608
                    f"AND {column} IS NOT NULL AND {column} <> '' AND time >= ? AND time < ?{scope} "
                    f"GROUP BY {column} ORDER BY 2 DESC LIMIT {PAIRS_MAX * 20}"
                )
                given: list[object] = [paths, name, since, until]
                if units is not None:
                    given.append(sorted(units))
                for who, number in self._cursor().execute(query, given).fetchall():
                    counted[relation, other, str(who)] += int(number)
        except _BROKEN:
            if len(files) > 1:  # an unreadable file is passed over: the hunt page names it
                for file in files:
                    self._add(kind, name, between, units, [file], counted)


def _pairs(kind: Kind, name: str, event: Event) -> Iterator[tuple[str, Kind, str]]:
    for relation, own, column, other in _RELATIONS[kind]:
        here, there = event.fields.get(_FIELDS[own]), event.fields.get(_FIELDS[column])
        if isinstance(here, str) and here.lower() == name.lower() and isinstance(there, str) and there:
            yield relation, other, there
