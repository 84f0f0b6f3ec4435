"""What a report is collected from: the stores of a center, and of them what belongs to a unit or a system."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from compliance.check_store import CheckStore
from compliance.checklist import Check
from compliance.inspection import Audience, Inspection
from compliance.ledger import Ledger
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore, system_not_found
from compliance.report.model import Scope
from compliance.report.monthly import Cases, Scores, Sources, Transfers
from compliance.report_figures_store import FiguresStore
from crypto.words import Refused, Words
from detection.store.alert_group import AlertGroup
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine


class DeskParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk stands on; ``seal`` signs a file as detached CMS, None where the center has no key."""

    engine: Engine
    alerts: AlertStore
    inventory: InventoryStore
    events: EventStore
    ledger: Ledger
    folder: Path
    center: str
    unit: str
    checks: tuple[Check, ...]
    rules: int
    retention_days: int
    due_day: int = 5
    fonts: Path | None = None
    witness: Path | None = None  # where the cosignatures of the center's witnesses lie
    seal: Callable[[bytes, datetime], bytes] | None = None
    hide: Callable[[str], str] = lambda name: name  # a person's name as reports show it
    inspections: Mapping[Audience, Inspection] = {}
    scores: Scores = lambda _system, _now: None
    cases: Cases = lambda _check, _system: ((), ())
    transfers: Transfers = lambda _start, _end: None


def sources_of(parts: DeskParts, scope: Scope, unit: str) -> Sources:
    """The stores and systems of a scope. Raises Refused (unit-not-found, system-not-found)."""
    registry = RegistryStore(parts.engine)
    tree = registry.tree()
    if scope == "system":
        systems: tuple[GradedSystem, ...] = (registry.system(unit),)
        name = systems[0].name
    else:
        if unit not in tree:
            raise Refused(
                "unit-not-found",
                Words("没有这个单位", "there is no such unit"),
                Words("请核对单位代码", "check the unit's code"),
                field=unit,
            )
        systems = tuple(registry.systems(tree.subtree(unit)))
        name = registry.unit_name(unit)
    if not systems:
        raise system_not_found(unit)
    units = tree.subtree(unit)
    hosts = {host for one in systems for host in registry.asset_names(one.id)}
    whole = scope == "unit" and unit == parts.unit  # everything this center sees is its own unit's

    def mine(group: AlertGroup) -> bool:
        entity = group.entity.rpartition("@")[2].rpartition(":")[2]
        return whole or (scope == "unit" and group.unit in units) or entity in hosts

    def my_host(host: str, of: str) -> bool:
        return whole or (scope == "unit" and of in units) or host in hosts

    return Sources(
        systems=systems,
        tree=tree,
        scope=scope,
        unit=unit,
        unit_name=name,
        center=parts.center,
        checks=parts.checks,
        results=CheckStore(parts.engine),
        figures=FiguresStore(parts.engine),
        alerts=parts.alerts,
        inventory=parts.inventory,
        events=parts.events,
        ledger=parts.ledger,
        retention_days=parts.retention_days,
        rules=parts.rules,
        due_day=parts.due_day,
        mine=mine,
        shown=partial(_shown, parts.hide),
        my_host=my_host,
        cases=parts.cases,
        scores=parts.scores,
        transfers=parts.transfers,
    )


def _shown(hide: Callable[[str], str], group: AlertGroup) -> AlertGroup:
    """A group as reports show it: a user by pseudonym."""
    kind, _, named = group.entity.partition(":")
    name, at, host = named.partition("@")
    if kind != "user":
        return group
    return msgspec.structs.replace(group, entity=f"user:{hide(name)}{at}{host}")
