"""The catalogue of sealed event files: table ``segments``, from which everything about a file is known."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Engine, RowMapping, func, insert, select, update

from detection.store.event_file import Written
from detection.store.state import writing
from detection.store.tables import from_micros, micros, segments


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """One file of events; ``deleted`` is the time retention took it, the digest stays."""

    id: int
    name: str
    sm3: str
    bytes: int
    rows: int
    time_min: datetime
    time_max: datetime
    sequence_first: int
    sequence_last: int
    sealed: datetime
    status: Literal["sealed", "deleted"]
    deleted: datetime | None


class SegmentStore:
    """The catalogue over one state database; one process seals and expires, any number read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def position(self) -> int:
        """The last log sequence that lies in a sealed file; 0 before the first."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.max(segments.c.sequence_last))) or 0)

    def all(self, after: int = 0, limit: int | None = None) -> list[Sealed]:
        """Files in the order they were sealed, tombstones included; ``after`` is the last id known."""
        query = select(segments).where(segments.c.id > after).order_by(segments.c.id).limit(limit)
        with self._engine.connect() as connection:
            return [_sealed(row) for row in connection.execute(query).mappings()]

    def between(self, since: datetime | None, until: datetime | None) -> list[Sealed]:
        """Files not deleted that may hold events of since <= time <= until, newest first."""
        query = select(segments).where(segments.c.status == "sealed")
        if since is not None:
            query = query.where(segments.c.time_max >= micros(since))
        if until is not None:
            query = query.where(segments.c.time_min <= micros(until))
        query = query.order_by(segments.c.time_max.desc(), segments.c.id.desc())
        with self._engine.connect() as connection:
            return [_sealed(row) for row in connection.execute(query).mappings()]

    def add(self, name: str, written: Written, first: int, last: int, now: datetime) -> Sealed:
        """Enter a file that is complete and durable on disk."""
        values = {
            "name": name,
            "sm3": written.sm3,
            "bytes": written.bytes,
            "rows": written.rows,
            "time_min": written.time_min,
            "time_max": written.time_max,
            "sequence_first": first,
            "sequence_last": last,
            "sealed": micros(now),
            "status": "sealed",
        }
        with writing(self._engine) as connection:
            connection.execute(insert(segments).values(**values))
            row = connection.execute(select(segments).where(segments.c.name == name)).mappings().one()
            return _sealed(row)

    def bury(self, files: Sequence[Sealed], now: datetime) -> None:
        """Turn rows into tombstones, before the files are unlinked."""
        with writing(self._engine) as connection:
            for file in files:
                connection.execute(
                    update(segments)
                    .where(segments.c.id == file.id, segments.c.status == "sealed")
                    .values(status="deleted", deleted=micros(now))
                )


def _sealed(row: RowMapping) -> Sealed:
    values = dict(row)
    for name in ("time_min", "time_max", "sealed", "deleted"):
        values[name] = None if row[name] is None else from_micros(row[name])
    return Sealed(**values)
