"""Inventory source: every kind at start, its changes as they are found, and the whole again now and then.

A kind is read each interval, but where its files say that nothing changed it is not. The last table told is
kept on disk, so that what changed while the sensor was down is told as a change, not as a new beginning.
"""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec

from crypto.words import Words
from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.inventory.event import describe_changes, describe_error, describe_table
from sensors.host.inventory.kind import Kind, Row, Table, changes, read_table
from sensors.host.probe import HostFiles

Emit = Callable[[Sequence[Observation]], None]

RESEND_SECONDS: Final = 6 * 3600.0  # the whole table is told again after this, changed or not
_WAKE_SECONDS: Final = 0.5
_STAMPED_MAX: Final = 20_000  # names looked at in watched folders


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The table last told of a kind, and for which columns."""

    columns: list[str]
    rows: list[list[str]]


class Wake(Protocol):
    """Something that knows sooner than the next interval that a kind changed."""

    def changed(self, seconds: float) -> frozenset[str]:
        """Kinds to read now; waits at most ``seconds``."""
        ...

    def close(self) -> None:
        """Stop knowing."""
        ...


class _State:
    """What the source remembers of a kind between two looks: stamps and a digest, not the rows."""

    def __init__(self) -> None:
        self.stamp: object = None
        self.digest = ""
        self.error = ""
        self.due = 0.0  # when to tell it whole again


class InventorySource:
    """Source ``inventory``."""

    name = "inventory"

    def __init__(
        self,
        kinds: Sequence[Kind],
        cursors: Path,
        *,
        interval_seconds: float = 60.0,
        root: Path = Path("/"),
        wake: Callable[[], Wake | None] = lambda: None,
    ) -> None:
        self._kinds = tuple(kinds)
        self._cursors = cursors
        self._interval_seconds = interval_seconds
        self._files = HostFiles(root)
        self._open_wake = wake
        self._states = {kind.name: _State() for kind in self._kinds}

    def missing(self) -> Words | None:
        """Nothing: a kind that cannot be read says so in its own event."""
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit tables and changes until ``stop``."""
        wake = self._open_wake()
        try:
            while not stop.is_set():
                self._look(self._kinds, emit, stop)
                self._wait(wake, emit, stop)
        finally:
            if wake is not None:
                wake.close()

    def _wait(self, wake: Wake | None, emit: Emit, stop: threading.Event) -> None:
        """Until the next interval; kinds that are said to have changed are read at once."""
        if wake is None:
            stop.wait(self._interval_seconds)
            return
        until = time.monotonic() + self._interval_seconds
        while not stop.is_set() and time.monotonic() < until:
            named = wake.changed(_WAKE_SECONDS)
            if named:
                stop.wait(_WAKE_SECONDS)  # a device is not ready when the kernel first speaks of it
                self._look([kind for kind in self._kinds if kind.name in named], emit, stop)

    def _look(self, kinds: Sequence[Kind], emit: Emit, stop: threading.Event) -> None:
        for kind in kinds:
            if stop.is_set():
                return
            state = self._states[kind.name]
            stamp = stamp_of(kind, self._files)
            now = time.monotonic()
            if stamp is not None and stamp == state.stamp and now < state.due:
                continue
            try:
                table = read_table(kind, self._files)
            except (OSError, ValueError, LookupError) as error:
                self._failed(kind, state, error, now, emit)
                continue
            self._tell(kind, state, table, now, emit)
            state.stamp = stamp

    def _failed(self, kind: Kind, state: _State, error: Exception, now: float, emit: Emit) -> None:
        text = f"{type(error).__name__}: {error}"
        if text != state.error or now >= state.due:
            emit([describe_error(kind, error)])
            state.error, state.due = text, now + RESEND_SECONDS
            state.digest, state.stamp = "", None

    def _tell(self, kind: Kind, state: _State, table: Table, now: float, emit: Emit) -> None:
        digest = table.digest()
        if digest == state.digest and now < state.due:
            return
        cursor = Cursor(self._cursors, f"inventory-{kind.name}")
        last = _told(cursor, kind) if kind.diffed and digest != state.digest else None
        found = [] if last is None else changes(last, table.rows, kind.keys)
        while_down = state.due == 0.0
        emit([*describe_changes(kind, found, while_down=while_down), *describe_table(kind, table)])
        if kind.diffed and (last is None or found):
            cursor.save(Told(columns=list(kind.columns), rows=[list(row) for row in table.rows]))
        state.digest, state.error, state.due = digest, "", now + RESEND_SECONDS


def _told(cursor: Cursor, kind: Kind) -> list[Row] | None:
    """The rows last told; None where there are none, or none that compare with today's columns."""
    last = cursor.load(Told)
    if last is None or tuple(last.columns) != kind.columns:
        return None
    return [tuple(row) for row in last.rows]


def stamp_of(kind: Kind, files: HostFiles) -> object:
    """What the kind's watched files look like from outside; None where it must be read to know."""
    if not kind.watch:
        return None
    found: list[tuple[str, int, int, int]] = []
    for name in kind.watch:
        for path in _stamped(files.path(name)):
            try:
                seen = path.stat()
            except OSError:
                continue
            found.append((str(path), seen.st_mtime_ns, seen.st_size, seen.st_ino))
    return tuple(found)


def _stamped(path: Path) -> list[Path]:
    """The path and what lies directly in it: a file changed in place leaves its folder's stamp alone."""
    try:
        return [path, *sorted(path.iterdir())[:_STAMPED_MAX]] if path.is_dir() else [path]
    except OSError:
        return [path]
