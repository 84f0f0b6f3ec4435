"""Acts of long ago lose their items bit by bit; younger ones and their numbers stay."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from detection.alert import Alert
from detection.store import act_ageing
from detection.store.act import Act
from detection.store.act_ageing import KEPT, forget_items
from detection.store.act_store import AlertActs
from detection.store.alert_store import AlertStore


def test_items_are_forgotten_in_time(
    engine: Engine, make_alert: Callable[..., Alert], start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, acts = AlertStore(engine), AlertActs(engine)
    store.commit([make_alert(n, entity=f"host:{n}") for n in range(5)], [], 1, start)
    groups = [row.id for row in store.page().rows]
    old = acts.begin(Act(action="acknowledge"), groups, "user:a", start)
    later = start + KEPT
    new = acts.begin(Act(action="note", reason="seen"), groups, "user:a", later)
    monkeypatch.setattr(act_ageing, "CHUNK_ITEMS", 3)
    assert not forget_items(engine, later)
    late = later + timedelta(seconds=1)
    assert forget_items(engine, late)
    assert len(acts.items(old.id)) == 2
    assert forget_items(engine, late)
    assert not forget_items(engine, late)
    assert (acts.items(old.id), acts.record(old.id).done, len(acts.items(new.id))) == ([], 5, 5)
