"""The event store of one center: the received log, then sealed Parquet files, read together as one.

Events are acknowledged once they are in the log (``log/``). ``seal`` turns log segments the pipeline is done
with into files (``events/``) and releases them; each step is durable before the next begins, so a crash at
any point is repeated without doubles or loss: temporary file, sync, rename, sync of the folder, row in the
catalogue, release. One process seals and expires; any number read.
"""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from pyarrow import Table
from sqlalchemy import Engine

from crypto.words import BadInput, Words
from detection.condition import Always, Condition
from detection.store.batch_file import SUFFIX as HEADS
from detection.store.batch_file import Head, head_of, read_heads, write_heads
from detection.store.event_file import sm3_of, table_of, write_file
from detection.store.event_search import Found, Search
from detection.store.log_tail import LOG_NAME, READ_BYTES, LogTail
from detection.store.neighbours import Neighbours
from detection.store.progress_store import position_of
from detection.store.segment_store import Sealed, SegmentStore
from detection.store.survey import Progress, Question, Surveyor, Values
from sensors.event import Event, sequence_of
from sensors.messages import LANE_SHIFT, LANES, SEQUENCE_MAX, Batch
from sensors.segment_checkpoint import sync_folder
from sensors.segment_format import Frame
from sensors.segment_log import SegmentLog
from sensors.segment_read import segments_of
from sensors.wire import StoredHeader, decode_batch, frame_contents, frame_events, open_frame

RETENTION_DAYS_MIN: Final = 190  # six months by law plus a margin, so that an audit day never lacks data
FILE_EVENTS_MAX: Final = 50_000  # bounds the memory of sealing; about 5 MB of Parquet
SUFFIX: Final = ".parquet"
TEMPORARY: Final = ".tmp"
REJECTED: Final = ".rejected"  # a received frame as it came, because not all of it could be read


class _Chunk(NamedTuple):
    """Frames that become one file: their first and last sequence, their events, who signed them."""

    first: int
    last: int
    tables: list[Table]
    heads: list[Head]


class Traced(NamedTuple):
    """Where an event came from: the signed batch, its body b"" once the log has released it."""

    event: Event
    header: StoredHeader
    batch: Batch


