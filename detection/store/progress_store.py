"""How far things are: the pipeline's cursor, detector snapshots and the revision counters.

Functions of an open transaction; the stores call them inside their own, so that progress and effect are
durable together or not at all.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update

from detection.store.tables import counters, detector_state, micros, pipeline_cursor

_CURSOR: Final = "pipeline"


def position_of(connection: Connection) -> int:
    """The last log sequence whose effects are committed; 0 before the first commit."""
    found = connection.scalar(select(pipeline_cursor.c.position).where(pipeline_cursor.c.name == _CURSOR))
    return int(found or 0)


def advance(connection: Connection, position: int, now: datetime) -> None:
    """Move the cursor forward; a smaller position is a replay and moves nothing."""
    before = position_of(connection)
    values = {"position": max(before, position), "time": micros(now)}
    moved = connection.execute(
        update(pipeline_cursor).where(pipeline_cursor.c.name == _CURSOR).values(**values)
    )
    if not moved.rowcount:
        connection.execute(insert(pipeline_cursor).values(name=_CURSOR, **values))


def place_of(connection: Connection, name: str) -> int:
    """How far another reader than the pipeline is; 0 before the first ``keep_place``."""
    assert name != _CURSOR
    found = connection.scalar(select(pipeline_cursor.c.position).where(pipeline_cursor.c.name == name))
    return int(found or 0)


def keep_place(connection: Connection, name: str, position: int, now: datetime) -> None:
    """Say how far another reader than the pipeline is."""
    assert name != _CURSOR
    values = {"position": position, "time": micros(now)}
    moved = connection.execute(update(pipeline_cursor).where(pipeline_cursor.c.name == name).values(**values))
    if not moved.rowcount:
        connection.execute(insert(pipeline_cursor).values(name=name, **values))


def keep_snapshot(connection: Connection, name: str, body: bytes, now: datetime) -> None:
    """Replace the snapshot of one detector."""
    values = {"body": body, "time": micros(now)}
    kept = connection.execute(update(detector_state).where(detector_state.c.name == name).values(**values))
    if not kept.rowcount:
        connection.execute(insert(detector_state).values(name=name, **values))


def snapshot(connection: Connection, name: str) -> bytes | None:
    """The snapshot of one detector, None before the first."""
    found = connection.scalar(select(detector_state.c.body).where(detector_state.c.name == name))
    return None if found is None else bytes(found)


def bump(connection: Connection, name: str) -> int:
    """The next value of a counter; the row stays locked until commit, so values follow commit order."""
    raised = connection.execute(
        update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
    )
    if not raised.rowcount:
        connection.execute(insert(counters).values(name=name, value=1))
    return counter(connection, name)


def counter(connection: Connection, name: str) -> int:
    """The value of a counter now; 0 before the first ``bump``."""
    return int(connection.scalar(select(counters.c.value).where(counters.c.name == name)) or 0)
