"""The spool without threads and without a clock of its own: every step is a call, so a test can replay it.

``take`` stamps observations into a buffer, ``commit`` makes the buffer durable and keeps the quotas,
``batch``, ``acked`` and ``rewind`` are the uplink's. ``sensors.spool`` adds the threads. Producers, the
committer and the uplink may be three threads: ``changing`` guards the buffer, ``_sending`` the cursors; a
commit writes outside both.
"""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from sensors.disk import REAL, Disk, read_file, replace_file
from sensors.event import EVENT_BYTES_MAX, Observation, encode, stamp
from sensors.gap import Gap, again, gap_observation
from sensors.lane import Lane
from sensors.messages import EPOCH_MAX, LANES, Batch
from sensors.wire import lane_sequence

CURSOR_SECONDS: Final = 5.0  # how old the stored acknowledgements may get; older ones are sent again


class SpoolCore:
    """See the module. Raises LiuheError on opening where another process has the folder."""

    def __init__(
        self,
        folder: Path,
        *,
        sensor: str,
        unit: str,
        quota_bytes: Mapping[str, int],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        disk: Disk = REAL,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        """``now`` is the clock on the wall and only stamps gap records; ``monotonic`` paces."""
        self.sensor = sensor
        self.unit = unit
        self.events_total = 0
        self.trouble: Words | None = None  # why commits fail at the moment
        self.taken_count = 0
        self.committed_count = 0
        self.changing = threading.RLock()
        self._sending = threading.RLock()
        self._folder = folder
        self._disk = disk
        self._now = now
        self._monotonic = monotonic
        self._lanes: dict[str, Lane] = {}
        disk.make_folder(folder)
        try:
            self.epoch = self._next_epoch()
            for name in LANES:
                self._lanes[name] = Lane(
                    folder / name,
                    name,
                    sensor,
                    self.epoch,
                    quota_bytes[name],
                    disk=disk,
                    random_bits=random_bits,
                )
        except (LiuheError, OSError):
            self._close_lanes()
            raise
        self._resume()
        self._buffer: dict[str, list[bytes]] = {name: [] for name in LANES}
        self._next = {name: lane.log.next_sequence for name, lane in self._lanes.items()}
        self._refused: dict[str, int] = {}
        self._drops: list[tuple[Lane, int]] = []
        self.buffer_bytes = 0
        self._cursor_written = monotonic()

    @property
    def waiting(self) -> int:
        """Events taken and not yet durable."""
        return sum(len(lines) for lines in self._buffer.values())

    def take(self, seen: Observation) -> None:
        """Stamp one observation into the buffer; one that cannot be an event is counted as refused."""
        with self.changing:
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
            self.buffer_bytes += len(line)
            self.taken_count += 1
            self.events_total += 1

    def commit(self) -> bool:
        """One write and one sync per lane, then the quotas; False where nothing was waiting.

        Raises LiuheError; what is not durable stays buffered, a lane that succeeded is not written again.
        """
        with self.changing:
            self._take_refused()
            taken = {name: lines[:] for name, lines in self._buffer.items() if lines}
            ticket = self.taken_count
        if not taken:
            return False
        try:
            self._append(taken)
            self.committed_count = ticket
            self._enforce_quotas()
        except LiuheError as error:
            self.trouble = error.what
            raise
        self.trouble = None
        return True

    def batch(self, *, urgent: bool = False) -> Batch | None:
        """The next batch to send, lanes in their order; None where everything was sent.

        With ``urgent`` of the first lane alone: the center asks all others to wait.
        """
        with self._sending:
            for lane in list(self._lanes.values())[: 1 if urgent else None]:
                found = lane.next_batch()
                # Gap records pass a full buffer: they are few, and losing one would be a silent loss.
                for gap in lane.take_gaps():
                    self.take(gap_observation(gap, self._now()))
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
            if releasable or self._monotonic() - self._cursor_written > CURSOR_SECONDS:
                self._write_cursor()
            if releasable:
                found.log.release(found.acked)

    def rewind(self) -> None:
        """After a lost connection: what was not acknowledged is sent again."""
        with self._sending:
            for lane in self._lanes.values():
                lane.sent = lane.acked

    def backlog(self) -> dict[str, int]:
        """Per lane, how many durable events the center has not acknowledged."""
        return {name: lane.backlog for name, lane in self._lanes.items()}

    def close(self) -> None:
        """Keep the acknowledgements, release the folder; commit before."""
        with self._sending:
            try:
                self._write_cursor()
            finally:
                self._close_lanes()

    def _append(self, taken: Mapping[str, Sequence[bytes]]) -> None:
        for name, lines in taken.items():
            written = self._lanes[name].log.append(lines)
            with self.changing:
                assert written.stop + len(self._buffer[name]) - len(lines) == self._next[name]
                del self._buffer[name][: len(lines)]
                self.buffer_bytes -= sum(map(len, lines))

    def _take_refused(self) -> None:
        refused, self._refused = self._refused, {}
        for name, count in refused.items():
            now = self._now()
            self.take(gap_observation(Gap(name, 0, 0, count, "refused", now, now), now))

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
            with self.changing:
                for fields in drop.carried:
                    self.take(again(fields, self._now()))
                self.take(gap_observation(drop.gap, self._now()))
            self._drops.append((lane, drop.last))

    def _next_epoch(self) -> int:
        """One more than the last, at least the clock's seconds: a wiped folder does not repeat one."""
        path = self._folder / "epoch"
        try:
            previous = int(read_file(self._disk, path) or b"0")
        except (FileNotFoundError, ValueError):
            previous = 0
        epoch = min(max(previous + 1, int(self._now().timestamp())), EPOCH_MAX)
        replace_file(self._disk, path, b"%d\n" % epoch)
        return epoch

    def _resume(self) -> None:
        try:
            raw = read_file(self._disk, self._folder / "acked.json")
            acked = msgspec.json.decode(raw, type=dict[str, int])
        except (FileNotFoundError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            acked = {}  # everything is sent again; the center knows what it has
        for name, lane in self._lanes.items():
            lane.resume(acked.get(name, 0))

    def _write_cursor(self) -> None:
        acked = {name: lane.acked for name, lane in self._lanes.items()}
        replace_file(self._disk, self._folder / "acked.json", msgspec.json.encode(acked))
        self._cursor_written = self._monotonic()

    def _close_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.log.close()
