"""Which steps of its playbook are done in an alert group, by whom and when."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Engine, insert, select, update

from detection.store.exception_tables import playbook_marks as marks
from detection.store.group_store import group_row
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros

_COUNTER: Final = "playbooks"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a playbook in one group."""

    playbook: str
    step: str
    done: bool
    time: datetime
    actor: str


class PlaybookStore:
    """Over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def revision(self) -> int:
        """Grows with every mark."""
        with self._engine.connect() as connection:
            return counter(connection, _COUNTER)

    def marks(self, group: str) -> list[Mark]:
        """The newest mark of each step."""
        query = select(marks).where(marks.c.group_id == group).order_by(marks.c.place)
        with self._engine.connect() as connection:
            return [
                Mark(
                    playbook=row["playbook"],
                    step=row["step"],
                    done=bool(row["done"]),
                    time=from_micros(row["time"]),
                    actor=row["actor"],
                )
                for row in connection.execute(query).mappings()
            ]

    def mark(
        self, group: str, playbook: str, step: str, place: int, *, done: bool, actor: str, now: datetime
    ) -> None:
        """Keep that a step is done, or is not after all. Raises Refused (alert-not-found)."""
        values = {"place": place, "done": done, "time": micros(now), "actor": actor}
        key = {"group_id": group, "playbook": playbook, "step": step}
        mine = [marks.c[name] == value for name, value in key.items()]
        with writing(self._engine) as connection:
            group_row(connection, group, lock=True)
            kept = connection.execute(update(marks).where(*mine).values(**values))
            if not kept.rowcount:
                connection.execute(insert(marks).values(**key, **values))
            bump(connection, _COUNTER)
