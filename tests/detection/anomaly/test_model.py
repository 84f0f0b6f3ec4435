"""Fitting: prototypes are bounded and spread, the newest windows calibrate, disagreement is an error."""

import numpy as np
import pytest

from detection.anomaly import model as fitting
from detection.anomaly.windows import FEATURES

NAMES = tuple(FEATURES)


def test_prototypes_are_bounded_and_the_newest_windows_kept_apart() -> None:
    rows = np.random.default_rng(1).poisson(9, (500, len(NAMES))).astype(np.float64)
    rows[400:] += 1_000  # the held-out part is of another kind, so its scores are large
    starts = np.arange(500.0) * 60
    model = fitting.fit("source", NAMES, rows, starts, neighbours=3, prototypes_max=50, held_out=0.2)
    assert model.prototypes.shape == (50, len(NAMES))
    assert (model.tail > 3).all()
    assert (model.first, model.last, model.rows) == (0, 499 * 60, 500)
    assert model.high.max() < 1_000


def test_a_model_that_disagrees_with_pyod_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(1).poisson(9, (60, len(NAMES))).astype(np.float64)
    true_scores = fitting.pyod_scores
    monkeypatch.setattr(fitting, "pyod_scores", lambda *given: true_scores(*given) + 1e-6)
    with pytest.raises(ArithmeticError):
        fitting.fit("host", NAMES, rows, np.arange(60.0), neighbours=3, prototypes_max=50, held_out=0.2)
