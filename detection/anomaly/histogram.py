"""How rare each value is in its own column: binned densities to score, frozen empirical tails to explain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from detection.anomaly.encoding import Array
from detection.anomaly.scorer import require

BINS: Final = 32
CELLS: Final = 1024  # of a column, for tails
_PRIOR: Final = 0.5  # rows credited to each bin, and half of it to what lies outside all


@dataclass(frozen=True, slots=True)
class Histogram:
    """Sum over columns of minus the logarithm of the share of the value's bin."""

    kind: ClassVar[str] = "histogram"
    low: Array  # by column: where the first bin begins, and how many bins a unit holds
    per_unit: Array
    surprise: Array  # column x (bins + 1), the last of what lies outside

    @classmethod
    def learned(cls, points: Array) -> Self:
        """Bins of equal width between the least and the greatest value of each column."""
        low, high = points.min(axis=0), points.max(axis=0)
        per_unit = BINS / np.maximum(high - low, 1e-9)
        made = cls(low, per_unit, np.zeros((points.shape[1], BINS + 1)))
        places = made._places(points)
        total = len(points) + _PRIOR * (BINS + 1)
        for column in range(points.shape[1]):
            counts = np.bincount(places[:, column], minlength=BINS + 1).astype(np.float64) + _PRIOR
            counts[BINS] = _PRIOR / 2
            made.surprise[column] = -np.log(counts / total)
        return made

    def score(self, points: Array) -> Array:
        """Surprise of all columns together."""
        return np.asarray(self.explain(points).sum(axis=1), dtype=np.float64)

    def explain(self, points: Array) -> Array:
        """Surprise by column."""
        offsets = np.arange(len(self.low), dtype=np.intp) * (BINS + 1)
        return np.take(self.surprise.ravel(), self._places(points) + offsets)

    def to_arrays(self) -> dict[str, Array]:
        """Bins and their surprise."""
        return {"low": self.low, "per_unit": self.per_unit, "surprise": self.surprise}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The histogram of ``to_arrays``."""
        made = cls(arrays["low"], arrays["per_unit"], arrays["surprise"])
        require(made.low.ndim == 1 and made.per_unit.shape == made.low.shape, "histogram bins")
        require(made.surprise.shape == (len(made.low), BINS + 1), "histogram surprise")
        return made

    def _places(self, points: Array) -> npt.NDArray[np.intp]:
        scaled = (points - self.low) * self.per_unit
        inside = (scaled >= 0.0) & (scaled <= BINS)
        return np.where(inside, np.clip(scaled, 0.0, BINS - 1), BINS).astype(np.intp)


@dataclass(frozen=True, slots=True)
class Tails:
    """Empirical tails of each column, frozen at the fit: the idea of ECOD without its joining of batches.

    PyOD's own ECOD joins the training set to whatever it scores and reckons the tails anew, so that a flood
    makes itself normal; here a value's tail is looked up among the learned values alone.
    """

    kind: ClassVar[str] = "tails"
    low: Array
    per_unit: Array
    table: Array  # column x (CELLS + 2): the first and the last of what lies below and above all

    @classmethod
    def learned(cls, points: Array) -> Self:
        """Minus twice the logarithm of the smaller tail in the middle of each cell of each column."""
        low, high = points.min(axis=0), points.max(axis=0)
        per_unit = CELLS / np.maximum(high - low, 1e-9)
        total = len(points)
        table = np.empty((points.shape[1], CELLS + 2))
        for column in range(points.shape[1]):
            learned = np.sort(points[:, column])
            middles = low[column] + (np.arange(-1, CELLS + 1) + 0.5) / per_unit[column]
            half = 0.5 / per_unit[column]
            below = np.searchsorted(learned, middles + half, side="right")
            above = total - np.searchsorted(learned, middles - half, side="left")
            table[column] = -2.0 * np.log(
                np.minimum((np.minimum(below, above) + 0.5) * 2.0 / (total + 1.0), 1.0)
            )
        return cls(low, per_unit, table)

    def score(self, points: Array) -> Array:
        """Sum of all columns."""
        return np.asarray(self.explain(points).sum(axis=1), dtype=np.float64)

    def explain(self, points: Array) -> Array:
        """Minus twice the logarithm of the smaller tail, by column; 0 in the middle."""
        scaled = np.clip((points - self.low) * self.per_unit, -1.0, CELLS + 0.5)
        places = np.where(
            scaled < 0.0, 0, np.where(scaled > CELLS, CELLS + 1, np.minimum(scaled, CELLS - 1) + 1)
        )
        offsets = np.arange(len(self.low), dtype=np.intp) * (CELLS + 2)
        return np.take(self.table.ravel(), places.astype(np.intp) + offsets)

    def to_arrays(self) -> dict[str, Array]:
        """Cells and their tails."""
        return {"low": self.low, "per_unit": self.per_unit, "table": self.table}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """The tails of ``to_arrays``."""
        made = cls(arrays["low"], arrays["per_unit"], arrays["table"])
        require(made.low.ndim == 1 and made.per_unit.shape == made.low.shape, "cells of the tails")
        require(made.table.shape == (len(made.low), CELLS + 2), "table of the tails")
        return made
