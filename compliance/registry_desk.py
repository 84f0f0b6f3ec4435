"""The registry at work: its stores in one place, what the console asks of them, and their job."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from compliance.asset_store import AssetStore
from compliance.catalogue import malformed, read_yaml
from compliance.checklist import Check
from compliance.coverage import (
    Seen,
    SensorCount,
    SystemCoverage,
    UnitCoverage,
    system_coverage,
    unit_coverage,
)
from compliance.grading_process import deadlines, load_process
from compliance.grading_store import GradingStore
from compliance.ledger import NewEvidence
from compliance.milestone_store import MilestoneStore
from compliance.order_store import OrderStore
from compliance.registry import Unit
from compliance.registry_csv import read_csv, write_csv
from compliance.registry_import_store import Imported, RegistryImportStore, Scope
from compliance.registry_log_store import RegistryLogStore
from compliance.registry_sheet import SHEETS, SheetName, Value, read_rows, written_rows
from compliance.registry_store import RegistryStore
from compliance.registry_task_store import RegistryTaskStore
from compliance.registry_watch import SeenHost, tasks_wanted
from compliance.registry_xlsx import read_workbook, write_workbook
from compliance.result_store import ResultStore
from compliance.self_assessment import SelfAssessment
from detection.store.host_inventory_store import HostInventoryStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine

WATCH_SECONDS: Final = 300.0  # how often tasks and scores are looked at anew
_LOG_MAX: Final = 500


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How far the center sees."""

    units: tuple[UnitCoverage, ...]
    systems: tuple[SystemCoverage, ...]


class _Standard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    units: tuple[Unit, ...]


