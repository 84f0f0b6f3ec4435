"""A kind of inventory: a table of short texts read from the host, and how its rows are told apart.

Rows are texts because they are compared, sent, stored and shown, never computed with. They hold no secret and
no more of a person than an account's name.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from crypto.sm3 import sm3_hex
from sensors.host.probe import HostFiles

ROWS_MAX: Final = 20_000  # rows of one kind; a host with more says that it is cut
CELL_CHARS_MAX: Final = 512

Row = tuple[str, ...]


class Kind(NamedTuple):
    """One table: ``keys`` is how many of its first columns tell a row apart from the others."""

    name: str
    columns: tuple[str, ...]
    read: Callable[[HostFiles], Iterable[Sequence[str]]]
    method: str
    keys: int = 1
    diffed: bool = True  # False where another source already tells of each change
    watch: tuple[str, ...] = ()  # files and folders whose stamps say whether to read again; () always


class Table(NamedTuple):
    """What was read of a kind: rows sorted, each once."""

    rows: tuple[Row, ...]
    truncated: bool

    def digest(self) -> str:
        """SM3 over the rows: equal where nothing changed."""
        return sm3_hex("\n".join("\t".join(row) for row in self.rows).encode("utf-8", "surrogatepass"))


def read_table(kind: Kind, files: HostFiles) -> Table:
    """The kind's rows now. Raises OSError, ValueError or LookupError where they cannot be read."""
    found: set[Row] = set()
    for row in kind.read(files):
        if len(found) >= ROWS_MAX:
            return Table(tuple(sorted(found)), True)
        cells = tuple(cell(one) for one in row)
        assert len(cells) == len(kind.columns), kind.name
        found.add(cells)
    return Table(tuple(sorted(found)), False)


def cell(text: str) -> str:
    """A text as a cell: one line, no tabs, bounded, only what UTF-8 can hold."""
    if not text.isprintable():
        text = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return text[:CELL_CHARS_MAX]


class Change(NamedTuple):
    """One row that came, went or is different; ``before`` and ``after`` are None where there is none."""

    key: Row
    before: Row | None
    after: Row | None

    @property
    def action(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


def changes(before: Iterable[Row], after: Iterable[Row], keys: int) -> list[Change]:
    """The differences, sorted by key. Rows that share a key are told as gone and come, not as changed."""
    gone, come = set(before), set(after)
    gone, come = gone - come, come - gone
    by_key: dict[Row, list[Row]] = {}
    for row in gone:
        by_key.setdefault(row[:keys], []).append(row)
    found: list[Change] = []
    for row in come:
        old = by_key.get(row[:keys], [])
        found.append(Change(row[:keys], old.pop() if len(old) == 1 else None, row))
    found += [Change(row[:keys], row, None) for rows in by_key.values() for row in rows]
    return sorted(found, key=lambda one: (one.key, one.action, one.before or (), one.after or ()))
