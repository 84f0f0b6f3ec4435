"""Digests of executables: each file is digested once, the first time it is started, away from the hot path.

An ``executable.seen`` event tells of a file that was never started before on this host, or was changed since;
later starts carry its digests. A file is known by device, inode, size and time of change, and is opened
through /proc/PID/exe where the process still lives, so that one in a container is the right one.
"""

import contextlib
import os
import stat
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from crypto.words import LiuheError
from sensors.event import LogSource, Observation, Value
from sensors.host.cursor import Cursor
from sensors.host.file_state import HASHED_BYTES_MAX, digest_file, group_name
from sensors.host.observe import LINUX, observe
from sensors.host.procfs import PROC, user_name

KNOWN_MAX: Final = 4_096
WAITING_MAX: Final = 256  # files that wait for their digests; one more is digested at its next start
_SAVE_SECONDS: Final = 60.0
_SHARE: Final = 9  # of the time a digest took, how long to rest: at most a tenth of a core
_REST_SECONDS_MAX: Final = 1.0
EXECUTABLE: Final = LogSource(product=LINUX, category="file_executable_detected")

Place = tuple[int, int, int, int]  # device, inode, size, time of change in ns


class Digests(msgspec.Struct, frozen=True, array_like=True):
    """SHA-256 and SM3 of a file."""

    sha256: str
    sm3: str


class KnownExecutables(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept on disk, so that a restart tells nothing anew."""

    files: list[tuple[Place, Digests]]


class _Waiting(NamedTuple):
    place: Place
    pid: int
    path: str


class Executables:
    """``digests`` answers at once: what is known, or None and a place in the queue; one thread asks."""

    def __init__(self, cursor: Cursor, tell: Callable[[Observation], None], proc: Path = PROC) -> None:
        self._cursor = cursor
        self._tell = tell
        self._proc = proc
        self._known: OrderedDict[Place, Digests] = OrderedDict()
        self._waiting: deque[_Waiting] = deque()
        self._queued: set[Place] = set()
        self._changed = threading.Condition()
        self._ending = False
        self._unsaved = False
        self._thread = threading.Thread(target=self._run, name="executables", daemon=True)

    def start(self) -> None:
        """Recall what was known and begin."""
        kept = self._cursor.load(KnownExecutables)
        for place, digests in kept.files[:KNOWN_MAX] if kept else ():
            self._known[place] = digests
        self._thread.start()

    def stop(self) -> None:
        """End; what waits is digested at its next start."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(1.0)
        self._save()

    def digests(self, pid: int, path: str) -> Digests | None:
        """The digests of the program a process runs, where they are known."""
        try:
            found = os.stat(f"{self._proc}/{pid}/exe")  # noqa: PTH116 (hot path)
        except OSError:
            try:
                found = os.stat(path)  # noqa: PTH116
            except OSError:
                return None
        if not stat.S_ISREG(found.st_mode):
            return None
        place = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
        known = self._known.get(place)
        if known is None and found.st_size <= HASHED_BYTES_MAX:
            with self._changed:
                if place not in self._queued and len(self._waiting) < WAITING_MAX:
                    self._queued.add(place)
                    self._waiting.append(_Waiting(place, pid, path))
                    self._changed.notify()
        return known

    def _run(self) -> None:
        saved = time.monotonic()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending, _SAVE_SECONDS)
                if self._ending:
                    return
                one = self._waiting.popleft() if self._waiting else None
            if one is not None:
                start = time.perf_counter()
                self._digest(one)
                rest = min((time.perf_counter() - start) * _SHARE, _REST_SECONDS_MAX)
                time.sleep(rest)
            if self._unsaved and time.monotonic() - saved >= _SAVE_SECONDS:
                self._save()
                saved = time.monotonic()

    def _digest(self, one: _Waiting) -> None:
        for name in (f"{self._proc}/{one.pid}/exe", one.path):
            try:
                found = os.stat(name)  # noqa: PTH116
            except OSError:
                continue
            if (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) != one.place:
                continue  # the process is another one by now, or the file was replaced
            sha256, sm3 = digest_file(Path(name), follow=True)
            if sha256:
                self._keep(one.place, Digests(sha256, sm3))
                with contextlib.suppress(LiuheError):  # the spool closes: the digests are kept all the same
                    self._tell(describe(one.path, found, Digests(sha256, sm3)))
                return
        with self._changed:
            self._queued.discard(one.place)  # the next start asks again

    def _keep(self, place: Place, digests: Digests) -> None:
        with self._changed:
            self._queued.discard(place)
            self._known[place] = digests
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
            self._unsaved = True

    def _save(self) -> None:
        if not self._unsaved:
            return
        with self._changed:
            files = list(self._known.items())
            self._unsaved = False
        try:
            self._cursor.save(KnownExecutables(files=files))
        except OSError:
            self._unsaved = True  # a full disk ends nothing: it is tried again


def describe(path: str, found: os.stat_result, digests: Digests) -> Observation:
    """The executable.seen event of a file."""
    fields: dict[str, Value] = {
        "event.category": "file",
        "event.type": "info",
        "event.action": "executable-first-seen",
        "file.path": path,
        "file.name": path.rpartition("/")[2],
        "file.size": found.st_size,
        "file.mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "file.owner": user_name(found.st_uid),
        "file.group": group_name(found.st_gid),
        "file.hash.sha256": digests.sha256,
        "file.hash.sm3": digests.sm3,
    }
    native: dict[str, Value] = {"TargetFilename": path, "Hashes": hashes(digests)}
    return observe("executable.seen", EXECUTABLE, fields, native=native)


def hashes(digests: Digests) -> str:
    """Both digests as Sysmon writes them."""
    return f"SHA256={digests.sha256.upper()},SM3={digests.sm3.upper()}"
