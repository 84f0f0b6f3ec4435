"""How far a point lies from learned points: the distance to the k-th nearest of some thousand prototypes.

Candidates are found by a matrix product in single precision, which is quick and rounds; their distances are
then taken anew by plain differences in double precision, so that the score does not round with the batch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from detection.anomaly.encoding import Array
from detection.anomaly.scorer import BLOCK_ROWS, in_blocks, require

SPARE: Final = 2  # candidates beyond k: two prototypes single precision cannot tell apart may change places


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Learned points kept as they are, and k."""

    kind: ClassVar[str] = "prototypes"
    points: Array
    neighbours: Array  # one number: k
    _doubled: npt.NDArray[np.float32]  # column x prototype: minus twice the point
    _lengths: npt.NDArray[np.float32]

    @classmethod
    def of_points(cls, points: Array, neighbours: int) -> Self:
        """The scorer over these prototypes."""
        lengths = np.square(points).sum(axis=1).astype(np.float32)
        doubled = np.ascontiguousarray(-2.0 * points.T).astype(np.float32)
        return cls(np.ascontiguousarray(points), np.array([float(neighbours)]), doubled, lengths)

    def score(self, points: Array) -> Array:
        """Distance to the k-th nearest prototype."""
        return self.near(points)[1]

    def explain(self, points: Array) -> Array:
        """Squared differences by column to the nearest prototype."""
        nearest, _ = self.near(points)
        return np.asarray(np.square(points - self.points[nearest]), dtype=np.float64)

    def near(self, points: Array) -> tuple[npt.NDArray[np.intp], Array]:
        """The nearest prototype of each point, and its distance to the k-th nearest."""
        k = int(self.neighbours[0])
        wanted = min(k + SPARE, len(self.points))
        candidates = in_blocks(points, lambda block: self._candidates(block, wanted)).astype(np.intp)
        squares = np.empty(candidates.shape)
        for at in range(wanted):
            off = points - self.points[candidates[:, at]]
            squares[:, at] = np.einsum("rc,rc->r", off, off)
        order = np.argsort(squares, axis=1, kind="stable")
        nearest = np.take_along_axis(candidates, order[:, :1], axis=1)[:, 0]
        kth = np.take_along_axis(squares, order[:, k - 1 : k], axis=1)[:, 0]
        return nearest, np.sqrt(kth)

    def to_arrays(self) -> dict[str, Array]:
        """Points and k."""
        return {"points": self.points, "neighbours": self.neighbours}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The prototypes of ``to_arrays``."""
        points, neighbours = arrays["points"], arrays["neighbours"]
        require(points.ndim == 2 and neighbours.shape == (1,), "prototypes")
        require(1.0 <= neighbours[0] <= len(points), "neighbours")
        return cls.of_points(points, int(neighbours[0]))

    def _candidates(self, block: Array, wanted: int) -> Array:
        """The places of the ``wanted`` nearest by single precision, nearest first."""
        distances = block.astype(np.float32) @ self._doubled
        distances += self._lengths
        rows = np.arange(BLOCK_ROWS)
        found = np.empty((BLOCK_ROWS, wanted))
        for at in range(wanted):
            places = distances.argmin(axis=1)
            found[:, at] = places
            distances[rows, places] = np.inf
        return found
