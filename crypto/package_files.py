"""Packages and folders: the files to send, and a quarantine on disk that becomes a folder in one rename.

``FolderQuarantine(target)`` writes into a hidden folder beside ``target`` that only we may read; ``release``
makes everything durable and renames it to ``target``, so that either all files are seen or none.
"""

import os
import shutil
import stat
from pathlib import Path
from typing import BinaryIO, Final

from crypto.package_format import FILES_MAX, FileEntry
from crypto.package_names import PARTS_MAX, flaw_of_name, flaw_of_names
from crypto.package_stream import Source
from crypto.words import BadInput, LiuheError, Refused, Words

_PRIVATE: Final = 0o700


def folder_sources(folder: Path) -> list[Source]:
    """Every regular file below the folder, by name. Raises BadInput on links, devices and unfit names."""
    found: list[Source] = []
    waiting = [(folder, "")]
    while waiting:
        place, above = waiting.pop()
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
            name = f"{above}{entry.name}"
            flaw = flaw_of_name(name) or ("there are too many files" if len(found) == FILES_MAX else "")
            if not flaw and entry.is_dir(follow_symlinks=False):
                waiting.append((Path(entry.path), f"{name}/"))
            elif not flaw and entry.is_file(follow_symlinks=False):
                found.append(file_source(Path(entry.path), name))
            else:
                raise _unfit(name, flaw or "neither a file nor a folder")
    found.sort(key=lambda source: source.name)
    flaw = flaw_of_names(source.name for source in found)
    if flaw:
        raise _unfit(str(folder), flaw)
    return found


def file_source(path: Path, name: str) -> Source:
    """One regular file under a name of its own; a link in its place is refused when it is opened."""

    def opened() -> BinaryIO:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _unfit(name, error.strerror or "it cannot be opened") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _unfit(name, "not a regular file")
        return open(descriptor, "rb", buffering=0)  # noqa: PTH123  # a descriptor; the reader closes it

    return Source(name, opened)


class FolderQuarantine:
    """A quarantine for ``crypto.package.open_`` on the disk of the folder it may become."""

    def __init__(self, target: Path) -> None:
        """Prepare for a folder that must not exist yet. Raises Refused where it does."""
        if os.path.lexists(target):
            raise Refused(
                "quarantine-exists",
                Words("目标文件夹已存在", "the target folder is already there"),
                Words("请换用新的目标文件夹", "name a new folder"),
                field=str(target),
            )
        self._target: Final = target
        self._hidden: Final = target.with_name(f".{target.name}.quarantine")
        self._created: list[Path] = []
        self.discard()  # what a crash left behind
        self._hidden.mkdir(mode=_PRIVATE)

    def create(self, entry: FileEntry) -> BinaryIO:
        """A new file below the hidden folder; nothing there is ever opened twice or followed."""
        assert not flaw_of_name(entry.name), "names were checked with the manifest"
        parts = entry.name.split("/")
        assert len(parts) <= PARTS_MAX
        place = self._hidden
        for part in parts[:-1]:
            place = place / part
            place.mkdir(mode=_PRIVATE, exist_ok=True)
        path = place / parts[-1]
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise LiuheError(
                "quarantine-failed",
                Words(f"无法写入隔离区:{error.strerror}", f"cannot write quarantine: {error.strerror}"),
                Words("请检查磁盘空间与权限", "check disk space and permissions"),
                field=entry.name,
            ) from error
        self._created.append(path)
        return open(descriptor, "wb")  # noqa: PTH123  # a descriptor; the opener closes it

    def release(self) -> None:
        """Make files and folders durable, then let them be seen by one rename."""
        folders = {self._hidden}
        for path in self._created:
            _sync(path)
            folders.update(parent for parent in path.parents if self._hidden in parent.parents)
        for folder in folders:
            _sync(folder)
        self._hidden.rename(self._target)
        _sync(self._target.parent)

    def discard(self) -> None:
        """Destroy the hidden folder and all in it."""
        self._created.clear()
        if os.path.lexists(self._hidden):
            shutil.rmtree(self._hidden)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unfit(name: str, reason: str) -> BadInput:
    return BadInput(
        "source-unfit",
        Words(f"文件不能放入数据包:{reason}", f"the file cannot go into a package: {reason}"),
        Words("请改名或移除该文件", "rename or remove the file"),
        field=name,
    )
