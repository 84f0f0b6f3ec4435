"""How far a point lies outside the subspace the learned points fill: PCA's residual."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np

from detection.anomaly.encoding import Array
from detection.anomaly.scorer import in_blocks, require

VARIANCE_KEPT: Final = 0.95


@dataclass(frozen=True, slots=True)
class Subspace:
    """Squared distance to the subspace of the components that hold VARIANCE_KEPT of the variance."""

    kind: ClassVar[str] = "subspace"
    center: Array
    residual: Array  # column x column: takes a centred point to its part outside the subspace

    @classmethod
    def of_components(cls, center: Array, components: Array) -> Self:
        """From the components kept, one a row, each of length one."""
        return cls(center, np.eye(len(center)) - components.T @ components)

    def score(self, points: Array) -> Array:
        """Squared length of the part outside."""
        return np.asarray(self.explain(points).sum(axis=1), dtype=np.float64)

    def explain(self, points: Array) -> Array:
        """The squares of that part by column."""
        centred = points - self.center
        return np.asarray(np.square(in_blocks(centred, self._outside)), dtype=np.float64)

    def to_arrays(self) -> dict[str, Array]:
        """Center and projection."""
        return {"center": self.center, "residual": self.residual}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The subspace of ``to_arrays``."""
        made = cls(arrays["center"], arrays["residual"])
        width = len(made.center)
        require(made.center.ndim == 1 and made.residual.shape == (width, width), "projection")
        return made

    def _outside(self, block: Array) -> Array:
        return np.asarray(block @ self.residual, dtype=np.float64)
