"""Mixtures: the density of Gaussians, and which column leaves what the others foretell."""

import numpy as np

from detection.anomaly.mixture import Mixture


def test_the_density_of_one_standard_gaussian() -> None:
    made = Mixture.of_components(np.array([1.0]), np.zeros((1, 2)), np.eye(2)[np.newaxis])
    scores = made.score(np.array([[0.0, 0.0], [3.0, 4.0]]))
    assert np.allclose(scores, np.log(2.0 * np.pi) + np.array([0.0, 12.5]))


def test_several_components_are_one_density() -> None:
    means = np.array([[-5.0], [5.0]])
    made = Mixture.of_components(np.array([0.5, 0.5]), means, np.ones((2, 1, 1)))
    left, middle, right = made.score(np.array([[-5.0], [0.0], [5.0]]))
    assert left == right < middle
    assert abs(left - (np.log(2.0) + 0.5 * np.log(2.0 * np.pi))) < 1e-9


def test_the_column_that_breaks_the_rule_is_named() -> None:
    generator = np.random.default_rng(1)
    first = generator.normal(size=4_000)
    points = np.column_stack(
        [first, first + 0.1 * generator.normal(size=4_000), generator.normal(size=4_000)]
    )
    precision = np.linalg.inv(np.cov(points, rowvar=False))
    factor = np.linalg.cholesky(precision)
    made = Mixture.of_components(np.array([1.0]), points.mean(axis=0)[np.newaxis], factor[np.newaxis])
    explained = made.explain(np.array([[1.0, -1.0, 0.0]]))[0]
    assert explained[:2].min() > 100
    assert explained[2] < 1
