"""Everything the center knows of one graded system, gathered from its stores as facts at one moment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from compliance.asset_store import AssetStore
from compliance.document_store import DocumentStore
from compliance.documents import DocumentKind, facts_of
from compliance.evaluation import Fact
from compliance.facts import CenterState, gather
from compliance.order import Order
from compliance.order_store import OrderStore
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from detection.store.alert_store import AlertStore
from detection.store.host_inventory import HostInventory
from detection.store.host_inventory_store import HostInventoryStore
from detection.store.inventory import ProbeResult, SensorState
from detection.store.inventory_store import InventoryStore
from sensors.event import Value

SOON_DAYS: Final = 30  # a certificate that ends within them is named beforehand
NAMED_MAX: Final = 20
ABOUT_ORDERS: Final = "MGT-02"  # the check that asks whether orders are done in time
_PAGE: Final = 200  # alert groups read at a time
_OPEN_GROUPS_MAX: Final = 5_000  # enough to know which rules are open; counts beyond are cut

# What another part of the center says of a system: transfers, accounts.
Further = Callable[[str, datetime], Sequence[Fact]]


def nothing_further(system: str, now: datetime) -> Sequence[Fact]:  # noqa: ARG001
    """Where no other part has anything to say."""
    return ()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The stores facts come from."""

    alerts: AlertStore
    inventory: InventoryStore
    hosts: HostInventoryStore
    registry: RegistryStore
    assets: AssetStore
    documents: DocumentStore
    orders: OrderStore
    kinds: Mapping[str, DocumentKind]
    further: Further


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What the center says of itself."""

    ledger_size: int
    ledger_ok: bool
    retention_days: int
    rules_loaded: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts by name, and the hosts registered for the system."""

    facts: dict[str, list[Fact]]
    hosts: tuple[str, ...]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is read once for all systems: their assets' names, what hosts and sensors said, open alerts."""

    names: Mapping[str, frozenset[str]]
    probes: Mapping[str, Sequence[ProbeResult]]  # by host
    sensors: Sequence[SensorState]
    alerts: Mapping[str, int]
    certificates: Sequence[HostInventory]


def seen_of(known: Known, now: datetime) -> Seen:
    """What the stores say at this moment of all hosts together."""
    probes: dict[str, list[ProbeResult]] = {}
    for result in known.inventory.probe_results():
        probes.setdefault(result.host, []).append(result)
    systems = known.registry.systems()
    return Seen(
        names={one.id: frozenset(known.registry.asset_names(one.id)) for one in systems},
        probes=probes,
        sensors=known.inventory.sensors(now),
        alerts=open_alerts(known.alerts),
        certificates=known.hosts.newest(kind="certificates"),
    )


def known_facts(
    known: Known, own: Own, system: GradedSystem, now: datetime, seen: Seen | None = None
) -> Facts:
    """Facts of one system: of its hosts, of the center, of its documents and of its registry entry.

    ``seen`` is given where several systems are asked about at one moment.
    """
    seen = seen or seen_of(known, now)
    mine = seen.names.get(system.id, frozenset())
    others = set().union(*(assets for name, assets in seen.names.items() if name != system.id))
    # A host nobody registered belongs to the only system there is, else to none until somebody says whose.
    alone = len(seen.names) == 1

    def belongs(host: str) -> bool:
        return host in mine or (alone and host not in others)

    sensors = seen.sensors
    center = CenterState(
        time=now,
        ledger_size=own.ledger_size,
        ledger_ok=own.ledger_ok,
        retention_days=own.retention_days,
        oldest_event=None,
        rules_loaded=own.rules_loaded,
        open_alerts=seen.alerts,
        registered=sorted(mine | others),
        seen=sorted({s.host for s in sensors if s.host and (belongs(s.host) or s.unit == system.unit)}),
    )
    facts = gather(
        of_unit((one for host in seen.probes if belongs(host) for one in seen.probes[host]), system.unit),
        [sensor for sensor in sensors if belongs(sensor.host)],
        center,
    )
    hosts = {
        asset.name for asset in known.assets.assets([system.id]) if asset.kind == "host" and not asset.retired
    }
    further: list[Fact] = [
        registry_fact(system, now),
        order_fact(known.orders.open_of(system.id), now),
        *certificate_facts([one for one in seen.certificates if belongs(one.host)], now),
        *known.further(system.id, now),
    ]
    for document in known.documents.newest(system.id):
        if kind := known.kinds.get(document.kind):
            further += facts_of(kind, document, now)
    for fact in further:
        facts.setdefault(fact.name, []).append(fact)
    return Facts(facts=facts, hosts=tuple(sorted(hosts)))


