"""The framed, durable log under the sensor's spool and under the center's event log.

One folder, one writer (held by a file lock), any number of readers in any process. ``append`` returns after
``fdatasync``: what it returned survives SIGKILL and power loss.
Format: docs/reference/formats/segment-log.md.
"""

import errno
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final, NoReturn, Self

from crypto import sm3
from crypto.words import LiuheError, Words
from sensors.disk import REAL, Disk, opened, read_file, write_all
from sensors.segment_checkpoint import read_checkpoint, sync_folder, write_checkpoint
from sensors.segment_format import (
    NAME_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
    Damage,
    Frame,
    Header,
    pack_frame,
    pack_header,
    seed_of,
)
from sensors.segment_read import SUFFIX, Bound, SegmentReader, segments_of
from sensors.segment_tail import Tail

__all__ = ["SEGMENT_BYTES_MAX", "SegmentLog", "sync_folder"]

SEGMENT_BYTES_MAX: Final = 8 * 1024 * 1024
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_NO_DIGEST: Final = bytes(32)


class _Active:
    """The segment being written: nothing before ``size`` is ever written again."""

    def __init__(self, disk: Disk, path: Path, header: Header) -> None:
        self.path = path
        self.first = header.first
        self.seed = seed_of(header.salt)
        self.head = pack_header(header)  # written together with the first frames
        self.size = 0
        self.digest = sm3.new()
        self._disk = disk
        # A file of that name can only hold frames that were never acknowledged: they are overwritten.
        self._handle = disk.open(path, "create")

    def commit(self, data: bytes) -> None:
        """Write and sync; on OSError nothing of ``data`` counts."""
        blob = data if self.size else self.head + data
        write_all(self._disk, self._handle, blob, self.size)
        self._disk.sync(self._handle)
        if not self.size:
            self._disk.sync_folder(self.path.parent)
        self.size += len(blob)
        self.digest.update(blob)

    def undo(self) -> None:
        """Take back what a failed commit may have left; the file is gone where it held nothing else."""
        with suppress(OSError):  # readers end this segment at the next one's first sequence
            if self.size:
                self._disk.truncate(self._handle, self.size)
            else:
                self._disk.unlink(self.path)

    def close(self) -> None:
        """Give the file back."""
        with suppress(OSError):
            self._disk.close(self._handle)


