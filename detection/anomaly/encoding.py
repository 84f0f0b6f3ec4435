"""Rows of counts and labels as points in one space: the same row gives the same point in any company.

Counts of wide range are taken as logarithms, everything is centred and scaled by what was learned, and what
lies outside the usual spread is drawn in by a logarithm: a row that is unusual in a combination of columns
stands out more than one that is far out in a single column, which rare but harmless rows are. A label is its
rarity (minus the logarithm of its share of the learned rows) and, if frequent, a column of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = Sequence[Sequence[str]]

LOG_FROM: Final = 20.0  # a count that was ever beyond this is taken as a logarithm
FAR: Final = 2.0  # in learned units: beyond it distance grows by its logarithm only,
FAR_SLOPE: Final = 0.8  # so many units for each e-fold
OWN_COLUMN_WEIGHT: Final = 2.5  # two frequent labels that differ lie this far out in two columns
OWN_COLUMNS_MAX: Final = 12  # of one label
_OWN_COLUMN_SHARE: Final = 0.005  # of the learned rows, from which a label is frequent
_SPREAD_MIN: Final = 1e-6  # a column that never varied
_SPREAD_OF_CONSTANT: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """Learned once and frozen. Columns: labels' rarities, counts, then the frequent labels' own."""

    labels: tuple[str, ...]
    numbers: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]  # by label, the most frequent first
    rarity: Array  # of the levels of all labels, each label's followed by that of one never seen
    logs: Array  # by count: 1 where its logarithm is taken
    center: Array  # by column, without the labels' own
    scale: Array

    @classmethod
    def learned(
        cls,
        values: Array,
        names: tuple[str, ...],
        *,
        labels: Labels = (),
        label_names: tuple[str, ...] = (),
        scale_min: float = 0.0,
    ) -> Self:
        """What the rows teach; ``scale_min`` is the least spread a count is credited with."""
        levels: list[tuple[str, ...]] = []
        rarity: list[float] = []
        for at in range(len(label_names)):
            found, counts = np.unique([row[at] for row in labels], return_counts=True)
            order = np.lexsort((found, -counts))
            levels.append(tuple(str(found[i]) for i in order))
            rarity.extend(-np.log(counts[order] / len(values)))
            rarity.append(-float(np.log(0.5 / len(values))))
        made = cls(
            labels=label_names,
            numbers=names,
            levels=tuple(levels),
            rarity=np.array(rarity, dtype=np.float64),
            logs=(np.abs(values).max(axis=0) > LOG_FROM).astype(np.float64),
            center=np.zeros(len(label_names) + len(names)),
            scale=np.ones(len(label_names) + len(names)),
        )
        raw = made._raw(values, made._places(labels, len(values)))
        spread = raw.std(axis=0)
        spread = np.where(spread < _SPREAD_MIN, _SPREAD_OF_CONSTANT, spread)
        made.center[:] = raw.mean(axis=0)
        made.scale[:] = np.maximum(spread, scale_min)
        return made

    @property
    def features(self) -> tuple[str, ...]:
        """What a person knows the row by: labels, then counts."""
        return (*self.labels, *self.numbers)

    @property
    def width(self) -> int:
        """Columns of a point."""
        return len(self.features) + sum(min(len(one), OWN_COLUMNS_MAX) for one in self._frequent())

    def points(self, values: Array, labels: Labels = ()) -> Array:
        """The point of each row."""
        places = self._places(labels, len(values))
        plain = (self._raw(values, places) - self.center) / self.scale
        size = np.abs(plain)
        far = size > FAR
        if far.any():
            plain[far] = np.sign(plain[far]) * (FAR + FAR_SLOPE * np.log1p(size[far] - FAR))
        own = [
            np.asarray(places[:, at, np.newaxis] == np.arange(len(levels)), dtype=np.float64)
            * OWN_COLUMN_WEIGHT
            for at, levels in enumerate(self._frequent())
        ]
        return np.hstack([plain, *own]) if own else plain

    def folded(self, by_column: Array) -> Array:
        """Amounts by column as amounts by feature: a label's own columns count for the label."""
        done = by_column[:, : len(self.features)].copy()
        start = len(self.features)
        for at, levels in enumerate(self._frequent()):
            done[:, at] += by_column[:, start : start + len(levels)].sum(axis=1)
            start += len(levels)
        return done

    def _frequent(self) -> list[tuple[str, ...]]:
        floor = -np.log(_OWN_COLUMN_SHARE)
        start, found = 0, []
        for levels in self.levels:
            rare = self.rarity[start : start + len(levels)]
            found.append(levels[: min(int((rare < floor).sum()), OWN_COLUMNS_MAX)])
            start += len(levels) + 1
        return found

    def _places(self, labels: Labels, count: int) -> npt.NDArray[np.intp]:
        """Of each label its place among the learned levels, the number of levels where it was never seen."""
        places = np.empty((count, len(self.labels)), dtype=np.intp)
        for at, levels in enumerate(self.levels):
            known = {level: i for i, level in enumerate(levels)}
            places[:, at] = [known.get(row[at], len(levels)) for row in labels]
        return places

    def _raw(self, values: Array, places: npt.NDArray[np.intp]) -> Array:
        starts = np.cumsum([0, *(len(one) + 1 for one in self.levels)])[:-1].astype(np.intp)
        logs = self.logs > 0
        counts = np.array(values, dtype=np.float64)
        wide = counts[:, logs]
        counts[:, logs] = np.sign(wide) * np.log1p(np.abs(wide))
        return np.hstack([self.rarity[starts + places], counts]) if self.labels else counts
