"""A model's word on a window: in any company the same, calibrated, explained."""

import numpy as np

from detection.anomaly.calibration import ONE_IN_MAX
from detection.anomaly.encoding import Array
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.windows import FEATURES
from detection.parameters import read_parameters, shipped

NAMES = tuple(FEATURES)


def rows_of(number: int, seed: int) -> Array:
    made = np.random.default_rng(seed)
    rows: Array = made.poisson(np.linspace(1, 60, len(NAMES)), (number, len(NAMES))).astype(np.float64)
    rows[:, 3] = 0.0
    return rows


def test_a_row_has_one_score_whatever_its_batch(model: FrozenModel) -> None:
    rows = rows_of(50, 4)
    row = rows[7] * 20
    alone = model.opinions(row[np.newaxis, :])[0]
    flood = np.vstack([rows, np.tile(row, (600, 1))])
    for batch in (flood, flood[::-1], np.asfortranarray(flood), np.vstack([row, rows])):
        said = model.opinions(np.asarray(batch))
        same = [one for one, given in zip(said, batch, strict=True) if np.array_equal(given, row)]
        assert same
        assert all(one == alone for one in same)  # to the bit
    assert model.opinions(rows[:0]) == []


def test_usual_windows_are_usual_and_an_attack_is_rare(model: FrozenModel) -> None:
    said = model.opinions(rows_of(2_000, 9))
    assert 5 <= sum(one.one_in > 100 for one in said) <= 50  # nominal 1 %, of 180 held out
    attack = rows_of(1, 5)[0]
    attack[4], attack[3] = 3_000, 40
    opinion = model.opinions(attack[np.newaxis, :])[0]
    assert 2_000 < opinion.one_in <= ONE_IN_MAX
    first = opinion.reasons[0]
    assert {one.feature for one in opinion.reasons[:2]} == {"logins_failed", "new_programs"}
    assert first.usual_low <= first.usual_high < 100


def test_few_equal_windows_can_be_fitted_and_nothing_is_unusual_about_them() -> None:
    from detection.anomaly.model import EnsembleParameters, fit

    rows = np.tile(np.arange(16.0), (60, 1))
    parameters = read_parameters(shipped("ensemble.toml"), EnsembleParameters)
    ensemble = fit(rows, NAMES, parameters, scale_min=0.25)
    made = FrozenModel(kind="host", ensemble=ensemble, first=0, last=3_600, rows=60)
    opinion = made.opinions(rows[:1])[0]
    assert opinion.one_in < 2
    assert opinion.reasons == ()
