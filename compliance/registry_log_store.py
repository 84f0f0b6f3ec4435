"""The log of the registry: every change with who made it; each line becomes a leaf of the ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, insert, select

from compliance.registry_tables import registry_log
from detection.store.progress_store import bump
from detection.store.tables import from_micros, micros

COUNTER: Final = "registry"
_encoder: Final = msgspec.json.Encoder(order="sorted")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the registry; ``body`` is what the subject is after it, as JSON."""

    number: int
    time: datetime
    actor: str
    action: str
    subject: str
    unit: str
    body: str


class RegistryLogStore:
    """The log, read; it is written by ``append`` within the transaction of the change."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, number: int, limit: int = 500) -> Sequence[Change]:
        """Changes after ``number``, oldest first."""
        query = select(registry_log).where(registry_log.c.number > number).order_by(registry_log.c.number)
        return self._read(query.limit(limit))

    def of(self, subject: str, limit: int = 100) -> Sequence[Change]:
        """Changes of one subject, newest first."""
        query = select(registry_log).where(registry_log.c.subject == subject)
        return self._read(query.order_by(registry_log.c.number.desc()).limit(limit))

    def _read(self, query: object) -> Sequence[Change]:
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()  # type: ignore[call-overload]
        return [Change(**{**row, "time": from_micros(row["time"])}) for row in rows]


def append(
    connection: Connection,
    *,
    now: datetime,
    actor: str,
    action: str,
    subject: str,
    unit: str,
    body: msgspec.Struct | dict[str, object],
) -> None:
    """Write one change and count it; whoever shows the registry asks the counter."""
    connection.execute(
        insert(registry_log).values(
            time=micros(now),
            actor=actor,
            action=action,
            subject=subject,
            unit=unit,
            body=_encoder.encode(body).decode(),
        )
    )
    bump(connection, COUNTER)
