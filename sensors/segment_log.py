"""The framed, durable log under the sensor's spool and under the center's event log.

One folder, one writer (held by a file lock), any number of readers in any process. ``append`` returns after
``fdatasync``: what it returned survives SIGKILL and power loss.
Format: docs/reference/formats/segment-log.md.
"""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, Self

from crypto import sm3
from crypto.words import LiuheError
from sensors.disk import REAL, Disk, opened, read_from, write_partial
from sensors.segment_chain import packed_form
from sensors.segment_checkpoint import read_checkpoint, sync_folder, write_checkpoint
from sensors.segment_folder import (
    FULL,
    Segment,
    clear_empty,
    clear_partial,
    lock_folder,
    raise_refused,
    segment_at,
    segments_of,
    sizes_of,
)
from sensors.segment_format import PAYLOAD_BYTES_MAX, Damage, Frame
from sensors.segment_header import NAME_BYTES_MAX, NO_DIGEST, SENSOR_BYTES_MAX, VERSION, Header
from sensors.segment_read import Bound, SegmentReader
from sensors.segment_seal import NO_KEYS, Keys
from sensors.segment_tail import Tail
from sensors.segment_writer import SegmentWriter, Written, write_again

__all__ = ["SEGMENT_BYTES_MAX", "SegmentLog", "sync_folder"]

SEGMENT_BYTES_MAX: Final = 8 * 1024 * 1024
WRITE_AGAIN_TIMES: Final = 5


class _Parts(NamedTuple):
    """What a log is made with."""

    name: str
    segment_bytes_max: int
    reserve: int
    sensor: str
    keys: Keys
    version: int
    clock_ms: Callable[[], int]
    disk: Disk
    random_bits: Callable[[int], int]


