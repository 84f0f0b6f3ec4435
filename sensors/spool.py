"""The sensor's spool: observations become events, durable on this machine until the center has them.

Three lanes, sent in this order: alerts (and heartbeats, gap records), flows, bulk. Each is a segment log with
a quota. Identity: ``epoch`` is one number per start of the sensor; each lane counts its own sequence without
a hole; an event's id carries the epoch and, in 48 bits, the lane (4) and the lane's sequence (44), so ids are
unique over all lanes and boots and a range of one lane is contiguous. The center dedupes by (sensor, epoch,
lane, sequence).

Commit: one write and one fdatasync per lane for up to 500 events or 200 ms, at once when somebody waits.
A lane over quota drops its oldest segment, after the gap record that says so is durable. An event that was on
its way just then may be both stored at the center and in such a gap; none is in neither.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from sensors.event import EVENT_BYTES_MAX, Observation, encode, stamp
from sensors.gap import Gap, again, gap_observation
from sensors.lane import Lane
from sensors.messages import EPOCH_MAX, LANES, Batch
from sensors.segment_checkpoint import write_durably
from sensors.wire import lane_sequence

COMMIT_EVENTS: Final = 500
COMMIT_SECONDS: Final = 0.2
BUFFER_BYTES_MAX: Final = 8 * 1024 * 1024  # not yet durable; put() blocks above it
RETRY_SECONDS: Final = 1.0  # after a failed commit (full disk)
CURSOR_SECONDS: Final = 5.0  # how old the stored acknowledgements may get; older ones are sent again


class Spool:
    """Any number of threads may ``put``; one (the uplink) takes batches and reports acknowledgements."""

    def __init__(
        self,
        folder: Path,
        *,
        sensor: str,
        unit: str,
        quota_bytes: Mapping[str, int],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open or create the spool. Raises LiuheError where another process has it."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sensor = sensor
        self.unit = unit
        self.events_total = 0
        self.trouble: Words | None = None  # why commits fail at the moment
        self._folder = folder
        self._now = now
        self._lanes: dict[str, Lane] = {}
        try:
            self.epoch = self._next_epoch()
            for name in LANES:
                self._lanes[name] = Lane(folder / name, name, sensor, self.epoch, quota_bytes[name])
        except LiuheError:
            self._close_lanes()
            raise
        self._resume()
        self._buffer: dict[str, list[bytes]] = {name: [] for name in LANES}
        self._next = {name: lane.log.next_sequence for name, lane in self._lanes.items()}
        self._buffer_bytes = 0
        self._refused: dict[str, int] = {}
        self._drops: list[tuple[Lane, int]] = []
        self._put_count = 0
        self._committed_count = 0
        self._waiting = 0
        self._closing = False
        self._ended = False
        self._changed = threading.Condition()
        self._arrived = threading.Event()
        self._sending = threading.Lock()
        self._cursor_written = time.monotonic()
        self._committer = threading.Thread(target=self._run, name="spool", daemon=True)
        self._committer.start()

    def put(self, seen: Sequence[Observation], *, wait: bool = False) -> None:
        """Stamp observations and buffer them; blocks while the buffer is full.

        With ``wait`` it returns once they are durable. Raises LiuheError where the spool closes before that.
        """
        with self._changed:
            for observation in seen:
                while self._buffer_bytes >= BUFFER_BYTES_MAX and not self._ended:
                    self._changed.notify_all()
                    self._changed.wait()
                if self._closing:
                    raise _closed()
                self._take(observation)
            self._changed.notify_all()
            if not wait:
                return
            ticket = self._put_count
            self._waiting += 1
            try:
                while self._committed_count < ticket and not self._ended:
                    self._changed.wait()
            finally:
                self._waiting -= 1
            if self._committed_count < ticket:
                raise _closed()

    def batch(self) -> Batch | None:
        """The next batch to send, lanes in their order; None where everything was sent."""
        self._arrived.clear()
        with self._sending:
            for lane in self._lanes.values():
                found = lane.next_batch()
                self._report(lane.take_gaps())
                if found is not None:
                    return found
            return None

    def acked(self, lane: str, sequence: int) -> None:
        """The center has the lane up to ``sequence``: keep that durably, then release what is behind it."""
        with self._sending:
            found = self._lanes[lane]
            found.acked = max(found.acked, min(sequence, found.sent))
            oldest = found.log.oldest_sealed()
            releasable = oldest is not None and oldest[1] <= found.acked
            if releasable or time.monotonic() - self._cursor_written > CURSOR_SECONDS:
                self._write_cursor()
            if releasable:
                found.log.release(found.acked)

    def rewind(self) -> None:
        """After a lost connection: what was not acknowledged is sent again."""
        with self._sending:
            for lane in self._lanes.values():
                lane.sent = lane.acked
        self._arrived.set()

    def wait_for_events(self, seconds: float) -> bool:
        """Wait until something was committed since ``batch`` last said None."""
        return self._arrived.wait(seconds)

    def flush(self, seconds: float) -> bool:
        """Wait until everything put so far is durable; False where that takes longer."""
        with self._changed:
            ticket = self._put_count
            self._waiting += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._committed_count >= ticket or self._ended, seconds)
            finally:
                self._waiting -= 1

    def backlog(self) -> dict[str, int]:
        """Per lane, how many durable events the center has not acknowledged."""
        return {name: lane.backlog for name, lane in self._lanes.items()}

    def close(self, seconds: float = 2.0) -> None:
        """Commit what is buffered, keep the acknowledgements, release the folder."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._committer.join(seconds)
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        with self._sending:
            try:
                self._write_cursor()
            finally:
                self._close_lanes()

    def _take(self, seen: Observation) -> None:
        """Stamp one observation into the buffer; one that cannot be an event is counted as refused."""
        lane = self._lanes.get(seen.lane) or self._lanes["bulk"]
        try:
            event = stamp(
                seen,
                unit=self.unit,
                sensor=self.sensor,
                epoch=self.epoch,
                sequence=lane_sequence(lane.name, self._next[lane.name]),
            )
            line = encode(event)
        except (ValueError, OverflowError, TypeError, msgspec.MsgspecError):
            line = b""
        if not 0 < len(line) <= EVENT_BYTES_MAX:
            self._refused[lane.name] = self._refused.get(lane.name, 0) + 1
            return
        self._next[lane.name] += 1
        self._buffer[lane.name].append(line)
        self._buffer_bytes += len(line)
        self._put_count += 1
        self.events_total += 1

    def _report(self, gaps: Sequence[Gap]) -> None:
        """Gap records pass the full buffer: they are few, and losing one would be a silent loss."""
        if gaps:
            with self._changed:
                for gap in gaps:
                    self._take(gap_observation(gap, self._now()))
                self._changed.notify_all()

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
            self._take_refused()
            taken = {name: lines[:] for name, lines in self._buffer.items() if lines}
            ticket = self._put_count
            if not taken:
                return not self._closing
        try:
            self._append(taken)
            self.trouble = None
            with self._changed:
                self._committed_count = ticket
                self._changed.notify_all()
            self._arrived.set()
            self._enforce_quotas()
        except LiuheError as error:
            self.trouble = error.what
            with self._changed:
                if self._closing:
                    return False
                self._changed.wait_for(lambda: self._closing, RETRY_SECONDS)
            return True
        return True

    def _due(self) -> bool:
        waiting = sum(len(lines) for lines in self._buffer.values())
        return self._closing or waiting >= COMMIT_EVENTS or (waiting > 0 and self._waiting > 0)

    def _append(self, taken: Mapping[str, list[bytes]]) -> None:
        """Make lines durable lane by lane; a lane that succeeded is not written again on a retry."""
        for name, lines in taken.items():
            written = self._lanes[name].log.append(lines)
            with self._changed:
                assert written.stop + len(self._buffer[name]) - len(lines) == self._next[name]
                del self._buffer[name][: len(lines)]
                self._buffer_bytes -= sum(map(len, lines))

    def _take_refused(self) -> None:
        refused, self._refused = self._refused, {}
        for name, count in refused.items():
            now = self._now()
            self._take(gap_observation(Gap(name, 0, 0, count, "refused", now, now), now))

    def _enforce_quotas(self) -> None:
        """Drop segments whose gap records the last commit made durable, then look for new ones to drop."""
        drops, self._drops = self._drops, []
        for lane, last in drops:
            lane.log.release(last)
        for lane in self._lanes.values():
            drop = lane.over_quota()
            if drop is None:
                continue
            if drop.gap is None:
                lane.log.release(drop.last)
                continue
            with self._changed:
                for fields in drop.carried:
                    self._take(again(fields, self._now()))
                self._take(gap_observation(drop.gap, self._now()))
            self._drops.append((lane, drop.last))

    def _next_epoch(self) -> int:
        """One more than the last, at least the clock's seconds: a wiped folder does not repeat one."""
        path = self._folder / "epoch"
        try:
            previous = int(path.read_bytes() or b"0")
        except (FileNotFoundError, ValueError):
            previous = 0
        epoch = min(max(previous + 1, int(self._now().timestamp())), EPOCH_MAX)
        write_durably(path, b"%d\n" % epoch)
        return epoch

    def _resume(self) -> None:
        try:
            acked = msgspec.json.decode((self._folder / "acked.json").read_bytes(), type=dict[str, int])
        except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError):
            acked = {}  # everything is sent again; the center knows what it has
        for name, lane in self._lanes.items():
            lane.resume(acked.get(name, 0))

    def _write_cursor(self) -> None:
        acked = {name: lane.acked for name, lane in self._lanes.items()}
        write_durably(self._folder / "acked.json", msgspec.json.encode(acked))
        self._cursor_written = time.monotonic()

    def _close_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.log.close()


def _closed() -> LiuheError:
    return LiuheError(
        "spool-closed",
        Words("缓存已关闭,这些观测没有写入", "the spool is closed, these observations were not kept"),
        Words("重新启动传感器后会从上次位置继续", "start the sensor again, it goes on where it stopped"),
    )
