"""Which assets an exception may not hide without a second person: of systems of level 3 and above."""

from typing import Final

from compliance.asset_store import AssetStore
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from detection.exceptions import protected_names
from detection.store.state import Engine

LEVEL_MIN: Final = 3


def protected_assets(engine: Engine) -> frozenset[str]:
    """Their names and addresses, as alerts name them."""
    systems = [one.id for one in RegistryStore(engine).systems() if protects(one)]
    assets = AssetStore(engine).assets(systems) if systems else ()
    return protected_names(name for asset in assets for name in (asset.name, asset.address))


def protects(system: GradedSystem) -> bool:
    """Whether a system is in use and graded high enough."""
    return system.level >= LEVEL_MIN and not system.retired
