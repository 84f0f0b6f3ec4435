"""How unlikely a point is under mixtures of Gaussians, fitted from different beginnings and put together.

One mixture depends much on where its fitting began; several together are one with all their components.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from detection.anomaly.encoding import Array
from detection.anomaly.scorer import BLOCK_ROWS, in_blocks, require


@dataclass(frozen=True, slots=True)
class Mixture:
    """Components as whitening transforms; the score is minus the logarithm of the density."""

    kind: ClassVar[str] = "mixture"
    # (column + 1) x (component x column): Cholesky factors of the precisions side by side, and as the last
    # row minus the whitened means, so that one product takes a point to its deviations
    whiten: Array
    offsets: Array  # by component: logarithm of its weight and of its determinant

    @classmethod
    def of_components(cls, weights: Array, means: Array, factors: Array) -> Self:
        """From weights, means and upper Cholesky factors of precisions (component x column x column)."""
        count, width = means.shape
        whitened = np.einsum("cw,cwv->cv", means, factors)
        determinants = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
        offsets = np.log(weights) + determinants - 0.5 * width * np.log(2.0 * np.pi)
        side_by_side = factors.transpose(1, 0, 2).reshape(width, count * width)
        return cls(np.vstack([side_by_side, -whitened.reshape(1, -1)]), offsets)

    def score(self, points: Array) -> Array:
        """Minus the logarithm of the density at each point."""
        return in_blocks(points, self._block)

    def explain(self, points: Array) -> Array:
        """By column the squared deviation from what the others foretell, under the likeliest component."""
        likely = in_blocks(points, lambda block: self._parts(block).argmax(axis=1).astype(np.float64))
        whiten = self.whiten.reshape(len(self.whiten), len(self.offsets), -1)
        found = np.empty(points.shape)
        for component in np.unique(likely).astype(int):
            rows = likely == component
            factor = whiten[:-1, component, :]
            deviations = (points[rows] @ factor + whiten[-1, component, :]) @ factor.T
            found[rows] = np.square(deviations) / np.square(factor).sum(axis=1)
        return found

    def to_arrays(self) -> dict[str, Array]:
        """Transforms and offsets."""
        return {"whiten": self.whiten, "offsets": self.offsets}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The mixture of ``to_arrays``."""
        made = cls(arrays["whiten"], arrays["offsets"])
        require(made.whiten.ndim == 2 and made.offsets.ndim == 1 and len(made.offsets) >= 1, "mixture")
        width, columns = made.whiten.shape
        require(columns == (width - 1) * len(made.offsets), "factors of the mixture")
        return made

    def _parts(self, block: Array) -> Array:
        extended = np.ones((BLOCK_ROWS, len(self.whiten)))
        extended[:, :-1] = block
        deviations = (extended @ self.whiten).reshape(BLOCK_ROWS, len(self.offsets), -1)
        squares = np.einsum("bcw,bcw->bc", deviations, deviations)
        return np.asarray(self.offsets - 0.5 * squares, dtype=np.float64)

    def _block(self, block: Array) -> Array:
        parts = self._parts(block)
        top = parts.max(axis=1)
        return np.asarray(-(top + np.log(np.exp(parts - top[:, np.newaxis]).sum(axis=1))), dtype=np.float64)
