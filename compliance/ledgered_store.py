"""What has a leaf: the last row of each kind, and what was begun and not yet known to be finished.

The ledger and the state database can't commit together. So whoever appends leaves first notes how many the
ledger had (``begin``); the transaction that keeps the effect also ends the note (``end``). A note found later
tells where to look for leaves whose effect was lost on the way, and nothing gets a second leaf.
"""

from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from compliance.tables import ledgered
from detection.store.state import writing

_BEGUN: Final = "begun:"


class LedgeredStore:
    """Progress of the ledger over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, kind: str, size: int) -> None:
        """Note that leaves of ``kind`` may follow after ``size`` leaves; an older note stays."""
        with writing(self._engine) as connection:
            if _item(connection, _BEGUN + kind) is None:
                connection.execute(insert(ledgered).values(kind=_BEGUN + kind, item=size))

    def begun(self, kind: str) -> int | None:
        """The size noted by a ``begin`` that has not ended; None where there is none."""
        with self._engine.connect() as connection:
            return _item(connection, _BEGUN + kind)

    def up_to(self, kind: str) -> int:
        """The last row id of ``kind`` that has a leaf, 0 where none has."""
        with self._engine.connect() as connection:
            return _item(connection, kind) or 0

    def mark(self, kind: str, item: int) -> None:
        """Remember that rows of ``kind`` up to ``item`` have leaves; ends what was begun."""
        with writing(self._engine) as connection:
            done = connection.execute(update(ledgered).where(ledgered.c.kind == kind).values(item=item))
            if not done.rowcount:
                connection.execute(insert(ledgered).values(kind=kind, item=item))
            end(connection, kind)


def end(connection: Connection, kind: str) -> None:
    """End what was begun, within the transaction that keeps its effect."""
    connection.execute(delete(ledgered).where(ledgered.c.kind == _BEGUN + kind))


def _item(connection: Connection, kind: str) -> int | None:
    return connection.scalar(select(ledgered.c.item).where(ledgered.c.kind == kind))
