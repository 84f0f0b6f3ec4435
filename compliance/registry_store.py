"""The registry: units, graded systems, assets. State-secret systems are refused here and in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Engine, insert, select

from compliance.tables import assets, graded_systems, units
from crypto.words import BadInput, Refused, Words
from detection.store.state import writing
from detection.store.tables import micros

LEVELS: Final = range(1, 5)


class GradedSystem(msgspec.Struct, frozen=True, kw_only=True):
    """A 定级对象; ``grade`` as S3A3G3 (GB/T 22240-2020)."""

    id: str
    unit: str
    name: str
    level: int
    grade: str
    state_secret: bool = False


def system_not_found(system: str = "") -> Refused:
    """What is said where a graded system is needed and there is none, or not this one."""
    return Refused(
        "system-not-found",
        Words("尚未登记定级对象", "no graded system is registered"),
        Words("请先运行 liuhe center init", "run liuhe center init first"),
        field=system,
    )


class RegistryStore:
    """The registry over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def register(self, system: GradedSystem, *, unit_name: str, now: datetime) -> None:
        """Add a unit and its system where they are new.

        Raises Refused (state-secret), BadInput (system-level).
        """
        if system.state_secret:
            raise Refused(
                "state-secret",
                Words("涉密信息系统不得登记", "a state-secret system must not be registered"),
                Words("涉密系统请按分级保护由保密部门管理", "it belongs to the secrecy authority, not here"),
                field=system.id,
            )
        if system.level not in LEVELS:
            raise BadInput(
                "system-level",
                Words(f"等级 {system.level} 不在 1-4 之间", f"level {system.level} is not 1-4"),
                Words("第五级系统不在此登记", "systems of level 5 are not registered here"),
                field=system.id,
            )
        with writing(self._engine) as connection:
            if connection.scalar(select(units.c.code).where(units.c.code == system.unit)) is None:
                connection.execute(insert(units).values(code=system.unit, name=unit_name))
            known = select(graded_systems.c.id).where(graded_systems.c.id == system.id)
            if connection.scalar(known) is None:
                values = msgspec.structs.asdict(system) | {"registered": micros(now)}
                connection.execute(insert(graded_systems).values(values))

    def add_asset(self, name: str, *, system: str, kind: str, now: datetime) -> None:
        """Register an asset of a system; known ones stay as they are. Raises Refused (system-not-found)."""
        with writing(self._engine) as connection:
            known = select(graded_systems.c.id).where(graded_systems.c.id == system)
            if connection.scalar(known) is None:
                raise system_not_found(system)
            if connection.scalar(select(assets.c.name).where(assets.c.name == name)) is None:
                values = {"name": name, "system": system, "kind": kind, "found": micros(now)}
                connection.execute(insert(assets).values(values))

    def systems(self) -> Sequence[GradedSystem]:
        """All graded systems by id."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(graded_systems).order_by(graded_systems.c.id)).mappings().all()
        names = GradedSystem.__struct_fields__
        return [GradedSystem(**{name: row[name] for name in names}) for row in rows]

    def unit_name(self, code: str) -> str:
        """The name of a unit, its code where none is known."""
        with self._engine.connect() as connection:
            return connection.scalar(select(units.c.name).where(units.c.code == code)) or code

    def asset_names(self, system: str) -> Sequence[str]:
        """Names of a system's assets."""
        query = select(assets.c.name).where(assets.c.system == system).order_by(assets.c.name)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))
