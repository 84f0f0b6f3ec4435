"""Folding alerts into a group: whatever the order, the same group."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from detection.alert import Alert
from detection.store.alert_group import folded, group_id, opened


def test_ids_of_instances() -> None:
    assert [group_id("k", generation) for generation in (1, 2, 10)] == ["k", "k-2", "k-10"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 50), min_size=2, max_size=8, unique=True), st.integers(1, 7))
def test_batches_do_not_matter(make_alert: Callable[..., Alert], numbers: list[int], cut: int) -> None:
    alerts = [make_alert(number) for number in numbers]
    cut = min(cut, len(alerts) - 1)
    now = max(alert.time for alert in alerts)
    whole = folded(opened(alerts[0], 1), alerts, 9, now)
    parts = folded(folded(opened(alerts[0], 1), alerts[:cut], 8, now), alerts[cut:], 9, now)
    newest = max(alerts, key=lambda alert: alert.time)
    assert whole.heat == pytest.approx(parts.heat, rel=1e-12)
    assert whole == replace(parts, heat=whole.heat)
    assert (whole.count, whole.last_seen, whole.reason) == (len(alerts), newest.time, newest.reason)
    assert whole.first_seen == min(alert.time for alert in alerts)


def test_a_clock_that_is_ahead_heats_no_more_than_now(make_alert: Callable[..., Alert]) -> None:
    alert = make_alert(1)
    early, right = (
        folded(opened(alert, 1), [alert], 1, alert.time - ago) for ago in (timedelta(1), timedelta())
    )
    assert right.heat - early.heat == pytest.approx(1.0)  # as if it were a day old
