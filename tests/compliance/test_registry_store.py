"""The registry: what may be registered, refused in code and by the database itself."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from compliance.registry_store import GradedSystem
from compliance.tables import graded_systems
from crypto.words import BadInput, Refused
from detection.store.state import writing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3")


def test_a_unit_and_its_systems(empty_world: Any) -> None:
    registry = empty_world.registry
    registry.register(SYSTEM, unit_name="政务办", now=NOW)
    registry.register(msgspec.structs.replace(SYSTEM, id="oa", level=2), unit_name="改名", now=NOW)
    registry.register(msgspec.structs.replace(SYSTEM, name="改名"), unit_name="改名", now=NOW)
    assert [(system.id, system.name) for system in registry.systems()] == [("oa", "门户"), ("portal", "门户")]
    assert registry.unit_name("320100-zwb") == "政务办"
    assert registry.unit_name("999999-none") == "999999-none"


def test_assets_belong_to_a_registered_system(empty_world: Any) -> None:
    registry = empty_world.registry
    with pytest.raises(Refused, match="system-not-found"):
        registry.add_asset("web-01", system="portal", kind="host", now=NOW)
    registry.register(SYSTEM, unit_name="政务办", now=NOW)
    for name in ("web-02", "web-01", "web-01"):
        registry.add_asset(name, system="portal", kind="host", now=NOW)
    assert registry.asset_names("portal") == ["web-01", "web-02"]
    assert registry.asset_names("oa") == []


def test_a_state_secret_system_is_refused_here_and_by_the_database(empty_world: Any) -> None:
    secret = msgspec.structs.replace(SYSTEM, state_secret=True)
    with pytest.raises(Refused, match="state-secret"):
        empty_world.registry.register(secret, unit_name="x", now=NOW)
    assert empty_world.registry.systems() == []
    assert empty_world.registry.unit_name(SYSTEM.unit) == SYSTEM.unit
    empty_world.registry.register(SYSTEM, unit_name="x", now=NOW)
    row = msgspec.structs.asdict(secret) | {"id": "other", "registered": 0}
    with pytest.raises(IntegrityError, match="no_state_secret"), writing(empty_world.engine) as connection:
        connection.execute(insert(graded_systems).values(row))


@pytest.mark.parametrize("level", [0, 5, -1])
def test_a_level_that_is_none_is_refused(empty_world: Any, level: int) -> None:
    with pytest.raises(BadInput, match="system-level"):
        empty_world.registry.register(msgspec.structs.replace(SYSTEM, level=level), unit_name="x", now=NOW)
    row = msgspec.structs.asdict(SYSTEM) | {"level": level, "registered": 0}
    with pytest.raises(IntegrityError), writing(empty_world.engine) as connection:
        connection.execute(insert(graded_systems).values(row))
