"""What hosts tell of themselves, as the console shows it: joined with the registry, sought through, dated.

Pure: tables and assets come in as they are stored, rows of the page go out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from compliance.registry import Asset, GradedSystem
from detection.store.host_change_store import HostChange
from detection.store.host_inventory import HostInventory, KnownHost
from soc_api.inventory_bodies import (
    HostChangeRow,
    HostHitPage,
    HostHitRow,
    HostRow,
    HostTableRow,
)

HITS_MAX: Final = 500
_ACTIONS: Final = ("added", "removed", "changed")
_SECONDARY: Final = ("127.", "::1", "fe80:")
# What the page shows of a host's two tables of names and values, in this order.
FACTS: Final = (
    "machine",
    "architecture",
    "timezone",
    "package_manager",
    "security_module",
    "vendor",
    "product",
    "serial",
    "virtual",
    "cpu_model",
    "cpu_count",
    "memory_bytes",
)

Place = tuple[str, str]


class Registered:
    """Assets by the name a sensor would call them."""

    def __init__(self, assets: Iterable[Asset], systems: Mapping[str, GradedSystem]) -> None:
        self._systems = systems
        self._assets: dict[str, list[Asset]] = {}
        for asset in assets:
            self._assets.setdefault(asset.name, []).append(asset)

    def of(self, host: str, unit: str) -> tuple[Asset, GradedSystem] | None:
        """The asset of this name: of the host's own unit first, else of any."""
        found = [(asset, self._systems[asset.system]) for asset in self._assets.get(host, ())]
        return min(found, key=lambda one: (one[1].unit != unit, one[0].number), default=None)


def host_rows(
    hosts: Iterable[KnownHost], tables: Iterable[HostInventory], registered: Registered
) -> list[HostRow]:
    """Hosts with their system and addresses; ``tables`` are their ``os`` and ``interfaces``."""
    by_place: dict[Place, dict[str, HostInventory]] = {}
    for table in tables:
        by_place.setdefault((table.unit, table.host), {})[table.kind] = table
    return [_host_row(host, by_place.get((host.unit, host.host), {}), registered) for host in hosts]


def host_facts(tables: Collection[HostInventory]) -> dict[str, str]:
    """What is worth a line of the host's name and value tables; what is not known is left out."""
    known: dict[str, str] = {}
    for table in tables:
        if table.kind in ("os", "hardware"):
            known |= table.values()
    disks = {name: value for name, value in sorted(known.items()) if name.startswith("disk:")}
    return {name: known[name] for name in FACTS if known.get(name)} | disks


def table_row(table: HostInventory) -> HostTableRow:
    """What is known of a table beside its rows."""
    return HostTableRow(
        kind=table.kind,
        rows=len(table.rows),
        time=table.time,
        since=table.since,
        method=table.method,
        complete=table.complete,
        truncated=table.truncated,
        error=table.error,
    )


def change_row(change: HostChange) -> HostChangeRow:
    """A change as a line."""
    return HostChangeRow(
        event=change.event,
        time=change.time,
        kind=change.kind,
        key=change.item,
        action=cast("Any", change.action if change.action in _ACTIONS else ""),
        before=change.before,
        after=change.after,
        while_down=change.while_down,
    )


def hits(kind: str, words: str, tables: Sequence[HostInventory]) -> HostHitPage:
    """Rows with every one of the words in some cell, whatever their case."""
    wanted = words.lower().split()
    columns = max((table.columns for table in tables), key=len, default=())
    found: list[HostHitRow] = []
    hosts: set[Place] = set()
    more = False
    for table in tables:
        for row in table.rows:
            line = "\n".join(row).lower()
            if not all(word in line for word in wanted):
                continue
            hosts.add((table.unit, table.host))
            if len(found) < HITS_MAX:
                found.append(HostHitRow(unit=table.unit, host=table.host, cells=list(row)))
            else:
                more = True
    return HostHitPage(kind=kind, columns=list(columns), rows=found, hosts=len(hosts), more=more)


def _host_row(host: KnownHost, tables: Mapping[str, HostInventory], registered: Registered) -> HostRow:
    os = tables["os"].values() if "os" in tables else {}
    place = registered.of(host.host, host.unit)
    return HostRow(
        unit=host.unit,
        host=host.host,
        sensor=host.sensor,
        first_seen=host.first_seen,
        last_seen=host.last_seen,
        os=_system_name(os.get("name", ""), os.get("version", "")),
        kernel=os.get("kernel", ""),
        domestic=os.get("domestic", ""),
        addresses=_addresses(tables.get("interfaces")),
        kinds=list(host.kinds),
        system=place[1].id if place else "",
        system_name=place[1].name if place else "",
        asset=place[0].number if place else None,
    )


def _system_name(name: str, version: str) -> str:
    """A name that has its version already is not told it twice."""
    return name if version in name else f"{name} {version}".strip()


def _addresses(table: HostInventory | None) -> list[str]:
    """Addresses others may reach the host by, IPv4 first."""
    rows = table.table() if table is not None else []
    every = [one for name in ("ipv4", "ipv6") for row in rows for one in row.get(name, "").split()]
    return list(dict.fromkeys(one for one in every if not one.startswith(_SECONDARY)))
