"""Reads of the event store: sealed files through DuckDB, the unsealed log through the matcher, as one answer.

Each file is asked on its own: files outside the time range are never opened, newer files come first, and a
file that cannot be read becomes a finding that names it while the others still answer.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from crypto.words import BadInput, Words
from detection.condition import Condition
from detection.evaluate import matches
from detection.store.event_file import EVENT_COLUMNS, event_of, events_in
from detection.store.log_tail import LogTail
from detection.store.segment_store import Sealed, SegmentStore
from detection.store.sql import Sql, compiled_sql
from detection.store.survey import unreadable
from detection.store.tables import micros
from sensors.event import Event, sequence_of

LIMIT_MAX: Final = 100_000
IDS_MAX: Final = 1_000
_MEMORY: Final = "512MB"  # of DuckDB; a file is about 5 MB, so this is never the limit
OLDEST_FILES_MAX: Final = 400  # looked into for the oldest event of each sensor
_ROWS: Final = 512
_ID_SLACK: Final = 2_000  # microseconds: an id has whole milliseconds, rounded down, at times by one too many
# As they came: by frame, then by what an id holds behind its time (sensor, epoch, lane, sequence).
_ARRIVAL: Final = "ingested NULLS FIRST, substring(id, 13)"
_BROKEN: Final = (duckdb.Error, pa.ArrowException, OSError, BadInput)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Events, newest first, and one finding for each file that could not be read."""

    events: tuple[Event, ...]
    findings: tuple[Words, ...]


