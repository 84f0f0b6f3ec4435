"""Assets, objects and people in a real state database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from compliance.asset_store import AssetStore
from compliance.registry import AssessmentObject, Asset, Contact, GradedSystem
from compliance.registry_log_store import RegistryLogStore
from compliance.registry_store import RegistryStore
from crypto.words import BadInput, Refused
from detection.store.state import Engine, open_state

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    for name in ("portal", "oa"):
        system = GradedSystem(id=name, unit=f"320100-{name}", name=name, level=3, grade="S3A3G3")
        RegistryStore(engine).register(system, unit_name=name, now=NOW)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> AssetStore:
    return AssetStore(engine)


def ids(store: AssetStore, *, retired: bool = False) -> list[str]:
    return [one.id for one in store.objects("portal", retired=retired) if one.kind in ("host", "database")]


def test_an_asset_and_the_object_it_is(store: AssetStore) -> None:
    made = store.put_asset(Asset(system="portal", name="web-01"), NOW, "user:a")
    store.put_asset(Asset(system="oa", name="web-01"), NOW, "user:a")  # the same name elsewhere
    assert store.asset(made.number) == made
    assert ids(store) == ["host:web-01"]
    renamed = store.put_asset(msgspec.structs.replace(made, name="db-01", kind="database"), NOW, "user:a")
    assert (ids(store), ids(store, retired=True)) == (["database:db-01"], ["database:db-01", "host:web-01"])
    store.put_asset(msgspec.structs.replace(renamed, retired=True), NOW, "user:a")
    assert (ids(store), store.assets(["portal"])) == ([], [])
    assert [asset.name for asset in store.assets(["portal"], retired=True)] == ["db-01"]
    with pytest.raises(Refused, match="asset-exists"):
        store.put_asset(Asset(system="portal", name="db-01"), NOW, "user:a")
    with pytest.raises(Refused, match="asset-not-found"):
        store.put_asset(Asset(number=99, system="portal", name="x"), NOW, "user:a")
    with pytest.raises(Refused, match="asset-not-found"):
        store.asset(99)
    with pytest.raises(Refused, match="system-not-found"):
        store.put_asset(Asset(system="none", name="x"), NOW, "user:a")


def test_objects_that_are_no_machines(store: AssetStore, engine: Engine) -> None:
    data = AssessmentObject(system="portal", kind="data", name="重要业务数据")
    store.put_object(data, NOW, "user:a")
    store.put_object(msgspec.structs.replace(data, note="库 1", retired=True), NOW, "user:a")
    assert data.id not in [one.id for one in store.objects("portal")]
    (kept,) = [one for one in store.objects("portal", retired=True) if one.kind == "data"]
    assert (kept.note, kept.retired) == ("库 1", True)
    with pytest.raises(BadInput, match="registry-field"):
        store.put_object(AssessmentObject(system="portal", kind="data", name="x"), NOW, "user:a")
    actions = [one.action for one in RegistryLogStore(engine).of("object:portal/data:重要业务数据")]
    assert actions == ["object.change", "object.add"]


def test_people_are_kept_once_and_forgotten(store: AssetStore, engine: Engine) -> None:
    person = Contact(unit="320100-portal", system="portal", duty="leader", name="甲", phone="138")
    made = store.put_contact(person, NOW, "user:a")
    again = store.put_contact(msgspec.structs.replace(person, phone="139"), NOW, "user:a")
    assert again.number == made.number
    assert store.contact(made.number).phone == "139"
    store.put_contact(msgspec.structs.replace(again, name="乙"), NOW, "user:a")
    assert [one.name for one in store.contacts(["320100-portal"], "portal")] == ["乙"]
    assert store.contacts(["320100-oa"]) == []
    with pytest.raises(Refused, match="system-not-found"):
        store.put_contact(msgspec.structs.replace(person, system="oa"), NOW, "user:a")
    with pytest.raises(Refused, match="unit-not-found"):
        store.put_contact(msgspec.structs.replace(person, unit="320200", system=""), NOW, "user:a")
    with pytest.raises(Refused, match="contact-not-found"):
        store.put_contact(msgspec.structs.replace(person, number=99), NOW, "user:a")
    store.drop_contact(made.number, NOW, "user:a")
    for act in (lambda: store.drop_contact(made.number, NOW, "user:a"), lambda: store.contact(made.number)):
        with pytest.raises(Refused, match="contact-not-found"):
            act()
    told = "".join(one.body for one in RegistryLogStore(engine).since(0))
    assert "139" not in told
