"""The hosts' inventory: newest table per unit, host and kind, whatever order or repetition events come in."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from detection.store.alert_store import AlertStore
from detection.store.host_inventory import inventory_parts
from detection.store.host_inventory_store import HostInventoryStore
from sensors.event import Event, LogSource

MakeEvent = Callable[..., Event]
Commit = Callable[[list[Event]], None]


@pytest.fixture
def inventory(engine: Engine) -> HostInventoryStore:
    return HostInventoryStore(engine)


@pytest.fixture
def commit(engine: Engine, start: datetime) -> Commit:
    def write(events: list[Event]) -> None:
        AlertStore(engine).commit([], events, 1, start)

    return write


def told(make_event: MakeEvent, sequence: int, rows: list[str], **fields: object) -> Event:
    return make_event(
        sequence,
        logsource=LogSource(product="linux", category="inventory", service="packages"),
        event__dataset="inventory.packages",
        gov__inventory__method="file:/var/lib/dpkg/status",
        **{
            "gov__inventory__kind": "packages",
            "gov__inventory__columns": ["name", "version"],
            "gov__inventory__items": rows,
            "gov__inventory__part": 0,
            "gov__inventory__parts": 1,
            "gov__inventory__digest": "|".join(rows),
        }
        | fields,
    )


def test_the_newest_table_wins_and_knows_since_when(
    inventory: HostInventoryStore, commit: Commit, make_event: MakeEvent, start: datetime
) -> None:
    old, new, same = (
        told(make_event, place, rows) for place, rows in ((1, ["a\t1"]), (2, ["a\t2"]), (9, ["a\t2"]))
    )
    commit([new, old])
    first = inventory.revision()
    commit([same])
    commit([old])
    found = inventory.newest("web-01", "packages")
    assert [one.table() for one in found] == [[{"name": "a", "version": "2"}]]
    assert found[0].values() == {"a": "2"}
    assert found[0].complete
    assert (found[0].since, found[0].time) == (start + timedelta(seconds=2), start + timedelta(seconds=9))
    assert inventory.revision() == first, "saying the same again is no news"
    assert inventory.newest("web-02") == []
    assert inventory.newest(unit="suzhou") == []


def test_parts_make_one_table_and_a_missing_one_is_told(
    inventory: HostInventoryStore, commit: Commit, make_event: MakeEvent
) -> None:
    parts = [
        told(
            make_event,
            place + 1,
            [f"p{place}\t1"],
            gov__inventory__part=place,
            gov__inventory__parts=3,
            gov__inventory__digest="d",
        )
        for place in range(3)
    ]
    commit(parts[:2])
    assert not inventory.newest()[0].complete
    commit(parts[2:])
    found = inventory.newest()[0]
    assert found.complete
    assert [row[0] for row in found.rows] == ["p0", "p1", "p2"]
    commit([told(make_event, 10, ["q\t1"])])
    shorter = inventory.newest()[0]
    assert shorter.complete
    assert shorter.rows == (("q", "1"),)


def test_an_error_leaves_what_was_known(
    inventory: HostInventoryStore, commit: Commit, make_event: MakeEvent
) -> None:
    commit([told(make_event, 1, ["a\t1"])])
    commit(
        [
            make_event(
                2,
                event__dataset="inventory.packages",
                gov__inventory__kind="packages",
                gov__inventory__error="PermissionError: no",
            )
        ]
    )
    found = inventory.newest()[0]
    assert (found.rows, found.error, found.complete) == ((("a", "1"),), "PermissionError: no", False)
    commit([told(make_event, 3, ["a\t1"])])
    assert (inventory.newest()[0].error, inventory.newest()[0].complete) == ("", True)


def test_hosts_are_listed_with_their_kinds(
    inventory: HostInventoryStore, commit: Commit, make_event: MakeEvent, start: datetime
) -> None:
    commit([told(make_event, 1, ["a\t1"]), told(make_event, 5, ["a\t1"], gov__inventory__kind="users")])
    (host,) = inventory.hosts()
    assert (host.host, host.unit, host.kinds) == ("web-01", "nanjing", ("packages", "users"))
    assert (host.first_seen, host.last_seen) == (start + timedelta(seconds=1), start + timedelta(seconds=5))


def test_what_a_hostile_sensor_sends_is_bounded(make_event: MakeEvent) -> None:
    odd = told(
        make_event,
        1,
        ["a\t1", "one cell", "a\tb\tc", "\t".join(["x" * 900, "y"])],
        gov__inventory__parts=-3,
        gov__inventory__truncated="yes",
    )
    (part,) = inventory_parts([odd, told(make_event, 2, [], gov__inventory__part=10**9)])
    assert part.rows == (("a", "1"), ("x" * 512, "y"))
    assert (part.parts, part.truncated) == (1, False)
    assert inventory_parts([make_event(3, event__dataset="inventory.change", gov__inventory__kind="a")]) == []
