"""Scores: how rare one is among the last, a day's bound, and what is kept."""

from detection.anomaly.scores import Scores


def test_a_score_is_as_rare_as_its_place_among_the_last() -> None:
    scores = Scores(4)
    assert [scores.one_in(one) for one in (1.0, 2.0, 3.0, 0.5)] == [1.0, 2.0, 3.0, 1.0]
    assert scores.one_in(2.5) == 2.5  # of four before and itself, one other is as high
    assert (scores.since(600), scores.since(900)) == (0, 300)


def test_a_day_tells_so_many_and_another_day_again() -> None:
    scores = Scores(4)
    assert [scores.spend(600, 2) for _ in range(3)] == [True, True, False]
    again = Scores(4)
    again.recall(scores.kept())
    assert (again.dropped, again.spend(900, 2), again.spend(90_000, 2)) == (1, False, True)
