"""Units and graded systems in the state database; a change and its line in the registry's log are one."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from compliance.asset_store import add_asset, add_object
from compliance.registry import (
    Asset,
    AssetKind,
    GradedSystem,
    Unit,
    checked_asset,
    checked_system,
    checked_unit,
    not_found,
    whole_objects,
)
from compliance.registry_log_store import COUNTER, append
from compliance.registry_tables import assets, graded_systems, units
from compliance.unit_tree import UnitTree, place_by_code
from crypto.words import Refused, Words
from detection.store.progress_store import counter
from detection.store.state import writing
from detection.store.tables import micros

_CENTER: Final = "system:center"
_DATES: Final = (
    "launched",
    "filed",
    "filing_expires",
    "assessed",
    "assessment_due",
    "crypto_assessed",
    "crypto_due",
)
# What the milestones of a system make of it: never written by hand.
PROCESS_FIELDS: Final = (
    "stage",
    "filing_number",
    "filed",
    "filing_expires",
    "assessed",
    "assessment_due",
    "crypto_assessed",
    "crypto_due",
)


def system_not_found(system: str = "") -> Refused:
    """What is said where a graded system is needed and there is none, or not this one."""
    return not_found("system", system)


class RegistryStore:
    """Units and graded systems over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- what the rest of the program reads

    def systems(self, units: Iterable[str] | None = None) -> Sequence[GradedSystem]:
        """Graded systems in use by id; of these units alone where they are given."""
        query = select(graded_systems).where(graded_systems.c.stage != "retired")
        if units is not None:
            query = query.where(graded_systems.c.unit.in_(sorted(units)))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(graded_systems.c.id)).mappings().all()
        return [system_of(row) for row in rows]

    def system(self, system: str) -> GradedSystem:
        """One system, retired ones too. Raises Refused (system-not-found)."""
        with self._engine.connect() as connection:
            return read_system(connection, system)

    def has(self, system: str) -> bool:
        """Whether a system of that id is registered, retired or not."""
        query = select(graded_systems.c.id).where(graded_systems.c.id == system)
        with self._engine.connect() as connection:
            return connection.scalar(query) is not None

    def tree(self) -> UnitTree:
        """All units."""
        with self._engine.connect() as connection:
            return read_tree(connection)

    def unit_name(self, code: str) -> str:
        """The name of a unit, its code where none is known."""
        with self._engine.connect() as connection:
            return connection.scalar(select(units.c.name).where(units.c.code == code)) or code

    def asset_names(self, system: str) -> Sequence[str]:
        """Names of a system's assets in use."""
        query = select(assets.c.name).where(assets.c.system == system, ~assets.c.retired)
        with self._engine.connect() as connection:
            return list(connection.scalars(query.order_by(assets.c.name)))

    def revision(self) -> int:
        """Grows with every change of the registry."""
        with self._engine.connect() as connection:
            return counter(connection, COUNTER)

    # --- set-up: what is there stays as it is

    def register(self, system: GradedSystem, *, unit_name: str, now: datetime, actor: str = _CENTER) -> None:
        """Add a unit and its system where they are new.

        Raises Refused (state-secret), BadInput (system-level, system-grade, registry-field).
        """
        checked_system(system)
        with writing(self._engine) as connection:
            if connection.scalar(select(units.c.code).where(units.c.code == system.unit)) is None:
                # The center's own unit is called as center.toml says, whatever its form.
                _insert_unit(connection, Unit(code=system.unit, name=unit_name), now, actor)
            known = select(graded_systems.c.id).where(graded_systems.c.id == system.id)
            if connection.scalar(known) is None:
                insert_system(connection, system, now, actor)

    def add_asset(self, name: str, *, system: str, kind: AssetKind, now: datetime) -> None:
        """Register an asset of a system that a sensor found; a known one stays as it is.

        Raises Refused (system-not-found), BadInput (registry-field).
        """
        new = Asset(system=system, name=name, kind=kind, origin="sensor")
        with writing(self._engine) as connection:
            read_system(connection, system)
            place = assets.c.system == system, assets.c.name == name
            if connection.scalar(select(assets.c.number).where(*place)) is None:
                add_asset(connection, checked_asset(new), now, _CENTER)

    def plant(self, standard: Iterable[Unit], now: datetime, actor: str = _CENTER) -> int:
        """Add units that are not there yet, and place units without a parent below their region.

        Returns how many were added.
        """
        added = 0
        with writing(self._engine) as connection:
            known = set(connection.scalars(select(units.c.code)))
            for unit in standard:
                if unit.code not in known:
                    _insert_unit(connection, checked_unit(unit), now, actor)
                    known.add(unit.code)
                    added += 1
            lone = select(units.c.code).where(units.c.parent.is_(None))
            for code in list(connection.scalars(lone)):
                if parent := place_by_code(code, known):
                    connection.execute(update(units).where(units.c.code == code).values(parent=parent))
        return added

    # --- what people change

    def put_unit(self, unit: Unit, now: datetime, actor: str) -> Unit:
        """Add a unit, or change one. Raises BadInput (registry-field), Refused (unit-in-use)."""
        checked_unit(unit)
        with writing(self._engine) as connection:
            write_unit(connection, unit, now, actor)
        return unit

    def put_system(self, system: GradedSystem, now: datetime, actor: str) -> GradedSystem:
        """Add a system, or change one whose ``revision`` is the newest; what milestones say stays.

        Raises Refused (state-secret, registry-changed, unit-not-found), BadInput.
        """
        with writing(self._engine) as connection:
            write_system(connection, system, now, actor)
            return read_system(connection, system.id)


