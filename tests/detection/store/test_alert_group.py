"""Folding alerts into a group: whatever the order, the same group."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detection.alert import Alert
from detection.store.alert_group import folded, group_id, opened


def test_ids_of_instances() -> None:
    assert [group_id("k", generation) for generation in (1, 2, 10)] == ["k", "k-2", "k-10"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 50), min_size=2, max_size=8, unique=True), st.integers(1, 7))
def test_batches_do_not_matter(make_alert: Callable[..., Alert], numbers: list[int], cut: int) -> None:
    alerts = [make_alert(number) for number in numbers]
    cut = min(cut, len(alerts) - 1)
    whole = folded(opened(alerts[0], 1), alerts, 9)
    parts = folded(folded(opened(alerts[0], 1), alerts[:cut], 8), alerts[cut:], 9)
    newest = max(alerts, key=lambda alert: alert.time)
    assert whole == parts
    assert (whole.count, whole.last_seen, whole.reason) == (len(alerts), newest.time, newest.reason)
    assert whole.first_seen == min(alert.time for alert in alerts)
