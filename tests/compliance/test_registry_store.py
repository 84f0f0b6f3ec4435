"""The registry: what may be registered, refused in code and by the database itself; who changed what."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from compliance.registry import GradedSystem, Unit
from compliance.registry_log_store import RegistryLogStore
from compliance.registry_tables import graded_systems
from crypto.words import BadInput, Refused
from detection.store.state import writing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3")
ROW = {"id": "other", "unit": SYSTEM.unit, "name": "x", "grade": "S3A3G3", "registered": 0}
STANDARD = (
    Unit(code="320100", name="南京市", parent="320000", kind="city"),
    Unit(code="320102", name="玄武区", parent="320100", kind="county"),
)


def test_a_unit_and_its_systems(empty_world: Any) -> None:
    registry = empty_world.registry
    registry.register(SYSTEM, unit_name="政务办", now=NOW)
    other = msgspec.structs.replace(SYSTEM, id="oa", level=2, grade="S2A1G2")
    registry.register(other, unit_name="改名", now=NOW)
    registry.register(msgspec.structs.replace(SYSTEM, name="改名"), unit_name="改名", now=NOW)
    assert [(system.id, system.name) for system in registry.systems()] == [("oa", "门户"), ("portal", "门户")]
    assert registry.systems(units=["320100"]) == []
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
    for secret in (
        msgspec.structs.replace(SYSTEM, state_secret=True),
        msgspec.structs.replace(SYSTEM, name="某涉密办公系统"),
    ):
        with pytest.raises(Refused, match="state-secret"):
            empty_world.registry.register(secret, unit_name="x", now=NOW)
        with pytest.raises(Refused, match="state-secret"):
            empty_world.registry.put_system(secret, NOW, "user:a")
    assert empty_world.registry.systems() == []
    assert empty_world.registry.unit_name(SYSTEM.unit) == SYSTEM.unit
    empty_world.registry.register(SYSTEM, unit_name="x", now=NOW)
    row = ROW | {"level": 3, "state_secret": True}
    with pytest.raises(IntegrityError, match="no_state_secret"), writing(empty_world.engine) as connection:
        connection.execute(insert(graded_systems).values(row))


@pytest.mark.parametrize("level", [0, 5, -1])
def test_a_level_that_is_none_is_refused(empty_world: Any, level: int) -> None:
    with pytest.raises(BadInput, match="system-level"):
        empty_world.registry.register(msgspec.structs.replace(SYSTEM, level=level), unit_name="x", now=NOW)
    with pytest.raises(IntegrityError), writing(empty_world.engine) as connection:
        connection.execute(insert(graded_systems).values(ROW | {"level": level, "state_secret": False}))


def test_the_tree_grows_and_units_find_their_place(empty_world: Any) -> None:
    registry = empty_world.registry
    registry.register(SYSTEM, unit_name="政务办", now=NOW)
    province = Unit(code="320000", name="江苏省", kind="province")
    assert registry.plant([province, *STANDARD], NOW) == 3
    assert registry.plant([province, *STANDARD], NOW) == 0
    assert [unit.code for unit in registry.tree().path("320100-zwb")] == ["320000", "320100", "320100-zwb"]
    late = registry.put_unit(Unit(code="320102-x", name="区大数据局"), NOW, "user:a")
    assert [unit.code for unit in registry.tree().path(late.code)][-2:] == ["320102", "320102-x"]
    with pytest.raises(BadInput, match="registry-field"):
        registry.put_unit(msgspec.structs.replace(province, parent="320102"), NOW, "user:a")
    with pytest.raises(Refused, match="unit-in-use"):
        registry.put_unit(
            msgspec.structs.replace(registry.tree().get("320100-zwb"), retired=True), NOW, "user:a"
        )


def test_a_change_takes_the_newest_revision_and_is_told(empty_world: Any) -> None:
    registry = empty_world.registry
    registry.register(SYSTEM, unit_name="政务办", now=NOW)
    before, counted = registry.system("portal"), registry.revision()
    changed = msgspec.structs.replace(
        before,
        name="新门户",
        extensions=("cloud",),
        launched=date(2025, 1, 2),
        stage="filed",
        filing_number="x",
    )
    after = registry.put_system(changed, NOW, "user:a")
    # Stage and filing come from milestones alone.
    assert (after.name, after.extensions, after.launched) == ("新门户", ("cloud",), date(2025, 1, 2))
    assert (after.stage, after.filing_number, after.revision) == ("draft", "", before.revision + 1)
    with pytest.raises(Refused, match="registry-changed"):
        registry.put_system(changed, NOW, "user:b")
    with pytest.raises(Refused, match="unit-not-found"):
        registry.put_system(msgspec.structs.replace(SYSTEM, id="new", unit="999999-x"), NOW, "user:a")
    assert registry.revision() > counted
    log = RegistryLogStore(empty_world.engine)
    assert [(one.action, one.actor) for one in log.of("system:portal")] == [
        ("system.change", "user:a"),
        ("system.add", "system:center"),
    ]
    first = log.since(0, limit=1)[0]
    assert first.action == "unit.add"
    assert log.since(first.number)[0].number > first.number


def test_a_system_that_is_not_there(empty_world: Any) -> None:
    with pytest.raises(Refused, match="system-not-found"):
        empty_world.registry.system("none")


def test_units_that_a_hand_tied_into_a_ring_hang_nobody(empty_world: Any) -> None:
    province = Unit(code="320000", name="江苏省", kind="province")
    empty_world.registry.plant([province, *STANDARD], NOW)
    with writing(empty_world.engine) as connection:
        connection.execute(text("UPDATE units SET parent = '320102' WHERE code = '320100'"))
    tree = empty_world.registry.tree()
    assert tree.subtree("320100") == {"320100", "320102"}
    assert len(tree.path("320102")) <= 16
