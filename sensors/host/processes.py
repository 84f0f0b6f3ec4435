"""Process source: every program started, with its command line and parent.

The proc connector tells of an exec at once; where it is missing /proc is polled, and a process that lives
shorter than one poll is not seen. A process that is gone before it could be read still gives an event with
its id and ``gov.process.unread``: nothing seen is kept silent.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from sensors.event import LogSource, Observation, Value
from sensors.host.cursor import Cursor
from sensors.host.executables import Digests, Executables, hashes
from sensors.host.observe import LINUX, gap, observe
from sensors.host.outbox import Outbox
from sensors.host.proc_connector import ExecConnector, Overrun, open_connector
from sensors.host.procfs import PROC, Process, parse_stat, pids, read_bounded, read_process, user_name

Emit = Callable[[Sequence[Observation]], None]

PROCESS_CREATION: Final = LogSource(product=LINUX, category="process_creation")
_PARENTS_MAX: Final = 4096  # remembered parents; an older one is read again from /proc
_ANCESTORS_MAX: Final = 8  # of the chain from the parent upwards
_WAIT_SECONDS: Final = 0.5  # so that stop is noticed
_SAVE_SECONDS: Final = 5.0  # the cursor is a help after restarts, not a promise: not one sync per exec


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The youngest process seen, so that a restarted sensor tells of those started meanwhile."""

    boot: str
    start_ticks: int


