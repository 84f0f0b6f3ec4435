"""Partial packages on disk while they come in over the network: the bytes, and which of them are there.

Chunks are verified before they are written. The list of those that are there is written only after they are
durable, so that a crash costs at most twice ``SYNC_CHUNKS`` chunks and never lets a hole pass for content.
The disk makes one group durable while the next is verified and written.
"""

import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from crypto.keys import make_private_folder, replace_durably
from crypto.package_chunks import ChunkMap
from crypto.package_envelope import Header
from crypto.transfer.resume import Resuming
from crypto.words import LiuheError, Refused, Words
from soc_api.transfer_ferry import sync_folder
from soc_api.transfer_messages import HEADER_BYTES_MAX

SYNC_CHUNKS: Final = 8
PARTIALS_MAX: Final = 16
STAGED_DAYS: Final = 7
ROOM_FACTOR: Final = 2  # the package, and its files in quarantine
_PACKAGE, _PROGRESS, _HEADER = "package", "progress", "header"


class Partial:
    """One package that is being received. Blocking calls."""

    def __init__(self, folder: Path, header: Header) -> None:
        """Open what is there, or begin."""
        self._folder: Final = folder
        self.header: Final = header
        self.path: Final = folder / _PACKAGE
        self._unsynced = 0
        # A chunk may still be written while the connection that brought it is being closed.
        self._lock: Final = threading.Lock()
        self._open = self._sound = True
        self._disk: Final = ThreadPoolExecutor(1, "transfer-sync")
        self._syncing: Future[None] | None = None
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            self.resuming: Final = self._resumed()
        except BaseException:
            os.close(self._descriptor)
            raise

    def take(self, index: int, sealed: bytes) -> None:
        """Verify a chunk and write it to its place. Raises Refused, LiuheError (transfer-no-room)."""
        with self._lock:
            store = self.resuming.take(index, sealed) if self._open else None
            if store is None:
                return
            self._sound = False  # until it is written: the list already has it
            self._write(store.sealed, store.place)
            self._sound = True
            self._unsynced += 1
            if self._unsynced >= SYNC_CHUNKS:
                self._synced()  # one group at a time: a slow disk slows the sender
                self._unsynced = 0
                self._syncing = self._disk.submit(self._sync, self.resuming.encode())

    def close(self) -> None:
        """Keep it, durable, for another time or for the import."""
        with self._lock:
            if self._open:
                self._open = False
                try:
                    self._synced()
                    if self._unsynced and self._sound:
                        self._sync(self.resuming.encode())
                finally:
                    self._disk.shutdown()
                    os.close(self._descriptor)

    def _synced(self) -> None:
        """Wait for the group on its way to the disk. Raises LiuheError where that failed."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            syncing.result()

    def _sync(self, progress: bytes) -> None:
        """Make durable what came, then say so: ``progress`` lists nothing that was written later."""
        try:
            os.fdatasync(self._descriptor)
            replace_durably(self._folder / _PROGRESS, progress, 0o600)
        except OSError as error:
            raise no_room(error.strerror or "") from error

    def _resumed(self) -> Resuming:
        try:
            kept = (self._folder / _PROGRESS).read_bytes()
            resuming = Resuming(self.header, kept)
            # Whoever took the file away, or cut it, took the chunks: what is listed must be there.
            if self._needed(resuming) <= os.fstat(self._descriptor).st_size <= self.header.package_bytes:
                return resuming
        except (FileNotFoundError, Refused):
            pass  # nothing durable: the chunks come again
        os.ftruncate(self._descriptor, 0)
        self._write((self._folder / _HEADER).read_bytes(), 0)
        self._unsynced = 1  # the header must be durable too
        return Resuming(self.header)

    def _needed(self, resuming: Resuming) -> int:
        """Where the last of the chunks listed ends."""
        there = ChunkMap(self.header.chunks, resuming.bits)
        last = next((index for index in reversed(range(there.count)) if index in there), -1)
        place, size = self.header.chunk_place(last) if last >= 0 else (self.header.header_bytes, 0)
        return place + size

    def _write(self, data: bytes, place: int) -> None:
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._descriptor, view, place)
                view, place = view[written:], place + written
        except OSError as error:
            raise no_room(error.strerror or "") from error


class Staging:
    """The folder of partial packages, each under the beginning of its SM3."""

    def __init__(self, folder: Path, free_bytes: Callable[[Path], int] | None = None) -> None:
        self._folder: Final = folder
        self._free_bytes: Final = free_bytes or (lambda path: shutil.disk_usage(path).free)
        make_private_folder(folder)

    def header(self, package_sm3: str) -> bytes | None:
        """The header kept of a package."""
        try:
            with (self._place(package_sm3) / _HEADER).open("rb") as file:
                return file.read(HEADER_BYTES_MAX + 1)
        except FileNotFoundError:
            return None

    def open(self, data: bytes, header: Header) -> Partial:
        """The partial package with this verified header. Raises LiuheError (transfer-no-room)."""
        place = self._place(header.header_sm3)
        if not (place / _HEADER).exists():
            if len(list(self._folder.iterdir())) >= PARTIALS_MAX:
                raise no_room(f"{PARTIALS_MAX} partial packages")
            if self._free_bytes(self._folder) < ROOM_FACTOR * header.package_bytes:
                raise no_room(f"{header.package_bytes} bytes")
            make_private_folder(place)
            replace_durably(place / _HEADER, data, 0o600)
            sync_folder(self._folder)
        return Partial(place, header)

    def drop(self, package_sm3: str) -> None:
        """Remove a partial package; no harm where there is none."""
        shutil.rmtree(self._place(package_sm3), ignore_errors=True)

    def expire(self, now: datetime) -> int:
        """Remove what nobody went on with for ``STAGED_DAYS``; how many."""
        oldest = (now - timedelta(days=STAGED_DAYS)).timestamp()
        stale = [place for place in self._folder.iterdir() if place.stat().st_mtime < oldest]
        for place in stale:
            shutil.rmtree(place, ignore_errors=True)
        return len(stale)

    def _place(self, package_sm3: str) -> Path:
        return self._folder / package_sm3[:32]


def no_room(reason: str) -> LiuheError:
    """What is said where a package cannot be kept now."""
    return LiuheError(
        "transfer-no-room",
        Words(f"接收端暂无空间:{reason}", f"the receiver has no room now: {reason}"),
        Words("请清理磁盘或等待先前的传输完成", "free disk space, or let earlier transfers end"),
        field="package",
    )
