"""PCA's residual: what keeps to the learned plane is near it however far out, what leaves it is not."""

import numpy as np

from detection.anomaly.subspace import Subspace


def test_distance_to_a_line() -> None:
    direction = np.array([[1.0, 1.0]]) / np.sqrt(2.0)
    made = Subspace.of_components(np.zeros(2), direction)
    on, off = made.score(np.array([[100.0, 100.0], [1.0, -1.0]]))
    assert on < 1e-18 * 1e4 + 1e-9
    assert abs(off - 2.0) < 1e-12
    assert (made.explain(np.array([[1.0, -1.0]])).round(9) == 1.0).all()
