"""Fitting: prototypes are bounded, the newest rows calibrate, disagreement with PyOD is an error."""

import msgspec
import numpy as np
import pytest

from detection.anomaly.model import EnsembleParameters, fit, spread
from detection.anomaly.prototypes import Prototypes
from detection.anomaly.windows import FEATURES
from detection.parameters import read_parameters, shipped

NAMES = tuple(FEATURES)
PARAMETERS = msgspec.structs.replace(
    read_parameters(shipped("ensemble.toml"), EnsembleParameters),
    prototypes_max=50,
    beginnings=2,
    components=2,
)


def test_prototypes_are_bounded_and_the_newest_rows_kept_apart() -> None:
    rows = np.random.default_rng(1).poisson(9, (500, len(NAMES))).astype(np.float64)
    rows[400:] += 1_000  # the held-out part is of another kind: it is the yardstick, not the lesson
    made = fit(rows, NAMES, PARAMETERS)
    prototypes = made.members["prototypes"].scorer
    assert isinstance(prototypes, Prototypes)
    assert prototypes.points.shape == (50, len(NAMES))
    assert made.high.max() < 1_000
    assert made.judge(rows[450:451]).surprise[0] < 2
    assert made.tail.rows == 100


def test_labels_are_learned_beside_counts() -> None:
    generator = np.random.default_rng(2)
    rows = generator.poisson(9, (400, 2)).astype(np.float64)
    labels = [["tcp" if n % 3 else "udp"] for n in range(400)]
    made = fit(rows, ("a", "b"), PARAMETERS, labels=labels, label_names=("protocol",))
    usual = made.judge(rows[:50], labels[:50])
    strange = made.judge(rows[:50], [["icmp"]] * 50)
    assert strange.surprise.min() > 2
    assert np.median(usual.surprise) < 1
    assert (strange.top[:, 0] == 0).all()  # the label
    assert made.features == ("protocol", "a", "b")


def test_a_scorer_that_disagrees_with_pyod_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(1).poisson(9, (60, len(NAMES))).astype(np.float64)
    monkeypatch.setattr(Prototypes, "score", lambda _self, points: np.ones(len(points)))
    with pytest.raises(ArithmeticError):
        fit(rows, NAMES, PARAMETERS)


def test_the_same_rows_give_the_same_model() -> None:
    rows = np.random.default_rng(3).poisson(9, (300, len(NAMES))).astype(np.float64)
    first, second = fit(rows, NAMES, PARAMETERS), fit(rows, NAMES, PARAMETERS)
    assert (first.scores(rows) == second.scores(rows)).all()


def test_prototypes_cover_what_is_rare_and_thin_the_crowd() -> None:
    points = np.vstack([np.random.default_rng(4).normal(0, 0.1, (1_000, 3)), np.full((2, 3), 50.0)])
    chosen = spread(points, 20)
    assert len(chosen) == 20
    assert (points[chosen] == 50.0).all(axis=1).sum() == 1
    assert (chosen == spread(points, 20)).all()
    assert spread(points[:5], 20).tolist() == [0, 1, 2, 3, 4]
    assert len(spread(np.zeros((100, 3)), 20)) == 1