class SegmentLog:
    """See the module; every method may be called from any thread."""

    def __init__(self, folder: Path, parts: _Parts, lock: int | None) -> None:
        """Use ``open``."""
        self.folder = folder
        self.name = parts.name
        self.epoch = 0
        self.damaged_on_open: str = ""
        self._parts = parts
        self._disk = parts.disk
        self._lock_handle = lock
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._arranging = threading.RLock()  # around renames and unlinks of sealed segments
        self._reader = SegmentReader(folder, parts.disk, parts.keys, sensor=parts.sensor)
        self._active: SegmentWriter | None = None
        self._next = 1
        self._durable_last = 0
        self._previous_last = 0
        self._previous = Written(folder, 0, 0, NO_DIGEST)
        self._doubtful: list[tuple[Written, int]] = []  # segments whose sync failed, and how often tried
        self._sizes: dict[int, int] = {}  # of all segments by first sequence, ascending; the writer's
        self._packed: set[int] = set()  # segments that are packed or cannot be

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        name: str,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
        writer: bool,
        epoch: int | None = None,
        reserve: int = 0,
        floor: int = 0,
        sensor: str = "",
        keys: Keys = NO_KEYS,
        version: int = VERSION,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        disk: Disk = REAL,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> Self:
        """Open a log for appending and reading, or (``writer=False``) for reading beside a writer.

        ``epoch`` is the writer's boot number (default: one more than the last). ``reserve`` leaves that many
        sequences unused on opening: a reader in another process may have seen frames that a power cut took
        back, and their numbers must not come again with other content; none up to ``floor`` does either.
        ``version`` 1 writes what older releases read; with ``sensor`` only segments of its own are read.
        """
        parts = _Parts(name, segment_bytes_max, reserve, sensor, keys, version, clock_ms, disk, random_bits)
        if not writer:
            return cls(folder, parts, None)
        if not 0 < len(name.encode()) <= NAME_BYTES_MAX or len(sensor.encode()) > SENSOR_BYTES_MAX:
            raise ValueError(name)
        try:
            disk.make_folder(folder)
            lock = lock_folder(folder, disk)
        except OSError as error:
            raise_refused(error, folder)
        log = cls(folder, parts, lock)
        try:
            log._recover(epoch, floor)
        except (OSError, LiuheError) as error:
            log.close()
            if isinstance(error, OSError):
                raise_refused(error, folder)
            raise
        return log

    def append(self, payloads: Sequence[bytes], flags: int = 0) -> range:
        """Make payloads durable and return their sequences. Raises LiuheError; then none of them counts."""
        for payload in payloads:
            if len(payload) > PAYLOAD_BYTES_MAX:
                raise ValueError(f"payload of {len(payload)} bytes > {PAYLOAD_BYTES_MAX}")
        with self._writing:
            if self._lock_handle is None:
                raise ValueError("this log was opened for reading")
            first = self._next
            if not payloads:
                return range(first, first)
            try:
                self._commit(payloads, flags)
            except OSError as error:
                if error.errno in FULL:
                    self._next += self._parts.reserve
                    raise_refused(error, self.folder)
                # A failed sync may have dropped pages: this segment is done, the frames go to a new one.
                try:
                    self._commit(payloads, flags)
                except OSError as again:
                    self._next += self._parts.reserve
                    raise_refused(again, self.folder)
            self._next = first + len(payloads)
            self._durable_last = self._next - 1
            if self._doubtful:
                self._write_doubtful_again()
            return range(first, self._next)

    def read(self, after: int, limit_bytes: int = 1 << 20) -> list[Frame]:
        """Frames with a sequence above ``after``, in order; at least one where there is one.

        The writer's own log returns only what is durable. Damage is passed over, see ``take_damages``.
        """
        with self._reading:
            active = self._active
            bound = None
            if self._lock_handle is not None:
                last = self._durable_last
                bound = Bound(active.first, active.size, last) if active else Bound(0, 0, last)
            return self._reader.read(after, limit_bytes, bound)

    def take_damages(self) -> list[Damage]:
        """What ``read`` had to pass over since the last call, each loss once."""
        with self._reading:
            return self._reader.take_damages()

    @property
    def first(self) -> int:
        """The lowest sequence a segment may hold; 0 where there is no segment."""
        if self._lock_handle is not None:
            with self._arranging:
                return next(iter(self._sizes), 0)
        segments = segments_of(self.folder, self._disk)
        return segments[0].first if segments else 0

    @property
    def last(self) -> int:
        """The highest sequence written so far; 0 where nothing was."""
        if self._lock_handle is not None:
            return self._durable_last
        return Tail.of(self.folder, self._disk, self._parts.keys).last

    @property
    def next_sequence(self) -> int:
        """What the writer's next frame will carry."""
        return self._next

    @property
    def bytes_total(self) -> int:
        """Size of all segments; as far as a writer knows."""
        if self._lock_handle is None:
            return sum(sizes_of(self.folder, self._disk).values())
        with self._arranging:
            return sum(self._sizes.values())

    def oldest_sealed(self) -> tuple[int, int] | None:
        """(first, last) of the oldest segment that is no longer written, or None."""
        oldest = self._oldest()
        if oldest is None:
            return None
        return oldest[0].first, max(self._last_before(oldest[1]), oldest[0].first)

    def oldest_sealed_ms(self) -> int | None:
        """When the oldest sealed segment was left, as the writer's clock said then; None: not known."""
        oldest = self._oldest()
        header = self._reader.header(oldest[1]) if oldest is not None else None
        return header.created_ms or None if header is not None else None

    def seal_older_than(self, before_ms: int) -> None:
        """Leave the active segment if it was begun before that, so that it can age out."""
        with self._writing:
            active = self._active
            if active is not None and active.size and active.created_ms < before_ms:
                self._retire()

    def release(self, upto: int) -> int:
        """Unlink whole segments at or below ``upto``; returns how many.

        Never the newest segment, and never beyond the writer's checkpoint where it has written one.
        """
        count = 0
        try:
            checkpoint = read_checkpoint(self.folder, self._disk)
            if checkpoint is not None:
                upto = min(upto, checkpoint.position)
            with self._arranging:
                while (oldest := self._oldest()) and self._last_before(oldest[1]) <= upto:
                    with suppress(FileNotFoundError):
                        self._disk.unlink(oldest[0].path)
                    self._sizes.pop(oldest[0].first, None)
                    self._packed.discard(oldest[0].first)
                    count += 1
            if count:
                self._disk.sync_folder(self.folder)
        except OSError as error:
            raise_refused(error, self.folder)
        return count

    def pack(self, keep: int) -> bool:
        """Compress one sealed segment, but none of the ``keep`` oldest, which are about to be sent.

        False where there is none left to pack. Raises LiuheError (disk).
        """
        with self._arranging:
            pairs = pairwise(list(self._sizes)[keep:])
            pair = next((pair for pair in pairs if pair[0] not in self._packed), None)
        if pair is None or self._parts.version < VERSION:
            return False
        self._packed.add(pair[0])
        segment, following = (segment_at(self.folder, first) for first in pair)
        try:
            header, after = self._reader.header(segment), self._reader.header(following)
            if header is None or after is None:
                return True
            with opened(self._disk, segment.path, "read") as handle:
                read = partial(read_from, self._disk, handle)
                data = packed_form(read, header, after, self._parts.keys, self._parts.random_bits(64))
            if data is None:
                return True
            left = write_partial(self._disk, segment.path, data)
            with self._arranging:
                if segment.first not in self._sizes:  # released meanwhile
                    self._disk.unlink(left)
                    return True
                self._disk.rename(left, segment.path)
                self._sizes[segment.first] = len(data)
            self._disk.sync_folder(self.folder)
        except FileNotFoundError:
            return True
        except OSError as error:
            self._packed.discard(segment.first)
            raise_refused(error, self.folder)
        return True

    def checkpoint(self, position: int, state: bytes) -> None:
        """Durably keep what the writer learnt from the frames up to ``position``, so they may be released."""
        try:
            write_checkpoint(self.folder, position, state, self._disk)
        except OSError as error:
            raise_refused(error, self.folder)

    def checkpoint_state(self) -> tuple[int, bytes]:
        """(position, state) of the last ``checkpoint``; (0, b"") where there is none."""
        try:
            found = read_checkpoint(self.folder, self._disk)
        except OSError as error:
            raise_refused(error, self.folder)
        return (found.position, found.state) if found is not None else (0, b"")

    def close(self) -> None:
        """Give up the lock; what was appended is already durable."""
        with self._writing:
            self._retire()
            if self._lock_handle is not None:
                self._disk.close(self._lock_handle)
                self._lock_handle = None

    def _commit(self, payloads: Sequence[bytes], flags: int) -> None:
        if self._active is not None and self._active.size >= self._parts.segment_bytes_max:
            self._retire()
        active = self._active or self._begin()
        try:
            active.commit(self._next, flags, payloads)
        except OSError as error:
            active.undo()
            self._active = active
            self._retire()
            if active.size and not active.synced and error.errno not in FULL:
                self._doubtful.append((self._previous, 0))
            raise
        self._active = active
        with self._arranging:
            self._sizes[active.first] = active.size

    def _begin(self) -> SegmentWriter:
        header = Header(
            self.name,
            self.epoch,
            self._next,
            self._previous_last,
            self._parts.random_bits(64),
            self._previous.sm3,
            self._parts.version,
        )
        if header.version > 1:
            header = header._replace(
                sensor=self._parts.sensor,
                key_id=self._parts.keys.current,
                previous_first=self._previous.first,
                previous_bytes=self._previous.size,
                created_ms=self._parts.clock_ms(),
            )
        path = segment_at(self.folder, header.first).path
        return SegmentWriter(self._disk, path, header, self._parts.keys.frames(header))

    def _retire(self) -> None:
        """Leave the active segment; the next frames open a new one."""
        active, self._active = self._active, None
        if active is not None and (left := active.leave()).size:
            self._previous = left
            self._previous_last = self._durable_last

    def _write_doubtful_again(self) -> None:
        doubtful, self._doubtful = self._doubtful, []
        for written, times in doubtful:
            with self._arranging:
                known = written.first in self._sizes and written.first not in self._packed
                done = not known or write_again(self._disk, written)
            if not done and times + 1 < WRITE_AGAIN_TIMES:
                self._doubtful.append((written, times + 1))

    def _oldest(self) -> tuple[Segment, Segment] | None:
        """The oldest segment and the one behind it."""
        if self._lock_handle is None:
            firsts = [segment.first for segment in segments_of(self.folder, self._disk)[:2]]
        else:
            with self._arranging:
                firsts = [first for first, _ in zip(self._sizes, range(2), strict=False)]
        if len(firsts) < 2:
            return None
        return segment_at(self.folder, firsts[0]), segment_at(self.folder, firsts[1])

    def _last_before(self, following: Segment) -> int:
        """The last sequence of the segment in front of ``following``."""
        header = self._reader.header(following)
        return header.previous_last if header is not None else following.first - 1

    def _recover(self, epoch: int | None, floor: int) -> None:
        """Find the end of the log, cut a torn tail, take the next numbers. A new process, a new segment."""
        clear_partial(self.folder, self._disk)
        tail = Tail.of(self.folder, self._disk, self._parts.keys, floor)
        if tail.path is not None:
            # What a killed process wrote and did not sync is counted from here on: it must not vanish again.
            with opened(self._disk, tail.path, "edit") as handle:
                if tail.torn_at is not None:
                    self._disk.truncate(handle, tail.torn_at)
                self._disk.sync(handle)
            self._disk.sync_folder(self.folder)
            if tail.torn_at is not None:
                self.damaged_on_open = f"{tail.path.name}: {tail.torn_bytes} torn bytes cut"
            if written := tail.written(self._disk):
                self._previous = Written(tail.path, tail.first, len(written), sm3.sm3(written))
        position, _ = self.checkpoint_state()
        self._durable_last = self._previous_last = tail.last
        known = max(tail.last, position, floor, clear_empty(self.folder, tail.first, self._disk))
        self._next = known + 1 + (self._parts.reserve if known else 0)
        self.epoch = epoch if epoch is not None else tail.epoch + 1
        self._sizes = sizes_of(self.folder, self._disk)
        self._reader.trust(self.epoch)