class ProcessSource:
    """Source ``processes``; ``poll_seconds`` counts only without the proc connector."""

    name = "processes"

    def __init__(
        self,
        cursor: Cursor,
        *,
        poll_seconds: float = 1.0,
        connect: Callable[[], ExecConnector] = open_connector,
        proc: Path = PROC,
        executables: Cursor | None = None,
    ) -> None:
        """``executables``: where digests of started programs are kept; None makes none."""
        self._cursor = cursor
        self._digests = executables
        self._executables: Executables | None = None
        self._poll_seconds = poll_seconds
        self._connect = connect
        self._proc = proc
        self._parents: OrderedDict[int, Process] = OrderedDict()
        self._boot = read_bounded(f"{proc}/sys/kernel/random/boot_id", 64).decode("ascii", "replace").strip()
        self._youngest = 0
        self._saved = -1
        self._save_due = 0.0
        self.reduced: Words | None = None  # why /proc is polled instead of the connector read

    def missing(self) -> Words | None:
        """Only /proc is needed; the connector is a better way, not a condition."""
        if (self._proc / "self" / "stat").exists():
            return None
        return Words("没有挂载 /proc", "/proc is not mounted")

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit process.start events until ``stop``."""
        try:
            connector = self._connect()
        except LiuheError as error:
            self.reduced = Words(f"{error.what.zh},改为轮询", f"{error.what.en}; polling")
            with self._digesting(emit):
                self._catch_up(emit)
                self._poll(emit, stop)
        else:
            self.reduced = None
            with self._digesting(emit):
                self._catch_up(emit)
                self._listen(connector, emit, stop)

    @contextmanager
    def _digesting(self, emit: Emit) -> Iterator[None]:
        if self._digests is None:
            yield
            return
        self._executables = Executables(self._digests, lambda seen: emit([seen]), self._proc)
        self._executables.start()
        try:
            yield
        finally:
            self._executables.stop()
            self._executables = None

    def _listen(self, connector: ExecConnector, emit: Emit, stop: threading.Event) -> None:
        try:
            with Outbox(self.name, emit) as outbox:
                while not stop.is_set():
                    try:
                        for pid in connector.wait(_WAIT_SECONDS):
                            outbox.put(self._observation(pid))
                    except Overrun:
                        outbox.put(gap(self.name, "kernel dropped process events: the sensor was too slow"))
                    outbox.check()
                    if outbox.idle():
                        self._save()
            if outbox.idle():
                self._save(now=True)
        finally:
            connector.close()

    def _poll(self, emit: Emit, stop: threading.Event) -> None:
        known = {pid: process for pid in pids(self._proc) if (process := read_process(pid, self._proc))}
        young: set[int] = set()
        while not stop.wait(self._poll_seconds):
            now = set(pids(self._proc))
            known = {pid: process for pid, process in known.items() if pid in now}
            fresh = now - known.keys()
            started = []
            # A child caught between fork and exec still shows its parent's program: look twice at the young.
            for pid in sorted(fresh | (young & now)):
                process = read_process(pid, self._proc)
                if process is None:
                    continue
                if process.executable and _image(process) != _image(known.get(pid)):
                    started.append(self._describe(process))
                known[pid] = process
            young = fresh
            if started:
                emit(started)
            self._save()
        self._save(now=True)

    def _catch_up(self, emit: Emit) -> None:
        """Tell of processes that started while the sensor was down, since the same boot."""
        last = self._cursor.load(Seen)
        found = []
        for pid in pids(self._proc):
            process = read_process(pid, self._proc)
            if process is None:
                continue
            self._remember(process)
            if last is None or last.boot != self._boot or process.executable == "":
                continue
            if process.start_ticks > last.start_ticks:
                found.append(self._describe(process, action="process-found"))
        if found:
            emit(found)

    def _observation(self, pid: int) -> Observation:
        process = read_process(pid, self._proc)
        if process is None:
            fields: dict[str, Value] = {
                "event.category": "process",
                "event.type": "start",
                "process.pid": pid,
                "gov.process.unread": True,
            }
            return observe("process.start", PROCESS_CREATION, fields, native={"ProcessId": pid})
        return self._describe(process)

    def _describe(self, process: Process, action: str = "exec") -> Observation:
        parent = self._parent(process)
        self._remember(process)
        digests = self._executables.digests(process.pid, process.executable) if self._executables else None
        return describe(process, parent, action, ancestors=self._ancestors(parent), digests=digests)

    def _ancestors(self, parent: Process | None) -> list[str]:
        """Programs from the parent upwards, as far as they are remembered."""
        found: list[str] = []
        one = parent
        while one is not None and len(found) < _ANCESTORS_MAX:
            found.append(one.executable or one.name)
            one = self._parents.get(one.parent) if one.parent != one.pid else None
        return found

    def _parent(self, process: Process) -> Process | None:
        """The parent, from memory where its start time proves that it is the same process."""
        remembered = self._parents.get(process.parent)
        stat = parse_stat(read_bounded(f"{self._proc}/{process.parent}/stat", 4096))
        if remembered is not None:
            if stat is not None and stat[2] == remembered.start_ticks:
                return remembered
            if stat is None and remembered.start_ticks <= process.start_ticks:
                return remembered
        return read_process(process.parent, self._proc) if stat is not None else None

    def _remember(self, process: Process) -> None:
        self._parents[process.pid] = process
        self._parents.move_to_end(process.pid)
        self._youngest = max(self._youngest, process.start_ticks)
        while len(self._parents) > _PARENTS_MAX:
            self._parents.popitem(last=False)

    def _save(self, *, now: bool = False) -> None:
        moment = time.monotonic()
        if self._youngest == self._saved or (moment < self._save_due and not now):
            return
        self._cursor.save(Seen(boot=self._boot, start_ticks=self._youngest))
        self._saved, self._save_due = self._youngest, moment + _SAVE_SECONDS


def _image(process: Process | None) -> tuple[str, tuple[str, ...]]:
    return (process.executable, process.arguments) if process is not None else ("", ())


def describe(
    process: Process,
    parent: Process | None,
    action: str = "exec",
    *,
    ancestors: Sequence[str] = (),
    digests: Digests | None = None,
) -> Observation:
    """The process.start event of a process and, where it could still be read, its parent."""
    user = user_name(process.user)
    unread = not process.executable and not process.arguments
    fields: dict[str, Value] = {
        "event.category": "process",
        "event.type": "start",
        "event.action": action,
        "process.pid": process.pid,
        "process.name": process.executable.rpartition("/")[2] or process.name,
        "process.executable": process.executable or None,
        "process.command_line": process.command_line or None,
        "process.args": list(process.arguments) or None,
        "process.working_directory": process.working_directory or None,
        "process.parent.pid": process.parent,
        "user.name": user or None,
        "user.id": str(process.user) if process.user >= 0 else None,
        "user.effective.id": str(process.effective_user) if process.effective_user != process.user else None,
        "gov.process.deleted": True if process.deleted else None,
        "gov.process.truncated": True if process.truncated else None,
        "gov.process.unread": True if unread else None,
    }
    native: dict[str, Value] = {
        "Image": process.executable or None,
        "CommandLine": process.command_line or None,
        "User": user or None,
        "CurrentDirectory": process.working_directory or None,
        "ProcessId": process.pid,
        "ParentProcessId": process.parent,
    }
    if parent is not None:
        fields["process.parent.name"] = parent.executable.rpartition("/")[2] or parent.name
        fields["process.parent.executable"] = parent.executable or None
        fields["process.parent.command_line"] = parent.command_line or None
        native["ParentImage"] = parent.executable or None
        native["ParentCommandLine"] = parent.command_line or None
        fields["gov.process.ancestors"] = [*ancestors] or None
    if digests is not None:
        fields["process.hash.sha256"] = digests.sha256
        fields["process.hash.sm3"] = digests.sm3
        native["Hashes"] = hashes(digests)
    return observe("process.start", PROCESS_CREATION, fields, native=native)
