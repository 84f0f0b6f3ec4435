"""Values alone: what was never seen is most surprising, the middle is not, tails are frozen."""

import numpy as np

from detection.anomaly.histogram import Histogram, Tails

POINTS = np.random.default_rng(1).normal(size=(2_000, 2))


def test_outside_every_bin_is_rarer_than_the_rarest_bin() -> None:
    made = Histogram.learned(POINTS)
    middle, edge, outside = made.score(np.array([[0.0, 0.0], [POINTS[:, 0].max(), 0.0], [99.0, 0.0]]))
    assert middle < edge < outside
    assert made.score(np.array([[-99.0, 0.0]]))[0] == outside


def test_tails_are_of_the_learned_values_alone() -> None:
    made = Tails.learned(POINTS)
    explained = made.explain(np.array([[0.0, 3.0], [-3.0, 0.0], [50.0, 0.0]]))
    assert explained[0, 0] < 0.2
    assert explained[0, 1] > 8
    assert explained[1, 0] > 8
    assert explained[2, 0] >= explained[:2].max()
    flood = made.explain(np.tile([[0.0, 3.0]], (5_000, 1)))
    assert (flood == explained[0]).all()


def test_a_constant_column_can_be_learned() -> None:
    constant = np.zeros((50, 1))
    assert Histogram.learned(constant).score(np.array([[0.0], [1.0]]))[1] > 1
    assert Tails.learned(constant).score(np.zeros((1, 1)))[0] == 0.0
