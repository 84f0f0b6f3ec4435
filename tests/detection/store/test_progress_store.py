"""Cursor, snapshots and counters move forward only with their transaction."""

from datetime import datetime

from sqlalchemy import Engine

from detection.store.progress_store import advance, bump, counter, keep_snapshot, position_of, snapshot
from detection.store.state import writing


def test_each_starts_empty_and_keeps_the_newest(engine: Engine, start: datetime) -> None:
    with writing(engine) as connection:
        assert (position_of(connection), counter(connection, "a"), snapshot(connection, "d")) == (0, 0, None)
        for position in (3, 9, 5):
            advance(connection, position, start)
        assert [bump(connection, "a"), bump(connection, "a"), bump(connection, "b")] == [1, 2, 1]
        keep_snapshot(connection, "d", b"1", start)
        keep_snapshot(connection, "d", b"2", start)
    with engine.connect() as connection:
        assert (position_of(connection), counter(connection, "a"), snapshot(connection, "d")) == (9, 2, b"2")
