"""fanotify(7) by ctypes: who wrote a file, told by the kernel as the file is closed.

struct fanotify_event_metadata: length u32, version u8, reserved u8, header u16, mask u64, descriptor i32, pid
i32. Needs CAP_SYS_ADMIN; without it changes are told without their author. Writers are remembered by device
and inode, because editors write a new file and rename it over the old one.
"""

import ctypes
import os
import select
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sensors.host.procfs import Process, read_process

_CLOSE_WRITE: Final = 0x00000008
_ON_CHILD: Final = 0x08000000
_CLASS_NOTIFY: Final = 0x00000000
_CLOEXEC: Final = 0x00000001
_NONBLOCK: Final = 0x00000002
_MARK_ADD: Final = 0x00000001
_MARK_ONLY_FOLDER: Final = 0x00000008
_AT_FDCWD: Final = -100
_VERSION: Final = 3
_EVENT: Final = struct.Struct("=IBBHQii")
_READ_BYTES: Final = 64 * 1024
_WRITERS_MAX: Final = 1_024
_WAIT_MS: Final = 500
RECENT_SECONDS: Final = 10.0  # an older writer did not make the change that is told now


class Writers:
    """Who wrote which file last; read in a thread of its own, for the writer may live a millisecond."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._written: OrderedDict[tuple[int, int], tuple[Process, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="file-writers", daemon=True)
        self._thread.start()

    def who(self, device: int, inode: int) -> Process | None:
        """The process that closed the file after writing a moment ago; None where the kernel told none."""
        with self._lock:
            process, when = self._written.get((device, inode), (None, 0.0))
        return process if time.monotonic() - when <= RECENT_SECONDS else None

    def close(self) -> None:
        """Stop listening."""
        self._ending.set()
        self._thread.join(2.0)
        os.close(self._descriptor)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        while not self._ending.is_set():
            if not poll.poll(_WAIT_MS):
                continue
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except OSError:
                continue
            for descriptor, pid in parse_events(data):
                self._note(descriptor, pid)

    def _note(self, descriptor: int, pid: int) -> None:
        process = read_process(pid) if pid != os.getpid() else None
        if descriptor < 0:
            return
        try:
            found = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if process is None:
            return
        with self._lock:
            self._written[found.st_dev, found.st_ino] = process, time.monotonic()
            self._written.move_to_end((found.st_dev, found.st_ino))
            while len(self._written) > _WRITERS_MAX:
                self._written.popitem(last=False)


def parse_events(data: bytes) -> list[tuple[int, int]]:
    """(descriptor, pid) of each event of one read; the descriptors are the reader's to close."""
    found: list[tuple[int, int]] = []
    at = 0
    while at + _EVENT.size <= len(data):
        length, version, _, _, _, descriptor, pid = _EVENT.unpack_from(data, at)
        if version != _VERSION or length < _EVENT.size:
            break
        found.append((descriptor, pid))
        at += length
    return found


def open_writers(folders: Iterable[Path]) -> Writers | None:
    """Listen to what lies in these folders; None where the kernel does not grant it."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "fanotify_init"):
        return None
    flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_LARGEFILE", 0)
    descriptor = library.fanotify_init(_CLASS_NOTIFY | _CLOEXEC | _NONBLOCK, flags)
    if descriptor < 0:
        return None
    mark = library.fanotify_mark
    mark.argtypes = (ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p)
    marked = [
        mark(
            descriptor,
            _MARK_ADD | _MARK_ONLY_FOLDER,
            _CLOSE_WRITE | _ON_CHILD,
            _AT_FDCWD,
            os.fsencode(folder),
        )
        for folder in folders
    ]
    if 0 not in marked:
        os.close(descriptor)
        return None
    return Writers(descriptor)
