"""The watched files: which folders inotify must watch so that every change of the chosen paths is seen.

A chosen folder is watched with all folders below it; a chosen file, or a path that does not exist yet, is
watched through the folder it lies in, because editors replace files and a watch dies with the old inode.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sensors.host.inotify import IGNORED, IS_FOLDER, Change, Inotify

DEPTH_MAX: Final = 8
FILES_MAX: Final = 20_000  # files looked at in all; more is no configuration folder
_FOLDERS_MAX: Final = 4_000


class WatchTree:
    """Chosen paths, their folders' watches, and the answer to "which path does this change concern?"."""

    def __init__(self, chosen: Iterable[Path], inotify: Inotify) -> None:
        self._chosen = sorted(set(chosen))
        self._inotify = inotify
        self._folders: dict[int, Path] = {}

    def open(self) -> None:
        """Set every watch; call it again to set those of folders that have appeared."""
        for path in self._chosen:
            self._add(path.parent)
            self._descend(path)

    @property
    def folders(self) -> list[Path]:
        """The folders that are watched."""
        return sorted(set(self._folders.values()))

    def paths(self) -> set[Path]:
        """Every file and folder that exists now and is chosen."""
        found: set[Path] = set()
        for path in self._chosen:
            if os.path.lexists(path):
                found.add(path)
            for one in below(path):
                if len(found) >= FILES_MAX:
                    return found
                if not ignored(one.name):
                    found.add(one)
        return found

    def path_of(self, change: Change) -> Path | None:
        """The chosen path a change concerns, None where it concerns a neighbour or a temporary file."""
        folder = self._folders.get(change.watch)
        if folder is None:
            return None
        if change.mask & IGNORED:
            del self._folders[change.watch]
            return folder if self._is_chosen(folder) else None
        path = folder / os.fsdecode(change.name) if change.name else folder
        if not self._is_chosen(path) or ignored(path.name):
            return None
        if change.mask & IS_FOLDER:
            self._descend(path)
        return path

    def _is_chosen(self, path: Path) -> bool:
        return any(path == one or one in path.parents for one in self._chosen)

    def _descend(self, path: Path) -> None:
        if _is_folder(path):
            self._add(path)
            for one in below(path):
                if _is_folder(one):
                    self._add(one)

    def _add(self, folder: Path) -> None:
        if len(self._folders) >= _FOLDERS_MAX:
            return
        number = self._inotify.add(folder)
        if number is not None:
            self._folders[number] = folder


def _is_folder(path: Path) -> bool:
    """False also where looking is not allowed: Path.is_dir would raise, and one path must not end all."""
    return os.path.isdir(path) and not os.path.islink(path)  # noqa: PTH112, PTH114


def ignored(name: str) -> bool:
    """Names editors use for a moment; cron, sudo and sshd do not read such files either."""
    if name.endswith(("~", ".swp", ".swpx", ".swx", ".dpkg-new", ".dpkg-tmp")):
        return True
    return name == "4913" or name.startswith(".#") or (name.startswith("#") and name.endswith("#"))


def below(path: Path, depth: int = 0) -> Iterator[Path]:
    """Everything under a folder, links not followed, at most DEPTH_MAX deep."""
    if depth >= DEPTH_MAX or os.path.islink(path):  # noqa: PTH114 -- answers where looking is not allowed
        return
    try:
        with os.scandir(path) as entries:
            names = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError:
        return
    for name, folder in names[:FILES_MAX]:
        yield path / name
        if folder:
            yield from below(path / name, depth + 1)
