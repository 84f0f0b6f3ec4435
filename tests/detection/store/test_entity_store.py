"""Entities are found exactly, a user's name on any host by its beginning; risk fades and comes back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from detection.store.alert_store import AlertStore
from detection.store.entity_store import EntityName, EntityStore

HOST = EntityName(keys=("host:Web-01",))


def test_names_are_exact_and_beginnings_begin(
    engine: Engine, make_alert: Callable[..., Any], start: datetime
) -> None:
    names = ["host:web-01", "host:web-011", "user:root@web-01", "user:root@db", "user:rooty@db"]
    raised = [make_alert(number, entity=name) for number, name in enumerate(names, 1)]
    AlertStore(engine).commit(raised, [], 1, start)
    store = EntityStore(engine)
    assert [group.entity for group in store.groups(HOST)] == ["host:web-01"]
    root = store.groups(EntityName(keys=("user:root",), beginnings=("user:root@",)))
    assert {group.entity for group in root} == {"user:root@web-01", "user:root@db"}
    assert store.open_count(HOST) == 1
    assert store.open_count(HOST, ["elsewhere"]) == 0


def test_risk_of_days(engine: Engine, make_alert: Callable[..., Any], start: datetime) -> None:
    raised = [make_alert(number, severity="critical") for number in (1, 2, 3)]
    AlertStore(engine).commit(raised, [], 1, start)
    store = EntityStore(engine)
    days = store.risk_days(HOST, start + timedelta(days=2, hours=1), 4)
    assert [day.alerts for day in days] == [0, 3, 0, 0]
    assert days[0].risk == 0
    assert days[1].risk > days[2].risk > days[3].risk > 0


def test_alerts_of_a_range(engine: Engine, make_alert: Callable[..., Any], start: datetime) -> None:
    AlertStore(engine).commit([make_alert(number) for number in (1, 2, 3)], [], 1, start)
    store = EntityStore(engine)
    found = store.alerts(HOST, start, start + timedelta(hours=1))
    assert len(found) == 3
    assert found[0].time > found[-1].time
    assert store.alerts(HOST, start + timedelta(hours=1), start + timedelta(hours=2)) == []
