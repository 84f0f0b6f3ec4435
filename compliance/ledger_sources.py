"""The numbering of sources: each gets 0, 1, 2… over its own records, so that a missing one shows.

``sources.json`` says, as of the last checkpoint, which number each source gets next; it can be counted again
from the leaves, and verification does.
"""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET

from compliance.evidence import Evidence
from compliance.ledger_files import damaged, replace_file

SOURCES: Final = "sources.json"
SOURCES_MAX: Final = 100_000


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: for how many leaves it counts, and the next number of each source."""

    size: int
    sources: dict[str, int]


class Sources:
    """The next number of each source."""

    def __init__(self) -> None:
        self.size = 0  # leaves counted
        self.next: dict[str, int] = {}

    def take(self, source: str) -> int:
        """The number of the next record of ``source``."""
        number = self.next.get(source, 0)
        self.next[source] = number + 1
        return number

    def give_back(self, source: str) -> None:
        """Undo the last ``take`` of a source whose record could not be written."""
        self.next[source] -= 1
        if not self.next[source]:
            del self.next[source]

    def count(self, record: Evidence) -> bool:
        """Take a stored record along; False where its number is not the one expected."""
        self.size += 1
        if record.source is UNSET or record.number is UNSET:
            return record.source is UNSET and record.number is UNSET and record.schema == 1
        expected = self.next.get(record.source, 0)
        self.next[record.source] = record.number + 1
        return record.number == expected and record.schema == 2

    def full(self, source: str) -> bool:
        """Whether ``source`` would be one too many."""
        return len(self.next) >= SOURCES_MAX and source not in self.next

    def encode(self, size: int) -> bytes:
        """The one form it has on disk."""
        return msgspec.json.encode(_Stored(size, self.next), order="sorted") + b"\n"

    def save(self, folder: Path, size: int) -> None:
        """Write the file for the first ``size`` leaves; durable on return."""
        replace_file(folder / SOURCES, self.encode(size))

    @classmethod
    def load(cls, folder: Path, size: int) -> "Sources":
        """What is stored, nothing where there is no file. Raises LiuheError where it can't be."""
        sources = cls()
        try:
            stored = msgspec.json.decode((folder / SOURCES).read_bytes(), type=_Stored)
        except FileNotFoundError:
            return sources
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise damaged(f"{SOURCES}: {error}") from error
        if not 0 <= stored.size <= size:
            raise damaged(f"{SOURCES}: {stored.size}")
        sources.size, sources.next = stored.size, dict(stored.sources)
        return sources
