"""What a window amounts to, while events enter and leave: equal to counting what is in it."""

from fractions import Fraction
from statistics import median
from typing import Any

import numpy
import pytest
from correlation_scenes import correlation
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.correlation.rule import Alternative, Kind, Limit
from detection.correlation.tally import least_of, tally_for, within

numbers = st.one_of(st.integers(-9, 9), st.floats(-1e6, 1e6, allow_nan=False))


def slid(kind: Kind, whats: list[Any], width: int, **more: Any) -> list[Any]:
    """What the tally says behind every event, ``width`` events in the window."""
    tally = tally_for(correlation(kind, "abc", fields=("n",), gte=0, **more))
    said = []
    for place, what in enumerate(whats):
        tally.add(bytes([place, 0]), what)
        if place >= width:
            tally.drop(whats[place - width])
        said.append(tally.number())
    return said


def windows(whats: list[Any], width: int) -> list[list[Any]]:
    return [whats[max(0, place + 1 - width) : place + 1] for place in range(len(whats))]


@settings(max_examples=60, deadline=None)
@given(st.lists(numbers, max_size=30), st.integers(1, 8), st.integers(0, 100))
def test_numbers(whats: list[float], width: int, percentile: int) -> None:
    exact = [[Fraction(one) for one in window] for window in windows(whats, width)]
    assert slid("value_sum", whats, width) == [sum(window) for window in exact]
    assert slid("value_avg", whats, width) == [sum(window) / len(window) for window in exact]
    assert slid("value_median", whats, width) == [median(window) for window in exact]
    ranks = slid("value_percentile", whats, width, percentile=float(percentile))
    plain = [numpy.percentile([float(one) for one in window], percentile) for window in exact]
    assert [float(one) for one in ranks] == pytest.approx(plain, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("xyz"), max_size=30), st.integers(1, 8))
def test_values(whats: list[str], width: int) -> None:
    held = windows(whats, width)
    assert slid("event_count", whats, width) == [len(window) for window in held]
    assert slid("value_count", whats, width) == [len(set(window)) for window in held]
    places = ["xyz".index(one) for one in whats]
    assert slid("temporal", places, width) == [len(set(window)) for window in held]
    assert slid("temporal_ordered", places, width) == [len(set(window)) for window in held]
    assert slid("value_percentile", whats, width) == [
        Fraction(100 * min(window.count(one) for one in window), len(window)) for window in held
    ]


def test_nothing_amounts_to_nothing() -> None:
    kinds: tuple[Kind, ...] = (
        "event_count",
        "value_count",
        "temporal",
        "value_sum",
        "value_avg",
        "value_median",
    )
    for kind in kinds:
        tally = tally_for(correlation(kind, "abc", fields=("n",), lt=5))
        assert (tally.number(), tally.holds(b"")) == (0, False)
    rarest = tally_for(correlation("value_percentile", fields=("n",), lt=5))
    assert (rarest.number(), rarest.holds(b"")) == (0, False)


def test_one_event_makes_one_step() -> None:
    tally = tally_for(correlation("temporal_ordered", "ab"))
    tally.add(b"1\x00", 0)
    tally.add(b"1\x01", 1)
    assert not tally.holds(b"")
    tally.add(b"2\x01", 1)
    assert tally.holds(b"1")
    assert not tally.holds(b"2")


def test_what_must_not_occur() -> None:
    tally = tally_for(correlation("temporal_ordered", "abc", alternatives=(Alternative((0, 1), (2,)),)))
    for place in (0, 1):
        tally.add(bytes([place + 1, place]), place)
    assert tally.holds(b"")
    tally.add(b"\x03\x02", 2)
    assert not tally.holds(b"")


def test_limits() -> None:
    assert within([Limit("gt", 1), Limit("lte", 2)], 2)
    assert not within([Limit("gt", 1), Limit("neq", 2)], 2)
    assert least_of([Limit("gte", 2.5), Limit("gt", 1)]) == 3
    assert least_of([Limit("gt", 3)]) == 4
