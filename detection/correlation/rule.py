"""One correlation as the product uses it: which rules it watches, over which span, and when it holds."""

from typing import Final, Literal

import msgspec

from detection.sigma.rule import EntityKind, Heading

Kind = Literal[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
]
Comparison = Literal["gt", "gte", "lt", "lte", "eq", "neq"]

RISING_COMPARISONS: Final = frozenset({"gt", "gte"})  # what holds stays true when more events come


class Limit(msgspec.Struct, frozen=True):
    """One bound of a condition; all bounds of a correlation must hold."""

    comparison: Comparison
    value: int | float


class Alternative(msgspec.Struct, frozen=True):
    """One way a temporal condition may hold: rules that must occur (in this order, where order matters) and
    rules that must not; places in ``Correlation.rules``."""

    required: tuple[int, ...]
    forbidden: tuple[int, ...] = ()


class Correlation(Heading, frozen=True, kw_only=True):
    """A Sigma correlation. Constructed only by ``detection.sigma.correlations``.

    ``rules`` are ids once the correlation is resolved, ``labels`` the names its author wrote.
    ``alternatives`` is empty where a temporal correlation counts the different rules seen (``limits``).
    """

    kind: Kind
    rules: tuple[str, ...]
    labels: tuple[str, ...]
    span_seconds: int
    group_by: tuple[str, ...] = ()
    aliases: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    fields: tuple[str, ...] = ()
    percentile: float | None = None
    alternatives: tuple[Alternative, ...] = ()
    generate: bool = False
    entity: EntityKind | None = None

    @property
    def rising(self) -> bool:
        """Whether more events never make a condition that held false, so that it may be claimed at once."""
        if any(alternative.forbidden for alternative in self.alternatives):
            return False
        if self.alternatives:
            return True
        counting = self.kind in ("event_count", "value_count", "temporal")
        return counting and self.lower_bounded

    @property
    def lower_bounded(self) -> bool:
        """Whether the condition only asks for more than something: it is looked at behind every event."""
        if any(alternative.forbidden for alternative in self.alternatives):
            return False
        return all(limit.comparison in RISING_COMPARISONS for limit in self.limits)
