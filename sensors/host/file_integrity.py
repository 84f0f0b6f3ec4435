"""File integrity source: every real change of watched files, also of those made while the sensor was down.

inotify says that something happened; what happened is found by comparing the file with its last known state,
so that a burst of writes by one editor is one event, and a write that changes nothing is none. The state is
kept on disk and compared at start.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import LiuheError, Words
from sensors.event import LogSource, Observation, Value
from sensors.host.cursor import Cursor
from sensors.host.fanotify import Writers, open_writers
from sensors.host.file_state import FileState, group_name, read_state
from sensors.host.inotify import OVERFLOW, Inotify
from sensors.host.observe import LINUX, decoded, gap, observe
from sensors.host.procfs import user_name
from sensors.host.watch_tree import WatchTree, below, ignored

Emit = Callable[[Sequence[Observation]], None]

FILE_EVENT: Final = LogSource(product=LINUX, category="file_event")
_QUIET_SECONDS: Final = 0.3  # after the last event of a path before it is compared
_LATEST_SECONDS: Final = 2.0  # a path written to without pause is compared all the same
_WAIT_SECONDS: Final = 0.5


class KnownFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The last known state of every watched path, and the chosen paths it was made for."""

    chosen: list[str]
    files: dict[str, FileState]


class FileIntegritySource:
    """Source ``file-integrity``."""

    name = "file-integrity"

    def __init__(self, chosen: Iterable[Path], cursor: Cursor) -> None:
        self._chosen = tuple(sorted(set(chosen)))
        self._cursor = cursor
        self._files: dict[str, FileState] = {}
        self._due: dict[Path, tuple[float, float]] = {}  # path -> (quiet until, latest)
        self._writers: Writers | None = None

    def missing(self) -> Words | None:
        """inotify must be there and paths must be chosen."""
        if not self._chosen:
            return Words("没有配置监控路径(watch_paths)", "no paths are configured (watch_paths)")
        try:
            Inotify().close()
        except LiuheError as error:
            return error.what
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit file.change events until ``stop``."""
        inotify = Inotify()
        try:
            tree = WatchTree(self._chosen, inotify)
            tree.open()  # before the comparison: a change in between is then seen twice, not never
            self._writers = open_writers(tree.folders)
            self._start(tree, emit)
            while not stop.is_set():
                self._collect(inotify, tree, emit)
                self._compare_due(emit)
        finally:
            inotify.close()
            if self._writers is not None:
                self._writers.close()
                self._writers = None

    def _start(self, tree: WatchTree, emit: Emit) -> None:
        last = self._cursor.load(KnownFiles)
        now = tree.paths()
        if last is None:
            self._files = {str(path): state for path in now if (state := read_state(path))}
            self._save()
            return
        self._files = dict(last.files)
        chosen_before = {Path(one) for one in last.chosen}
        for path in now:
            if str(path) not in self._files and not _covered(path, chosen_before):
                state = read_state(path)  # newly chosen: its present state is the baseline
                if state is not None:
                    self._files[str(path)] = state
        dropped = [one for one in self._files if not _covered(Path(one), set(self._chosen))]
        for one in dropped:
            del self._files[one]
        self._compare(now | {Path(one) for one in self._files}, emit, while_down=True)
        self._save()

    def _collect(self, inotify: Inotify, tree: WatchTree, emit: Emit) -> None:
        moment = time.monotonic()
        wait = _WAIT_SECONDS
        if self._due:
            wait = max(0.01, min(min(pair) for pair in self._due.values()) - moment)
        changes = inotify.wait(min(wait, _WAIT_SECONDS))
        moment = time.monotonic()
        for change in changes:
            if change.mask & OVERFLOW:
                emit([gap(self.name, "inotify queue overflow; every watched file was compared again")])
                tree.open()
                for path in tree.paths() | {Path(one) for one in self._files}:
                    self._due[path] = (moment, moment)
                continue
            found = tree.path_of(change)
            if found is not None:
                latest = self._due[found][1] if found in self._due else moment + _LATEST_SECONDS
                self._due[found] = (moment + _QUIET_SECONDS, latest)

    def _compare_due(self, emit: Emit) -> None:
        moment = time.monotonic()
        ready = {path for path, pair in self._due.items() if min(pair) <= moment}
        if not ready:
            return
        for path in list(ready):
            del self._due[path]
            # What lies in a folder that came, went or moved came, went or moved with it.
            ready.update(one for one in below(path) if one not in self._due and not ignored(one.name))
            ready.update(Path(one) for one in self._files if path in Path(one).parents)
        if self._compare(ready, emit):
            self._save()

    def _compare(self, paths: set[Path], emit: Emit, *, while_down: bool = False) -> bool:
        """Compare paths with their known state, emit the differences, remember them; whether any."""
        before = {path: self._files.get(str(path)) for path in paths}
        now = {path: read_state(path) for path in paths}
        moves = _moves(before, now)
        seen = []
        for path in sorted(paths):
            if path in moves.values():
                continue  # told by the event of its new name
            action = _action(before[path], now[path])
            if action is None:
                continue
            origin = moves.get(path)
            old = before[origin] if origin else before[path]
            one = describe(path, "moved" if origin else action, now[path], old, origin, while_down)
            if action != "attributes" and not while_down:
                self._name_writer(one, now[path])
            seen.append(one)
        if seen:
            emit(seen)
        changed = False
        for path in paths:
            state = now[path]
            if state == before[path]:
                continue
            changed = True
            if state is None:
                self._files.pop(str(path), None)
            else:
                self._files[str(path)] = state
        return changed

    def _name_writer(self, seen: Observation, state: FileState | None) -> None:
        """Who wrote it, where the kernel said so."""
        if self._writers is None or state is None:
            return
        process = self._writers.who(state.device, state.inode)
        if process is not None:
            seen.fields["process.pid"] = process.pid
            seen.fields["process.name"] = process.executable.rpartition("/")[2] or process.name
            if process.executable:
                seen.fields["process.executable"] = seen.native["Image"] = process.executable
            seen.fields["user.name"] = seen.native["User"] = user_name(process.user)

    def _save(self) -> None:
        # A name that is not UTF-8 cannot be kept in JSON: it is compared anew after a restart.
        files = {name: state for name, state in self._files.items() if name.isprintable()}
        self._cursor.save(KnownFiles(chosen=[str(path) for path in self._chosen], files=files))


def _covered(path: Path, chosen: set[Path]) -> bool:
    return path in chosen or any(one in path.parents for one in chosen)


def _action(before: FileState | None, now: FileState | None) -> str | None:
    if before is None or now is None:
        if before is now:
            return None
        return "created" if before is None else "deleted"
    if not before.same_content(now):
        return "modified"
    return None if before.same_attributes(now) else "attributes"


def _moves(before: dict[Path, FileState | None], now: dict[Path, FileState | None]) -> dict[Path, Path]:
    """new path -> old path, where the same inode left one watched name and took another."""
    left = {
        (state.device, state.inode): path
        for path, state in before.items()
        if state is not None and now[path] is None
    }
    return {
        path: left[state.device, state.inode]
        for path, state in now.items()
        if state is not None and before[path] is None and (state.device, state.inode) in left
    }


def describe(
    path: Path,
    action: str,
    now: FileState | None,
    before: FileState | None,
    origin: Path | None = None,
    while_down: bool = False,
) -> Observation:
    """The file.change event; of a deleted file it tells the last known state."""
    name = decoded(bytes(path))
    state = now or before
    fields: dict[str, Value] = {
        "event.category": "file",
        "event.type": {"created": "creation", "deleted": "deletion"}.get(action, "change"),
        "event.action": action,
        "file.path": name,
        "file.name": name.rpartition("/")[2],
        "file.hash.sha256": now.sha256 or None if now else None,
        "file.hash.sm3": now.sm3 or None if now else None,
        "file.previous_hash.sm3": before.sm3 or None if before else None,
        "gov.file.previous_path": decoded(bytes(origin)) if origin else None,
        "gov.file.while_down": True if while_down else None,
    }
    if state is not None:
        fields["file.type"] = {"folder": "dir", "link": "symlink"}.get(state.kind, state.kind)
        fields["file.size"] = state.size
        fields["file.mode"] = f"{state.mode:04o}"
        fields["file.owner"] = user_name(state.user)
        fields["file.group"] = group_name(state.group)
    native: dict[str, Value] = {"TargetFilename": name, "Action": action}
    return observe("file.change", FILE_EVENT, fields, native=native)
