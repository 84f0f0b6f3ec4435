"""Keeps the center's processes alive: starts them in order, restarts what dies, stops them in reverse.

Children meet only in durable things (event log, state database), so any of them may be killed at any time.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from crypto.words import LiuheError, Words

STOP_SECONDS_MAX: Final = 10.0  # grace before SIGKILL; every process flushes within 3 s
BACKOFF_SECONDS_MIN: Final = 0.5
BACKOFF_SECONDS_MAX: Final = 30.0
HEALTHY_SECONDS: Final = 20.0  # a child that lived this long starts again with the shortest wait
LOG_BYTES_MAX: Final = 16 * 1024 * 1024  # a child's log is rotated once past this, at its start
# Anomaly scores are products of small matrices: more threads of a library would only wait for each other.
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process to keep alive; ``ready`` answers whether it serves, ``stop_signal`` asks it to end."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(kw_only=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    backoff: float = BACKOFF_SECONDS_MIN
    restart_at: float = 0.0
    restarts: int = field(default=0)


class Supervisor:
    """Runs children until told to stop; one per data folder."""

    def __init__(self, logs: Path, *, say: Callable[[Words], None]) -> None:
        self._logs = logs
        self._say = say
        self._running: list[_Running] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, child: Child, *, seconds_max: float = 60.0) -> None:
        """Start a child and wait until it is ready. Raises LiuheError with the last line it said."""
        running = _Running(child=child, process=self._spawn(child), started=time.monotonic())
        self._running.append(running)
        deadline = time.monotonic() + seconds_max
        while not child.ready():
            code = running.process.poll()
            if code is not None or time.monotonic() > deadline:
                raise self._failed(child, code)
            time.sleep(0.1)

    def watch(self, stop: threading.Event, *, tick_seconds: float = 0.5) -> None:
        """Restart children that die, with growing waits, until ``stop`` is set."""
        while not stop.wait(tick_seconds):
            self.tend()

    def tend(self) -> None:
        """One look at every child. By the thread that started them: their lives hang on it (see leash)."""
        for running in self._running:
            self._tend(running)

    def _tend(self, running: _Running) -> None:
        now = time.monotonic()
        if running.process.poll() is None:
            return
        if not running.restart_at:
            if now - running.started > HEALTHY_SECONDS:
                running.backoff = BACKOFF_SECONDS_MIN
            running.restart_at = now + running.backoff
            name, code, wait = running.child.name, running.process.returncode, running.backoff
            self._say(
                Words(
                    f"进程 {name} 已退出(代码 {code}),{wait:.1f} 秒后重启",
                    f"process {name} ended (code {code}), restarting in {wait:.1f} s",
                )
            )
        elif now >= running.restart_at:
            running.backoff = min(running.backoff * 2, BACKOFF_SECONDS_MAX)
            running.restart_at, running.started = 0.0, now
            running.restarts += 1
            running.process = self._spawn(running.child)

    def stop(self) -> None:
        """Stop all children, last started first."""
        for running in reversed(self._running):
            _stop(running.process, running.child.stop_signal)
        self._running.clear()

    def _spawn(self, child: Child) -> subprocess.Popen[bytes]:
        with self._log_of(child) as log:
            return subprocess.Popen(
                [sys.executable, "-m", "soc_api.leash", str(os.getpid()), *child.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**_ONE_THREAD, **os.environ},
                # A Ctrl-C at the terminal reaches only the supervisor, which stops the rest in order.
                start_new_session=True,
            )

    def _log_of(self, child: Child) -> IO[bytes]:
        path = self._logs / f"{child.name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def _failed(self, child: Child, code: int | None) -> LiuheError:
        path = self._logs / f"{child.name}.log"
        lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
        last = lines[-1][:400] if lines else ""
        return LiuheError(
            "process-failed",
            Words(
                f"进程 {child.name} 未能就绪(代码 {code}):{last}",
                f"{child.name} did not start ({code}): {last}",
            ),
            Words("请查看日志并按其提示处理", "read the log and do what it says"),
            field=str(path),
        )


def _stop(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def only_one(run: Path) -> Iterator[None]:
    """Hold the data folder's lock and write our pid; a second center there is refused in one line."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / "center.pid"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise already_running(path) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
        file.truncate(0)


def already_running(path: Path) -> LiuheError:
    """What a second center in the same data folder is told."""
    return LiuheError(
        "center-running",
        Words("此数据目录的监管中心已在运行", "the center of this data folder is already running"),
        Words("如需停止:liuhe center stop", "to stop it: liuhe center stop"),
        field=str(path),
    )


def running_pid(run: Path) -> int | None:
    """The pid of a data folder's running center, else None (the lock decides, not the file)."""
    path = run / "center.pid"
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read().strip() or 0) or None
    except FileNotFoundError:
        return None
    return None
