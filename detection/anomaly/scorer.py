"""The port of a fitted detector: plain arrays that score a point by itself.

A point's score depends on the point and the arrays alone, never on what is scored with it. Products of
matrices are therefore taken in blocks of one size: the order in which a library adds up depends on the shape.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final, Protocol, Self

import numpy as np

from detection.anomaly.encoding import Array

BLOCK_ROWS: Final = 128


class Scorer(Protocol):
    """One fitted detector; fitting is in detection.anomaly.model."""

    kind: ClassVar[str]

    def score(self, points: Array) -> Array:
        """The score of each point; the higher, the rarer."""
        ...

    def explain(self, points: Array) -> Array:
        """How much each column adds to the rarity of each point, on the scale of a squared deviation."""
        ...

    def to_arrays(self) -> dict[str, Array]:
        """Everything the scorer is."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The same scorer again. Raises ValueError or KeyError where the arrays do not fit together."""
        ...


def in_blocks(points: Array, compute: Callable[[Array], Array]) -> Array:
    """``compute`` over blocks of BLOCK_ROWS, the last filled up: one shape, one order of adding."""
    count = len(points)
    parts = []
    for start in range(0, max(count, 1), BLOCK_ROWS):
        block = points[start : start + BLOCK_ROWS]
        if len(block) < BLOCK_ROWS:
            block = np.vstack([block, np.zeros((BLOCK_ROWS - len(block), points.shape[1]))])
        parts.append(compute(np.ascontiguousarray(block)))
    return np.concatenate(parts)[:count]


def require(fits: bool, what: str) -> None:
    """Raises ValueError where arrays of a model do not fit together."""
    if not fits:
        raise ValueError(what)