class EventStore:
    """Events below the data folder of a center; safe to share between threads."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        """``folder`` is the center's data folder."""
        self._engine = engine
        self._events = folder / "events"
        self._log_folder = folder / "log"
        self._events.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._log = SegmentLog.open(self._log_folder, name=LOG_NAME, writer=False)  # of the pipeline
        self._tail = LogTail(self._log_folder)  # of everybody who searches
        self._catalogue = SegmentStore(engine)
        self._search = Search(self._events, self._tail, self._catalogue)
        self._surveyor = Surveyor(self._events, self._tail, self._catalogue, self._search.cursor)
        self.neighbours = Neighbours(self._events, self._tail, self._catalogue, self._search.cursor)

    def close(self) -> None:
        """Give up what is held open; nothing else is needed for durability."""
        self._search.close()

    def follow(self, after: int, limit_bytes: int = READ_BYTES) -> list[tuple[int, bytes]]:
        """(sequence, payload) of received frames behind ``after``, in order; [] where there are none yet."""
        return [(frame.sequence, frame.payload) for frame in self._log.read(after, limit_bytes)]

    @staticmethod
    def events_of(payload: bytes) -> Sequence[Event]:
        """The events of a followed frame. Raises BadInput where it is no frame of a center's log."""
        return frame_events(payload)

    def get(self, ids: Sequence[str]) -> list[Event]:
        """Those of the events that are stored, in the order asked for."""
        return self._search.by_id(ids)

    def recent(self, limit: int = 100) -> list[Event]:
        """The newest events by their own time, newest first."""
        return list(self._search.run(Always(True), limit=limit).events)

    def search(
        self,
        condition: Condition,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> Found:
        """Events that satisfy the condition, newest first; unreadable files are named in ``findings``."""
        return self._search.run(condition, since=since, until=until, limit=limit)

    def survey(self, question: Question, stop: Callable[[], bool] = lambda: False) -> Iterator[Progress]:
        """The newest events and the counts over time, told again after every few files."""
        return self._surveyor.run(question, stop)

    def matching(self, question: Question) -> Iterator[Event]:
        """Every event that satisfies the condition, newest files first. Raises for an unreadable file."""
        return self._surveyor.matching(question)

    def values(
        self, question: Question, field: str, limit: int, stop: Callable[[], bool] = lambda: False
    ) -> Values:
        """The folded values of a field in the events that satisfy the condition, most frequent first."""
        return self._surveyor.values(question, field, limit, stop)

    def count_since(self, time: datetime) -> int:
        """How many stored events have this time or a later one."""
        return self._search.count_since(time)

    def oldest(self, sensors: Collection[str]) -> dict[str, datetime]:
        """The time of the oldest sealed event of each sensor that has one; never earlier than it is.

        Only the oldest files are looked into: a sensor that is in none of them gets the time they end at.
        """
        return self._search.oldest(sensors)

    def since(self, time: datetime) -> Iterator[Event]:
        """Stored events of this time or later, file by file in the order they were sealed, then the log.

        Within a file they come in order of time. An unreadable file is passed over; ``verify_segments`` names
        it.
        """
        return self._search.since(time)

    def arrived(
        self,
        condition: Condition,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        unreadable: Callable[[Words], None],
    ) -> Iterator[Event]:
        """Stored events that may satisfy the condition, none that do left out, in the order of their arrival.

        ``unreadable`` is told of each file that cannot be read.
        """
        return self._search.arrived(condition, since=since, until=until, told=unreadable)

    def segments(self, after: int = 0) -> list[Sealed]:
        """Sealed files and tombstones with an id above ``after``, for the ledger."""
        return self._catalogue.all(after)

    def trace(self, identifier: str) -> Traced | None:
        """The signed batch an event came in; None where there is no such event or its batch is not known."""
        found = self.get([identifier])
        if not found:
            return None
        event = found[0]
        epoch, place = sequence_of(identifier)
        lane, sequence = dict(enumerate(LANES, 1)).get(place >> LANE_SHIFT), place & SEQUENCE_MAX

        def carries(header: StoredHeader) -> bool:
            here = header.sensor, header.epoch, header.lane
            return here == (event.sensor, epoch, lane) and header.first <= sequence <= header.last

        after = self._catalogue.position()
        while frames := self._log.read(after, READ_BYTES):
            for frame in frames:
                head = head_of(frame.payload)
                if head is not None and carries(head.header):
                    return Traced(event, head.header, decode_batch(open_frame(frame.payload)[1]))
                after = frame.sequence
        for file in self._catalogue.all():
            # What was sealed before it came cannot hold it.
            if file.status == "sealed" and (event.ingested is None or file.sealed >= event.ingested):
                for head in read_heads((self._events / file.name).with_suffix(HEADS)):
                    if carries(head.header):
                        return Traced(event, head.header, head.batch)
        return None

    def seal(self, now: datetime, *, force: bool = False) -> list[Sealed]:
        """Turn log segments behind the pipeline's cursor into files and release them; returns the new files.

        Without ``force`` only segments that are no longer written. Raises LiuheError or OSError; whatever
        was done before that stays valid, and the next call goes on from there.
        """
        done = self._catalogue.position()
        self._sweep(done)
        made: list[Sealed] = []
        upto = self._sealable(force)
        while done < upto:
            chunk = self._collect(done, upto)
            if chunk is None:
                break
            if chunk.tables:
                made.append(self._publish(chunk, now))
            done = chunk.last
        self._log.release(done)
        return made

    def expire(self, before: datetime, now: datetime, *, days_min: int = RETENTION_DAYS_MIN) -> list[Sealed]:
        """Delete files sealed before ``before``; their rows stay as tombstones.

        The center's own time counts, not that of the events: a sensor that sends a wrong time must neither
        make events vanish early nor keep them for ever. Raises BadInput (retention-short) where ``before`` is
        less than ``days_min`` days ago: a shorter time must be configured, never slipped in.
        """
        if now - before < timedelta(days=days_min):
            raise _too_short(days_min)
        old = [file for file in self._catalogue.all() if file.status == "sealed" and file.sealed < before]
        if old:
            self._catalogue.bury(old, now)
        buried = [file for file in self._catalogue.all() if file.status == "deleted"]
        for file in buried:
            (self._events / file.name).unlink(missing_ok=True)
            (self._events / file.name).with_suffix(HEADS).unlink(missing_ok=True)
        last = max((file.sequence_last for file in buried), default=0)
        for path in self._events.glob(f"*{REJECTED}"):
            if path.stem.isdigit() and int(path.stem) <= last:
                path.unlink(missing_ok=True)
        return old

    def verify_segments(self) -> list[Words]:
        """Every file against its digest; one finding for each that is missing, changed or unknown."""
        findings: list[Words] = []
        known: set[str] = set()
        # Listed before the catalogue is asked: what another process seals meanwhile must not look foreign.
        present = {path.name for path in self._events.glob(f"*{SUFFIX}")}
        for file in self._catalogue.all():
            if file.status == "deleted":
                continue
            known.add(file.name)
            try:
                if sm3_of(self._events / file.name) != file.sm3:
                    findings.append(Words(f"{file.name} 的 SM3 不符", f"{file.name}: its SM3 differs"))
            except FileNotFoundError:
                findings.append(Words(f"{file.name} 不见了", f"{file.name} is missing"))
            except OSError as error:
                findings.append(Words(f"{file.name} 读不出:{error}", f"{file.name} cannot be read: {error}"))
        done = self._catalogue.position()
        unknown = sorted(name for name in present - known if not self._unfinished(name, done))
        findings += [Words(f"{name} 不在目录中", f"{name} is not in the catalogue") for name in unknown]
        return findings

    def _sealable(self, force: bool) -> int:
        """Up to which sequence frames may be sealed: behind the cursor, and as a rule whole segments."""
        with self._engine.connect() as connection:
            position = position_of(connection)
        if force:
            return position
        following = [segment.first - 1 for segment in segments_of(self._log_folder)[1:]]
        return max((last for last in following if last <= position), default=0)

    def _collect(self, after: int, upto: int) -> _Chunk | None:
        """Frames behind ``after`` for one file; None where there are no more up to ``upto``."""
        chunk: _Chunk | None = None
        seen: set[str] = set()
        while len(seen) < FILE_EVENTS_MAX:
            frames = self._log.read(chunk.last if chunk else after, READ_BYTES)
            for frame in frames:
                if frame.sequence > upto or len(seen) >= FILE_EVENTS_MAX:
                    return chunk
                chunk = chunk or _Chunk(frame.sequence, frame.sequence, [], [])
                chunk = chunk._replace(last=frame.sequence)
                if (head := head_of(frame.payload)) is not None:
                    chunk.heads.append(head)
                fresh = [event for event in self._readable(frame) if event.id not in seen]
                if fresh:
                    seen.update(event.id for event in fresh)
                    chunk.tables.append(table_of(fresh))
            if not frames:
                break
        return chunk

    def _readable(self, frame: Frame) -> Sequence[Event]:
        """The events of a frame; one with malformed parts is set aside as well, and never stops the store."""
        try:
            contents = frame_contents(frame.payload)
            events, whole = contents.events, not contents.errors
        except BadInput:
            events, whole = [], False
        if not whole:
            path = self._events / f"{frame.sequence:020d}{REJECTED}"
            with path.open("wb") as file:
                file.write(frame.payload)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._events)
        return events

    def _publish(self, chunk: _Chunk, now: datetime) -> Sealed:
        """Make a file durable under its final name, then known."""
        stem = f"{chunk.first:020d}-{chunk.last:020d}"
        heads = self._events / (stem + HEADS)
        write_heads(heads.with_name(heads.name + TEMPORARY), chunk.heads)
        heads.with_name(heads.name + TEMPORARY).rename(heads)
        name = stem + SUFFIX
        temporary = self._events / (name + TEMPORARY)
        written = write_file(temporary, chunk.tables)
        temporary.rename(self._events / name)
        sync_folder(self._events)
        return self._catalogue.add(name, written, chunk.first, chunk.last, now)

    def _sweep(self, done: int) -> None:
        """Remove what a crash left: temporary files, and complete ones whose frames are still in the log."""
        for path in self._events.glob(f"*{TEMPORARY}"):
            path.unlink(missing_ok=True)
        for suffix in (SUFFIX, HEADS):
            for path in self._events.glob(f"*{suffix}"):
                if self._unfinished(path.name, done):
                    path.unlink(missing_ok=True)

    def _unfinished(self, name: str, done: int) -> bool:
        """A file whose frames are still in the log: sealing is at work, or was cut short and begins again."""
        first, log_first = name.partition("-")[0], self._log.first
        # Never by the catalogue alone: an older copy of it, put back, must not cost sealed events.
        return bool(log_first) and first.isdigit() and int(first) > done and int(first) >= log_first


def _too_short(days_min: int) -> BadInput:
    return BadInput(
        "retention-short",
        Words(f"日志留存不得少于 {days_min} 天", f"events are kept {days_min} days at least"),
        Words(
            "如确有依据,请在配置 [storage] 中设置 retention_days 与 allow_short_retention",
            "where the rules allow less, set retention_days and allow_short_retention in [storage]",
        ),
        field="retention_days",
    )
