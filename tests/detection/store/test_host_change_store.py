"""Changes of hosts are kept with the commit that brought them, once, and for a month."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from detection.store.alert_store import AlertStore
from detection.store.host_change_store import HostChangeStore


def change(make_event: Callable[..., Any], number: int, **over: Any) -> Any:
    fields = {
        "event__dataset": "inventory.change",
        "event__action": "added",
        "gov__inventory__kind": "ports",
        "gov__inventory__key": f"port {number}",
        "gov__inventory__after": "open",
        **over,
    }
    return make_event(number, **fields)


def test_changes_are_kept_once(engine: Engine, make_event: Callable[..., Any], start: datetime) -> None:
    events = [change(make_event, 1), change(make_event, 2, gov__inventory__kind="users"), make_event(3)]
    for _ in range(2):
        AlertStore(engine).commit([], events, 1, start)
    store = HostChangeStore(engine)
    found = store.changes("web-01", since=start)
    assert [(one.kind, one.item, one.after) for one in found] == [
        ("users", "port 2", "open"),
        ("ports", "port 1", "open"),
    ]
    assert [one.kind for one in store.changes("web-01", since=start, kind="ports")] == ["ports"]
    assert store.changes("web-01", since=start, units=["elsewhere"]) == []
    assert store.changes("web-01", since=start + timedelta(hours=1)) == []
    assert store.changes("db-01", since=start) == []


def test_old_ones_are_forgotten(engine: Engine, make_event: Callable[..., Any], start: datetime) -> None:
    month = 40 * 86_400.0
    AlertStore(engine).commit([], [change(make_event, 1)], 1, start)
    AlertStore(engine).commit([], [change(make_event, 2, seconds=month)], 2, start)
    assert len(HostChangeStore(engine).changes("web-01", since=start)) == 1
