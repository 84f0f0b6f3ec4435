"""Put together: every scorer by itself, none swayed by company, and back from its arrays the same."""

import numpy as np
import pytest

from detection.anomaly.encoding import Array
from detection.anomaly.ensemble import SCORERS, Ensemble
from detection.anomaly.scorer import BLOCK_ROWS


@pytest.fixture(scope="module")
def rows() -> Array:
    generator = np.random.default_rng(7)
    made: Array = generator.poisson(np.linspace(1, 60, 16), (300, 16)).astype(np.float64)
    made[290:] *= 30
    return made


@pytest.mark.parametrize("kind", [*SCORERS, "tails"])
def test_a_scorer_scores_each_point_by_itself_and_returns_from_arrays(
    ensemble: Ensemble, rows: Array, kind: str
) -> None:
    scorer = ensemble.tails if kind == "tails" else ensemble.members[kind].scorer
    points = ensemble.encoder.points(rows)
    whole = scorer.score(points)
    assert whole[295] > np.median(whole)
    assert (np.concatenate([scorer.score(one[np.newaxis, :]) for one in points[:40]]) == whole[:40]).all()
    assert (scorer.score(points[::-1])[::-1] == whole).all()
    again = type(scorer).from_arrays(scorer.to_arrays())
    assert (again.score(points) == whole).all()
    explained = scorer.explain(points)
    assert explained.shape == points.shape
    assert (explained >= 0).all()


@pytest.mark.parametrize("kind", [*SCORERS, "tails"])
def test_arrays_that_do_not_fit_together_are_refused(ensemble: Ensemble, kind: str) -> None:
    scorer = ensemble.tails if kind == "tails" else ensemble.members[kind].scorer
    for name in scorer.to_arrays():
        arrays = scorer.to_arrays()
        with pytest.raises((ValueError, KeyError, IndexError)):
            type(scorer).from_arrays({**arrays, name: np.zeros((2, 3, 4))})
        del arrays[name]
        with pytest.raises(KeyError):
            type(scorer).from_arrays(arrays)


def test_judged_in_any_batch_and_order_the_same(ensemble: Ensemble, rows: Array) -> None:
    whole = ensemble.judge(rows)
    assert (ensemble.scores(rows) == whole.score).all()
    order = np.random.default_rng(1).permutation(len(rows))
    mixed = ensemble.judge(rows[order])
    assert (mixed.score == whole.score[order]).all()
    assert (mixed.top == whole.top[order]).all()
    flood = np.vstack([rows[295:296], np.tile(rows[295], (4 * BLOCK_ROWS + 5, 1))])
    assert set(ensemble.judge(flood).score.tolist()) == {float(whole.score[295])}
    assert (ensemble.screen(rows[:9]) == ensemble.screen(rows)[:9]).all()
    assert len(ensemble.judge(rows[:0]).score) == 0


def test_reasons_are_given_where_asked_and_the_same(ensemble: Ensemble, rows: Array) -> None:
    rows = rows.copy()
    rows[:290, 3] = 0.0  # what never happens made all of them rare
    whole, some = ensemble.judge(rows), ensemble.judge(rows, reasons_from=2.0)
    told = some.surprise >= 2.0
    assert (some.surprise == whole.surprise).all()
    assert (ensemble.surprises(rows) == whole.surprise).all()
    assert (some.top[told] == whole.top[told]).all()
    assert (some.top[~told] == -1).all()
    assert 0 < told.sum() < len(rows) / 2


def test_no_member_outvotes_the_others_by_extrapolation(ensemble: Ensemble, rows: Array) -> None:
    far = rows[:1] * 1e9
    judged = ensemble.judge(far)
    assert judged.score[0] < 20
    assert judged.surprise[0] > 3
