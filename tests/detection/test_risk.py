"""Risk: more of what is worse, halved in a day, and an order that time does not change."""

import random  # noqa: TID251 - seeded
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.alert import SEVERITIES
from detection.risk import COLD, HALF_LIFE, POINTS_MAX, heat_at, heat_of, points_of, repeated, summed

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
times = st.integers(0, 10_000_000).map(lambda seconds: NOW - timedelta(seconds=seconds))
alerts = st.lists(st.tuples(st.sampled_from(SEVERITIES), times), min_size=1, max_size=30)


def test_it_grows_with_severity_and_number_and_fades() -> None:
    by_severity = [points_of(heat_of(severity, NOW), NOW) for severity in SEVERITIES]
    assert by_severity == sorted(by_severity) == [1, 3, 10, 25, 50]
    high = heat_of("high", NOW)
    assert points_of(repeated([high] * 256), NOW) == 50
    assert points_of(summed([high] * 3), NOW) == 75
    assert points_of(heat_of("high", NOW - HALF_LIFE), NOW) == 12
    assert points_of(summed([high, heat_of("high", NOW - HALF_LIFE)]), NOW) in (37, 38)
    assert points_of(summed([high] * 9), NOW) == POINTS_MAX
    assert points_of(heat_of("low", NOW - 400 * HALF_LIFE), NOW) == 0
    assert summed([]) == repeated([COLD, COLD]) == COLD
    assert points_of(COLD, NOW) == 0


def test_what_is_old_weighs_less_however_new_its_neighbour() -> None:
    month = [heat_of("high", NOW - day * HALF_LIFE) for day in range(30)]
    assert points_of(summed(month), NOW) == 50  # the whole series is twice its newest
    assert points_of(repeated(month), NOW) == 25


@settings(max_examples=60, deadline=None)
@given(alerts, alerts, st.integers(0, 400), st.sampled_from((repeated, summed)))
def test_time_does_not_change_the_order(one, other, days, joined) -> None:  # type: ignore[no-untyped-def]
    hotter, colder = sorted((joined(heat_of(*each) for each in some) for some in (one, other)), reverse=True)
    later = NOW + timedelta(days=days)
    assert points_of(hotter, later) >= points_of(colder, later)


@settings(max_examples=60, deadline=None)
@given(alerts, st.integers(0, 30), st.sampled_from((repeated, summed)))
def test_parts_and_order_do_not_matter(some, cut, joined) -> None:  # type: ignore[no-untyped-def]
    heats = [heat_of(*each) for each in some]
    whole = joined(heats)
    assert whole >= max(heats)
    assert joined([joined(heats[:cut]), *heats[cut:]]) == pytest.approx(whole, rel=1e-12)
    random.Random(cut).shuffle(heats)
    assert joined(heats) == whole


def test_a_limit_of_points_is_a_limit_of_heat() -> None:
    heat = heat_of("high", NOW)
    assert heat_at(24.9, NOW) < heat < heat_at(25.1, NOW)
    assert heat_at(0, NOW) < heat_of("informational", NOW - timedelta(days=9_000))
