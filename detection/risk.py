"""The risk of a group of alerts: severity times number, halved with every day that nothing new comes.

Risks of all groups fade alike, so their order never changes by time alone: what is kept is the ``heat``, the
logarithm of the risk a group would have at the epoch, and a sorted index of heats stays right for ever.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Final

from detection.alert import Severity

HALF_LIFE: Final = timedelta(days=1)
POINTS_MAX: Final = 100
_WEIGHTS: Final[dict[Severity, float]] = {
    "informational": 1.0,
    "low": 3.0,
    "medium": 10.0,
    "high": 25.0,
    "critical": 50.0,
}
_DOUBLINGS: Final = 8  # so often doubled, the number counts as much as one severity more
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def heat_of(severity: Severity, count: int, last_seen: datetime) -> float:
    """What a group's risk is sorted by: higher is riskier, at any time."""
    points = _WEIGHTS[severity] * (1 + math.log2(max(count, 1)) / _DOUBLINGS)
    return math.log2(points) + _age(last_seen)


def points_of(heat: float, now: datetime) -> int:
    """The risk now, 0 to 100."""
    exponent = heat - _age(now)
    return POINTS_MAX if exponent > math.log2(POINTS_MAX) else round(2.0 ** max(exponent, -64.0))


def heat_at(points: float, now: datetime) -> float:
    """The heat that has this risk now; nothing is colder than no risk."""
    return math.log2(points) + _age(now) if points > 0 else -math.inf


def _age(time: datetime) -> float:
    return (time - _EPOCH) / HALF_LIFE
