"""Release archives of rules (zip, tar.gz), read as hostile input: rule files and licences come out, no more.

Kept are YAML files in folders whose name begins with ``rules`` (all YAML files where there is no such folder)
and licence files. Links, devices, paths that leave the folder and whatever is too large or too many refuse
the archive as a whole.
"""

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, NamedTuple

from crypto.words import BadInput, Words

ARCHIVE_BYTES_MAX: Final = 64 * 1024 * 1024
UNPACKED_BYTES_MAX: Final = 256 * 1024 * 1024
FILE_BYTES_MAX: Final = 1024 * 1024  # of one that is kept
KEPT_BYTES_MAX: Final = 64 * 1024 * 1024
ENTRIES_MAX: Final = 40_000
FILES_MAX: Final = 10_000
PATH_CHARS_MAX: Final = 240
PATH_DEPTH_MAX: Final = 12
_RULES: Final = (".yml", ".yaml")
_LICENCES: Final = ("license", "licence", "copying", "notice")
_PACKED: Final = b"\x1f\x8b"
_ZIPPED: Final = b"PK\x03\x04"
_BROKEN: Final = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OSError),
    *(RuntimeError, NotImplementedError, ValueError, UnicodeError, KeyError, IndexError),
)


class Release(NamedTuple):
    """What an archive holds: rule files and licence files by their path, and a digest of both."""

    rules: dict[str, bytes]
    licences: dict[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 over paths and contents: the same for the same files, however they were packed."""
        state = sha256()
        for path, data in sorted((self.rules | self.licences).items()):
            state.update(f"{len(path.encode())}:{path}{len(data)}:".encode() + data)
        return state.hexdigest()


def read_archive(path: Path) -> Release:
    """The rules and licences of an archive. Raises BadInput ``rules-archive``, and nothing is written."""
    try:
        with path.open("rb") as file:
            data = file.read(ARCHIVE_BYTES_MAX + 1)
    except OSError as error:
        raise _bad(path, str(error.strerror)) from None
    if len(data) > ARCHIVE_BYTES_MAX:
        raise _bad(path, f"> {ARCHIVE_BYTES_MAX} bytes")
    try:
        if data.startswith(_ZIPPED):
            entries = dict(_zip_entries(data))
        elif data.startswith(_PACKED):
            entries = dict(_tar_entries(data))
        else:
            raise _Refused("neither zip nor tar.gz")
        return _sorted(entries)
    except _Refused as refusal:
        raise _bad(path, str(refusal)) from None
    except _BROKEN as error:
        raise _bad(path, f"{type(error).__name__}: {error}") from None


class _Refused(Exception):
    """Why an archive is refused."""


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than so many bytes."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self._left = UNPACKED_BYTES_MAX

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes."""
        data = self._inner.read(size if size >= 0 else 1 << 16)
        self._left -= len(data)
        if self._left < 0:
            raise _Refused(f"> {UNPACKED_BYTES_MAX} bytes unpacked")
        return data


def _tar_entries(data: bytes) -> Iterator[tuple[str, bytes]]:
    stream = _Bounded(gzip.GzipFile(fileobj=io.BytesIO(data)))  # type: ignore[arg-type]
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for number, member in enumerate(archive, start=1):
            _check_count(number)
            if member.isdir():
                continue
            if not member.isreg():
                raise _Refused(f"{member.name!r} is no plain file")
            path = _checked(member.name)
            if _wanted(path):
                _check_size(path, member.size)
                file = archive.extractfile(member)
                yield str(path), file.read() if file else b""


def _zip_entries(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = 0
        for number, member in enumerate(archive.infolist(), start=1):
            _check_count(number)
            if member.is_dir():
                continue
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise _Refused(f"{member.filename!r} is no plain file")
            if member.flag_bits & 1:
                raise _Refused(f"{member.filename!r} is encrypted")
            path = _checked(member.orig_filename)
            unpacked += member.file_size
            if unpacked > UNPACKED_BYTES_MAX:
                raise _Refused(f"> {UNPACKED_BYTES_MAX} bytes unpacked")
            if _wanted(path):
                _check_size(path, member.file_size)
                with archive.open(member) as file:
                    found = file.read(FILE_BYTES_MAX + 1)
                _check_size(path, len(found))
                yield str(path), found


def _check_count(number: int) -> None:
    if number > ENTRIES_MAX:
        raise _Refused(f"> {ENTRIES_MAX} entries")


def _check_size(path: PurePosixPath, size: int) -> None:
    if size > FILE_BYTES_MAX:
        raise _Refused(f"{path}: > {FILE_BYTES_MAX} bytes")


def _checked(name: str) -> PurePosixPath:
    """The path of an entry, which stays below the folder it will lie in."""
    path = PurePosixPath(name)
    parts = path.parts
    odd = not name.isprintable() or "\\" in name or ":" in name or len(name) > PATH_CHARS_MAX
    if odd or path.is_absolute() or not parts or ".." in parts or len(parts) > PATH_DEPTH_MAX:
        raise _Refused(f"path {name[:80]!r}")
    return path


def _wanted(path: PurePosixPath) -> bool:
    return path.suffix.lower() in _RULES or path.name.lower().startswith(_LICENCES)


def _sorted(entries: dict[str, bytes]) -> Release:
    """Without the folder that holds all; rules and licences apart."""
    if len({PurePosixPath(path).parts[0] for path in entries}) == 1:
        below = {"/".join(PurePosixPath(path).parts[1:]): data for path, data in entries.items()}
        if "" not in below and not all(path.startswith("rules") for path in entries):
            entries = below
    rules = {path: data for path, data in entries.items() if path.lower().endswith(_RULES)}
    told = {path: data for path, data in rules.items() if path.startswith("rules") and "/" in path}
    rules = told or rules
    licences = {path: data for path, data in entries.items() if "/" not in path and path not in rules}
    if not rules:
        raise _Refused("no rule files (*.yml)")
    if len(rules) > FILES_MAX:
        raise _Refused(f"> {FILES_MAX} rule files")
    if sum(map(len, rules.values())) > KEPT_BYTES_MAX:
        raise _Refused(f"> {KEPT_BYTES_MAX} bytes of rules")
    folded = {path.casefold() for path in rules}
    parents = {str(parent) for path in rules for parent in PurePosixPath(path).parents}
    if len(folded) < len(rules) or parents & rules.keys():
        raise _Refused("two files of one path")
    return Release(
        rules, {path: data for path, data in licences.items() if not path.lower().endswith(_RULES)}
    )


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "rules-archive",
        Words(f"规则包不能使用:{reason}", f"the archive of rules cannot be used: {reason}"),
        Words("请用 SigmaHQ 发布的 zip 或 tar.gz", "take a zip or tar.gz as SigmaHQ releases them"),
        field=str(path),
    )
