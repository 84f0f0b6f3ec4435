"""Tests of soc_api.migrate: the migrated schema is the declared one, old databases come up to it."""

import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from compliance.asset_store import AssetStore
from compliance.registry_store import RegistryStore
from crypto.words import LiuheError
from detection.store.inventory_store import InventoryStore
from detection.store.state import open_state, writing
from soc_api.migrate import SCHEMA, newest_revision, revision_of, upgrade


def test_migrated_schema_is_the_declared_one(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    assert revision_of(engine) == ""
    upgrade(engine)
    assert revision_of(engine) == newest_revision()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SCHEMA) == []
    engine.dispose()


def test_migrations_make_the_same_tables_as_create_all(tmp_path: Path) -> None:
    def made(path: Path, *, migrated: bool) -> dict[str, list[str]]:
        engine = open_state(f"sqlite:///{path}", create=not migrated)
        if migrated:
            upgrade(engine)
        with engine.connect() as connection:
            found = connection.execute(
                text("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'alembic%'")
            )
            result = {row.name: sorted("".join(row.sql.split()).replace(")", "").split(",")) for row in found}
        engine.dispose()
        return result

    assert made(tmp_path / "a", migrated=True) == made(tmp_path / "b", migrated=False)


def test_an_older_database_comes_up_with_its_rows(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine, to="0001")
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO counters (name, value) VALUES ('alerts', 7)"))
    upgrade(engine)
    upgrade(engine)
    assert revision_of(engine) == newest_revision()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT value FROM counters")) == 7
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LiuheError, match="state-newer"):
        upgrade(engine)
    engine.dispose()


def test_a_failed_migration_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    monkeypatch.setattr("soc_api.tables.AUDIT_TRIGGERS", ("NOT SQL",))
    with pytest.raises(Exception, match="syntax error"):
        upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sqlite_master")) == 0
    engine.dispose()


def test_every_module_with_tables_is_known_to_the_migrations() -> None:
    root = Path(__file__).parents[2]
    for package in ("detection", "compliance", "soc_api"):
        for path in (root / package).rglob("*.py"):
            if "migrations" not in path.parts and "= Table(" in path.read_text(encoding="utf-8"):
                assert ".".join(path.relative_to(root).with_suffix("").parts) in sys.modules, path


def test_gaps_of_an_older_database_are_numbered_by_their_time(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine, to="0004")
    row = "INSERT INTO sensor_gaps (event, sensor, lane, first, last, count, reason, time) VALUES "
    with writing(engine) as connection:
        connection.execute(text(row + "('b', 's', 'bulk', 1, 1, 1, 'quota', 5)"))
        connection.execute(text(row + "('a', 's', 'bulk', 1, 1, 1, 'quota', 5)"))
        connection.execute(text(row + "('c', 's', 'bulk', 1, 1, 1, 'quota', 4)"))
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT event, number FROM sensor_gaps ORDER BY number"))
        assert [tuple(one) for one in found] == [("c", 1), ("a", 2), ("b", 3)]
        assert connection.scalar(text("SELECT value FROM counters WHERE name = 'gaps'")) == 3
    engine.dispose()


def test_assets_of_an_older_database_keep_their_system(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine, to="0009")
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO units (code, name) VALUES ('320000-local', '省厅')"))
        connection.execute(
            text(
                "INSERT INTO graded_systems (id, unit, name, level, grade, state_secret, registered) "
                "VALUES ('local', '320000-local', '本机', 3, 'S3A3G3', 0, 5)"
            )
        )
        connection.execute(
            text("INSERT INTO assets (name, system, kind, found) VALUES ('web-01', 'local', 'host', 7)")
        )
    upgrade(engine)
    (system,) = RegistryStore(engine).systems()
    (asset,) = AssetStore(engine).assets(["local"])
    AssetStore(engine).complete("local")
    AssetStore(engine).complete("local")
    assert len(AssetStore(engine).objects("local")) == 6
    assert (system.stage, system.extensions, system.filed, system.revision) == ("draft", (), None, 0)
    assert (asset.name, asset.kind, asset.origin, asset.retired) == ("web-01", "host", "sensor", False)
    engine.dispose()


def test_probe_results_of_an_older_database_keep_their_unit(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine, to="0013")
    with writing(engine) as connection:
        connection.execute(
            text(
                'INSERT INTO probe_results (host, probe, time, event, unit, sensor, method, raw, "values") '
                "VALUES ('web-01', 'sshd', 5, 'e', '320000', 's', 'file', 'x', '{\"port\": 22}')"
            )
        )
    upgrade(engine)
    (result,) = InventoryStore(engine).probe_results("web-01")
    assert (result.unit, result.probe, result.values, result.error) == ("320000", "sshd", {"port": 22}, "")
    with writing(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO probe_results SELECT '320100', host, probe, 6, event, sensor, method, raw, "
                '"values", error FROM probe_results'
            )
        )
    assert [one.unit for one in InventoryStore(engine).probe_results()] == ["320000", "320100"]
    engine.dispose()


def test_entities_of_an_older_database_have_their_risk(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine, to="0028")
    made = (
        "INSERT INTO alert_groups (id, key, generation, rule, detector, title_zh, title_en, severity, entity,"
        " unit, sensor, count, first_seen, last_seen, state, classification, reason_zh, reason_en, attack,"
        " clauses, revision, heat, entity_key) VALUES (:id, :id, 1, 'r', 'sigma', '', '', 'high', :entity,"
        " 'u', 's', 1, 0, 0, :state, :verdict, '', '', '[]', '[]', 1, :heat, :entity)"
    )
    rows = [
        ("a", "host:1", "new", "", 20_000.0),
        ("b", "host:1", "closed", "true_positive", 20_000.0),
        ("c", "host:1", "closed", "test", 20_009.0),
        ("d", "host:2", "closed", "false_positive", 20_001.0),
    ]
    names = ("id", "entity", "state", "verdict", "heat")
    with writing(engine) as connection:
        connection.execute(text(made), [dict(zip(names, row, strict=True)) for row in rows])
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT entity_key, heat FROM entity_heats"))
        assert {row.entity_key: row.heat for row in found} == {"host:1": 20_001.0, "host:2": 0.0}
    engine.dispose()
