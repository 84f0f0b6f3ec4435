"""Calibration: the nominal share is realised, order is kept, and what is beyond everything stays finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from detection.anomaly.calibration import ONE_IN_MAX, Tail, one_in


@pytest.mark.parametrize("heavy", [False, True])
def test_nominal_shares_are_realised(heavy: bool) -> None:
    generator = np.random.default_rng(4)
    drawn = generator.pareto(4.0, 102_000) if heavy else generator.normal(size=102_000)
    tail = Tail.fitted(drawn[:2_000])
    fresh = tail.surprises(drawn[2_000:])
    assert 0.5 <= (fresh >= 2).mean() / 1e-2 <= 2.0
    assert 0.4 <= (fresh >= 3).mean() / 1e-3 <= 2.5


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.integers(2, 80), elements=st.floats(-1e6, 1e6)))
def test_surprise_never_falls_and_never_breaks(held_out: np.ndarray) -> None:
    tail = Tail.fitted(held_out)
    asked = np.sort(np.concatenate([held_out, [-1e9, 0.0, 1e9]]))
    surprise = tail.surprises(asked)
    assert np.isfinite(surprise).all()
    assert (np.diff(surprise) >= -1e-9).all()
    assert surprise.min() >= 0.0
    again = Tail.from_arrays(tail.to_arrays())
    assert (again.surprises(asked) == surprise).all()


def test_one_in_is_bounded() -> None:
    assert one_in(0.0) == 1.0
    assert one_in(2.0) == pytest.approx(100.0)
    assert one_in(1e9) == ONE_IN_MAX


def test_damaged_tails_are_refused() -> None:
    good = Tail.fitted(np.arange(50.0)).to_arrays()
    for change in (
        {"knots": np.array([2.0, 1.0])},
        {"surprise": np.zeros(3)},
        {"beyond": np.array([1.0, 0.1, -1.0, 0.0, 50.0])},
        {"beyond": np.array([1.0, 0.1, 1.0, 0.9, 50.0])},
    ):
        with pytest.raises(ValueError):
            Tail.from_arrays({**good, **change})
