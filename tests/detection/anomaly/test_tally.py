"""Open windows: each event counted once, longer windows the sum of shorter ones, bounds, and what is kept."""

from datetime import UTC, datetime, timedelta

from detection.anomaly.deeds import OTHER
from detection.anomaly.tally import Tally
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 3, 2, tzinfo=UTC)
ZERO = int(START.timestamp())


def event(number: int) -> Event:
    seen = Observation(time=START + timedelta(seconds=number), logsource=LogSource(), fields={})
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def count(tally: Tally, entity: str, value: str, second: int, much: int = 1, lane: str = "") -> None:
    start = ZERO + second // 60 * 60
    (row,) = tally.rows(entity, "", [value], start, event(second))
    column = tally.column((lane, start))
    if not column[row]:
        tally.met(row, event(second))
    column[row] += much


def test_a_longer_window_is_the_sum_of_shorter_ones() -> None:
    tally = Tally((60, 3600), rows_max=100, deeds_max=10)
    for second, value in ((1, "a"), (2, "a"), (61, "a"), (62, "b")):
        count(tally, "web", value, second)
    hour = ("", ZERO)
    (first,) = tally.close(60, ("", ZERO), hour)
    (second_,) = tally.close(60, ("", ZERO + 60), hour)
    (whole,) = tally.close(3600, hour, None)
    assert (first.counts, second_.counts, whole.counts) == ({"a": 2}, {"a": 1, "b": 1}, {"a": 3, "b": 1})
    assert [one.time.second for one in first.shown(ZERO, ZERO + 60)] == [1]
    assert len(tally) == 0  # nothing is open: the rows have left


def test_more_deeds_than_the_bound_are_other_deeds() -> None:
    tally = Tally((60,), rows_max=100, deeds_max=3)
    for number in range(9):
        count(tally, "web", f"deed:{number}", number)
    (window,) = tally.close(60, ("", ZERO), None)
    assert window.counts == {"deed:0": 1, "deed:1": 1, "deed:2": 1, OTHER: 6}


def test_the_entity_seen_longest_ago_makes_room() -> None:
    tally = Tally((60, 3600), rows_max=50, deeds_max=100)
    count(tally, "old", "a", 0)
    tally.close(60, ("", ZERO), ("", ZERO))
    for number in range(200):
        count(tally, f"new-{number}", "a", 60)
        assert len(tally) <= 50
    assert tally.evicted >= 150
    names = {one.entity for one in tally.close(60, ("", ZERO + 60), ("", ZERO))}
    assert "old" not in {one.entity for one in tally.close(3600, ("", ZERO), None)} | names
    assert 40 <= len(names) <= 50


def test_what_is_kept_is_taken_up_again() -> None:
    tally = Tally((60, 3600), rows_max=100, deeds_max=10)
    for second in (1, 70, 71):
        count(tally, "web", "a", second)
    count(tally, "db", "b", 65, 7, lane="slow")
    tally.close(60, ("", ZERO), ("", ZERO))
    other = Tally((60, 3600), rows_max=100, deeds_max=10)
    other.recall(tally.memory())
    assert other.memory() == tally.memory()
    for one in (tally, other):
        count(one, "web", "c", 75)
    for lane in (("", ZERO + 60), ("slow", ZERO + 60)):
        assert other.close(60, lane, ("", ZERO)) == tally.close(60, lane, ("", ZERO))
    assert other.close(3600, ("", ZERO), None) == tally.close(3600, ("", ZERO), None)
    smaller = Tally((60, 3600), rows_max=1, deeds_max=10)
    smaller.recall(Tally((60,), rows_max=9, deeds_max=9).memory())
    assert len(smaller) == 0
