"""Inventory of installed packages: dpkg's status file, or the headers in rpm's database."""

import shutil
import struct
import subprocess
from collections.abc import Iterator
from typing import Final

from sensors.host.inventory.kind import ROWS_MAX, Kind
from sensors.host.observe import decoded
from sensors.host.probe import HostFiles

_DPKG: Final = "/var/lib/dpkg/status"
_RPM_FOLDERS: Final = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
_LINE_BYTES_MAX: Final = 64 * 1024
_BLOB_BYTES_MAX: Final = 32 * 1024 * 1024
_TAGS: Final = {1000: "name", 1001: "version", 1002: "release", 1003: "epoch", 1022: "architecture"}
_ENTRY: Final = struct.Struct(">IIII")  # tag, type, offset, count
_ENTRIES_MAX: Final = 100_000
_INT32: Final = 4
_QUERY_SECONDS: Final = 60.0
_FORMAT: Final = "%{NAME}\\t%{ARCH}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\n"

Row = tuple[str, str, str, str]


def packages(files: HostFiles) -> Iterator[Row]:
    """(name, architecture, version, manager) of what is installed. Raises LookupError without a database."""
    if files.exists(_DPKG):
        yield from _dpkg(files)
        return
    for folder in _RPM_FOLDERS:
        if files.exists(f"{folder}/rpmdb.sqlite"):
            yield from _rpm_sqlite(files, f"{folder}/rpmdb.sqlite")
            return
        if files.exists(f"{folder}/Packages") or files.exists(f"{folder}/Packages.db"):
            yield from _rpm_query(files)
            return
    raise LookupError("no package database: neither dpkg nor rpm")


def _dpkg(files: HostFiles) -> Iterator[Row]:
    """The stanzas line by line: the file is megabytes, and four lines of each stanza matter."""
    said: dict[bytes, str] = {}
    with files.path(_DPKG).open("rb") as lines:
        while line := lines.readline(_LINE_BYTES_MAX):
            if line == b"\n":
                yield from _installed(said)
                said = {}
            elif line[:1] not in b" \t":
                name, _, value = line.partition(b":")
                if name in (b"Package", b"Status", b"Version", b"Architecture"):
                    said[name] = decoded(value).strip()
    yield from _installed(said)


def _installed(said: dict[bytes, str]) -> Iterator[Row]:
    # "hold ok installed" is installed too; "deinstall ok config-files" is not
    if said.get(b"Package") and said.get(b"Status", "").endswith(" installed"):
        yield said[b"Package"], said.get(b"Architecture", ""), said.get(b"Version", ""), "dpkg"


def _rpm_sqlite(files: HostFiles, name: str) -> Iterator[Row]:
    import sqlite3  # only hosts with rpm pay its memory

    where = f"file:{files.path(name)}?mode=ro&immutable=1"
    try:
        base = sqlite3.connect(where, uri=True)
        try:
            for number, (blob,) in enumerate(base.execute("SELECT blob FROM Packages")):
                if number >= ROWS_MAX:
                    return
                said = read_header(blob) if isinstance(blob, bytes) else {}
                if said.get("name") and said["name"] != "gpg-pubkey":
                    yield said["name"], said.get("architecture", ""), _version(said), "rpm"
        finally:
            base.close()
    except sqlite3.Error as error:
        raise OSError(f"{name}: {error}") from error


def _version(said: dict[str, str]) -> str:
    epoch = said.get("epoch", "0")
    whole = f"{said.get('version', '')}-{said.get('release', '')}"
    return f"{epoch}:{whole}" if epoch != "0" else whole


def read_header(blob: bytes) -> dict[str, str]:
    """Name, version, release, epoch and architecture of an rpm header: two counts, an index, then data."""
    if not 8 <= len(blob) <= _BLOB_BYTES_MAX:
        return {}
    count, size = struct.unpack_from(">II", blob)
    start = 8 + count * _ENTRY.size
    if count > _ENTRIES_MAX or start + size > len(blob):
        return {}
    found: dict[str, str] = {}
    for place in range(count):
        tag, kind, offset, _ = _ENTRY.unpack_from(blob, 8 + place * _ENTRY.size)
        name = _TAGS.get(tag)
        if name is None or offset >= size:
            continue
        at = start + offset
        if kind == _INT32:
            if at + 4 <= len(blob):
                found[name] = str(struct.unpack_from(">I", blob, at)[0])
        else:
            found[name] = decoded(blob[at : at + 512].split(b"\0", 1)[0])
    return found


def _rpm_query(files: HostFiles) -> Iterator[Row]:
    """By rpm itself: older databases are Berkeley DB, which nothing in the standard library reads."""
    program = shutil.which("rpm")
    if program is None:
        raise OSError("the rpm database is not SQLite and rpm is not installed")
    command = [program, "--root", str(files.root), "-qa", "--queryformat", _FORMAT]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_QUERY_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"rpm did not answer in {_QUERY_SECONDS:.0f} s") from error
    if done.returncode != 0:
        raise OSError(f"rpm: {decoded(done.stderr[:200]).strip()}")
    for line in done.stdout[:_BLOB_BYTES_MAX].splitlines():
        words = decoded(line).split("\t")
        if len(words) == 3 and words[0] != "gpg-pubkey":
            yield words[0], words[1], words[2].removeprefix("0:"), "rpm"


KINDS: Final = (
    Kind(
        "packages",
        ("name", "architecture", "version", "manager"),
        packages,
        "file:/var/lib/dpkg/status; rpmdb.sqlite; rpm -qa where the database is older",
        keys=2,
        watch=(_DPKG, *_RPM_FOLDERS),
    ),
)
