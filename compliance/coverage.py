"""How far the center sees: units and systems with sensors, fresh evidence and open work. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from compliance.registry import GradedSystem
from compliance.unit_tree import UnitTree


class SensorCount(msgspec.Struct, frozen=True, kw_only=True):
    """Sensors of a unit."""

    total: int = 0
    online: int = 0


class SystemCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One graded system: what is registered, what is known of it, what is open."""

    system: str
    name: str
    unit: str
    grade: str
    stage: str
    assets: int
    assets_seen: int  # assets a sensor has spoken of
    checks: int
    checks_fresh: int  # decided on evidence that is not stale
    orders_open: int
    tasks_open: int
    newest: datetime | None  # the newest evidence

    @property
    def covered(self) -> bool:
        """Seen by a sensor, and judged on fresh evidence."""
        return self.assets_seen > 0 and self.checks_fresh > 0


class UnitCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One unit with everything below it."""

    unit: str
    name: str
    parent: str | None
    kind: str
    sensors: SensorCount
    systems: int
    systems_covered: int
    assets: int
    assets_seen: int
    unregistered: int
    orders_open: int
    tasks_open: int


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one system."""

    assets: Sequence[str] = ()
    checks: int = 0
    fresh: int = 0
    newest: datetime | None = None
    orders_open: int = 0
    tasks_open: int = 0


def system_coverage(
    systems: Iterable[GradedSystem], known: Mapping[str, Seen], hosts: frozenset[str]
) -> tuple[SystemCoverage, ...]:
    """Coverage of each system; ``hosts`` are names that sensors speak of."""
    found = []
    for system in systems:
        seen = known.get(system.id, Seen())
        found.append(
            SystemCoverage(
                system=system.id,
                name=system.name,
                unit=system.unit,
                grade=system.grade,
                stage=system.stage,
                assets=len(seen.assets),
                assets_seen=sum(name in hosts for name in seen.assets),
                checks=seen.checks,
                checks_fresh=seen.fresh,
                orders_open=seen.orders_open,
                tasks_open=seen.tasks_open,
                newest=seen.newest,
            )
        )
    return tuple(found)


def unit_coverage(
    tree: UnitTree,
    systems: Sequence[SystemCoverage],
    sensors: Mapping[str, SensorCount],
    unregistered: Mapping[str, int],
    tasks: Mapping[str, int],
) -> tuple[UnitCoverage, ...]:
    """Coverage of each unit, those below it included, in the order of the tree."""
    found = []
    for unit in tree.units():
        below = tree.subtree(unit.code)
        mine = [one for one in systems if one.unit in below]
        counted = [sensors[code] for code in below if code in sensors]
        found.append(
            UnitCoverage(
                unit=unit.code,
                name=unit.name,
                parent=unit.parent,
                kind=unit.kind,
                sensors=SensorCount(
                    total=sum(one.total for one in counted), online=sum(one.online for one in counted)
                ),
                systems=len(mine),
                systems_covered=sum(one.covered for one in mine),
                assets=sum(one.assets for one in mine),
                assets_seen=sum(one.assets_seen for one in mine),
                unregistered=sum(unregistered.get(code, 0) for code in below),
                orders_open=sum(one.orders_open for one in mine),
                tasks_open=sum(tasks.get(code, 0) for code in below),
            )
        )
    return tuple(found)
