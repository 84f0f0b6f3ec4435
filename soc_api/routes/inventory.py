"""The inventory of the hosts: what they are made of, sought through, and what changed in it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Final

from fastapi import Query

from compliance.registry import GradedSystem
from crypto.words import Refused, Words
from detection.store.entity_store import EntityName
from detection.store.host_inventory import HostInventory, KnownHost
from detection.store.host_inventory_store import HostInventoryStore
from soc_api.context import Center
from soc_api.host_view import Registered, change_row, hits, host_facts, host_rows, table_row
from soc_api.hunt_desk import HuntDesk
from soc_api.inventory_bodies import HostChangePage, HostDetail, HostHitPage, HostPage, HostRow, HostTable
from soc_api.personal_tables import persons
from soc_api.routes.guard import Here, Veiled, conflicts, needs, router
from soc_api.routes.registry import Reach, Seen, Within
from soc_api.routes.veil import Veil
from soc_api.unit_scope import UnitScope

inventory = router("inventory")

CHANGES_MAX: Final = 200
CHANGES_DAYS: Final = 30
_REFUSES: Final = conflicts("The host has no such table")

UnitName = Annotated[str, Query(min_length=1, max_length=64)]
HostName = Annotated[str, Query(min_length=1, max_length=255)]
Kind = Annotated[str, Query(pattern=r"^[a-z_]{1,32}$")]
AnyKind = Annotated[str, Query(pattern=r"^[a-z_]{0,32}$")]
Sought = Annotated[str, Query(min_length=2, max_length=100)]


@inventory.get(
    "/inventory/hosts",
    summary="Hosts that tell of themselves",
    response_model=HostPage,
    openapi_extra=needs("inventory.read"),
)
def hosts(reach: Within) -> HostPage:
    """Those of one's own unit and of those below it, with the graded system each belongs to."""
    return HostPage(rows=known_hosts(reach))


@inventory.get(
    "/inventory/host",
    summary="One host",
    response_model=HostDetail,
    responses=_REFUSES,
    openapi_extra=needs("inventory.read"),
)
def host(unit: UnitName, host: HostName, reach: Within) -> HostDetail:
    """What machine and system it is, its tables and how old they are, and its open alerts."""
    reach.unit(unit)
    store = _store(reach.center)
    known = [one for one in store.hosts() if (one.unit, one.host) == (unit, host)]
    if not known:
        raise _no_host(host)
    tables = store.newest(host, unit=unit)
    return HostDetail(
        host=_rows(reach, known, tables)[0],
        facts=host_facts(tables),
        tables=[table_row(table) for table in tables],
        alerts_open=_open_alerts(reach.center, unit, host),
    )


@inventory.get(
    "/inventory/table",
    summary="One table of a host",
    response_model=HostTable,
    responses=_REFUSES,
    openapi_extra=needs("inventory.read"),
)
def table(unit: UnitName, host: HostName, kind: Kind, reach: Within, veil: Veiled) -> HostTable:
    """Software, accounts, ports, certificates and the like, as the host told it last."""
    reach.unit(unit)
    _hide_persons(veil, _store(reach.center).newest(host, unit=unit))
    found = _store(reach.center).newest(host, kind, unit=unit)
    if not found:
        raise _no_host(f"{host} {kind}")
    (one,) = found
    return HostTable(table=table_row(one), columns=list(one.columns), rows=[list(row) for row in one.rows])


@inventory.get(
    "/inventory/changes",
    summary="What changed on a host",
    response_model=HostChangePage,
    responses=_REFUSES,
    openapi_extra=needs("inventory.read"),
)
def changes(
    unit: UnitName, host: HostName, reach: Within, veil: Veiled, kind: AnyKind = ""
) -> HostChangePage:
    """Rows that came, went or became others within 30 days, each an event of its own."""
    reach.unit(unit)
    _hide_persons(veil, _store(reach.center).newest(host, unit=unit))
    since = reach.center.clock() - timedelta(days=CHANGES_DAYS)
    found = _hunts(reach.center).changes.changes(
        host, since=since, units=[unit], kind=kind, limit=CHANGES_MAX
    )
    return HostChangePage(rows=[change_row(change) for change in found])


@inventory.get(
    "/inventory/rows",
    summary="Seek in one kind of table of all hosts",
    response_model=HostHitPage,
    openapi_extra=needs("inventory.read"),
)
def rows(kind: Kind, q: Sought, center: Here, scope: Seen, veil: Veiled) -> HostHitPage:
    """Which hosts have this package, account, port or certificate."""
    tables = [table for table in _store(center).newest(kind=kind) if _held(scope, table)]
    _hide_persons(veil, [*tables, *_store(center).newest(kind="accounts")])
    return hits(kind, q, tables)


def known_hosts(reach: Reach) -> list[HostRow]:
    """The hosts of one's own unit and of those below it."""
    store = _store(reach.center)
    known = [host for host in store.hosts() if reach.scope.holds(host.unit)]
    return _rows(reach, known, [*store.newest(kind="os"), *store.newest(kind="interfaces")])


def _held(scope: UnitScope, table: HostInventory) -> bool:
    return scope.holds(table.unit)


def _hide_persons(veil: Veil | None, tables: Iterable[HostInventory]) -> None:
    if veil is not None and not veil.plain:
        veil.know(persons(tables))


def _rows(reach: Reach, known: list[KnownHost], tables: list[HostInventory]) -> list[HostRow]:
    systems: dict[str, GradedSystem] = {one.id: one for one in reach.desk.registry.systems(reach.scope.units)}
    return host_rows(known, tables, Registered(reach.desk.assets.assets(list(systems)), systems))


def _open_alerts(center: Center, unit: str, host: str) -> int:
    """Of this host alone: another unit may have one of the same name."""
    return _hunts(center).entities.open_count(EntityName(keys=(f"host:{host}",)), [unit])


def _hunts(center: Center) -> HuntDesk:
    assert center.hunts is not None
    return center.hunts


def _store(center: Center) -> HostInventoryStore:
    assert center.hosts is not None
    return center.hosts


def _no_host(name: str) -> Refused:
    return Refused(
        "host-not-found",
        Words("没有这台主机,或它未上报这张表", "no such host, or it has not told this table"),
        Words("返回列表核对;新接入的主机稍候片刻", "go back to the list; a new host takes a moment"),
        field=name,
    )
