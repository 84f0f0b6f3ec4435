"""State of a watched file: what it holds and who may touch it, digested with SHA-256 and SM3."""

import grp
import hashlib
import os
import stat
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

HASHED_BYTES_MAX: Final = 64 * 1024 * 1024  # a configuration file is smaller; a larger file is not digested
_CHUNK_BYTES: Final = 1024 * 1024


class FileState(msgspec.Struct, frozen=True, kw_only=True):
    """One file, link or folder at one moment; digests are '' for folders and for files not digested."""

    kind: str  # "file", "link", "folder", "other"
    size: int
    mode: int
    user: int
    group: int
    device: int
    inode: int
    sha256: str = ""
    sm3: str = ""

    def same_content(self, other: "FileState") -> bool:
        """Whether the content is the same, as far as it was digested."""
        return (self.kind, self.size, self.sha256, self.sm3) == (
            other.kind,
            other.size,
            other.sha256,
            other.sm3,
        )

    def same_attributes(self, other: "FileState") -> bool:
        """Whether mode and ownership are the same."""
        return (self.mode, self.user, self.group) == (other.mode, other.user, other.group)


def read_state(path: Path) -> FileState | None:
    """The state now, None where there is nothing. Links are not followed, devices not opened."""
    try:
        found = path.lstat()
    except OSError:
        return None
    sha256 = sm3 = ""
    if stat.S_ISREG(found.st_mode):
        kind = "file"
        if found.st_size <= HASHED_BYTES_MAX:
            sha256, sm3 = digest_file(path)
    elif stat.S_ISLNK(found.st_mode):
        kind = "link"
        sha256, sm3 = _digest_link(path)
    else:
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "other"
    return FileState(
        kind=kind,
        size=0 if kind == "folder" else found.st_size,
        mode=stat.S_IMODE(found.st_mode),
        user=found.st_uid,
        group=found.st_gid,
        device=found.st_dev,
        inode=found.st_ino,
        sha256=sha256,
        sm3=sm3,
    )


@lru_cache(maxsize=1024)
def group_name(number: int) -> str:
    """The group's name, else its number as text."""
    try:
        return grp.getgrgid(number).gr_name
    except (KeyError, OSError):
        return str(number)


def digest_file(path: Path, *, follow: bool = False) -> tuple[str, str]:
    """SHA-256 and SM3 of a file, in one pass; '' where it cannot be read. A link only with ``follow``."""
    links = 0 if follow else os.O_NOFOLLOW
    try:
        descriptor = os.open(path, os.O_RDONLY | links | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return "", ""
    first, second = hashlib.sha256(), hashlib.new("sm3")
    left = HASHED_BYTES_MAX
    try:
        while left > 0 and (chunk := os.read(descriptor, min(_CHUNK_BYTES, left))):
            first.update(chunk)
            second.update(chunk)
            left -= len(chunk)
    except OSError:
        return "", ""
    finally:
        os.close(descriptor)
    return first.hexdigest(), second.hexdigest()


def _digest_link(path: Path) -> tuple[str, str]:
    try:
        target = os.fsencode(path.readlink())
    except OSError:
        return "", ""
    return hashlib.sha256(target).hexdigest(), hashlib.new("sm3", target).hexdigest()
