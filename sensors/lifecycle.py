"""What happens to the sensor itself, as events: started, stopped, killed, clock set, own files changed.

``run/running.json`` stands while the sensor runs: who finds it at the next start knows that the last run was
not ended but killed, or lost its machine. ``run/own_files.json`` holds the SM3 of every file of the program
and of its configuration as last seen, so that a change is seen whether the sensor ran or not.
"""

import os
import socket
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from crypto import sm3
from sensors.event import LogSource, Observation, Value
from sensors.segment_checkpoint import write_durably

DATASET: Final = "liuhe.lifecycle"
CLOCK_STEP_SECONDS: Final = 5.0  # more than this between two looks is no drift but a clock that was set
OWN_FILES_MAX: Final = 20_000
NAMED_FILES_MAX: Final = 20  # in one event; the rest is counted
_LOGSOURCE: Final = LogSource(product="liuhe", service="lifecycle")
_RUNNING: Final = "running.json"
_OWN: Final = "own_files.json"
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")

Action = Literal[
    "started",
    "stopped",
    "killed",
    "power-lost",
    "clock-set",
    "own-file-changed",
    "limit-exceeded",
    "configuration-applied",
    "configuration-refused",
    "certificate-renewed",
]


class _Running(msgspec.Struct, frozen=True, kw_only=True):
    """What a run leaves while it lasts."""

    pid: int
    boot: str
    started: datetime
    alive: datetime
    version: str


def lifecycle_event(action: Action, time: datetime, fields: dict[str, Value] | None = None) -> Observation:
    """The event of an action; ``fields`` have names below ``gov.lifecycle.``."""
    said: dict[str, Value] = {
        "event.dataset": DATASET,
        "event.kind": "event",
        "event.action": action,
        "host.name": socket.gethostname(),
    }
    said |= {f"gov.lifecycle.{name}": value for name, value in (fields or {}).items()}
    return Observation(time=time, logsource=_LOGSOURCE, fields=said, lane="alerts")


class Life:
    """The marker of one run; ``begin``, ``alive`` now and then, ``end``."""

    def __init__(self, folder: Path, version: str, *, boot: str | None = None) -> None:
        self._path: Final = folder / _RUNNING
        self._boot: Final = boot if boot is not None else boot_id()
        self._version: Final = version
        self._started = datetime.now(UTC)

    def begin(self, now: datetime) -> list[Observation]:
        """Leave the marker; ``started``, and before it what became of the run before."""
        before = self._read()
        self._started = now
        self.alive(now)
        found: list[Observation] = []
        if before is not None:
            action: Action = "killed" if before.boot == self._boot else "power-lost"
            fields: dict[str, Value] = {
                "pid": before.pid,
                "previous_start": before.started.isoformat(),
                "last_alive": before.alive.isoformat(),
                "version": before.version,
            }
            found.append(lifecycle_event(action, now, fields))
        said: dict[str, Value] = {"version": self._version, "pid": os.getpid(), "clean": before is None}
        return [*found, lifecycle_event("started", now, said)]

    def alive(self, now: datetime) -> None:
        """Say that the run goes on; not synced, a crash of the machine may lose the last of these."""
        mark = _Running(
            pid=os.getpid(), boot=self._boot, started=self._started, alive=now, version=self._version
        )
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(self._path, msgspec.json.encode(mark), sync=False)

    def ending(self, now: datetime, reason: str) -> Observation:
        """The event of an orderly end, to be spooled before ``end``."""
        return lifecycle_event("stopped", now, {"reason": reason, "pid": os.getpid()})

    def end(self) -> None:
        """The run was ended, not killed."""
        self._path.unlink(missing_ok=True)

    def _read(self) -> _Running | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Running)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError):
            unknown = datetime.fromtimestamp(0, UTC)
            return _Running(pid=0, boot=self._boot, started=unknown, alive=unknown, version="?")


class Clock:
    """Notices that somebody set the clock: wall and monotonic time drift apart by a step."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall: Final = wall
        self._steady: Final = steady
        self._offset = wall() - steady()

    def look(self, now: datetime) -> Observation | None:
        """The event of a step since the last look."""
        offset = self._wall() - self._steady()
        step, self._offset = offset - self._offset, offset
        if abs(step) < CLOCK_STEP_SECONDS:
            return None
        return lifecycle_event("clock-set", now, {"step_seconds": round(step, 3)})


class OwnFiles:
    """Looks whether the program's files and the sensor's configuration are as they were."""

    def __init__(self, folder: Path, roots: Iterable[Path], version: str) -> None:
        self._path: Final = folder / _OWN
        self._roots: Final = tuple(roots)
        self._version: Final = version

    def look(self, now: datetime) -> Observation | None:
        """The event of a change since the last look, which may have been before the last start.

        Another version of the program has other files: that is told by ``started``, not here.
        """
        seen = {str(path): _digest(path) for path in self._files()}
        known = self._known()
        if known == (self._version, seen):
            return None
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_durably(self._path, msgspec.json.encode((self._version, seen)))
        if known is None or known[0] != self._version:
            return None
        changed = sorted(
            path for path in known[1].keys() | seen.keys() if known[1].get(path) != seen.get(path)
        )
        named: list[str | int | float | bool | None] = list(changed[:NAMED_FILES_MAX])
        return lifecycle_event("own-file-changed", now, {"files": named, "count": len(changed)})

    def accept(self) -> None:
        """What the sensor itself has just written is as it should be."""
        known = self._known()
        if known is not None:
            seen = {str(path): _digest(path) for path in self._files()}
            write_durably(self._path, msgspec.json.encode((self._version, seen)))

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for root in self._roots:
            if root.is_file():
                found.append(root)
            elif root.is_dir():
                found += sorted(
                    path for path in root.rglob("*.py") if path.is_file() and not path.is_symlink()
                )
        return found[:OWN_FILES_MAX]

    def _known(self) -> tuple[str, dict[str, str]] | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=tuple[str, dict[str, str]])
        except (OSError, msgspec.MsgspecError):
            return None


def running_pid(folder: Path) -> int | None:
    """The process of the sensor that runs with this run folder; None where none does."""
    try:
        pid = msgspec.json.decode((folder / _RUNNING).read_bytes(), type=_Running).pid
        os.kill(pid, 0)
    except PermissionError:
        return pid
    except (OSError, msgspec.MsgspecError):
        return None
    return pid if pid > 0 else None


def own_roots(data: Path) -> list[Path]:
    """What the sensor watches of itself: the packages it runs on, its settings and the root it pinned."""
    program = Path(__file__).resolve().parents[1]
    packages = [program / name for name in ("crypto", "sensors")]
    roots = sorted((data / "keys" / "trust" / "roots").glob("*.pem"))
    return [*packages, program / "soc_api" / "cli.py", data / "sensor.toml", *roots]


def boot_id() -> str:
    """Of the machine's present boot; '' where the kernel does not say."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""


def _digest(path: Path) -> str:
    try:
        return sm3.sm3_hex(path.read_bytes())
    except OSError:
        return ""
