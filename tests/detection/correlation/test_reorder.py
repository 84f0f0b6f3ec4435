"""Events held for the watermark, and windows that open and close behind it."""

import pytest
from correlation_scenes import correlation

from detection.correlation import closing, reorder
from detection.correlation.closing import Closing
from detection.correlation.mark import mark_of, micros_in
from detection.correlation.reorder import Reordered

SECOND = 1_000_000


def held() -> Reordered:
    return Reordered(Closing(correlation("event_count", lt=3)))


def take(one: Reordered, *seconds: int, key: str = "k") -> None:
    for second in seconds:
        one.take(mark_of(second * SECOND, "00"), second * SECOND, key, None)


def found(one: Reordered) -> list[tuple[int, int, float]]:
    told = [(each.occasion // SECOND, micros_in(each.anchor) // SECOND, each.number) for each in one.found]
    one.found.clear()
    return told


def test_windows_open_with_their_first_event_and_are_judged_once() -> None:
    one = held()
    take(one, 30, 10, 132, 133, 134, 20, 71)
    one.advance(60 * SECOND)
    assert found(one) == []
    one.advance(1_000 * SECOND)
    assert found(one) == [(71, 71, 1.0)]  # 10, 20 and 30 are three; 132 to 134 are three
    take(one, 2_000)
    one.advance(2_060 * SECOND)
    assert found(one) == [(2_000, 2_000, 1.0)]
    assert one.keyed.states == {}
    assert one.keyed.weight == 0


def test_what_comes_behind_the_watermark_is_counted() -> None:
    one = held()
    one.advance(100 * SECOND)
    one.advance(50 * SECOND)  # never back
    take(one, 99, 100, 100)
    assert (one.late, len(one.waiting)) == (1, 1)
    assert one.pending_weight > 0


def test_too_much_waiting_and_too_much_in_a_window_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reorder, "PENDING_MAX", 5)
    monkeypatch.setattr(closing, "MARKS_MAX", 3)
    one = held()
    take(one, *range(8))
    assert (len(one.waiting), one.dropped) == (5, 3)
    one.advance(30 * SECOND)
    assert one.keyed.trimmed == 2
    one.flush()
    one.expire(10**18)


def test_waiting_events_are_taken_up_again() -> None:
    one, again = held(), held()
    take(one, 5, 3)
    again.hold(sorted(one.waiting), 2 * SECOND)
    take(again, 5, 1)
    assert (again.late, len(again.waiting)) == (1, 2)
