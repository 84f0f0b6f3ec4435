"""Assets of high grades are protected by name and address."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.asset_store import AssetStore
from compliance.registry import Asset, GradedSystem, Unit
from compliance.registry_store import RegistryStore
from detection.store.state import open_state
from soc_api.protected_assets import protected_assets

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(("level", "expected"), [(2, set()), (3, {"db-01", "10.0.0.9"})])
def test_assets_of_level_three_and_above_are_protected(
    tmp_path: Path, level: int, expected: set[str]
) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    store = RegistryStore(engine)
    store.put_unit(Unit(code="320100-a", name="甲"), NOW, "user:a")
    system = GradedSystem(
        id="s1", unit="320100-a", name="办公", level=level, grade=f"S{level}A{level}G{level}"
    )
    store.put_system(system, NOW, "user:a")
    AssetStore(engine).put_asset(Asset(system="s1", name="DB-01", address="10.0.0.9"), NOW, "user:a")
    assert protected_assets(engine) == expected
    engine.dispose()
