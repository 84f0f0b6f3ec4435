"""A score as a tail probability: "1 in N", by held-out scores and a generalised Pareto tail beyond them.

Surprise is minus the logarithm to base 10 of that probability. The tail is fitted by probability-weighted
moments, which have a closed form and never fail to converge; a tail that would end is taken as exponential,
so that what lies beyond everything seen is rare and not impossible.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from detection.anomaly.encoding import Array
from detection.anomaly.scorer import require

KNOTS_MAX: Final = 512
TAIL_SHARE: Final = 0.1  # of the held-out scores, from which the tail is fitted
TAIL_MIN: Final = 5
SHAPE_MAX: Final = 0.5  # a heavier tail has no variance: the estimate says nothing then
ONE_IN_MAX: Final = 1_000_000.0  # beyond it a tail says nothing more
OVER_MAX: Final = 1e12  # in scales beyond the edge of the tail: what lies further is as far
_SPREAD_MIN: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Tail:
    """Knots of the held-out scores with their surprise, and the tail beyond the last of them."""

    knots: Array
    surprise: Array
    beyond: Array  # where the tail begins, its share, scale and shape, and how many scores were held out

    @classmethod
    def fitted(cls, held_out: Array) -> Self:
        """From the scores of rows no detector was fitted on; at least two."""
        scores = np.sort(held_out)
        total = len(scores)
        count = min(max(int(total * TAIL_SHARE), TAIL_MIN), total - 1)
        edge = float(scores[total - count - 1])
        scale, shape = _pareto(scores[total - count :] - edge)
        body = np.unique(np.linspace(0, total - count - 1, min(total - count, KNOTS_MAX)).astype(np.intp))
        above = total - np.searchsorted(scores, scores[body], side="left")
        surprise = -np.log10((above + 1.0) / (total + 1.0))
        knots, first = np.unique(scores[body], return_index=True)
        surprise = surprise[first]
        share = (count + 1.0) / (total + 1.0)
        surprise = np.minimum(surprise, -np.log10(share))
        return cls(knots, surprise, np.array([edge, share, scale, shape, float(total)]))

    def surprises(self, scores: Array) -> Array:
        """Minus log10 of the share of usual rows that score as high or higher."""
        edge, share, scale, shape, _ = self.beyond
        # Knots may lie so close that the slope between them overflows: never beyond the last knot's.
        found = np.minimum(np.interp(scores, self.knots, self.surprise, left=0.0), self.surprise[-1])
        far = scores > edge
        if far.any():
            over = np.minimum(scores[far] - edge, OVER_MAX * scale) / scale
            grown = over / np.log(10.0) if shape <= 0.0 else np.log1p(shape * over) / (shape * np.log(10.0))
            found[far] = grown - np.log10(share)
        return np.asarray(found, dtype=np.float64)

    @property
    def rows(self) -> int:
        """How many scores it was fitted on: N beyond it is extrapolated."""
        return int(self.beyond[4])

    def to_arrays(self) -> dict[str, Array]:
        """Knots and tail."""
        return {"knots": self.knots, "surprise": self.surprise, "beyond": self.beyond}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The tail of ``to_arrays``."""
        made = cls(arrays["knots"], arrays["surprise"], arrays["beyond"])
        require(made.knots.ndim == 1 and len(made.knots) >= 1, "knots")
        require(bool((np.diff(made.knots) > 0.0).all()), "order of knots")
        require(made.surprise.shape == made.knots.shape and made.beyond.shape == (5,), "calibration")
        _, share, scale, shape, _ = made.beyond
        require(0.0 < share <= 1.0 and scale > 0.0 and 0.0 <= shape <= SHAPE_MAX, "tail")
        return made


def one_in(surprise: float) -> float:
    """Surprise as N of "1 in N"."""
    return float(min(10.0 ** min(surprise, 12.0), ONE_IN_MAX))


def _pareto(excesses: Array) -> tuple[float, float]:
    """(scale, shape) of sorted excesses by probability-weighted moments."""
    mean = float(excesses.mean())
    count = len(excesses)
    if mean <= _SPREAD_MIN or count < TAIL_MIN:
        return max(mean, _SPREAD_MIN), 0.0
    weights = (count - 1.0 - np.arange(count)) / (count - 1.0)
    weighted = float((weights * excesses).mean())
    shape = 2.0 - mean / (mean - 2.0 * weighted) if mean > 2.0 * weighted else SHAPE_MAX
    shape = min(max(shape, 0.0), SHAPE_MAX)
    return mean * (1.0 - shape), shape
