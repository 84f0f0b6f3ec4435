"""Parameters of what is usual for each entity: rules/anomaly/entities.toml."""

from pathlib import Path

import msgspec

from detection.anomaly.baseline import BaselineParameters
from detection.anomaly.rarity import RarityParameters
from detection.anomaly.unrest import UnrestParameters
from detection.parameters import Saying, read_parameters, shipped


class HabitParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``habit``: windows of deeds, and when one is told."""

    window_seconds: int
    lateness_seconds: int
    skew_seconds: int
    windows_max: int
    deeds_max: int
    scores_max: int
    told_max: int
    learning_hours: float
    score_min: float
    alert_one_in: float
    budget_per_day: int
    snapshot_seconds: int


class EntityParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    baseline: BaselineParameters
    rarity: RarityParameters
    unrest: UnrestParameters
    habit: HabitParameters
    host: Saying
    source: Saying
    user: Saying


def entity_parameters(path: Path | None = None) -> EntityParameters:
    """The parameters of the site, or those that come with the product. Raises BadInput."""
    return read_parameters(path or shipped("entities.toml"), EntityParameters)