class SegmentLog:
    """See the module; every method may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        name: str,
        segment_bytes_max: int,
        lock: int | None,
        reserve: int,
        disk: Disk,
        random_bits: Callable[[int], int],
    ) -> None:
        """Use ``open``."""
        self.folder = folder
        self.name = name
        self.epoch = 0
        self.damaged_on_open: str = ""
        self._segment_bytes_max = segment_bytes_max
        self._lock_descriptor = lock
        self._reserve = reserve
        self._disk = disk
        self._random_bits = random_bits
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._reader = SegmentReader(folder, disk)
        self._active: _Active | None = None
        self._next = 1
        self._previous_last = 0
        self._previous_sm3 = _NO_DIGEST
        self._durable_last = 0

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
        disk: Disk = REAL,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> Self:
        """Open a log for appending and reading, or (``writer=False``) for reading beside a writer.

        ``epoch`` is the writer's boot number (default: one more than the last). ``reserve`` leaves that many
        sequences unused on opening: a reader in another process may have seen frames that a power cut took
        back, and their numbers must not come again with other content.
        """
        if not writer:
            return cls(folder, name, segment_bytes_max, None, reserve, disk, random_bits)
        if not 0 < len(name.encode()) <= NAME_BYTES_MAX:
            raise ValueError(name)
        try:
            disk.make_folder(folder)
            lock = _locked(folder, disk)
        except OSError as error:
            _raise(error, folder)
        log = cls(folder, name, segment_bytes_max, lock, reserve, disk, random_bits)
        try:
            log._recover(epoch)
        except OSError as error:
            log.close()
            _raise(error, folder)
        except LiuheError:
            log.close()
            raise
        return log

    def append(self, payloads: Sequence[bytes], flags: int = 0) -> range:
        """Make payloads durable and return their sequences. Raises LiuheError; then none of them counts."""
        for payload in payloads:
            if len(payload) > PAYLOAD_BYTES_MAX:
                raise ValueError(f"payload of {len(payload)} bytes > {PAYLOAD_BYTES_MAX}")
        with self._writing:
            if self._lock_descriptor is None:
                raise ValueError("this log was opened for reading")
            first = self._next
            if not payloads:
                return range(first, first)
            try:
                self._commit(payloads, flags)
            except OSError as error:
                if error.errno in _FULL:
                    self._next += self._reserve
                    _raise(error, self.folder)
                # A failed sync may have dropped pages: this segment is done, the frames go to a new one.
                self._retire()
                try:
                    self._commit(payloads, flags)
                except OSError as again:
                    self._retire()
                    self._next += self._reserve
                    _raise(again, self.folder)
            self._next = first + len(payloads)
            self._durable_last = self._next - 1
            return range(first, self._next)

    def read(self, after: int, limit_bytes: int = 1 << 20) -> list[Frame]:
        """Frames with a sequence above ``after``, in order; at least one where there is one.

        The writer's own log returns only what is durable. Damage is passed over, see ``take_damages``.
        """
        with self._reading:
            active = self._active
            bound = None
            if self._lock_descriptor is not None:
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
        segments = segments_of(self.folder, self._disk)
        return segments[0].first if segments else 0

    @property
    def last(self) -> int:
        """The highest sequence written so far; 0 where nothing was."""
        if self._lock_descriptor is not None:
            return self._durable_last
        return Tail.of(self.folder, self._disk).last

    @property
    def next_sequence(self) -> int:
        """What the writer's next frame will carry."""
        return self._next

    @property
    def bytes_total(self) -> int:
        """Size of all segments on disk."""
        total = 0
        for segment in segments_of(self.folder, self._disk):
            try:
                total += self._disk.size(segment.path)
            except FileNotFoundError:
                continue
        return total

    def oldest_sealed(self) -> tuple[int, int] | None:
        """(first, last) of the oldest segment that is no longer written, or None."""
        segments = segments_of(self.folder, self._disk)
        if len(segments) < 2:
            return None
        with self._reading:
            header = self._reader.header(segments[1])
        last = header.previous_last if header is not None else segments[1].first - 1
        return segments[0].first, max(last, segments[0].first)

    def release(self, upto: int) -> int:
        """Unlink whole segments at or below ``upto``; returns how many.

        Never the newest segment, and never beyond the writer's checkpoint where it has written one.
        """
        checkpoint = read_checkpoint(self.folder, self._disk)
        if checkpoint is not None:
            upto = min(upto, checkpoint.position)
        segments = segments_of(self.folder, self._disk)
        count = 0
        try:
            for segment, following in pairwise(segments):
                with self._reading:
                    header = self._reader.header(following)
                last = header.previous_last if header is not None else following.first - 1
                if last > upto:
                    break
                with suppress(FileNotFoundError):
                    self._disk.unlink(segment.path)
                count += 1
            if count:
                self._disk.sync_folder(self.folder)
        except OSError as error:
            _raise(error, self.folder)
        return count

    def checkpoint(self, position: int, state: bytes) -> None:
        """Durably keep what the writer learnt from the frames up to ``position``, so they may be released."""
        try:
            write_checkpoint(self.folder, position, state, self._disk)
        except OSError as error:
            _raise(error, self.folder)

    def checkpoint_state(self) -> tuple[int, bytes]:
        """(position, state) of the last ``checkpoint``; (0, b"") where there is none."""
        found = read_checkpoint(self.folder, self._disk)
        return (found.position, found.state) if found is not None else (0, b"")

    def close(self) -> None:
        """Give up the lock; what was appended is already durable."""
        with self._writing:
            if self._active is not None:
                self._active.close()
                self._active = None
            if self._lock_descriptor is not None:
                self._disk.close(self._lock_descriptor)
                self._lock_descriptor = None

    def _commit(self, payloads: Sequence[bytes], flags: int) -> None:
        if self._active is not None and self._active.size >= self._segment_bytes_max:
            self._retire()
        active = self._active
        if active is None:
            first = self._next
            header = Header(
                self.name, self.epoch, first, self._previous_last, self._random_bits(64), self._previous_sm3
            )
            active = _Active(self._disk, self.folder / f"{first:020d}{SUFFIX}", header)
        data = b"".join(
            pack_frame(active.seed, self._next + index, flags, payload)
            for index, payload in enumerate(payloads)
        )
        try:
            active.commit(data)
        except OSError:
            active.undo()
            if active is not self._active:
                active.close()
            raise
        self._active = active

    def _retire(self) -> None:
        """Leave the active segment; the next frames open a new one."""
        active = self._active
        if active is None:
            return
        self._active = None
        active.close()
        self._previous_last = self._durable_last
        self._previous_sm3 = active.digest.digest()

    def _recover(self, epoch: int | None) -> None:
        """Find the end of the log, cut a torn tail, take the next numbers. A new process, a new segment."""
        tail = Tail.of(self.folder, self._disk)
        if tail.path is not None:
            if tail.torn_at is not None:
                with opened(self._disk, tail.path, "edit") as handle:
                    self._disk.truncate(handle, tail.torn_at)
                    self._disk.sync(handle)
                self.damaged_on_open = f"{tail.path.name}: {tail.torn_bytes} torn bytes cut"
            self._previous_sm3 = sm3.new(read_file(self._disk, tail.path)).digest()
        position, _ = self.checkpoint_state()
        self._durable_last = self._previous_last = tail.last
        self._next = max(tail.last, position) + 1 + (self._reserve if tail.last else 0)
        self.epoch = epoch if epoch is not None else tail.epoch + 1


def _locked(folder: Path, disk: Disk) -> int:
    try:
        return disk.lock(folder / "lock")
    except BlockingIOError as error:
        raise LiuheError(
            "log-in-use",
            Words("另一个进程正在写这个日志", "another process is writing this log"),
            Words("请先停止它,同一目录只能有一个写者", "stop it first: a folder has one writer"),
            field=str(folder),
        ) from error


def _raise(error: OSError, folder: Path) -> NoReturn:
    """The failure as one line for a person."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        raise LiuheError(
            "disk-full",
            Words("磁盘已满,日志写不进去", "the disk is full, the log cannot be written"),
            Words(
                "请腾出空间或减小配额;数据未丢,会重试", "free some space or lower the quota; it is retried"
            ),
            field=str(folder),
        ) from error
    raise LiuheError(
        "log-write-failed",
        Words(f"日志写入失败:{reason}", f"the log cannot be written: {reason}"),
        Words("请检查磁盘、挂载和权限", "check the disk, the mount and the permissions"),
        field=str(folder),
    ) from error