class Search:
    """See the module; safe to share between threads."""

    def __init__(self, folder: Path, tail: LogTail, catalogue: SegmentStore) -> None:
        self._folder = folder
        self._tail = tail
        self._catalogue = catalogue
        # Nothing is ever fetched: extensions neither installed nor loaded by themselves.
        self._duckdb = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "memory_limit": _MEMORY,
                "threads": "2",
            },
        )

    def close(self) -> None:
        """Close DuckDB."""
        self._duckdb.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of one's own; all of them share the memory and the threads."""
        return self._duckdb.cursor()

    def run(
        self,
        condition: Condition,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> Found:
        """Events that satisfy the condition, newest first. Raises BadInput for an unusable condition."""
        limit = max(1, min(limit, LIMIT_MAX))
        matches_condition = _matcher(condition)
        findings: list[Words] = []
        # The log first, the catalogue after: what was sealed and released meanwhile is then in a file.
        newest = _Newest(limit)
        self._search_log(matches_condition, since, until, newest)
        for file in self._catalogue.between(since, until):
            if newest.full_before(file.time_max):
                break
            try:
                newest.take(self._search_file(file, condition, since, until, limit))
            except _BROKEN as error:
                findings.append(unreadable(file, error))
        return Found(events=tuple(newest.events()), findings=tuple(findings))

    def by_id(self, ids: Sequence[str]) -> list[Event]:
        """Those of at most IDS_MAX events that are stored, in the order asked for."""
        wanted = {
            identifier: at for identifier in ids[:IDS_MAX] if (at := _id_micros(identifier)) is not None
        }
        found: dict[str, Event] = {}
        for summary in self._tail.summaries(self._catalogue.position()):
            if any(_within(at, summary.time_min, summary.time_max) for at in wanted.values()):
                events = self._tail.frame_events(summary.sequence)
                found |= {event.id: event for event in events if event.id in wanted}
        for file in self._catalogue.between(None, None):
            asked = [
                identifier
                for identifier, at in wanted.items()
                if identifier not in found and _within(at, file.time_min, file.time_max)
            ]
            if not asked:
                continue
            try:
                rows = self._rows(file, "list_contains(?::VARCHAR[], id)", [asked])
                found |= {event.id: event for event in map(event_of, rows)}
            except _BROKEN:
                continue  # verify_segments names it
        return [found[identifier] for identifier in ids if identifier in found]

    def count_since(self, time: datetime) -> int:
        """How many stored events have this time or a later one; unreadable files count by the catalogue."""
        while True:
            position = self._catalogue.position()
            total = sum(self._count_file(file, time) for file in self._catalogue.between(time, None))
            for summary in self._tail.summaries(position):
                if summary.time_min >= time:
                    total += summary.events
                elif summary.time_max >= time:
                    total += sum(event.time >= time for event in self._tail.frame_events(summary.sequence))
            if position == self._catalogue.position():
                return total

    def since(self, time: datetime) -> Iterator[Event]:
        """See EventStore.since."""
        known = 0
        while files := self._catalogue.all(known):
            for file in files:
                known = file.id
                if file.status == "sealed" and file.time_max >= time:
                    try:
                        yield from (
                            event for event in events_in(self._folder / file.name) if event.time >= time
                        )
                    except _BROKEN:
                        continue
        for event in self._tail.events(self._catalogue.position()):
            if event.time >= time:
                yield event

    def arrived(
        self,
        condition: Condition,
        *,
        since: datetime | None,
        until: datetime | None,
        told: Callable[[Words], None],
    ) -> Iterator[Event]:
        """See EventStore.arrived."""
        text, parameters = _between(compiled_sql(condition), since, until)
        known = 0
        while files := self._catalogue.all(known):
            for file in files:
                known = file.id
                outside = (since and file.time_max < since) or (until and file.time_min > until)
                if file.status != "sealed" or outside:
                    continue
                try:
                    yield from map(event_of, self._rows(file, f"{text} ORDER BY {_ARRIVAL}", parameters))
                except _BROKEN as error:
                    told(unreadable(file, error))
        for event in self._tail.events(self._catalogue.position()):
            if (not since or event.time >= since) and (not until or event.time <= until):
                yield event

    def oldest(self, sensors: Collection[str]) -> dict[str, datetime]:
        """See EventStore.oldest."""
        waiting, found = set(sensors), dict[str, datetime]()
        files = sorted(self._catalogue.between(None, None), key=lambda file: (file.time_min, file.id))
        for file in files[:OLDEST_FILES_MAX]:
            if not waiting and file.time_min > max(found.values(), default=file.time_min):
                break  # nothing after this file can be older than what is known
            for sensor, time in self._first_times(file).items():
                if sensor in sensors:
                    found[sensor] = min(time, found.get(sensor, time))
                    waiting.discard(sensor)
        if len(files) > OLDEST_FILES_MAX:
            found |= dict.fromkeys(waiting, files[OLDEST_FILES_MAX].time_min)
        return found

    def _first_times(self, file: Sealed) -> dict[str, datetime]:
        query = "SELECT sensor, min(time) FROM read_parquet(?) GROUP BY sensor"
        try:
            rows = self._duckdb.cursor().execute(query, [str(self._folder / file.name)]).fetchall()
        except _BROKEN:
            return {}
        return {str(sensor): time.replace(tzinfo=UTC) for sensor, time in rows}

    def _search_log(
        self,
        wanted: Callable[[Event], bool],
        since: datetime | None,
        until: datetime | None,
        newest: "_Newest",
    ) -> None:
        summaries = self._tail.summaries(self._catalogue.position())
        for summary in sorted(summaries, key=lambda known: known.time_max, reverse=True):
            if newest.full_before(summary.time_max):
                return
            if (since and summary.time_max < since) or (until and summary.time_min > until):
                continue
            newest.take(
                event
                for event in self._tail.frame_events(summary.sequence)
                if (not since or event.time >= since) and (not until or event.time <= until) and wanted(event)
            )

    def _search_file(
        self, file: Sealed, condition: Condition, since: datetime | None, until: datetime | None, limit: int
    ) -> list[Event]:
        sql = compiled_sql(condition)
        text, parameters = _between(
            sql,
            since if since is not None and since > file.time_min else None,
            until if until is not None and until < file.time_max else None,
        )
        order = f"{text} ORDER BY time DESC, id DESC" + (f" LIMIT {int(limit)}" if sql.exact else "")
        found: list[Event] = []
        for row in self._rows(file, order, parameters):
            event = event_of(row)
            if sql.exact or matches(condition, event):
                found.append(event)
                if len(found) == limit:
                    break
        return found

    def _count_file(self, file: Sealed, time: datetime) -> int:
        if file.time_min >= time:
            return file.rows
        try:
            path = str(self._folder / file.name)
            counted = self._duckdb.cursor().execute(
                "SELECT count(*) FROM read_parquet(?) WHERE time >= ?", [path, _naive(time)]
            )
            row = counted.fetchone()
        except _BROKEN:
            return file.rows
        return int(row[0]) if row else 0

    def _rows(self, file: Sealed, where: str, parameters: list[Any]) -> Iterator[tuple[Any, ...]]:
        path = str(self._folder / file.name)
        # ``where`` is made of constants of this package; every value is a parameter.
        query = f"SELECT {EVENT_COLUMNS} FROM read_parquet(?) WHERE {where}"  # noqa: S608
        cursor = self._duckdb.cursor().execute(query, [path, *parameters])
        while rows := cursor.fetchmany(_ROWS):
            yield from rows


class _Newest:
    """The newest events seen so far, each id once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._events: dict[str, Event] = {}
        self._oldest: datetime | None = None

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            self._events[event.id] = event
            if len(self._events) >= 2 * self._limit:
                self._trim()
        self._trim()

    def full_before(self, time: datetime) -> bool:
        """Whether nothing at or before ``time`` can get in any more."""
        return self._oldest is not None and time < self._oldest

    def events(self) -> list[Event]:
        return sorted(self._events.values(), key=lambda event: (event.time, event.id), reverse=True)

    def _trim(self) -> None:
        if len(self._events) >= self._limit:
            kept = self.events()[: self._limit]
            self._events = {event.id: event for event in kept}
            self._oldest = kept[-1].time


def _between(sql: Sql, since: datetime | None, until: datetime | None) -> tuple[str, list[Any]]:
    """The WHERE expression of a condition within bounds of time, None for an open end."""
    text, parameters = f"({sql.text})", list[Any](sql.parameters)
    if since is not None:
        text, parameters = f"time >= ? AND {text}", [_naive(since), *parameters]
    if until is not None:
        text, parameters = f"time <= ? AND {text}", [_naive(until), *parameters]
    return text, parameters


def _matcher(condition: Condition) -> Callable[[Event], bool]:
    def wanted(event: Event) -> bool:
        return matches(condition, event)

    return wanted


def _id_micros(identifier: str) -> int | None:
    """The time an event id carries, in microseconds; None where it is no event id."""
    try:
        sequence_of(identifier)
        return int(identifier[:12], 16) * 1_000
    except ValueError:
        return None


def _within(at: int, first: datetime, last: datetime) -> bool:
    """Whether an event whose id says ``at`` may lie between two times."""
    return micros(first) < at + _ID_SLACK and at <= micros(last)


def _naive(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None)
