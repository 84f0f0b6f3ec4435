"""Marks of steps: the newest holds, with who and when."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from crypto.words import Refused
from detection.alert import Alert
from detection.store.alert_store import AlertStore
from detection.store.playbook_store import PlaybookStore


def test_the_newest_mark_of_a_step_holds(
    engine: Engine, start: datetime, make_alert: Callable[..., Alert]
) -> None:
    store, alert = PlaybookStore(engine), make_alert(1)
    AlertStore(engine).commit([alert], [], None, start)
    before = store.revision()
    store.mark(alert.group, "login", "b" * 16, 1, done=True, actor="user:a", now=start)
    store.mark(alert.group, "login", "a" * 16, 0, done=True, actor="user:a", now=start)
    later = start + timedelta(hours=1)
    store.mark(alert.group, "login", "b" * 16, 1, done=False, actor="user:b", now=later)
    assert [(one.step[0], one.done, one.actor, one.time) for one in store.marks(alert.group)] == [
        ("a", True, "user:a", start),
        ("b", False, "user:b", later),
    ]
    assert store.revision() == before + 3
    with pytest.raises(Refused, match="alert-not-found"):
        store.mark("0" * 32, "login", "a" * 16, 0, done=True, actor="user:a", now=start)
