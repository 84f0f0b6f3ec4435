"""The register of sensors: moved, drained, revoked; tokens that are still open."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detection.store.alert_store import AlertStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine, open_state
from sensors.event import LogSource, Observation, stamp
from sensors.wire import lane_sequence
from soc_api.enrolment import SensorRecord, TokenRecord
from soc_api.enrolment_store import EnrolmentStore

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> EnrolmentStore:
    """A register with the sensor ``host-1`` of the unit ``city``."""
    made = EnrolmentStore(engine)
    made.add_token(token("t1"))
    assert made.enrol("t1", record())
    return made


def token(name: str, *, hours: int = 1) -> TokenRecord:
    return TokenRecord(
        id=name,
        secret_sm3="0" * 64,
        unit="city",
        actor="user:a",
        created=NOW,
        expires=NOW + timedelta(hours=hours),
        group="web",
    )


def record() -> SensorRecord:
    return SensorRecord(
        id="host-1",
        unit="city",
        kind="host",
        hostname="web-01",
        certificate="",
        fingerprint="f" * 64,
        key_digest="",
        enrolled=NOW,
        group="web",
    )


def beat(engine: Engine, at: datetime, backlog: int, number: int, bulk: int = 0) -> None:
    """A heartbeat made at that time and received a minute later."""
    fields: dict[str, Any] = {
        "event.dataset": "liuhe.heartbeat",
        "gov.sensor.backlog": backlog,
        "gov.sensor.last_sequence": [f"alerts={number - 1}", f"bulk={bulk}", "other=9"],
    }
    come(engine, at, lane_sequence("alerts", number), fields)


def come(engine: Engine, at: datetime, sequence: int, fields: dict[str, Any]) -> None:
    """An event of the sensor comes in."""
    source = LogSource(product="liuhe", service="sensor")
    event = stamp(
        Observation(time=at, logsource=source, fields=fields),
        unit="city",
        sensor="host-1",
        epoch=1,
        sequence=sequence,
    )
    AlertStore(engine).commit([], [event], 1, at + MINUTE)


def test_a_sensor_is_moved_and_keeps_the_rest(store: EnrolmentStore) -> None:
    assert store.move("host-1", "province", "db")
    moved = store.sensor("host-1")
    assert moved is not None
    assert (moved.unit, moved.group, moved.fingerprint) == ("province", "db", "f" * 64)
    assert not store.move("absent", "province", "")


def test_a_revoked_sensor_is_not_changed_any_more(store: EnrolmentStore) -> None:
    assert store.revoke("host-1", NOW, actor="user:a", reason="报废")
    gone = store.sensor("host-1")
    assert gone is not None
    assert (gone.revoked, gone.revoked_by, gone.revoked_reason) == (NOW, "user:a", "报废")
    assert not any((store.revoke("host-1", NOW), store.move("host-1", "u", ""), store.drain("host-1", NOW)))


def test_draining_ends_with_a_heartbeat_made_since_that_has_no_backlog(
    store: EnrolmentStore, engine: Engine
) -> None:
    beat(engine, NOW - MINUTE, 0, 1)
    assert not store.settle("host-1", NOW)
    assert store.drain("host-1", NOW)
    assert not store.settle("host-1", NOW)
    # One that was made before and came late says nothing of what came after it.
    beat(engine, NOW - timedelta(seconds=30), 0, 2)
    assert not store.settle("host-1", NOW)
    beat(engine, NOW + MINUTE, 5, 3)
    assert not store.settle("host-1", NOW)
    beat(engine, NOW + 2 * MINUTE, 0, 4)
    assert store.settle("host-1", NOW + 2 * MINUTE)
    assert store.settle("host-1", NOW + 9 * MINUTE)
    drained = store.sensor("host-1")
    assert drained is not None
    assert drained.drained == NOW + 2 * MINUTE
    assert store.resume("host-1")
    taken_up = store.sensor("host-1")
    assert taken_up is not None
    assert (taken_up.draining, taken_up.drained) == (None, None)


def test_draining_a_busy_sensor_ends_when_all_it_had_is_here(store: EnrolmentStore, engine: Engine) -> None:
    store.drain("host-1", NOW)
    beat(engine, NOW + MINUTE, 40, 1, bulk=30)
    assert not store.settle("host-1", NOW + MINUTE)
    # What comes after the first word on it does not put the end off.
    beat(engine, NOW + 2 * MINUTE, 40, 2, bulk=70)
    come(engine, NOW + 2 * MINUTE, lane_sequence("bulk", 29), {})
    assert not store.settle("host-1", NOW + 2 * MINUTE)
    come(engine, NOW + 3 * MINUTE, lane_sequence("bulk", 30), {})
    assert store.settle("host-1", NOW + 3 * MINUTE)


def test_draining_anew_asks_anew(store: EnrolmentStore, engine: Engine) -> None:
    store.drain("host-1", NOW)
    beat(engine, NOW + MINUTE, 1, 1, bulk=5)
    assert not store.settle("host-1", NOW + MINUTE)
    store.drain("host-1", NOW + 2 * MINUTE)
    come(engine, NOW + 2 * MINUTE, lane_sequence("bulk", 5), {})
    assert not store.settle("host-1", NOW + 2 * MINUTE)


def test_a_quarantine_stays_until_the_sensor_is_enrolled_anew(store: EnrolmentStore) -> None:
    assert store.hold("host-1", "two-live", NOW)
    assert not store.hold("host-1", "epoch-back", NOW + MINUTE)
    assert not store.hold("absent", "two-live", NOW)
    held = store.sensor("host-1")
    assert held is not None
    assert (held.quarantined, held.quarantine_reason) == (NOW, "two-live")
    store.revoke("host-1", NOW)
    store.add_token(token("t2"))
    assert store.enrol("t2", record())
    anew = store.sensor("host-1")
    assert anew is not None
    assert (anew.quarantined, anew.quarantine_reason) == (None, "")


def test_open_tokens_are_listed_and_withdrawn(store: EnrolmentStore) -> None:
    store.add_token(token("t2", hours=3))
    store.add_token(token("t3", hours=2))
    assert [one.id for one in store.open_tokens(NOW)] == ["t3", "t2"]
    assert store.withdraw("t2", NOW)
    assert not store.withdraw("t2", NOW)
    assert not store.withdraw("t1", NOW)
    assert [(one.id, one.group) for one in store.open_tokens(NOW)] == [("t3", "web")]
    assert store.open_tokens(NOW + timedelta(days=1)) == []


def test_every_change_is_told_to_open_consoles(store: EnrolmentStore, engine: Engine) -> None:
    inventory = InventoryStore(engine)
    before = inventory.sensors_revision()
    store.move("host-1", "province", "")
    store.drain("absent", NOW)
    store.drain("host-1", NOW)
    store.revoke("host-1", NOW)
    assert inventory.sensors_revision() == before + 3
