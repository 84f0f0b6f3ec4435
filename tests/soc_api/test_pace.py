"""Tests of soc_api.pace and of the guard that keeps it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from soc_api.pace import ACCOUNTS_MAX, Pace

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_a_share_of_each_window_and_no_more() -> None:
    pace = Pace(2, timedelta(seconds=10))
    assert [pace.admits("a", NOW) for _ in range(3)] == [True, True, False]
    assert pace.admits("b", NOW)
    assert not pace.admits("a", NOW + timedelta(seconds=9))
    assert pace.admits("a", NOW + timedelta(seconds=10))
    assert pace.admits("a", NOW - timedelta(hours=1))  # a clock set back locks nobody out


def test_it_is_bounded() -> None:
    pace = Pace()
    for number in range(ACCOUNTS_MAX + 5):
        pace.admits(str(number), NOW)
    assert len(pace._counts) == ACCOUNTS_MAX


def test_who_asks_too_fast_waits_and_nobody_else(world: Any) -> None:
    world.app.state.pace = Pace(3)
    client, other = world.signed_in("analyst"), world.signed_in("shift_lead")
    assert [client("GET", "/rules").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client("GET", "/rules")
    assert (answer.json()["code"], answer.headers["retry-after"]) == ("requests-throttled", "10")
    assert other("GET", "/rules").status_code == 200
    world.now += timedelta(seconds=10)
    assert client("GET", "/rules").status_code == 200
