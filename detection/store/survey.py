"""A question about stored events answered bit by bit: the newest that match, and how many there were when.

Files are asked newest first, a few at a time, so the first rows are there at once and whoever asked may stop;
what was found so far stays right for the time it reaches back to. Where SQL cannot decide a condition alone,
the matcher decides about each row SQL could not rule out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa

from crypto.words import BadInput, Words
from detection.condition import Condition
from detection.evaluate import matches
from detection.facts import Facts
from detection.store.event_file import EVENT_COLUMNS, event_of
from detection.store.log_tail import LogTail
from detection.store.segment_store import Sealed, SegmentStore
from detection.store.sql import compiled_sql
from detection.store.tables import from_micros, micros
from sensors.event import Event

EVENTS_MAX: Final = 1_000
SLOTS_MAX: Final = 240
VALUES_MAX: Final = 20_000  # kept at once: the rarest are forgotten first
_TOGETHER: Final = (1, 2, 4, 8, 16)  # files asked at once: few at first, for the first rows to come early
_BLOCK: Final = 128  # frames of the log looked through together
_ROWS: Final = 512
_TRIES: Final = 3
_BROKEN: Final = (duckdb.Error, pa.ArrowException, OSError, BadInput)

Place = tuple[datetime, str]  # of an event in a list: its time and id


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked; ``units`` None is all of them, ``before`` the last row somebody has already.

    ``slots`` 0 counts nothing: only the rows are wanted.
    """

    condition: Condition
    since: datetime
    until: datetime
    units: frozenset[str] | None = None
    limit: int = 200
    slots: int = 60
    before: Place | None = None

    def step(self) -> timedelta:
        """How long each slot of the counts is."""
        span = max(self.until - self.since, timedelta(milliseconds=1))
        return timedelta(microseconds=-(-(span // timedelta(microseconds=1)) // max(1, self.slots)))

    def holds(self, event: Event) -> bool:
        """Whether an event lies in the range and the units, and satisfies the condition."""
        inside = self.since <= event.time < self.until and (self.units is None or event.unit in self.units)
        return inside and matches(self.condition, event)


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What is known so far; ``counts`` by slot from ``Question.since``, complete back to ``reached``.

    ``events`` is None where the newest are the same as told before. ``stopped``: somebody gave up.
    """

    events: tuple[Event, ...] | None
    matched: int
    counts: tuple[int, ...]
    reached: datetime
    files: int
    files_all: int
    done: bool
    stopped: bool
    findings: tuple[Words, ...]


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """Values with their number, whether rarer ones were left out, and in how many events they were sought."""

    rows: tuple[tuple[str, int], ...]
    more: bool
    matched: int
    stopped: bool


class Surveyor:
    """Answers questions over a store's files and log; safe to share between threads."""

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

    def run(self, question: Question, stop: Callable[[], bool] = lambda: False) -> Iterator[Progress]:
        """Progress after every few files; the last one is ``done`` or ``stopped``. Raises BadInput."""
        tally, files = self._begun(question)
        yield tally.told(files, 0)
        asked = 0
        while asked < len(files) and not tally.stopped:
            some = files[asked : asked + _TOGETHER[min(asked.bit_length(), len(_TOGETHER) - 1)]]
            if stop() or not self._ask(question, some, tally, stop):
                tally.stopped = True
            else:
                asked += len(some)
            if tally.full and not question.slots:
                asked = len(files)  # only rows were wanted, and no older file has newer ones
            yield tally.told(files, asked)
        if not files:
            yield tally.told(files, 0)

    def matching(self, question: Question) -> Iterator[Event]:
        """Every event the question asks for, newest files first, each file in order of time, newest first.

        The log's come first, in blocks. An unreadable file raises: what is handed on must not look whole.
        """
        position, files = self._catalogue.position(), self._files(question)
        since, until = question.since, question.until
        told = self._tail.summaries(position)
        frames = [one.sequence for one in told if one.time_max >= since and one.time_min < until]
        for end in range(len(frames), 0, -_BLOCK):
            # Forwards within a block: the log goes on where it was read last, and begins anew to go back.
            block = (self._tail.frame_events(sequence) for sequence in frames[max(0, end - _BLOCK) : end])
            events = [one for some in block for one in some if question.holds(one)]
            yield from sorted(events, key=lambda one: (one.time, one.id), reverse=True)
        for file in files:
            exact, rows = self._rows(question, [file], "ORDER BY time DESC, id DESC")
            for event in map(event_of, rows):
                if exact or matches(question.condition, event):
                    yield event

    def values(self, question: Question, field: str, limit: int, stop: Callable[[], bool]) -> Values:
        """See EventStore.values."""
        counted: Counter[str] = Counter()
        matched, stopped = 0, False
        for summary in self._tail.summaries(self._catalogue.position()):
            for event in filter(question.holds, self._tail.frame_events(summary.sequence)):
                matched += 1
                counted.update(set(Facts(event).folded(field)))
        files = self._files(question)
        for first in range(0, len(files), _TOGETHER[-1]):
            if stopped := stop():
                break
            matched += self._add_values(question, files[first : first + _TOGETHER[-1]], field, counted)
            if len(counted) > VALUES_MAX:
                counted = Counter(dict(counted.most_common(VALUES_MAX // 2)))
        ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
        return Values(
            rows=tuple(ordered[:limit]), more=len(ordered) > limit, matched=matched, stopped=stopped
        )

    def _add_values(self, question: Question, files: list[Sealed], field: str, counted: Counter[str]) -> int:
        """Count a field's values in files; in how many events. An unreadable file is left out."""
        if not compiled_sql(question.condition).exact:
            _, rows = self._rows(question, files, "")
            events = [one for one in map(event_of, rows) if matches(question.condition, one)]
            for event in events:
                counted.update(set(Facts(event).folded(field)))
            return len(events)
        where, parameters = _where(question)
        query = (
            "SELECT x, count(*) FROM (SELECT unnest(list_distinct(coalesce(folded[?], []))) AS x "  # noqa: S608
            f"FROM read_parquet(?) WHERE {where}) GROUP BY x ORDER BY 2 DESC LIMIT {VALUES_MAX}"
        )
        given = [field, self._paths(files), *parameters]
        try:
            found = self._cursor().execute(query, given).fetchall()
            number = sum(count for _, count in self._counted(question, files)[0])
        except _BROKEN:
            return (
                0
                if len(files) == 1
                else sum(self._add_values(question, [file], field, counted) for file in files)
            )
        for value, count in found:
            counted[str(value)] += int(count)
        return number

    def _begun(self, question: Question) -> tuple["_Tally", list[Sealed]]:
        """What the log holds, and the files that hold everything else."""
        for _ in range(_TRIES):
            position = self._catalogue.position()
            tally, files = _Tally(question), self._files(question)
            for summary in self._tail.summaries(position):
                if summary.time_max >= question.since and summary.time_min < question.until:
                    tally.take(filter(question.holds, self._tail.frame_events(summary.sequence)))
            if position == self._catalogue.position():
                break  # else some of it was sealed meanwhile, and might be counted twice or not at all
        return tally, files

    def _files(self, question: Question) -> list[Sealed]:
        last = question.before[0] if question.before and not question.slots else question.until
        return self._catalogue.between(question.since, last)

    def _ask(
        self, question: Question, files: list[Sealed], tally: "_Tally", stop: Callable[[], bool]
    ) -> bool:
        """Add what a few files hold; one by one where they cannot be read together. False: stopped."""
        kept = tally.copy()
        try:
            return self._add(question, files, tally, stop)
        except _BROKEN as error:
            tally.back_to(kept)
            if len(files) == 1:
                tally.findings.append(unreadable(files[0], error))
                return True
            return all(self._ask(question, [file], tally, stop) for file in files)

    def _add(
        self, question: Question, files: list[Sealed], tally: "_Tally", stop: Callable[[], bool]
    ) -> bool:
        rows_wanted = not tally.full_before(max(file.time_max for file in files))
        sql = compiled_sql(question.condition)
        if question.slots:
            counted, unsure = self._counted(question, files)
            tally.count(counted)
            if unsure and not self._count_unsure(question, files, tally, stop):
                return False
        if not rows_wanted:
            return True
        limit = f" LIMIT {int(question.limit)}" if sql.exact else ""
        _, rows = self._rows(question, files, f"ORDER BY time DESC, id DESC{limit}", before=True)
        some: list[Event] = []
        for place, row in enumerate(rows):
            if place % _ROWS == 0 and stop():
                return False
            event = event_of(row)
            if sql.exact or matches(question.condition, event):
                some.append(event)
                if len(some) >= question.limit:
                    break
        tally.take(some, counted=True)
        return True

    def _count_unsure(
        self, question: Question, files: list[Sealed], tally: "_Tally", stop: Callable[[], bool]
    ) -> bool:
        """Count the rows SQL could not decide about. False: stopped."""
        text, parameters = compiled_sql(question.condition).sure
        given = " AND NOT coalesce(" + text + ", FALSE)"
        _, rows = self._rows(question, files, given, after=parameters)
        for place, row in enumerate(rows):
            if place % _ROWS == 0 and stop():
                return False
            event = event_of(row)
            if matches(question.condition, event):
                tally.count_at(event.time)
        return True

    def _counted(self, question: Question, files: list[Sealed]) -> tuple[list[tuple[int, int]], int]:
        """Rows that match for sure, by slot; and how many SQL could not decide about. Reads once."""
        where, parameters = _where(question)
        sure, given = compiled_sql(question.condition).sure
        step = question.step() // timedelta(microseconds=1)
        query = (
            "SELECT slot, count(*) FILTER (WHERE sure), count(*) FILTER (WHERE NOT sure) FROM ("  # noqa: S608
            f"SELECT (epoch_us(time) - ?) // ? AS slot, coalesce(({sure}), FALSE) AS sure "
            f"FROM read_parquet(?) WHERE {where}) GROUP BY slot"  # every value is a parameter
        )
        every = [micros(question.since), step, *given, self._paths(files), *parameters]
        rows = self._cursor().execute(query, every).fetchall()
        return [(int(slot), int(number)) for slot, number, _ in rows], sum(int(row[2]) for row in rows)

    def _rows(
        self,
        question: Question,
        files: list[Sealed],
        order: str,
        *,
        before: bool = False,
        after: Sequence[Any] = (),
    ) -> tuple[bool, Iterator[tuple[Any, ...]]]:
        """Rows that may match; ``after`` are parameters of what stands behind the condition."""
        where, parameters = _where(question)
        parameters += after
        if before and question.before:
            time, identifier = question.before
            where = f"{where} AND (time < ? OR (time = ? AND id < ?))"
            parameters += [_naive(time), _naive(time), identifier]
        query = f"SELECT {EVENT_COLUMNS} FROM read_parquet(?) WHERE {where} {order}"  # noqa: S608
        cursor = self._cursor().execute(query, [self._paths(files), *parameters])
        return compiled_sql(question.condition).exact, _fetched(cursor)

    def _paths(self, files: Iterable[Sealed]) -> list[str]:
        return [str(self._folder / file.name) for file in files]


class _Tally:
    """What was found so far."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._limit = max(1, min(question.limit, EVENTS_MAX))
        self._counts = [0] * min(question.slots, SLOTS_MAX)
        self._step = question.step() // timedelta(microseconds=1)
        self._newest: dict[str, Event] = {}
        self._told: tuple[str, ...] | None = None
        self.findings: list[Words] = []
        self.stopped = False
        self.full = False

    def copy(self) -> tuple[list[int], dict[str, Event]]:
        return list(self._counts), dict(self._newest)

    def back_to(self, kept: tuple[list[int], dict[str, Event]]) -> None:
        self._counts, self._newest = kept

    def count(self, counted: Sequence[tuple[int, int]]) -> None:
        for slot, number in counted:
            self._counts[min(max(slot, 0), len(self._counts) - 1)] += number

    def count_at(self, time: datetime) -> None:
        self.count([((micros(time) - micros(self._question.since)) // self._step, 1)])

    def take(self, events: Iterable[Event], *, counted: bool = False) -> None:
        before = self._question.before
        for event in events:
            if self._counts and not counted:
                self.count_at(event.time)
            if before is None or (event.time, event.id) < before:
                self._newest[event.id] = event
                if len(self._newest) >= 4 * self._limit:
                    self._trim()
        self._trim()

    def full_before(self, time: datetime) -> bool:
        """Whether nothing at or before ``time`` gets in any more."""
        self.full = len(self._newest) >= self._limit and time < min(
            event.time for event in self._newest.values()
        )
        return self.full

    def told(self, files: list[Sealed], asked: int) -> Progress:
        rest = files[asked:]
        newest = self._sorted()
        known = tuple(event.id for event in newest)
        fresh, self._told = known != self._told, known
        reached = min(
            max((file.time_max for file in rest), default=self._question.since), self._question.until
        )
        return Progress(
            events=tuple(newest) if fresh else None,
            matched=sum(self._counts),
            counts=tuple(self._counts),
            reached=max(reached, self._question.since),
            files=asked,
            files_all=len(files),
            done=not rest and not self.stopped,
            stopped=self.stopped,
            findings=tuple(self.findings),
        )

    def _sorted(self) -> list[Event]:
        return sorted(self._newest.values(), key=lambda event: (event.time, event.id), reverse=True)

    def _trim(self) -> None:
        if len(self._newest) > self._limit:
            self._newest = {event.id: event for event in self._sorted()[: self._limit]}


def _where(question: Question) -> tuple[str, list[Any]]:
    """Rows that may match."""
    sql = compiled_sql(question.condition)
    text = "time >= ? AND time < ?"
    parameters: list[Any] = [_naive(question.since), _naive(question.until)]
    if question.units is not None:
        text += " AND list_contains(?::VARCHAR[], unit)"
        parameters.append(sorted(question.units))
    return f"{text} AND ({sql.text})", [*parameters, *sql.parameters]


def _fetched(cursor: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(_ROWS):
        yield from rows


def _naive(time: datetime) -> datetime:
    return from_micros(micros(time)).replace(tzinfo=None)


def unreadable(file: Sealed, error: Exception) -> Words:
    """What is said of a file that cannot be read."""
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return Words(
        f"事件文件 {file.name} 读不出,结果不含其中 {file.rows} 条:{reason}",
        f"event file {file.name} cannot be read, its {file.rows} events are left out: {reason}",
    )