def of_unit(results: Iterable[ProbeResult], unit: str) -> list[ProbeResult]:
    """One result per host and probe: where units have hosts of one name, the unit's own, else the newest."""
    chosen: dict[tuple[str, str], ProbeResult] = {}
    for one in results:
        place = one.host, one.probe
        before = chosen.get(place)
        if before is None or (one.unit == unit, one.time) > (before.unit == unit, before.time):
            chosen[place] = one
    return list(chosen.values())


def registry_fact(system: GradedSystem, now: datetime) -> Fact:
    """What the registry says of a system: its filing, its assessments, days to and from them."""
    today = now.astimezone(UTC).date()

    def left(day: date | None) -> int | None:
        return None if day is None else (day - today).days

    fields: dict[str, Value] = {
        "registry.level": system.level,
        "registry.grade": system.grade,
        "registry.stage": system.stage,
        "registry.filing_number": system.filing_number,
        "registry.owner": system.owner,
    }
    for name, days in (
        ("filing_days_left", left(system.filing_expires)),
        ("assessment_days_left", left(system.assessment_due)),
        ("assessed_days_left", left(system.assessed)),
        ("crypto_days_left", left(system.crypto_due)),
    ):
        if days is not None:
            fields[f"registry.{name}"] = days
    return Fact(object="", name="registry.system", time=now, fields=fields, method="registry")


def order_fact(orders: Sequence[Order], now: datetime) -> Fact:
    """How the open orders stand; those about orders themselves would keep each other open."""
    counted = [order for order in orders if order.check != ABOUT_ORDERS]
    late = [order.number for order in counted if order.overdue(now)]
    fields: dict[str, Value] = {
        "orders.open": len(counted),
        "orders.overdue": len(late),
        "orders.late": list(late[:NAMED_MAX]),
    }
    return Fact(object="", name="orders.state", time=now, fields=fields, method="orders")


def certificate_facts(inventories: Iterable[HostInventory], now: datetime) -> Iterable[Fact]:
    """Certificates lying on hosts: which are over, which will be soon; authorities' own are not counted."""
    for inventory in inventories:
        over: list[str] = []
        soon: list[str] = []
        count = 0
        for row in inventory.table():
            ends = _moment(row.get("not_after", ""))
            if row.get("ca") == "yes" or ends is None:
                continue
            count += 1
            days = (ends - now).days
            if days < SOON_DAYS:
                (over if days < 0 else soon).append(f"{row.get('path', '')} {ends.date()}")
        yield Fact(
            object=inventory.host,
            name="certificates.installed",
            time=inventory.time,
            fields={
                "certificates.count": count,
                "certificates.expired_count": len(over),
                "certificates.expired": list(over[:NAMED_MAX]),
                "certificates.soon_count": len(soon),
                "certificates.soon": list(soon[:NAMED_MAX]),
            },
            event=inventory.event,
            method=inventory.method,
            error=inventory.error,
        )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def open_alerts(alerts: AlertStore) -> dict[str, int]:
    """How many open groups each rule has."""
    counted: dict[str, int] = {}
    cursor = ""
    for _ in range(_OPEN_GROUPS_MAX // _PAGE):
        found = alerts.page(state="open", cursor=cursor, limit=_PAGE)
        for group in found.rows:
            counted[group.rule] = counted.get(group.rule, 0) + 1
        cursor = found.next
        if not cursor:
            break
    return counted
