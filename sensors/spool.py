"""The sensor's spool: observations become events, durable on this machine until the center has them.

Three lanes, sent in this order: alerts (and heartbeats, gap records), flows, bulk. Each is a segment log with
a quota. Identity: ``epoch`` is one number per start of the sensor; each lane counts its own sequence without
a hole; an event's id carries the epoch and, in 48 bits, the lane (4) and the lane's sequence (44), so ids are
unique over all lanes and boots and a range of one lane is contiguous. The center dedupes by (sensor, epoch,
lane, sequence).

Commit: one write and one fdatasync per lane for up to 500 events or 200 ms, at once when somebody waits.
A lane over its quota of bytes or age drops its oldest segment, after the gap record that says so is durable;
on a full disk a lane takes room from the ones behind it, likewise. An event that was on its way just then may
be both stored at the center and in such a gap; none is in neither. Segments that wait long are compressed.

This module has the threads; what they do is ``sensors.spool_core``.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crypto.words import LiuheError, Words
from sensors.event import Observation
from sensors.messages import Batch
from sensors.segment_header import VERSION
from sensors.segment_seal import NO_KEYS, Keys
from sensors.spool_core import SpoolCore

COMMIT_EVENTS: Final = 500
COMMIT_SECONDS: Final = 0.2
BUFFER_BYTES_MAX: Final = 4 * 1024 * 1024  # of one lane, not yet durable; put() blocks above it
ROOM_SECONDS: Final = 0.2  # between looks whether a crowded lane has room again
RETRY_SECONDS: Final = 1.0  # after a failed commit (full disk)
PACK_SECONDS: Final = 2.0  # how often segments that wait are looked for
CROWDED_SECONDS: Final = 0.5  # how often a waiting source looks whether there is room


class Spool:
    """Any number of threads may ``put``; one (the uplink) takes batches and reports acknowledgements."""

    def __init__(
        self,
        folder: Path,
        *,
        sensor: str,
        unit: str,
        quota_bytes: Mapping[str, int],
        age_seconds: Mapping[str, float] | None = None,
        keys: Keys = NO_KEYS,
        version: int = VERSION,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open or create the spool; ``version`` 1 is the segment format of older releases.

        Raises LiuheError where another process has the folder, or where it is of a newer release.
        """
        self.core = SpoolCore(
            folder,
            sensor=sensor,
            unit=unit,
            quota_bytes=quota_bytes,
            age_seconds=age_seconds,
            keys=keys,
            version=version,
            now=now,
            monotonic=time.monotonic,
        )
        self.sensor = sensor
        self.unit = unit
        self.epoch = self.core.epoch
        self._waiting = 0
        self._closing = False
        self._ended = False
        self._changed = threading.Condition(self.core.changing)
        self._arrived = threading.Event()
        self._committer = threading.Thread(target=self._run, name="spool", daemon=True)
        self._closed = threading.Event()
        self._packer = threading.Thread(target=self._pack, name="spool packing", daemon=True)
        self._committer.start()
        self._packer.start()

    @property
    def events_total(self) -> int:
        """Events taken since the start."""
        return self.core.events_total

    @property
    def trouble(self) -> Words | None:
        """Why commits fail at the moment."""
        return self.core.trouble

    @property
    def drops(self) -> dict[str, int]:
        """Events given up since the start, by the reason in their gap records."""
        return dict(self.core.drops)

    def put(self, seen: Sequence[Observation], *, wait: bool = False) -> None:
        """Stamp observations and buffer them; blocks while the buffer is full.

        With ``wait`` it returns once they are durable. Raises LiuheError where the spool closes before that.
        """
        with self._changed:
            for observation in seen:
                while self.core.buffered(observation.lane) >= BUFFER_BYTES_MAX and not self._ended:
                    self._changed.notify_all()
                    self._changed.wait()
                if self._closing:
                    raise _closed()
                self.core.take(observation)
            self._changed.notify_all()
            if not wait:
                return
            ticket = self.core.taken_count
            self._waiting += 1
            try:
                while self.core.committed_count < ticket and not self._ended:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            if self.core.committed_count < ticket:
                raise _closed()

    def batch(self, *, urgent: bool = False) -> Batch | None:
        """The next batch to send, see ``SpoolCore.batch``."""
        self._arrived.clear()
        return self.core.batch(urgent=urgent)

    def acked(self, lane: str, sequence: int) -> None:
        """The center has the lane up to ``sequence``: keep that durably, then release what is behind it."""
        self.core.acked(lane, sequence)

    def rewind(self) -> None:
        """After a lost connection: what was not acknowledged is sent again."""
        self.core.rewind()
        self._arrived.set()

    def wait_for_events(self, seconds: float) -> bool:
        """Wait until something was committed since ``batch`` last said None."""
        return self._arrived.wait(seconds)

    def wait_for_room(self, lane: str, give_up: Callable[[], bool]) -> None:
        """Wait while a lane is crowded; no longer than ``give_up`` says, nor than the spool is open."""
        while self.core.crowded(lane) and not give_up() and not self._closed.wait(ROOM_SECONDS):
            continue

    def flush(self, seconds: float) -> bool:
        """Wait until everything put so far is durable; False where that takes longer."""
        with self._changed:
            ticket = self.core.ticket()
            self._waiting += 1
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self.core.is_durable(ticket) or self._ended, seconds)
                return self.core.is_durable(ticket)
            finally:
                self._waiting -= 1

    def backlog(self) -> dict[str, int]:
        """Per lane, how many durable events the center has not acknowledged."""
        return self.core.backlog()

    def close(self, seconds: float = 2.0) -> None:
        """Commit what is buffered, keep the acknowledgements, release the folder."""
        self._closed.set()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._committer.join(seconds)
        self._packer.join(seconds)
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self.core.close()

    def _run(self) -> None:
        """The committer thread."""
        try:
            while self._commit_once():
                continue
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _commit_once(self) -> bool:
        with self._changed:
            self._changed.wait_for(self._due, COMMIT_SECONDS)
        try:
            committed = self.core.commit()
        except LiuheError:
            with self._changed:
                self._changed.notify_all()  # some lanes may have succeeded
                if self._closing:
                    return False
                self._changed.wait_for(lambda: self._closing, RETRY_SECONDS)
            return True
        with self._changed:
            self._changed.notify_all()
            if not committed:
                return not self._closing
        self._arrived.set()
        return True

    def _pack(self) -> None:
        """The packing thread: compression lets go of the interpreter, so commits go on meanwhile."""
        while not self._closed.wait(PACK_SECONDS):
            with suppress(LiuheError):  # a full disk is told by the commits
                while self.core.pack() and not self._closed.is_set():
                    continue

    def _due(self) -> bool:
        waiting = self.core.waiting
        return self._closing or waiting >= COMMIT_EVENTS or (waiting > 0 and self._waiting > 0)


def _closed() -> LiuheError:
    return LiuheError(
        "spool-closed",
        Words("缓存已关闭,这些观测没有写入", "the spool is closed, these observations were not kept"),
        Words("重新启动传感器后会从上次位置继续", "start the sensor again, it goes on where it stopped"),
    )
