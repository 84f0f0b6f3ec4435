"""Cursor of a source: where it stopped reading, kept in one small file that is whole or absent.

A cursor is written to a temporary file, synced, renamed over the old one, and the folder is synced, so that
after a power cut either the old or the new position is found. A damaged cursor counts as absent: the source
then says so in a gap event and starts afresh.
"""

import os
from pathlib import Path
from typing import Final, TypeVar

import msgspec

CURSOR_BYTES_MAX: Final = 64 * 1024 * 1024  # the file-integrity state of 100,000 files is about 30 MB

T = TypeVar("T", bound=msgspec.Struct)


class Cursor:
    """One durable value at ``folder/name.json``; one writer at a time."""

    def __init__(self, folder: Path, name: str) -> None:
        safe = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)
        self.path = folder / f"{safe}.json"

    def load(self, kind: type[T]) -> T | None:
        """The value last saved; None where there is none, or where it is damaged or of another kind."""
        try:
            if self.path.stat().st_size > CURSOR_BYTES_MAX:
                return None
            return msgspec.json.decode(self.path.read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
            return None

    def save(self, value: msgspec.Struct) -> None:
        """Durable on return. Raises OSError where the disk refuses."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("wb") as out:
            out.write(msgspec.json.encode(value))
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
