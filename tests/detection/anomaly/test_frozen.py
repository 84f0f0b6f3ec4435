"""Frozen scores: equal to PyOD's, independent of the batch, calibrated, explained."""

import numpy as np
import pytest

from detection.anomaly.frozen import ONE_IN_MAX, Array, FrozenModel, robust_scale
from detection.anomaly.windows import FEATURES

NAMES = tuple(FEATURES)


def rows_of(number: int, seed: int) -> Array:
    made = np.random.default_rng(seed)
    rates = np.linspace(1, 60, len(NAMES))
    rows: Array = made.poisson(rates, (number, len(NAMES))).astype(np.float64)
    rows[:, 3] = 0.0  # a feature that never happens
    return rows


@pytest.fixture(scope="module")
def model() -> FrozenModel:
    from detection.anomaly.model import fit

    rows = rows_of(300, 1)
    starts = np.arange(300.0) * 60
    return fit("host", NAMES, rows, starts, neighbours=3, prototypes_max=2000, held_out=0.2)


def test_the_frozen_scores_are_pyods(model: FrozenModel) -> None:
    from pyod.models.knn import KNN

    from detection.anomaly.model import pyod_scores

    detector = KNN(n_neighbors=3, method="largest").fit(model.prototypes)
    rows = np.vstack([rows_of(200, 2), rows_of(20, 3) * 50])
    difference = np.abs(pyod_scores(detector, model.scaled(rows)) - model.scores(rows)).max()
    assert difference < 1e-12 * model.scores(rows).max() + 1e-12


def test_a_row_has_one_score_whatever_its_batch(model: FrozenModel) -> None:
    rows = rows_of(50, 4)
    row = rows[7] * 20
    alone = model.scores(row[np.newaxis, :])[0]
    flood = np.vstack([rows, np.tile(row, (2_000, 1))])
    for batch in (flood, flood[::-1], np.asfortranarray(flood), np.vstack([row, rows])):
        scores = model.scores(np.asarray(batch))
        same = [score for score, one in zip(scores, batch, strict=True) if np.array_equal(one, row)]
        assert same
        assert all(abs(score - alone) <= 1e-12 for score in same)


def test_rarity_grows_with_the_score_and_is_bounded(model: FrozenModel) -> None:
    scores = np.linspace(0, 200, 400)
    rarities = [model.one_in(float(score)) for score in scores]
    assert rarities == sorted(rarities)
    assert rarities[0] == 1.0
    assert rarities[-1] == ONE_IN_MAX


def test_usual_windows_are_usual_and_an_attack_is_rare(model: FrozenModel) -> None:
    usual = [model.one_in(float(score)) for score in model.scores(rows_of(500, 9))]
    assert sum(one > 100 for one in usual) <= 25  # nominal 1 %, at most 5 % from so short a tail
    attack = rows_of(1, 5)[0]
    attack[4] = 3_000
    attack[3] = 40
    assert model.one_in(float(model.scores(attack[np.newaxis, :])[0])) > 2_000


def test_the_explanation_names_the_feature_its_value_and_what_is_usual(model: FrozenModel) -> None:
    row = rows_of(1, 5)[0]
    row[4] = 3_000
    top = model.explain(row)
    assert len(top) == 3
    assert top[0].feature == "logins_failed"
    assert top[0].value == 3_000
    assert top[0].usual_low <= top[0].usual_high < 100


def test_a_constant_feature_does_not_explode() -> None:
    center, scale = robust_scale(np.zeros((10, 2)))
    assert (center == 0).all()
    assert (scale > 0).all()


def test_few_equal_windows_can_be_fitted() -> None:
    from detection.anomaly.model import fit

    rows = np.tile(np.arange(16.0), (60, 1))
    model = fit("host", NAMES, rows, np.arange(60.0), neighbours=3, prototypes_max=2000, held_out=0.2)
    assert model.one_in(float(model.scores(rows[:1])[0])) < 2
    assert model.explain(rows[0]) == []
    assert len(model.tail) == 12
