"""Fits PyOD's KNN once on learned windows and freezes it; the only file that imports PyOD.

KNN, not PyOD's ECOD or COPOD: those join the training set to every batch they score, so that a flood makes
itself normal.
"""

from typing import Final

import numpy as np
from pyod.models.knn import KNN

from detection.anomaly.frozen import Array, FrozenModel, robust_scale

AGREEMENT_MAX: Final = 1e-9  # largest difference allowed between PyOD's score and the frozen one


def fit(
    kind: str,
    features: tuple[str, ...],
    rows: Array,
    starts: Array,
    *,
    neighbours: int,
    prototypes_max: int,
    held_out: float,
) -> FrozenModel:
    """The model of windows in order of time; the newest ``held_out`` share calibrates it.

    Raises ArithmeticError where the frozen scores do not equal PyOD's: then nothing may be scored by them.
    """
    split = len(rows) - max(int(len(rows) * held_out), neighbours + 1)
    assert split > neighbours, "too few windows to fit"
    learned, kept_apart = rows[:split], rows[split:]
    center, scale = robust_scale(np.log1p(learned))
    chosen = np.unique(np.linspace(0, split - 1, min(split, prototypes_max)).astype(np.intp))
    scaled = (np.log1p(learned[chosen]) - center) / scale
    detector = KNN(n_neighbors=neighbours, method="largest")
    detector.fit(scaled)
    low, high = np.quantile(learned, [0.05, 0.95], axis=0)
    model = FrozenModel(
        kind=kind,
        features=features,
        neighbours=neighbours,
        center=center,
        scale=scale,
        low=low,
        high=high,
        prototypes=np.ascontiguousarray(detector.neigh_._fit_X, dtype=np.float64),
        tail=np.sort(pyod_scores(detector, (np.log1p(kept_apart) - center) / scale)),
        first=int(starts[0]),
        last=int(starts[-1]),
        rows=len(rows),
    )
    difference = np.abs(np.sort(model.scores(kept_apart)) - model.tail).max()
    if difference > AGREEMENT_MAX:
        raise ArithmeticError(f"frozen scores differ from PyOD's by {difference}")
    return model


def pyod_scores(detector: KNN, scaled: Array) -> Array:
    """PyOD's own scores of scaled rows."""
    return np.asarray(detector.decision_function(scaled), dtype=np.float64)
