"""The spool without threads and without a clock of its own: every step is a call, so a test can replay it.

``take`` stamps observations into a buffer, ``commit`` makes the buffer durable and keeps the quotas,
``batch``, ``acked`` and ``rewind`` are the uplink's, ``pack`` compresses what waits long. ``sensors.spool``
adds the threads. Producers, the committer and the uplink may be three threads: ``changing`` guards the
buffer, ``_sending`` the cursors (taken first where both are); a commit writes outside both.
"""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from sensors.disk import REAL, Disk
from sensors.event import EVENT_BYTES_MAX, Observation, encode, stamp
from sensors.gap import Gap, gap_fields, gap_observation
from sensors.gap_ledger import GapLedger, Recorded
from sensors.lane import Drop, Lane
from sensors.messages import LANES, Batch
from sensors.segment_header import VERSION
from sensors.segment_seal import NO_KEYS, Keys
from sensors.spool_files import SpoolFiles
from sensors.wire import lane_sequence

CURSOR_SECONDS: Final = 5.0  # how old the stored acknowledgements may get; older ones are sent again
PACK_BEHIND: Final = 4  # segments of a lane that stay as they are: they are sent soon, or acknowledged
HIGH_WATER: Final = 0.5  # of a lane's quota: sources that can wait do so above it

Ticket = Mapping[str, int]


