"""Journal source: authentication entries of systemd-journald, read from a ``journalctl`` child.

The child prints one JSON object a line (journalctl -o json) for the facilities auth (4) and authpriv (10) and
resumes after the cursor of the last entry handed on.
"""

import os
import select
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from sensors.event import Observation
from sensors.host.auth_event import describe
from sensors.host.cursor import Cursor
from sensors.host.observe import gap

Emit = Callable[[Sequence[Observation]], None]

_SOCKET: Final = Path("/run/systemd/journal/socket")
_LINE_BYTES_MAX: Final = 256 * 1024
_WAIT_MS: Final = 500
_KEYS: Final = ("__CURSOR", "__REALTIME_TIMESTAMP", "SYSLOG_IDENTIFIER", "_PID", "MESSAGE", "_HOSTNAME")


class JournalPosition(msgspec.Struct, frozen=True, kw_only=True):
    """journald's own cursor of the last entry emitted."""

    cursor: str


class JournalSource:
    """Source ``journal``; ``command`` is the journalctl to run."""

    name = "journal"

    def __init__(
        self, cursor: Cursor, *, command: Sequence[str] = ("journalctl",), socket: Path = _SOCKET
    ) -> None:
        self._cursor = cursor
        self._command = tuple(command)
        self._socket = socket

    def missing(self) -> Words | None:
        """journalctl must be installed and a journal must run."""
        if shutil.which(self._command[0]) is None:
            return Words("没有 journalctl 命令", "journalctl is not installed")
        if not self._socket.exists():
            return Words("systemd-journald 未运行", "systemd-journald is not running")
        return None

    def pressing(self) -> bool:
        """journald keeps its entries; how long is its own setting."""
        return False

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit one event per entry until ``stop``."""
        last = self._cursor.load(JournalPosition)
        child = subprocess.Popen(
            [*self._command, *arguments(last.cursor if last else "")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._read(child, emit, stop)
        finally:
            child.terminate()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()

    def _read(self, child: subprocess.Popen[bytes], emit: Emit, stop: threading.Event) -> None:
        assert child.stdout is not None
        descriptor = child.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
        buffer = b""
        while not stop.is_set():
            if not poll.poll(_WAIT_MS):
                continue
            data = os.read(descriptor, _LINE_BYTES_MAX)
            if not data:
                raise _ended(child.wait())
            buffer += data
            whole, _, buffer = buffer.rpartition(b"\n")
            if len(buffer) > _LINE_BYTES_MAX:
                buffer = b""
                emit([gap(self.name, "journal entry too long", count=1)])
            if whole:
                self._take(whole.split(b"\n"), emit)

    def _take(self, lines: list[bytes], emit: Emit) -> None:
        cursor = ""
        seen: list[Observation] = []
        for line in lines:
            entry = parse_entry(line)
            if entry is None:
                seen.append(gap(self.name, "journal entry of unknown form", count=1))
                continue
            cursor = entry["__CURSOR"] or cursor
            seen.append(describe_entry(entry))
        emit(seen)
        if cursor:
            self._cursor.save(JournalPosition(cursor=cursor))


def arguments(after: str) -> list[str]:
    """journalctl's arguments; without a cursor only entries from now on."""
    start = [f"--after-cursor={after}"] if after else ["--lines=0"]
    return ["--output=json", "--follow", "--no-pager", *start, "SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"]


def parse_entry(line: bytes) -> dict[str, str] | None:
    """The fields we use of one JSON line; None where it is not an entry with a time."""
    try:
        raw = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        return None
    entry = {key: _text(raw.get(key)) for key in _KEYS}
    stamp = entry["__REALTIME_TIMESTAMP"]
    return entry if stamp.isascii() and stamp.isdecimal() and len(stamp) < 18 else None


def describe_entry(entry: dict[str, str]) -> Observation:
    """The event of a parsed entry."""
    time = datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1_000_000, UTC)
    pid = entry["_PID"]
    number = int(pid) if pid.isascii() and pid.isdecimal() and len(pid) <= 10 else 0
    return describe(entry["SYSLOG_IDENTIFIER"], number, entry["MESSAGE"], time, host=entry["_HOSTNAME"])


def _text(value: object) -> str:
    """journalctl gives text as a string, and as a list of bytes where it is not UTF-8."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, int) and 0 <= one < 256 for one in value):
        return bytes(value).decode("gb18030", "replace")
    return ""


def _ended(code: int) -> LiuheError:
    return LiuheError(
        "journal-ended",
        Words(f"journalctl 已退出({code})", f"journalctl ended ({code})"),
        Words("稍后自动重试", "it is started again shortly"),
    )
