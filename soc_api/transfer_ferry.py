"""Directories that packages and receipts are carried by: one-way gaps, discs, memory sticks.

Whatever is handed over appears under its name in one rename, whole and durable. Whatever is taken up is
taken only when it is complete: names of partial copies are ignored, and so is a package that is still
shorter than its own header says. Files are never followed through links.
"""

import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from crypto import package_envelope as envelope
from crypto.keys import make_private_folder, replace_durably
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Refused, Words

PACKAGE: Final = re.compile(r"[0-9a-f]{32}\.liuhe")
LIST: Final = re.compile(r"[0-9a-f]{32}\.crl")
RECEIPT: Final = re.compile(r"[0-9a-f]{32}(-[0-9a-f]{8})?\.receipt")
OFFERED_MAX: Final = 10_000
_COPY_BYTES: Final = 1 << 20
_PART: Final = ".part"


class Glance(NamedTuple):
    """What the clear header of a package says; nothing of it is verified."""

    package: str
    package_sm3: str
    package_bytes: int
    recipients: tuple[str, ...]


class Ferry:
    """The transfer folder of a center: staged, sealed, quarantine, received, heights."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        for name in ("staged", "sealed", "quarantine", "received", "heights"):
            make_private_folder(folder / name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One importer or exporter at a time, whichever process it is in."""
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def staged(self, transfer: str) -> Path:
        """Where copies of the files to be sent lie."""
        return self.folder / "staged" / transfer

    def sealed(self, transfer: str) -> Path:
        """Where the sealed package lies."""
        return self.folder / "sealed" / f"{transfer}.liuhe"

    def quarantine(self, package_sm3: str) -> Path:
        """Where verified files wait for their import."""
        return self.folder / "quarantine" / package_sm3[:32]

    def received(self, package_sm3: str) -> Path:
        """Where imported files lie."""
        return self.folder / "received" / package_sm3[:32]

    def publish(self, package_sm3: str) -> None:
        """Let imported files be seen: one rename, repeated without harm."""
        source, target = self.quarantine(package_sm3), self.received(package_sm3)
        if source.exists() and not target.exists():
            source.rename(target)
            sync_folder(target.parent)
            sync_folder(source.parent)

    def destroy(self, path: Path) -> None:
        """Remove a folder or file of ours, and what a crash left half made beside it."""
        for one in (path, path.with_name(f".{path.name}.quarantine")):
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            else:
                one.unlink(missing_ok=True)

    def height(self, direction: str, channel: str) -> int:
        """The height witnessed outside the state database."""
        try:
            return int(self._witness(direction, channel).read_text("ascii")[:20])
        except FileNotFoundError:
            return 0
        except ValueError:
            raise LiuheError(
                "transfer-witness",
                Words("通道见证文件已损坏", "the witness file of the channel is damaged"),
                Words("请核对两端序号后更正", "compare both ends, then correct it"),
                field=channel,
            ) from None

    def witness(self, direction: str, channel: str, height: int) -> None:
        """Remember a height; called after the state that has it was committed."""
        if height > self.height(direction, channel):
            replace_durably(self._witness(direction, channel), str(height).encode(), 0o600)

    def _witness(self, direction: str, channel: str) -> Path:
        return self.folder / "heights" / f"{direction}-{sm3_hex(channel.encode())[:32]}"


def offered(directory: Path, names: re.Pattern[str]) -> list[Path]:
    """Regular files of these names, in the order they were written; partial copies have other names."""
    found = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if names.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
                if len(found) >= OFFERED_MAX:
                    break
    except FileNotFoundError:
        return []
    return [directory / name for _, name in sorted(found)]


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A regular file for reading, never through a link. Raises Refused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, error.strerror or "") from error
    with open(descriptor, "rb", buffering=0) as file:  # noqa: PTH123  # a descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _unreadable(path, "not a regular file")
        yield file


def glance(file: BinaryIO) -> Glance:
    """Read the header without any key; the file then stands after it. Raises Refused."""
    clear, start, sealed_bytes = envelope.read_clear(file)  # type: ignore[arg-type]
    sealed = bytearray(sealed_bytes)
    envelope.read_exactly(file, memoryview(sealed))  # type: ignore[arg-type]
    content = clear.content_bytes + envelope.chunk_count(clear.content_bytes) * envelope.TAG_BYTES
    recipients = tuple(entry.key_id for entry in clear.recipients)
    size = len(start) + sealed_bytes + content
    return Glance(clear.package, sm3_hex(start + sealed), size, recipients)


def still_arriving(file: BinaryIO) -> bool:
    """Whether this is the beginning of a package, and as yet no more: the copy may still be running."""
    file.seek(0)
    start = file.read(len(envelope.MAGIC))
    if not envelope.MAGIC.startswith(start):
        return False
    file.seek(0)
    try:
        return os.fstat(file.fileno()).st_size < glance(file).package_bytes
    except Refused:
        return not file.read(1)


def deliver(source: Path, directory: Path, name: str) -> None:
    """Copy a file into a directory under its name, whole and durable or not at all."""
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / f".{name}{_PART}"
    with opened(source) as taken, partial.open("wb") as given:
        shutil.copyfileobj(taken, given, _COPY_BYTES)
        given.flush()
        os.fsync(given.fileno())
    partial.replace(directory / name)
    sync_folder(directory)


def deliver_small(data: bytes, directory: Path, name: str) -> None:
    """The same for a few bytes: a receipt, a list of gaps."""
    directory.mkdir(parents=True, exist_ok=True)
    replace_durably(directory / name, data, 0o644)


def take_away(path: Path, refused: bool) -> None:
    """Clear a package that is done with from the directory; from a disc that is read-only it stays."""
    with suppress(OSError):
        if refused:
            aside = path.parent / "refused"
            aside.mkdir(exist_ok=True)
            path.replace(aside / path.name)
        else:
            path.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unreadable(path: Path, reason: str) -> Refused:
    return Refused(
        "transfer-unreadable",
        Words(f"读不到文件:{reason}", f"the file cannot be read: {reason}"),
        Words("请检查介质与权限", "check the medium and permissions"),
        field=path.name,
    )
