"""Lessons and trials: what may be learned from, and which model goes on."""

import msgspec
import numpy as np
import pytest

from detection.anomaly.open import window_parameters
from detection.anomaly.refit import Realised, lesson, verdict

PARAMETERS = msgspec.structs.replace(window_parameters().refit, rows_min=50, trial_windows=100)


def test_the_rarest_windows_teach_nothing() -> None:
    rows = np.ones((100, 2))
    surprises = np.zeros(100)
    surprises[:10] = 3.0
    learned = lesson(np.arange(100.0), surprises, rows, None, 1.0, PARAMETERS)
    assert len(learned.rows) == 90
    assert learned.fits
    assert not lesson(np.arange(40.0), np.zeros(40), rows[:40], None, 1.0, PARAMETERS).fits


def test_reach_grows_by_its_share_a_day_and_no_more() -> None:
    rows = np.full((100, 1), 100.0)
    taught = np.array([90.0]), np.array([100.0])
    starts, surprises = np.arange(100.0), np.zeros(100)
    assert lesson(starts, surprises, rows, taught, 1.0, PARAMETERS).fits
    assert not lesson(starts, surprises, rows * 1.05, taught, 1.0, PARAMETERS).fits
    assert lesson(starts, surprises, rows * 1.05, taught, 6.0, PARAMETERS).fits
    rows[:20] = 500.0
    some = lesson(starts, surprises, rows, taught, 1.0, PARAMETERS)
    assert some.fits
    assert len(some.rows) == 80
    assert some.outside == pytest.approx(0.2)


def test_a_ramp_of_five_percent_a_day_is_not_followed() -> None:
    generator = np.random.default_rng(1)
    most, least = np.array([60.0]), np.array([20.0])
    for day in range(1, 31):
        ramp = generator.poisson(40 * 1.05**day, (200, 1)).astype(np.float64)
        learned = lesson(np.arange(200.0), np.zeros(200), ramp, (least, most), 1.0, PARAMETERS)
        if learned.fits:
            most, least = learned.rows.max(axis=0), learned.rows.min(axis=0)
    assert most[0] < 60 * 1.01**31
    assert 2 * most[0] < 40 * 1.05**30


def test_a_challenger_speaks_only_where_it_keeps_its_word() -> None:
    good, bad = Realised(windows=1_000, hundredth=10), Realised(windows=1_000, hundredth=90)
    assert verdict(good, Realised(windows=99), PARAMETERS)[0] == "wait"
    assert verdict(bad, good, PARAMETERS)[0] == "promote"
    assert verdict(good, bad, PARAMETERS)[0] == "reject"
    assert verdict(bad, Realised(windows=1_000, hundredth=50), PARAMETERS)[0] == "promote"
    counted = Realised()
    counted.add(2.5, 3.0)
    counted.add(3.5, 3.0)
    assert (counted.windows, counted.hundredth, counted.alerts) == (2, 2, 1)
