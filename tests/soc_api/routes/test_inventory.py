"""The inventory's routes: hosts of one's own part of the tree, their tables, what changed, what is sought."""

from datetime import timedelta
from typing import Any

import pytest

from compliance.registry import Asset, GradedSystem
from sensors.event import Event, LogSource, Observation, stamp

CITY, OTHER = "320100", "320200"


def told(world: Any, sequence: int, kind: str, rows: list[str], columns: list[str], **over: str) -> Event:
    fields: dict[str, Any] = {
        "event.dataset": f"inventory.{kind}",
        "host.name": over.get("host", "web-01"),
        "gov.inventory.kind": kind,
        "gov.inventory.columns": columns,
        "gov.inventory.items": rows,
        "gov.inventory.part": 0,
        "gov.inventory.parts": 1,
        "gov.inventory.digest": "|".join(rows),
        "gov.inventory.method": "file:x",
    }
    logsource = LogSource(product="linux", category="inventory", service=kind)
    seen = Observation(time=world.now, logsource=logsource, fields=fields, native={})
    return stamp(seen, unit=over.get("unit", CITY), sensor="s1", epoch=1, sequence=sequence)


@pytest.fixture
def filled(world: Any) -> Any:
    """A province's center: a host in each of two cities, one of them an asset."""
    desk = world.registry
    desk.plant(world.now)
    desk.registry.put_system(
        GradedSystem(id="portal", unit=CITY, name="门户", level=3, grade="S3A3G3"), world.now, "user:a"
    )
    desk.assets.put_asset(Asset(system="portal", name="web-01"), world.now, "user:a")
    events = [
        told(world, 1, "os", ["name\topenEuler", "version\t22.03"], ["name", "value"]),
        told(world, 2, "packages", ["bash\t5.2", "openssl\t3.0.9"], ["name", "version"]),
        told(world, 3, "packages", ["openssl\t1.1.1"], ["name", "version"], host="db-01", unit=OTHER),
    ]
    world.alerts.commit([], events, 1, world.now)
    return world


def test_hosts_with_their_system_and_tables(filled: Any) -> None:
    client = filled.signed_in("analyst")
    rows = client("GET", "/inventory/hosts").json()["rows"]
    assert [(row["host"], row["system"], row["os"]) for row in rows] == [
        ("web-01", "portal", "openEuler 22.03"),
        ("db-01", "", ""),
    ]
    place = {"unit": CITY, "host": "web-01"}
    detail = client("GET", "/inventory/host", params=place).json()
    assert [(one["kind"], one["rows"]) for one in detail["tables"]] == [("os", 2), ("packages", 2)]
    assert detail["alerts_open"] == 0
    table = client("GET", "/inventory/table", params={**place, "kind": "packages"}).json()
    assert (table["columns"], table["rows"]) == (["name", "version"], [["bash", "5.2"], ["openssl", "3.0.9"]])
    missing = client("GET", "/inventory/table", params={**place, "kind": "usb"})
    assert (missing.status_code, missing.json()["code"]) == (404, "host-not-found")
    assert client("GET", "/inventory/host", params={**place, "host": "x"}).status_code == 404


def test_which_hosts_have_a_package(filled: Any) -> None:
    found = filled.signed_in("analyst")("GET", "/inventory/rows", params={"kind": "packages", "q": "openssl"})
    assert [(row["host"], row["cells"]) for row in found.json()["rows"]] == [
        ("web-01", ["openssl", "3.0.9"]),
        ("db-01", ["openssl", "1.1.1"]),
    ]


def test_one_sees_ones_own_part_of_the_tree(filled: Any) -> None:
    client = filled.signed_in("analyst", unit=OTHER)
    assert [row["host"] for row in client("GET", "/inventory/hosts").json()["rows"]] == ["db-01"]
    refused = client("GET", "/inventory/host", params={"unit": CITY, "host": "web-01"})
    assert refused.json()["code"] == "unit-scope"
    found = client("GET", "/inventory/rows", params={"kind": "packages", "q": "openssl"}).json()
    assert [row["host"] for row in found["rows"]] == ["db-01"]


def test_what_changed_on_a_host_comes_from_the_events(filled: Any) -> None:
    def change(sequence: int, host: str, unit: str, key: str) -> Event:
        fields: dict[str, Any] = {
            "event.dataset": "inventory.change",
            "event.action": "added",
            "host.name": host,
            "gov.inventory.kind": "ports",
            "gov.inventory.key": key,
            "gov.inventory.after": "transport=tcp",
        }
        seen = Observation(
            time=filled.now - timedelta(hours=1),
            logsource=LogSource(product="linux"),
            fields=fields,
            native={},
        )
        return stamp(seen, unit=unit, sensor="s1", epoch=1, sequence=sequence)

    kept = [change(1, "web-01", CITY, "a"), change(2, "web-01", OTHER, "b"), change(3, "db-01", CITY, "c")]

    filled.alerts.commit([], kept, 2, filled.now)
    client = filled.signed_in("analyst")
    place = {"unit": CITY, "host": "web-01"}
    rows = client("GET", "/inventory/changes", params=place).json()["rows"]
    assert [(row["key"], row["action"]) for row in rows] == [("a", "added")]
    none = client("GET", "/inventory/changes", params={**place, "kind": "packages"}).json()["rows"]
    assert none == []


def test_open_alerts_of_a_host_are_its_own(filled: Any) -> None:
    unit = "320000-local"
    filled.alerts.commit(
        [], [told(filled, 9, "os", ["name\tKylin"], ["name", "value"], unit=unit)], 2, filled.now
    )
    filled.raise_alert(host="web-01", sequence=1)
    filled.raise_alert(host="web-011", sequence=2)
    client = filled.signed_in("analyst")
    detail = client("GET", "/inventory/host", params={"unit": unit, "host": "web-01"}).json()
    assert detail["alerts_open"] == 1


def test_who_may_not_look(filled: Any) -> None:
    assert filled.signed_in("system_admin")("GET", "/inventory/hosts").status_code == 403
