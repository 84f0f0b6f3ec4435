"""The registry's desk: standard units, the job that asks for what is lacking, changes as evidence."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from compliance.checklist import load_checklist
from compliance.registry import GradedSystem
from compliance.registry_desk import RegistryDesk, standard_units
from crypto.words import BadInput
from detection.store.alert_store import AlertStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import Engine, open_state
from rules import ROOT
from sensors.event import LogSource, Observation, stamp

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = GradedSystem(id="portal", unit="320100", name="门户", level=3, grade="S3A3G3")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(engine: Engine) -> RegistryDesk:
    desk = RegistryDesk(engine, InventoryStore(engine), load_checklist(ROOT / "checklist"), ROOT / "grading")
    desk.plant(NOW)
    desk.registry.put_system(SYSTEM, NOW, "user:a")
    return desk


def heartbeat(engine: Engine, host: str, sequence: int, time: datetime = NOW) -> None:
    seen = Observation(
        time=time,
        logsource=LogSource(product="liuhe", service="sensor"),
        fields={"event.dataset": "liuhe.heartbeat", "gov.sensor.kind": "host", "host.name": host},
    )
    event = stamp(seen, unit="320100", sensor=f"sensor-{host}", epoch=1, sequence=sequence)
    AlertStore(engine).commit([], [event], sequence, time)


def test_the_province_and_its_13_cities_are_there_from_the_start(desk: RegistryDesk) -> None:
    assert len(standard_units(ROOT / "grading")) == 14
    tree = desk.registry.tree()
    assert len(tree.children("320000")) == 13
    assert desk.plant(NOW) == 0


def test_a_machine_that_is_seen_is_asked_for_until_it_is_registered(
    desk: RegistryDesk, engine: Engine
) -> None:
    heartbeat(engine, "db-09", 1)
    desk.beat(NOW)
    (task,) = desk.tasks.tasks()
    assert (task.kind, task.unit, task.key) == ("unregistered-asset", "320100", "320100/db-09")
    coverage = desk.coverage(None, NOW)
    city = next(unit for unit in coverage.units if unit.unit == "320100")
    assert (city.sensors.total, city.unregistered, city.tasks_open) == (1, 1, 1)
    desk.registry.add_asset("db-09", system="portal", kind="host", now=NOW)
    desk.beat(NOW)
    assert desk.tasks.tasks() == []
    assert desk.coverage({"320100"}, NOW).systems[0].assets_seen == 1
    assert [unit.unit for unit in desk.coverage({"320100"}, NOW).units] == ["320100"]


def test_clocks_that_end_are_tasks(desk: RegistryDesk) -> None:
    from compliance.registry_sheet import read_rows

    rows = [
        ["编号", "单位代码", "名称", "定级", "备案有效期至"],
        ["old", "320100", "旧", "S2A2G2", "2026-12-01"],
    ]
    assert read_rows({"systems": rows}).errors == []
    done = desk.put_file(
        "\n".join(",".join(row) for row in rows).encode(), "systems",
        scope=None, dry_run=False, now=NOW, actor="user:a",
    )  # fmt: skip
    assert done.done
    desk.beat(NOW)
    (task,) = desk.tasks.tasks()
    assert (task.kind, task.due) == ("filing-expires", date(2026, 12, 1))
    desk.beat(NOW + timedelta(days=1))
    assert "还有 8 天" in desk.tasks.tasks()[0].what.zh


def test_every_change_is_evidence_once(desk: RegistryDesk) -> None:
    feed = desk.feed(0)
    assert len({evidence.subject for _, evidence in feed}) == len(feed) >= 15
    last, newest = feed[-1]
    assert (newest.kind, newest.actor, newest.subject) == ("registry", "user:a", f"registry:{last}")
    assert msgspec.json.decode(newest.payload)["action"] == "system.add"
    assert desk.feed(last) == []


def test_malformed_units_are_named(tmp_path: Path) -> None:
    (tmp_path / "units.yaml").write_text("format: 1\nunits: [{code: 1}]\n", "utf-8")
    with pytest.raises(BadInput, match="catalogue-malformed"):
        standard_units(tmp_path)
