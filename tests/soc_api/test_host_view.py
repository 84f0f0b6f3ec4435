"""Tests of soc_api.host_view: hosts joined with the registry, sought through, and their changes."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from compliance.registry import Asset, GradedSystem
from detection.store.host_change_store import HostChange
from detection.store.host_inventory import HostInventory, KnownHost
from soc_api.host_view import HITS_MAX, Registered, change_row, hits, host_facts, host_rows

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def table(
    kind: str, columns: Sequence[str], rows: Sequence[Sequence[str]], host: str = "web-01"
) -> HostInventory:
    return HostInventory(
        host=host,
        kind=kind,
        time=NOW,
        since=NOW,
        event="1",
        unit="320100",
        sensor="s1",
        digest="0",
        method="file:x",
        columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows),
        complete=True,
        truncated=False,
        error="",
    )


def known(host: str = "web-01") -> KnownHost:
    return KnownHost(host=host, unit="320100", sensor="s1", first_seen=NOW, last_seen=NOW, kinds=("os",))


SYSTEMS = {
    name: GradedSystem(id=name, unit=unit, name=name, level=3, grade="S3A3G3")
    for name, unit in (("portal", "320100"), ("other", "320200"))
}
NAMES = table("os", ("name", "value"), [("name", "openEuler"), ("version", "22.03"), ("machine", "ab")])
PLACES = table(
    "interfaces",
    ("name", "mac", "ipv4", "ipv6"),
    [("lo", "", "127.0.0.1", "::1"), ("eth0", "m", "10.0.0.5 10.0.0.6", "fe80::1 2001:db8::1")],
)


def test_a_host_is_shown_with_its_system_and_the_addresses_others_reach_it_by() -> None:
    assets = [Asset(number=n, system=s, name="web-01") for n, s in ((1, "other"), (2, "portal"))]
    (row,) = host_rows([known()], [NAMES, PLACES], Registered(assets, SYSTEMS))
    assert (row.os, row.system, row.asset) == ("openEuler 22.03", "portal", 2), "of its own unit first"
    assert row.addresses == ["10.0.0.5", "10.0.0.6", "2001:db8::1"]


def test_a_host_nobody_registered_has_no_system_and_one_without_tables_no_name() -> None:
    (row,) = host_rows([known("db-01")], [NAMES], Registered([], {}))
    assert (row.system, row.asset, row.os, row.addresses) == ("", None, "", [])


def test_a_name_with_its_version_is_not_told_it_twice() -> None:
    names = table("os", ("name", "value"), [("name", "Debian GNU/Linux 12 (bookworm)"), ("version", "12")])
    (row,) = host_rows([known()], [names], Registered([], {}))
    assert row.os == "Debian GNU/Linux 12 (bookworm)"


def test_facts_leave_out_what_is_not_known_and_end_with_the_disks() -> None:
    hardware = table(
        "hardware", ("name", "value"), [("disk:sda", "1 GiB"), ("vendor", ""), ("cpu_count", "2")]
    )
    assert list(host_facts([PLACES, hardware, NAMES]).items()) == [
        ("machine", "ab"),
        ("cpu_count", "2"),
        ("disk:sda", "1 GiB"),
    ]


def test_every_word_must_stand_in_the_row() -> None:
    tables = [
        table("packages", ("name", "version"), [("openssl", "3.0"), ("bash", "5")], host)
        for host in ("a", "b")
    ]
    found = hits("packages", "OpenSSL 3.", tables)
    assert [(row.host, row.cells) for row in found.rows] == [
        ("a", ["openssl", "3.0"]),
        ("b", ["openssl", "3.0"]),
    ]
    assert (found.hosts, found.more, found.columns) == (2, False, ["name", "version"])
    assert not hits("packages", "openssl 5", tables).rows
    many = table("packages", ("name",), [(f"x{n}",) for n in range(HITS_MAX + 1)])
    assert (len(hits("packages", "x", [many]).rows), hits("packages", "x", [many]).more) == (HITS_MAX, True)


@pytest.mark.parametrize(("said", "action"), [("added", "added"), ("exploded", ""), ("", "")])
def test_a_change_is_told_as_it_was_whatever_a_sensor_says(said: str, action: str) -> None:
    change = HostChange(
        event="e",
        unit="320100",
        host="web-01",
        time=NOW,
        kind="ports",
        action=said,
        item="tcp 0.0.0.0 22",
        before="",
        after="open",
        while_down=True,
    )
    row = change_row(change)
    assert (row.kind, row.key, row.action, row.after, row.while_down) == (
        "ports",
        "tcp 0.0.0.0 22",
        action,
        "open",
        True,
    )