def write_unit(connection: Connection, unit: Unit, now: datetime, actor: str) -> None:
    """Add or change a unit within a transaction."""
    tree = read_tree(connection)
    tree.checked_place(checked_unit(unit))
    if unit.retired and _in_use(connection, tree, unit.code):
        raise Refused(
            "unit-in-use",
            Words("单位下还有在用的单位或系统", "units or systems in use stand below this unit"),
            Words("请先移走或撤销它们", "move or retire them first"),
            field=unit.code,
        )
    if unit.code not in tree:
        _insert_unit(connection, unit, now, actor)
        return
    values = {**msgspec.structs.asdict(unit)}
    connection.execute(update(units).where(units.c.code == unit.code).values(values))
    _log_unit(connection, unit, "unit.change", now, actor)


def write_system(connection: Connection, system: GradedSystem, now: datetime, actor: str) -> None:
    """Add or change a system within a transaction."""
    checked_system(system)
    if connection.scalar(select(units.c.code).where(units.c.code == system.unit)) is None:
        raise not_found("unit", system.unit)
    row = connection.execute(_one(system.id)).mappings().first()
    if row is None:
        insert_system(connection, system, now, actor)
        return
    before = system_of(row)
    if before.revision != system.revision:
        raise Refused(
            "registry-changed",
            Words("这一条目已被他人修改", "somebody else has changed this entry meanwhile"),
            Words("请刷新后重新修改", "reload it and change it again"),
            field=system.id,
        )
    kept = {name: getattr(before, name) for name in PROCESS_FIELDS}
    store_system(connection, msgspec.structs.replace(system, **kept), "system.change", now, actor)


def store_system(
    connection: Connection, system: GradedSystem, action: str, now: datetime, actor: str
) -> GradedSystem:
    """Write a system that is there already, as it is given, and log it; returns it with its revision."""
    after = msgspec.structs.replace(system, revision=system.revision + 1)
    connection.execute(update(graded_systems).where(graded_systems.c.id == system.id).values(_values(after)))
    _log_system(connection, after, action, now, actor)
    return after


def insert_system(connection: Connection, system: GradedSystem, now: datetime, actor: str) -> None:
    """Add a system with the objects every system has."""
    fresh = msgspec.structs.replace(system, revision=1)
    connection.execute(insert(graded_systems).values(_values(fresh) | {"registered": micros(now)}))
    _log_system(connection, fresh, "system.add", now, actor)
    for one in whole_objects(system.id):
        add_object(connection, one)


def read_system(connection: Connection, system: str) -> GradedSystem:
    """One system. Raises Refused (system-not-found)."""
    row = connection.execute(_one(system)).mappings().first()
    if row is None:
        raise system_not_found(system)
    return system_of(row)


def read_tree(connection: Connection) -> UnitTree:
    """All units."""
    rows = connection.execute(select(units)).mappings().all()
    return UnitTree(Unit(**row) for row in rows)


def system_of(row: RowMapping) -> GradedSystem:
    """A row as a value."""
    values: dict[str, Any] = {name: row[name] for name in GradedSystem.__struct_fields__}
    values |= {name: date.fromisoformat(row[name]) if row[name] else None for name in _DATES}
    return GradedSystem(**values | {"extensions": tuple(msgspec.json.decode(row["extensions"]))})


def _one(system: str) -> Any:
    return select(graded_systems).where(graded_systems.c.id == system)


def _values(system: GradedSystem) -> dict[str, Any]:
    values = msgspec.structs.asdict(system)
    values |= {name: values[name].isoformat() if values[name] else None for name in _DATES}
    return values | {"extensions": msgspec.json.encode(system.extensions).decode()}


def _insert_unit(connection: Connection, unit: Unit, now: datetime, actor: str) -> None:
    if unit.parent is None:
        parent = place_by_code(unit.code, connection.scalars(select(units.c.code)))
        unit = msgspec.structs.replace(unit, parent=parent)
    connection.execute(insert(units).values(msgspec.structs.asdict(unit)))
    _log_unit(connection, unit, "unit.add", now, actor)


def _in_use(connection: Connection, tree: UnitTree, code: str) -> bool:
    below = [tree.get(child) for child in tree.children(code)]
    if any(unit is not None and not unit.retired for unit in below):
        return True
    held = select(graded_systems.c.id).where(
        graded_systems.c.unit == code, graded_systems.c.stage != "retired"
    )
    return connection.scalar(held.limit(1)) is not None


def _log_unit(connection: Connection, unit: Unit, action: str, now: datetime, actor: str) -> None:
    append(
        connection,
        now=now,
        actor=actor,
        action=action,
        subject=f"unit:{unit.code}",
        unit=unit.code,
        body=unit,
    )


def _log_system(connection: Connection, system: GradedSystem, action: str, now: datetime, actor: str) -> None:
    append(
        connection,
        now=now,
        actor=actor,
        action=action,
        subject=f"system:{system.id}",
        unit=system.unit,
        body=system,
    )
