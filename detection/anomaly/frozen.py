"""A fitted model as plain arrays: scoring, calibration and explanation, independent of any batch.

The score of a window is its distance to the k-th nearest learned window (PyOD's KNN, method "largest"), in
robust units of log(1 + count). A row's score depends on the row and the arrays alone.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SCALE_MIN: Final = 0.25  # in log units: one event more or less of something constant is no anomaly
ONE_IN_MAX: Final = 1_000_000  # beyond it the tail says nothing more
_TAIL_SHARE: Final = 0.25  # of the held-out scores, from which the tail is extrapolated
_TAIL_MIN: Final = 3


class Contribution(NamedTuple):
    """One feature of a window against what is usual: 5 % to 95 % of the learned windows."""

    feature: str
    value: float
    usual_low: float
    usual_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenModel:
    """Arrays of one fitted model; never changed after the fit."""

    kind: str
    features: tuple[str, ...]
    neighbours: int
    center: Array  # by feature, of log(1 + count)
    scale: Array
    low: Array  # 5 % and 95 % of the learned counts
    high: Array
    prototypes: Array  # learned windows, scaled
    tail: Array  # scores of the held-out windows, sorted
    first: int  # epoch seconds of the first and last window learned from
    last: int
    rows: int

    def scores(self, rows: Array) -> Array:
        """The score of each row of counts; the higher, the rarer."""
        return np.array([self._score(row) for row in self.scaled(rows)], dtype=np.float64)

    def one_in(self, score: float) -> float:
        """The score as "1 in N windows", by the held-out windows and an exponential tail beyond them."""
        total = len(self.tail)
        beyond = max(_TAIL_MIN, int(total * _TAIL_SHARE))
        edge = float(self.tail[max(total - beyond, 0)])
        if score <= edge:
            share = (int((self.tail >= score).sum()) + 1) / (total + 1)
            return 1.0 / min(share, 1.0)
        spread = max(float((self.tail[self.tail >= edge] - edge).mean()), 0.1 * edge, 0.1)
        share = (int((self.tail >= edge).sum()) + 1) / (total + 1)
        exponent = min((score - edge) / spread, 50.0)
        return float(min(np.exp(exponent) / min(share, 1.0), ONE_IN_MAX))

    def explain(self, row: Array, top: int = 3) -> list[Contribution]:
        """The features in which the row differs most from the nearest learned window."""
        scaled = self.scaled(row[np.newaxis, :])[0]
        squares = (self.prototypes - scaled) ** 2
        nearest = squares[int(squares.sum(axis=1).argmin())]
        order = np.argsort(-nearest, kind="stable")[:top]
        return [
            Contribution(self.features[i], float(row[i]), float(self.low[i]), float(self.high[i]))
            for i in order
            if nearest[i] > 0.0
        ]

    def scaled(self, rows: Array) -> Array:
        """Counts in the units of the model."""
        return np.asarray((np.log1p(rows) - self.center) / self.scale, dtype=np.float64)

    def _score(self, scaled: Array) -> float:
        # one row at a time and by direct differences: no matrix product whose rounding depends on the batch
        squares = ((self.prototypes - scaled) ** 2).sum(axis=1)
        return float(np.sqrt(np.partition(squares, self.neighbours - 1)[self.neighbours - 1]))


def robust_scale(logs: Array) -> tuple[Array, Array]:
    """(center, scale) by feature: median, and the interquartile range as a standard deviation."""
    lower, center, upper = np.quantile(logs, [0.25, 0.5, 0.75], axis=0)
    return center, np.maximum((upper - lower) / 1.349, SCALE_MIN)
