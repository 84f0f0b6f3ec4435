"""The risk of an entity: its alerts added up, each halved with every day that passes.

An alert weighs by its severity. Alike alerts (of one group) add up less than one by one, so that a loud rule
does not drown the others: 256 at once weigh twice as much as one. The groups of an entity add up plainly.
Both sums only grow with what comes and fade all alike, so their order never changes by time alone: what is
kept is the ``heat``, the logarithm of the risk at the epoch, and a sorted index of heats stays right for
ever. Which groups count is detection/store/entity_heat.py's.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from detection.alert import Severity

HALF_LIFE: Final = timedelta(days=1)
POINTS_MAX: Final = 100
COLD: Final = 0.0  # of what has no risk: less than a point since long ago
_WEIGHTS: Final[dict[Severity, float]] = {
    "informational": 1.0,
    "low": 3.0,
    "medium": 10.0,
    "high": 25.0,
    "critical": 50.0,
}
_DOUBLINGS: Final = 8  # so often doubled, alike alerts weigh twice as much
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def heat_of(severity: Severity, time: datetime) -> float:
    """The heat of one alert; higher is riskier, at any time."""
    return math.log2(_WEIGHTS[severity]) + _age(time)


def repeated(heats: Iterable[float]) -> float:
    """The heat of alike alerts; in any order and any parts the same."""
    return _joined(heats, _DOUBLINGS)


def summed(heats: Iterable[float]) -> float:
    """The heat of different things together: their risks added up."""
    return _joined(heats, 1)


def points_of(heat: float, now: datetime) -> int:
    """The risk now, 0 to 100."""
    exponent = heat - _age(now)
    return POINTS_MAX if exponent > math.log2(POINTS_MAX) else round(2.0 ** max(exponent, -64.0))


def heat_at(points: float, now: datetime) -> float:
    """The heat that has this risk now; nothing is colder than no risk."""
    return math.log2(points) + _age(now) if points > 0 else -math.inf


def _joined(heats: Iterable[float], sharpness: int) -> float:
    """The norm of the risks, as heat: by their highest, so that no power overflows."""
    known = [heat for heat in heats if heat > COLD]
    if not known:
        return COLD
    hottest = max(known)
    if len(known) == 1:
        return hottest
    return hottest + math.log2(math.fsum(2.0 ** (sharpness * (heat - hottest)) for heat in known)) / sharpness


def _age(time: datetime) -> float:
    return (time - _EPOCH) / HALF_LIFE
