"""The sample of the last days: bounded, even, the same on every replay and after a snapshot."""

import numpy as np

from detection.anomaly.history import DAY_SECONDS, Day, History
from detection.anomaly.windows import Closed


def window(start: int, value: float) -> Closed:
    return Closed("host", "u", "s", "web", start, (value, 2.0), ())


def filled(count: int) -> History:
    history = History(2, days_max=3, rows_max=50)
    for number in range(count):
        history.add(window(number * 60, float(number)), 0.5)
    return history


def test_days_and_rows_are_bounded_and_the_sample_is_even() -> None:
    starts, surprises, rows = filled(6 * 1_440).table()
    assert len(starts) == 3 * 50
    assert starts.min() >= 3 * DAY_SECONDS
    assert (np.diff(starts) > 0).all()
    assert (surprises == 0.5).all()
    day = starts[starts < 4 * DAY_SECONDS] - 3 * DAY_SECONDS
    assert 0.3 < day.mean() / DAY_SECONDS < 0.7
    assert (rows[:, 0] == starts / 60).all()


def test_a_snapshot_and_its_recall_go_on_as_if_nothing_was() -> None:
    whole = filled(2_000)
    half = filled(1_200)
    again = History(2, days_max=3, rows_max=50)
    again.recall(half.days())
    for number in range(1_200, 2_000):
        again.add(window(number * 60, float(number)), 0.5)
    for ours, theirs in zip(whole.table(), again.table(), strict=True):
        assert (ours == theirs).all()


def test_a_damaged_day_is_left_aside() -> None:
    days = filled(1_500).days()
    again = History(2, days_max=3, rows_max=50)
    bad = Day(seen=1, packed=b"x")
    again.recall({**days, 7: bad})
    assert len(again.table()[0]) == 50 + 1_500 - 1_440 - 10 or len(again.table()[0]) == 100
