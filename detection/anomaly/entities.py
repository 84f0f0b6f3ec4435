"""Parameters of what is usual for each entity: rules/anomaly/entities.toml."""

from pathlib import Path

import msgspec

from detection.anomaly.baseline import BaselineParameters
from detection.anomaly.rarity import RarityParameters
from detection.parameters import read_parameters, shipped


class EntityParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/entities.toml."""

    baseline: BaselineParameters
    rarity: RarityParameters


def entity_parameters(path: Path | None = None) -> EntityParameters:
    """The parameters of the site, or those that come with the product. Raises BadInput."""
    return read_parameters(path or shipped("entities.toml"), EntityParameters)
