"""Imported documents over one state database: each kept, the newest of a kind counts."""

from typing import Final

import msgspec
from sqlalchemy import Engine, RowMapping, func, insert, select

from compliance.acts_store import Act, add_act, canonical, next_number
from compliance.documents import Imported, Row
from compliance.enforcement_tables import fact_imports as table
from detection.store.state import writing
from detection.store.tables import from_micros, micros

_rows: Final = msgspec.json.Decoder(tuple[Row, ...])


class DocumentStore:
    """Documents over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, document: Imported) -> Imported:
        """Keep a document (its ``id`` is given here) as the newest of its kind."""
        with writing(self._engine) as connection:
            number = next_number(connection, table.c.id)
            kept = msgspec.structs.replace(document, id=number)
            act = Act(
                kind="attestation",
                time=kept.time,
                actor=kept.actor,
                subject=f"import:{number}",
                summary=f"{kept.kind}: {len(kept.rows)} rows, SM3 {kept.sm3}",
                payload=canonical(kept),
            )
            values = {
                "id": number,
                "system": kept.system,
                "kind": kept.kind,
                "time": micros(kept.time),
                "actor": kept.actor,
                "sm3": kept.sm3,
                "act": add_act(connection, act),
                "body": canonical(kept.rows).decode(),
            }
            connection.execute(insert(table).values(values))
        return kept

    def newest(self, system: str) -> list[Imported]:
        """The newest document of each kind of a system."""
        last = select(func.max(table.c.id)).where(table.c.system == system).group_by(table.c.kind)
        query = select(table).where(table.c.id.in_(last)).order_by(table.c.kind)
        with self._engine.connect() as connection:
            return [_imported(row) for row in connection.execute(query).mappings()]

    def page(self, system: str, *, before: int = 0, limit: int = 100) -> list[Imported]:
        """Documents of a system, newest first."""
        query = select(table).where(table.c.system == system).order_by(table.c.id.desc())
        if before:
            query = query.where(table.c.id < before)
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(max(1, min(limit, 500)))).mappings().all()
        return [_imported(row) for row in rows]


def _imported(row: RowMapping) -> Imported:
    return Imported(
        id=row["id"],
        system=row["system"],
        kind=row["kind"],
        time=from_micros(row["time"]),
        actor=row["actor"],
        sm3=row["sm3"],
        rows=_rows.decode(row["body"]),
    )
