"""Parameters of what is usual for each entity: rules/anomaly/entities.toml."""

from itertools import pairwise
from pathlib import Path

import msgspec

from crypto.words import BadInput, Words
from detection.anomaly.baseline import BaselineParameters
from detection.anomaly.rarity import RarityParameters
from detection.anomaly.unrest import UnrestParameters
from detection.parameters import Saying, read_parameters, shipped, site_file


class HabitParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``habit``: bounds of all kinds together."""

    skew_seconds: int
    lanes_max: int
    deeds_max: int
    scores_max: int
    told_max: int
    kept_per_day: int
    programs_max: int
    templates_max: int
    snapshot_seconds: int


class LengthParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``lengths``: windows of so many seconds, when they close, and when one is told."""

    seconds: int
    zh: str
    en: str
    lateness_seconds: int
    learning_hours: float
    score_min: float
    alert_one_in: float
    own_windows: int
    grown_windows: int


class DeedParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something counted: on which events, with what detail, or how much, or how many different of another."""

    name: str
    zh: str
    en: str
    on: tuple[str, ...] = ()
    value: str = ""
    amount: str = ""
    distinct: str = ""
    unit_zh: str = "次"
    unit_en: str = "times"
    attack: tuple[str, ...] = ()


class KindParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of ``kinds``: whose windows, of which lengths, what is counted, and how an alert speaks of it."""

    name: str
    zh: str
    en: str
    entity: tuple[str, ...]
    join: str = ""
    subject: str
    peer: str = ""  # a fact that is the peer group
    peer_of: str = ""  # or one whose peers are asked for (detection/anomaly/peers.py)
    seconds: tuple[int, ...]
    rows_max: int
    deeds: tuple[DeedParameters, ...]
    said: Saying


class EntityParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    baseline: BaselineParameters
    rarity: RarityParameters
    unrest: UnrestParameters
    habit: HabitParameters
    lengths: tuple[LengthParameters, ...]
    kinds: tuple[KindParameters, ...]

    def __post_init__(self) -> None:
        known = {one.seconds for one in self.lengths}
        for kind in self.kinds:
            nested = all(less < more and more % less == 0 for less, more in pairwise(kind.seconds))
            if not kind.seconds or not nested or not known.issuperset(kind.seconds):
                raise _bad(f"{kind.name}: seconds {kind.seconds}")
            names = [one.name for one in kind.deeds]
            if len(set(names)) < len(names) or any(
                one.distinct and one.distinct not in names for one in kind.deeds
            ):
                raise _bad(f"{kind.name}: deeds {names}")

    def length(self, seconds: int) -> LengthParameters:
        """The length of so many seconds."""
        return next(one for one in self.lengths if one.seconds == seconds)


def entity_parameters(site: Path | None = None) -> EntityParameters:
    """The parameters that came with the product, under those of the site's file. Raises BadInput."""
    return read_parameters(shipped("entities.toml"), EntityParameters, over=site_file(site))


def _bad(what: str) -> BadInput:
    return BadInput(
        "parameters-malformed",
        Words(f"实体参数不能用:{what}", f"parameters of entities cannot be used: {what}"),
        Words(
            "请按 docs/reference/detectors.md 改正该键", "correct that key, see docs/reference/detectors.md"
        ),
        field="entities.toml",
    )
