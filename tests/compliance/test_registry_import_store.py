"""Imports: a dry run changes nothing, one bad row undoes all, a second run finds everything as it is."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from compliance.asset_store import AssetStore
from compliance.registry import Asset, Contact, GradedSystem, Unit
from compliance.registry_import_store import Imported, RegistryImportStore, counted
from compliance.registry_sheet import read_rows, written_rows
from compliance.registry_store import RegistryStore
from detection.store.state import Engine, open_state

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CITY = Unit(code="320100", name="南京市", kind="city")
OFFICE = Unit(code="320100-zwb", name="政务办", parent="320100", kind="department")
SYSTEM = GradedSystem(
    id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3", stage="filed",
    filing_number="32010099-25001", filing_expires=date(2028, 1, 1),
)  # fmt: skip
ASSET = Asset(system="portal", name="web-01", kind="host")
PERSON = Contact(unit="320100-zwb", system="portal", duty="leader", name="甲", phone="138")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    RegistryStore(engine).plant([CITY], NOW)
    yield engine
    engine.dispose()


def put(engine: Engine, *, scope: Any = None, dry_run: bool = False, **sheets: Any) -> Imported:
    tables: Any = {name: written_rows(name, values) for name, values in sheets.items()}  # type: ignore[arg-type]
    return RegistryImportStore(engine).put(
        read_rows(tables), scope=scope, dry_run=dry_run, now=NOW, actor="user:a"
    )


def everything(engine: Engine, **given: Any) -> Imported:
    return put(engine, units=[OFFICE], systems=[SYSTEM], assets=[ASSET], contacts=[PERSON], **given)


def test_a_dry_run_says_what_would_be_and_does_nothing(engine: Engine) -> None:
    found = everything(engine, dry_run=True)
    assert (found.done, found.errors) == (False, ())
    assert counted(found) == {"added": 4, "changed": 0, "same": 0, "errors": 0}
    registry = RegistryStore(engine)
    assert "320100-zwb" not in registry.tree()
    assert registry.systems() == []


def test_an_import_and_the_same_again(engine: Engine) -> None:
    first = everything(engine)
    assert first.done
    registry, held = RegistryStore(engine), AssetStore(engine)
    system = registry.system("portal")
    assert (system.stage, system.filing_number, system.filing_expires) == (
        "filed", "32010099-25001", date(2028, 1, 1),
    )  # fmt: skip
    assert [asset.origin for asset in held.assets(["portal"])] == ["import"]
    assert "host:web-01" in [one.id for one in held.objects("portal")]
    assert [person.phone for person in held.contacts(["320100-zwb"], "portal")] == ["138"]
    again = everything(engine)
    assert (again.added, again.same["units"], again.same["systems"], again.same["assets"]) == (
        dict.fromkeys(again.added, 0), 1, 1, 1,
    )  # fmt: skip
    assert len(held.contacts(["320100-zwb"])) == 1
    objects = held.objects("portal")
    assert put(engine, objects=objects).same["objects"] == len(objects)
    assert counted(again) == {"added": 0, "changed": 0, "same": 4, "errors": 0}


def test_one_bad_row_undoes_all(engine: Engine) -> None:
    lost = Asset(system="nowhere", name="x", kind="host")
    found = put(engine, units=[OFFICE], systems=[SYSTEM], assets=[ASSET, lost])
    assert not found.done
    assert [(error.sheet, error.row) for error in found.errors] == [("assets", 3)]
    assert RegistryStore(engine).systems() == []


def test_a_known_system_keeps_what_its_steps_made_of_it(engine: Engine) -> None:
    everything(engine)
    changed = GradedSystem(
        id="portal", unit="320100-zwb", name="新门户", level=3, grade="S3A3G3", stage="operating"
    )
    assert put(engine, systems=[changed]).changed["systems"] == 1
    system = RegistryStore(engine).system("portal")
    assert (system.name, system.stage) == ("新门户", "filed")
    other = GradedSystem(id="portal", unit="320100-zwb", name="新门户", level=2, grade="S2A2G2")
    assert [error.what.en for error in put(engine, systems=[other]).errors] == [
        "the grade changes by a grading step only"
    ]
    asset = Asset(system="portal", name="web-01", kind="host", retired=True)
    assert put(engine, assets=[asset]).changed["assets"] == 1
    assert AssetStore(engine).assets(["portal"]) == []


def test_nobody_imports_outside_their_own_tree(engine: Engine) -> None:
    everything(engine)
    mine = {"320100-zwb"}
    moved = GradedSystem(id="portal", unit="320100", name="门户", level=3, grade="S3A3G3")
    new = Unit(code="320100-x", name="新", parent="320100-zwb")
    for sheets in (
        {"systems": [moved]},
        {"units": [CITY]},
        {"units": [Unit(code="320100-y", name="别家", parent="320100")]},
        {"units": [Unit(code="320100-zwb", name="政务办", parent="320100-x")]},
    ):
        found = put(engine, scope=mine, **sheets)
        assert [error.what.en.endswith("outside your tree") for error in found.errors] == [True]
    assert put(engine, scope=mine, units=[new]).done
    assert put(engine, scope=mine, assets=[ASSET]).done
    assert put(engine, scope={"320200"}, assets=[ASSET]).errors