class RegistryDesk:
    """Registry and grading over one state database; safe to share between threads."""

    def __init__(
        self, engine: Engine, inventory: InventoryStore, checks: Sequence[Check], grading: Path
    ) -> None:
        """``grading`` is the folder rules/grading."""
        self.registry = RegistryStore(engine)
        self.assets = AssetStore(engine)
        self.tasks = RegistryTaskStore(engine)
        self.process = load_process(grading)
        self.milestones = MilestoneStore(engine, self.process)
        self.statements = GradingStore(engine)
        self.assessment = SelfAssessment(engine, checks, grading)
        self.log = RegistryLogStore(engine)
        self._imports = RegistryImportStore(engine)
        self._results = ResultStore(engine)
        self._orders = OrderStore(engine)
        self._hosts = HostInventoryStore(engine)
        self._inventory = inventory
        self._standard = standard_units(grading)

    # --- the job

    def plant(self, now: datetime) -> int:
        """Add the units and objects every center knows, and find a place for units without one."""
        for system in self.registry.systems():
            self.assets.complete(system.id)
        return self.registry.plant(self._standard, now)

    def beat(self, now: datetime) -> None:
        """Open and finish tasks, keep the scores of the day."""
        systems = self.registry.systems()
        wanted = tasks_wanted(
            assets=self.assets.assets([system.id for system in systems]),
            units={system.id: system.unit for system in systems},
            seen=self._seen(now),
            clocks=deadlines(systems, self.process, now.date()),
            now=now,
        )
        self.tasks.reconcile(wanted, now)
        self.assessment.keep_scores(now)

    def feed(self, after: int) -> Sequence[tuple[int, NewEvidence]]:
        """Changes of the registry after a row, as evidence: each gets a leaf."""
        return [
            (
                change.number,
                NewEvidence(
                    kind="registry",
                    actor=change.actor,
                    subject=f"registry:{change.number}",
                    summary=f"{change.action} {change.subject}"[:200],
                    payload=msgspec.json.encode(change, order="sorted"),
                    time=change.time,
                ),
            )
            for change in self.log.since(after, _LOG_MAX)
        ]

    def revision(self) -> int:
        """Grows with every change of the registry, its tasks and statements."""
        return self.registry.revision()

    # --- how far the center sees

    def coverage(self, scope: Scope, now: datetime) -> Coverage:
        """Units and systems one may see, with sensors, fresh evidence and open work."""
        tree = self.registry.tree()
        systems = self.registry.systems(scope)
        tasks = self.tasks.tasks(scope, limit=100_000)
        by_system = Counter(task.system for task in tasks if task.system)
        assets: dict[str, list[str]] = {}
        for asset in self.assets.assets([system.id for system in systems]):
            assets.setdefault(asset.system, []).append(asset.name)
        known = {
            system.id: self._known(system.id, assets.get(system.id, ()), by_system[system.id], now)
            for system in systems
        }
        hosts = frozenset(host.name for host in self._seen(now))
        covered = system_coverage(systems, known, hosts)
        strangers = Counter(task.unit for task in tasks if task.kind == "unregistered-asset")
        counted = unit_coverage(
            tree, covered, self._sensors(now), strangers, Counter(task.unit for task in tasks)
        )
        mine = tuple(unit for unit in counted if scope is None or unit.unit in scope)
        return Coverage(units=mine, systems=covered)

    # --- tables people fill in

    def export(self, scope: Scope, *, mark: str = "") -> bytes:
        """Everything one may see, as a workbook with the watermark."""
        rows = {sheet: written_rows(sheet, self._rows(sheet, scope)) for sheet in SHEETS}
        return write_workbook(rows, mark=mark)

    def export_csv(self, sheet: SheetName, scope: Scope, *, mark: str = "") -> bytes:
        """One sheet as CSV with the watermark."""
        return write_csv(written_rows(sheet, self._rows(sheet, scope)), mark=mark)

    def put_file(
        self,
        data: bytes,
        sheet: SheetName | None,
        *,
        scope: Scope,
        dry_run: bool,
        now: datetime,
        actor: str,
    ) -> Imported:
        """Import a workbook, or the CSV of one ``sheet``. Raises BadInput (registry-file)."""
        read = read_rows(read_workbook(data) if sheet is None else {sheet: read_csv(data)})
        return self._imports.put(read, scope=scope, dry_run=dry_run, now=now, actor=actor)

    def _rows(self, sheet: SheetName, scope: Scope) -> Iterable[Value]:
        if sheet == "units":
            return [unit for unit in self.registry.tree().units() if scope is None or unit.code in scope]
        systems = self.registry.systems(scope)
        if sheet == "systems":
            return systems
        if sheet == "assets":
            return self.assets.assets([system.id for system in systems])
        if sheet == "objects":
            return [one for system in systems for one in self.assets.objects(system.id)]
        return self.assets.contacts(self._units(scope))

    def _units(self, scope: Scope) -> Collection[str]:
        return [unit.code for unit in self.registry.tree().units()] if scope is None else scope

    def _known(self, system: str, assets: Sequence[str], tasks: int, now: datetime) -> Seen:
        results = self._results.of_system(system)
        checks = {one.check for one in results}
        fresh = {one.check for one in results if one.at(now) != "未知"}
        return Seen(
            assets=assets,
            checks=len(checks),
            fresh=len(fresh),
            newest=max((one.evaluated for one in results if one.at(now) != "未知"), default=None),
            orders_open=len(self._orders.open_of(system)),
            tasks_open=tasks,
        )

    def _seen(self, now: datetime) -> Sequence[SeenHost]:
        found = {
            (one.unit, one.host): SeenHost(name=one.host, unit=one.unit, last_seen=one.last_seen)
            for one in self._hosts.hosts()
        }
        for sensor in self._inventory.sensors(now):
            if sensor.host:
                last = found.get((sensor.unit, sensor.host))
                if last is None or last.last_seen < sensor.last_seen:
                    seen = SeenHost(name=sensor.host, unit=sensor.unit, last_seen=sensor.last_seen)
                    found[sensor.unit, sensor.host] = seen
        return list(found.values())

    def _sensors(self, now: datetime) -> Mapping[str, SensorCount]:
        counted: dict[str, SensorCount] = {}
        for sensor in self._inventory.sensors(now):
            if sensor.kind:
                before = counted.get(sensor.unit, SensorCount())
                counted[sensor.unit] = SensorCount(
                    total=before.total + 1, online=before.online + (sensor.state == "online")
                )
        return counted


def standard_units(folder: Path) -> tuple[Unit, ...]:
    """rules/grading/units.yaml. Raises BadInput (catalogue-malformed)."""
    path = folder / "units.yaml"
    try:
        return msgspec.convert(read_yaml(path), _Standard).units
    except msgspec.ValidationError as error:
        raise malformed(f"{path.name}: {error}", path) from error
