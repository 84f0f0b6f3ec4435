"""The files of the ledger: framed append-only logs with an index, the array of hashes, the lock.

What each holds and which may be rebuilt from which: docs/reference/formats/ledger.md. Nothing here knows
about trees, keys or records. Every write names when it is durable.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

import google_crc32c

from crypto.merkle import HASH_BYTES, position
from crypto.words import LiuheError, Words

MAGIC_BYTES: Final = 16
_HEAD: Final = struct.Struct("<IIQ")  # bytes of data, CRC-32C over (bytes, sequence, data), sequence
_CHECKED: Final = struct.Struct("<IQ")
_OFFSET: Final = struct.Struct("<Q")
_WINDOW_BYTES: Final = 1 << 20


class Frame(NamedTuple):
    """One intact entry of a log."""

    offset: int
    sequence: int
    data: bytes
    end: int


class Damage(NamedTuple):
    """Where a log stops making sense."""

    offset: int
    reason: str


class Recovery(NamedTuple):
    """What opening for writing found after the last synced entry."""

    entries: int
    cut: bytes  # the torn tail that was removed


class FramedLog:
    """``NAME.log`` of framed entries and ``NAME.index`` of their offsets; one writer, readers anywhere.

    Readers may read whatever a checkpoint covers: those bytes and index entries were synced before it and
    never change.
    """

    def __init__(self, folder: Path, name: str, magic: bytes, *, data_bytes_max: int, writer: bool) -> None:
        assert len(magic) == MAGIC_BYTES
        self.path: Final = folder / f"{name}.log"
        self.index_path: Final = folder / f"{name}.index"
        self._magic, self._data_bytes_max = magic, data_bytes_max
        flags = (os.O_RDWR | os.O_CREAT if writer else os.O_RDONLY) | os.O_CLOEXEC
        self._log = os.open(self.path, flags, 0o600)
        self._index = os.open(self.index_path, flags, 0o600)
        self._end = os.fstat(self._log).st_size
        if writer and self._end < MAGIC_BYTES:
            _write_at(self._log, magic, 0)
            os.fsync(self._log)
            sync_folder(folder)
            self._end = MAGIC_BYTES
        self.count = self.indexed()
        self._broken = False

    def close(self) -> None:
        """Give the files back."""
        os.close(self._log)
        os.close(self._index)

    def indexed(self) -> int:
        """How many entries the index names now."""
        return os.fstat(self._index).st_size // _OFFSET.size

    def offset_of(self, number: int) -> int | None:
        """Where the index says entry ``number`` lies; None where it has none."""
        data = os.pread(self._index, _OFFSET.size, number * _OFFSET.size)
        return int(_OFFSET.unpack(data)[0]) if len(data) == _OFFSET.size else None

    def frame(self, number: int) -> Frame | Damage:
        """Entry ``number``, found by the index."""
        offset = self.offset_of(number)
        if offset is None:
            return Damage(number * _OFFSET.size, "no index entry")
        return self.at(offset)

    def at(self, offset: int) -> Frame | Damage:
        """The entry at ``offset``."""
        head = os.pread(self._log, _HEAD.size, offset) if MAGIC_BYTES <= offset < 1 << 62 else b""
        if len(head) < _HEAD.size:
            return Damage(offset, "no entry here")
        length = _HEAD.unpack(head)[0]
        if length > self._data_bytes_max:
            return Damage(offset, f"length {length} > {self._data_bytes_max}")
        return self._parse(head + os.pread(self._log, length, offset + _HEAD.size), 0, offset)

    def _parse(self, window: bytes, at: int, offset: int) -> Frame | Damage:
        length, crc, sequence = _HEAD.unpack_from(window, at)
        data = window[at + _HEAD.size : at + _HEAD.size + length]
        if len(data) < length:
            return Damage(offset, "cut short")
        if google_crc32c.value(_CHECKED.pack(length, sequence) + data) != crc:
            return Damage(offset, "CRC-32C differs")
        return Frame(offset, sequence, data, offset + _HEAD.size + length)

    def scan(self, offset: int = MAGIC_BYTES) -> Iterator[Frame | Damage]:
        """Entries from ``offset`` to the end of the file; a damage is the last thing yielded."""
        if os.pread(self._log, MAGIC_BYTES, 0) != self._magic:
            yield Damage(0, "the file does not begin as it should")
            return
        window, base = b"", offset
        while True:
            at = offset - base
            known = _HEAD.unpack_from(window, at)[0] if len(window) - at >= _HEAD.size else 0
            if known > self._data_bytes_max:
                yield Damage(offset, f"length {known} > {self._data_bytes_max}")
                return
            needed = _HEAD.size + known
            if len(window) - at < needed:
                more = os.pread(self._log, max(_WINDOW_BYTES, needed), offset)
                if len(more) <= len(window) - at:  # nothing further in the file
                    if more:
                        yield Damage(offset, "cut short")
                    return
                window, base = more, offset
                continue
            found = self._parse(window, at, offset)
            yield found
            if isinstance(found, Damage):
                return
            offset = found.end

    def append(self, entries: Sequence[tuple[int, bytes]]) -> None:
        """Add (sequence, data) entries; durable on return. On OSError none of them counts."""
        offsets, parts, end = [], [], self._end
        for sequence, data in entries:
            assert len(data) <= self._data_bytes_max
            offsets.append(_OFFSET.pack(end))
            crc = google_crc32c.value(_CHECKED.pack(len(data), sequence) + data)
            parts += [_HEAD.pack(len(data), crc, sequence), data]
            end += _HEAD.size + len(data)
        if self._broken:
            raise OSError(errno.EIO, "an earlier sync failed; reopen the ledger")
        try:
            _write_at(self._log, b"".join(parts), self._end)
        except OSError:
            os.ftruncate(self._log, self._end)  # a disk that was full may have room again later
            raise
        self._broken = True  # after a failed sync the kernel no longer says what is on disk
        os.fdatasync(self._log)
        # Only now: an index entry says that its entry was durable, so a shorter log means damage.
        _write_at(self._index, b"".join(offsets), self.count * _OFFSET.size)
        self._end, self.count, self._broken = end, self.count + len(entries), False

    def recover(self, trusted: int) -> Recovery:
        """After opening for writing: find the end, cut a torn tail, index what the index lacks.

        The first ``trusted`` entries were synced with their index. Raises LiuheError where an entry the
        index names as durable cannot be read: that is damage, not a torn write.
        """
        before = self.count
        last = self.frame(trusted - 1) if trusted else None  # where the index errs, read from the start
        start, number = (last.end, trusted) if isinstance(last, Frame) else (MAGIC_BYTES, 0)
        offsets, end = bytearray(), start
        for found in self.scan(start):
            if isinstance(found, Damage):
                break
            offsets += _OFFSET.pack(found.offset)
            end = found.end
        count = number + len(offsets) // _OFFSET.size
        if count < max(before, trusted):
            raise damaged(f"{self.path.name}: entry {count}, offset {end}")
        cut = os.pread(self._log, max(0, os.fstat(self._log).st_size - end), end)
        if cut:
            os.ftruncate(self._log, end)
            os.fsync(self._log)
        _write_at(self._index, bytes(offsets), number * _OFFSET.size)
        os.ftruncate(self._index, count * _OFFSET.size)
        self._end, self.count = end, count
        return Recovery(count, cut)

    def cut(self, count: int) -> None:
        """Drop the entries from number ``count`` on: nobody was ever told of them."""
        end = self.offset_of(count) if 0 <= count < self.count else None
        if end is None:
            return
        for file, size in ((self._log, end), (self._index, count * _OFFSET.size)):
            os.ftruncate(file, size)
            os.fsync(file)
        self._end, self.count = end, count

    def blank(self, number: int) -> None:
        """Overwrite the data of one entry with zeros; the entry stays, durable on return."""
        found = self.frame(number)
        if isinstance(found, Damage):
            raise damaged(f"{self.path.name}: offset {found.offset}")
        data = bytes(len(found.data))
        crc = google_crc32c.value(_CHECKED.pack(len(data), found.sequence) + data)
        _write_at(self._log, _HEAD.pack(len(data), crc, found.sequence) + data, found.offset)
        os.fdatasync(self._log)

    def sync_index(self) -> None:
        """Make the index durable."""
        os.fdatasync(self._index)


class HashFile:
    """Hashes of complete subtrees, 32 bytes each, in the order ``merkle.position`` gives."""

    def __init__(self, path: Path, *, writer: bool) -> None:
        self.path: Final = path
        flags = (os.O_RDWR | os.O_CREAT if writer else os.O_RDONLY) | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)

    def count(self) -> int:
        """How many whole hashes are there."""
        return os.fstat(self._file).st_size // HASH_BYTES

    def node(self, level: int, index: int) -> bytes:
        """The hash of one complete subtree. Raises LiuheError where the file is too short."""
        at = position(level, index) * HASH_BYTES
        data = os.pread(self._file, HASH_BYTES, at)
        if len(data) < HASH_BYTES:
            raise damaged(f"{self.path.name}: offset {at}")
        return data

    def read(self, first: int, count: int) -> bytes:
        """``count`` hashes from number ``first``, fewer at the end of the file."""
        return os.pread(self._file, count * HASH_BYTES, first * HASH_BYTES)

    def write(self, first: int, hashes: Sequence[bytes]) -> None:
        """Put hashes from number ``first`` on; durable after ``sync``."""
        _write_at(self._file, b"".join(hashes), first * HASH_BYTES)

    def sync(self) -> None:
        """Make everything written durable."""
        os.fdatasync(self._file)


class Lock:
    """The one writer of a folder, held by a file lock that dies with the process."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise LiuheError(
                "ledger-locked",
                Words("存证账本正被另一进程写入", "another process is writing this ledger"),
                Words("请先停止该进程,或只读访问", "stop that process, or only read"),
                field=str(path.parent),
            ) from error

    def release(self) -> None:
        """Let another writer in."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def write_file(path: Path, data: bytes) -> None:
    """Write a whole file; its bytes are durable on return, its name after ``sync_folder``."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        _write_at(file, data, 0)
        os.fsync(file)
    finally:
        os.close(file)


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in place of the old one at once; durable on return."""
    fresh = path.with_name(f".{path.name}.new")
    write_file(fresh, data)
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_at(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def damaged(where: str) -> LiuheError:
    """The ledger's files contradict each other; what to do is the same everywhere."""
    return LiuheError(
        "ledger-damaged",
        Words("存证账本的文件已损坏", "the files of the ledger are damaged"),
        Words(
            "请执行 liuhe evidence verify 定位,并从备份恢复",
            "run liuhe evidence verify, restore from a backup",
        ),
        field=where,
    )