class SpoolCore:
    """See the module. Raises LiuheError on opening where another process has the folder."""

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
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        disk: Disk = REAL,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        """``now`` is the clock on the wall: it stamps gap records and, once, dates segments; never orders."""
        self.sensor = sensor
        self.unit = unit
        self.events_total = 0
        self.trouble: Words | None = None  # why commits fail at the moment
        self.drops: dict[str, int] = {}  # events given up since the start, by reason
        self.changing = threading.RLock()
        self._sending = threading.RLock()
        self._now = now
        self._monotonic = monotonic
        self._started = (int(now().timestamp() * 1000), monotonic())
        self._lanes: dict[str, Lane] = {}
        self._files = SpoolFiles(folder, disk)
        ages = age_seconds or {}
        try:
            self.epoch = self._files.next_epoch(now())
            for name in LANES:
                self._lanes[name] = Lane(
                    folder / name,
                    name,
                    sensor,
                    self.epoch,
                    quota_bytes[name],
                    age_seconds=ages.get(name),
                    keys=keys,
                    version=version,
                    clock_ms=self._steady_ms,
                    disk=disk,
                    random_bits=random_bits,
                )
            self._buffer: dict[str, list[bytes]] = {name: [] for name in LANES}
            self._buffer_bytes = dict.fromkeys(LANES, 0)
            self._taken = dict.fromkeys(LANES, 0)
            self._durable = dict.fromkeys(LANES, 0)
            self._next = {name: lane.log.next_sequence for name, lane in self._lanes.items()}
            self._refused: dict[str, int] = {}
            self._resume(folder, disk)
        except BaseException:
            self._close_lanes()
            raise
        self._cursor_written = monotonic()

    @property
    def waiting(self) -> int:
        """Events taken and not yet durable."""
        return sum(len(lines) for lines in self._buffer.values())

    @property
    def buffer_bytes(self) -> int:
        """Bytes taken and not yet durable."""
        return sum(self._buffer_bytes.values())

    @property
    def taken_count(self) -> int:
        """Events taken since the start."""
        return sum(self._taken.values())

    @property
    def committed_count(self) -> int:
        """Events made durable since the start."""
        return sum(self._durable.values())

    def buffered(self, lane: str) -> int:
        """Bytes of one lane that are not yet durable."""
        return self._buffer_bytes[lane if lane in self._lanes else "bulk"]

    def ticket(self, lanes: Sequence[str] = LANES) -> Ticket:
        """What was taken so far for some lanes; ``is_durable`` tells when all of it is."""
        return {name: self._taken[name] for name in (one if one in self._lanes else "bulk" for one in lanes)}

    def is_durable(self, ticket: Ticket) -> bool:
        """Whether everything of a ticket is durable."""
        return all(self._durable[name] >= count for name, count in ticket.items())

    def crowded(self, lane: str) -> bool:
        """Whether a lane is above its high-water mark: who can wait at its own cursor should."""
        found = self._lanes.get(lane) or self._lanes["bulk"]
        return found.log.bytes_total >= HIGH_WATER * found.quota_bytes

    def take(self, seen: Observation) -> None:
        """Stamp one observation into the buffer; one that cannot be an event is counted as refused."""
        with self.changing:
            name = seen.lane if seen.lane in self._lanes else "bulk"
            try:
                sequence = lane_sequence(name, self._next[name])
                event = stamp(seen, unit=self.unit, sensor=self.sensor, epoch=self.epoch, sequence=sequence)
                line = encode(event)
            except (ValueError, OverflowError, TypeError, msgspec.MsgspecError):
                line = b""
            if not 0 < len(line) <= EVENT_BYTES_MAX:
                self._refused[name] = self._refused.get(name, 0) + 1
                return
            self._next[name] += 1
            self._buffer[name].append(line)
            self._buffer_bytes[name] += len(line)
            self._taken[name] += 1
            self.events_total += 1

    def commit(self) -> bool:
        """One write and one sync per lane, then the quotas; False where nothing was waiting.

        Raises LiuheError; what is not durable stays buffered, a lane that succeeded is not written again.
        """
        with self.changing:
            self._take_refused()
            taken = {name: lines[:] for name, lines in self._buffer.items() if lines}
        if not taken:
            return False
        trouble: LiuheError | None = None
        for name, lines in taken.items():
            try:
                self._append(name, lines)
            except LiuheError as error:
                trouble = trouble or error
        try:
            self._enforce_limits()
        except LiuheError as error:
            trouble = trouble or error
        self.trouble = trouble.what if trouble is not None else None
        if trouble is not None:
            raise trouble
        return True

    def batch(self, *, urgent: bool = False) -> Batch | None:
        """The next batch to send, lanes in their order; with ``urgent`` of the first lane only."""
        with self._sending:
            for lane in list(self._lanes.values())[: 1 if urgent else None]:
                found = lane.next_batch()
                for gap in lane.take_gaps():
                    self._report(gap)
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
                found.account(found.acked)
                found.log.release(found.acked)

    def rewind(self) -> None:
        """After a lost connection: what was not acknowledged is sent again."""
        with self._sending:
            for lane in self._lanes.values():
                lane.sent = lane.acked

    def pack(self) -> bool:
        """Compress one segment that will wait; False where there is none. Raises LiuheError."""
        return any(lane.log.pack(PACK_BEHIND) for lane in self._lanes.values())

    def backlog(self) -> dict[str, int]:
        """Per lane, how many durable events the center has not acknowledged."""
        return {name: lane.backlog for name, lane in self._lanes.items()}

    def last_sequences(self) -> dict[str, int]:
        """Per lane, the last sequence that was given out; 0 for none."""
        return {name: following - 1 for name, following in self._next.items()}

    def bytes_by_lane(self) -> dict[str, int]:
        """Per lane, what its segments take on disk."""
        return {name: lane.log.bytes_total for name, lane in self._lanes.items()}

    def close(self) -> None:
        """Keep the acknowledgements, release the folder; commit before."""
        with self._sending:
            try:
                self._write_cursor()
            finally:
                self._close_lanes()

    def _append(self, name: str, lines: list[bytes]) -> None:
        lane = self._lanes[name]
        try:
            written = lane.append(lines)
        except LiuheError as error:
            if error.code != "disk-full" or not self._make_room(name):
                raise
            written = lane.append(lines)
        with self.changing:
            assert written.stop + len(self._buffer[name]) - len(lines) == self._next[name]
            del self._buffer[name][: len(lines)]
            self._buffer_bytes[name] -= sum(map(len, lines))
            self._durable[name] += len(lines)

    def _make_room(self, name: str) -> bool:
        """On a full disk a lane takes room from those behind it; each loss is recorded in the reserve."""
        for other in reversed(LANES[LANES.index(name) + 1 :]):
            drop = self._lanes[other].oldest("disk-full")
            if drop is not None and self._drop(self._lanes[other], drop):
                return True
        return False

    def _enforce_limits(self) -> None:
        for lane in self._lanes.values():
            lane.age()
            while (drop := lane.over_quota() or lane.over_age()) is not None:
                before = lane.log.first
                if not self._drop(lane, drop) or lane.log.first == before:
                    break

    def _drop(self, lane: Lane, drop: Drop) -> bool:
        """Record a drop durably, then do it; False where it cannot be recorded now."""
        if drop.gap is not None:
            with self.changing:
                again = self._carry_on(drop.gap)
                known = [seen.fields for seen in again.observations]
                carried = [fields for fields in drop.carried if fields not in known]
                records = [gap_fields(drop.gap), *carried]
                first = self._next["alerts"]
                if not again.durable:
                    return False
                found = self._gaps.record(records, first, self._now(), lane=lane.name, last=drop.last)
                for seen in found.observations:
                    self.take(seen)
            if not found.durable:
                return False
            self._count(drop.gap)
            lane.account(drop.last)
        lane.log.release(drop.last)
        return True

    def _report(self, gap: Gap) -> None:
        """Gap records pass a full buffer: they are few, and losing one would be a silent loss."""
        with self.changing:
            self._carry_on(gap)
            if self._gaps.knows(gap_fields(gap)):
                return
            self._count(gap)
            found = self._gaps.record([gap_fields(gap)], self._next["alerts"], self._now())
            for seen in found.observations or [gap_observation(gap_fields(gap), self._now())]:
                self.take(seen)

    def _carry_on(self, gap: Gap) -> Recorded:
        """Take the gap records that a loss of alerts takes along once more."""
        if gap.lane != "alerts":
            return Recorded([], durable=True)
        again = self._gaps.lost(gap.first, gap.last, self._next["alerts"], self._now())
        for seen in again.observations:
            self.take(seen)
        return again

    def _count(self, gap: Gap) -> None:
        self.drops[gap.reason] = self.drops.get(gap.reason, 0) + gap.lost

    def _take_refused(self) -> None:
        refused, self._refused = self._refused, {}
        for name, count in refused.items():
            gap = Gap(name, 0, 0, count, "refused", self._now(), self._now())
            self._count(gap)
            self.take(gap_observation(gap_fields(gap), self._now()))

    def _resume(self, folder: Path, disk: Disk) -> None:
        acked = self._files.acked()
        alerts = self._lanes["alerts"]
        self._gaps = GapLedger(folder, disk, acked=lambda: alerts.acked, durable=lambda: alerts.log.last)
        for name, last in self._gaps.drops():  # a drop that was recorded and perhaps not done
            if name in self._lanes:
                self._lanes[name].account(last)
                self._lanes[name].log.release(last)
        lost = [lane.resume(acked.get(name, 0)) for name, lane in self._lanes.items()]
        for seen in self._gaps.resume(self._next["alerts"], self._now()):
            self.take(seen)
        for gap in lost:
            if gap is not None:
                self._report(gap)

    def _steady_ms(self) -> int:
        """The wall's clock at the start, carried on by the monotonic one: its steps do not age events."""
        wall_ms, began = self._started
        return wall_ms + int((self._monotonic() - began) * 1000)

    def _write_cursor(self) -> None:
        self._files.write_acked({name: lane.acked for name, lane in self._lanes.items()})
        self._cursor_written = self._monotonic()

    def _close_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.close()
        self._files.close()
