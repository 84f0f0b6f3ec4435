"""Neighbours are counted alike in sealed files and in the log."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from detection.store.alert_store import AlertStore


@pytest.mark.parametrize("sealed", [0, 2, 3])
def test_whom_an_address_was_seen_with(center: Any, engine: Engine, start: datetime, sealed: int) -> None:
    center.receive(3, user__name="root", source__ip="10.0.0.8", destination__ip="10.0.0.9")
    center.receive(2, user__name="adm", source__ip="10.0.0.8", destination__ip="10.0.0.7")
    center.receive(4, user__name="root", source__ip="10.0.0.1", destination__ip="10.0.0.8")
    AlertStore(engine).commit([], [], sealed, start)
    store = center.store(engine)
    store.seal(start, force=True)
    first, last = start - timedelta(days=1), start + timedelta(days=1)
    found = store.neighbours.of("address", "10.0.0.8", first, last)
    assert {(row.relation, row.kind, row.name): row.events for row in found.rows} == {
        ("to", "address", "10.0.0.9"): 3,
        ("to", "address", "10.0.0.7"): 2,
        ("from", "address", "10.0.0.1"): 4,
        ("host", "host", "web-01"): 5,
        ("user", "user", "root"): 3,
        ("user", "user", "adm"): 2,
    }
    user = store.neighbours.of("user", "ROOT", first, last)
    assert {(row.name, row.events) for row in user.rows} == {("web-01", 7), ("10.0.0.8", 3), ("10.0.0.1", 4)}
    assert store.neighbours.of("user", "root", first, last, frozenset({"elsewhere"})).rows == ()
    assert store.neighbours.of("user", "root", first, first).rows == ()
    stopped = store.neighbours.of("user", "root", first, last, stop=lambda: True)
    assert stopped.stopped is (sealed > 0)
