"""Risk: more of what is worse, halved in a day, and an order that time does not change."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.alert import SEVERITIES
from detection.risk import HALF_LIFE, POINTS_MAX, heat_at, heat_of, points_of

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
times = st.integers(0, 10_000_000).map(lambda seconds: NOW - timedelta(seconds=seconds))
groups = st.tuples(st.sampled_from(SEVERITIES), st.integers(1, 10**9), times)


def test_it_grows_with_severity_and_number_and_fades() -> None:
    by_severity = [points_of(heat_of(severity, 1, NOW), NOW) for severity in SEVERITIES]
    assert by_severity == sorted(by_severity) == [1, 3, 10, 25, 50]
    assert points_of(heat_of("high", 256, NOW), NOW) == 50
    assert points_of(heat_of("high", 1, NOW - HALF_LIFE), NOW) == 12
    assert points_of(heat_of("critical", 10**6, NOW), NOW) == POINTS_MAX
    assert points_of(heat_of("low", 1, NOW - 400 * HALF_LIFE), NOW) == 0


@settings(max_examples=60, deadline=None)
@given(groups, groups, st.integers(0, 400))
def test_time_does_not_change_the_order(one: tuple, other: tuple, days: int) -> None:  # type: ignore[type-arg]
    hotter, colder = sorted((heat_of(*one), heat_of(*other)), reverse=True)
    later = NOW + timedelta(days=days)
    assert points_of(hotter, later) >= points_of(colder, later)


def test_a_limit_of_points_is_a_limit_of_heat() -> None:
    heat = heat_of("high", 1, NOW)
    assert heat_at(24.9, NOW) < heat < heat_at(25.1, NOW)
    assert heat_at(0, NOW) < heat_of("informational", 1, NOW - timedelta(days=9_000))
