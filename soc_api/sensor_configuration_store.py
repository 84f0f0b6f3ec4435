"""The history of sensors' configurations in the relational state; a row's number is a version."""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, RowMapping, func, insert, select

from crypto.words import BadInput, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from sensors.configuration import VERSION_MAX
from soc_api.sensor_configuration import Change, Layer, Scope
from soc_api.sensor_tables import sensor_configurations as table

HISTORY_MAX: Final = 500


class ConfigurationStore:
    """The adapter of ``soc_api.sensor_configuration.Changes``; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self) -> int:
        """The version; 0 before anything was configured."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(func.max(table.c.version))) or 0)

    def holding(self) -> list[Change]:
        """The newest change with a layer of every scope."""
        newest = (
            select(func.max(table.c.version))
            .where(table.c.content.is_not(None))
            .group_by(table.c.unit, table.c.kind, table.c.group_name)
        )
        query = select(table).where(table.c.version.in_(newest)).order_by(table.c.version)
        with self._engine.connect() as connection:
            return [_change(row) for row in connection.execute(query).mappings()]

    def history(self, limit: int = HISTORY_MAX) -> list[Change]:
        """Every change, newest first."""
        query = select(table).order_by(table.c.version.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_change(row) for row in connection.execute(query).mappings()]

    def add(self, scope: Scope, layer: Layer, *, actor: str, reason: str, now: datetime) -> int:
        """Keep a layer; its version. Durable on return."""
        return self._add(scope, msgspec.msgpack.encode(layer), actor, reason, now)

    def touch(self, actor: str, now: datetime, reason: str = "") -> int:
        """Raise the version alone: every sensor is given its configuration again, one that moved its unit."""
        return self._add(Scope(), None, actor, reason, now)

    def raise_to(self, version: int, actor: str, now: datetime) -> int:
        """Go on from a version at least this high: after a restore from a backup, sensors hold newer ones.

        Raises BadInput where the version is higher than a version can be.
        """
        if not 0 < version <= VERSION_MAX // 2:
            raise BadInput(
                "configuration-version",
                Words("版本号超出范围", "no such version"),
                Words("请用传感器所持的版本号", "use the version that the sensors hold"),
                field="--raise-to",
            )
        if version <= self.newest():
            return self.touch(actor, now, "raise")
        return self._add(Scope(), None, actor, "raise", now, version=version)

    def _add(
        self, scope: Scope, content: bytes | None, actor: str, reason: str, now: datetime, **more: Any
    ) -> int:
        values = {
            "made": micros(now),
            "actor": actor,
            "reason": reason,
            "unit": scope.unit,
            "kind": scope.kind,
            "group_name": scope.group,
            "content": content,
        }
        with writing(self._engine) as connection:
            result = connection.execute(insert(table).values(values | more))
            key = result.inserted_primary_key
            assert key is not None
            return int(key[0])


def _change(row: RowMapping) -> Change:
    content = row["content"]
    return Change(
        version=row["version"],
        made=from_micros(row["made"]),
        actor=row["actor"],
        reason=row["reason"],
        scope=Scope(unit=row["unit"], kind=row["kind"], group=row["group_name"]),
        layer=None if content is None else msgspec.msgpack.decode(content, type=Layer),
    )
