"""Tests of soc_api.throttle."""

from datetime import UTC, datetime, timedelta

from soc_api import throttle
from soc_api.throttle import Throttle

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_an_address_has_its_share_per_window() -> None:
    gate = Throttle(attempts_max=3)
    assert [gate.admits("a", NOW) for _ in range(4)] == [True, True, True, False]
    assert gate.admits("b", NOW)
    assert gate.admits("a", NOW + timedelta(seconds=61))


def test_what_it_remembers_is_bounded(monkeypatch: object) -> None:
    gate = Throttle(attempts_max=1)
    for number in range(throttle.SOURCES_MAX + 10):
        gate.admits(str(number), NOW)
    assert len(gate._attempts) == throttle.SOURCES_MAX
