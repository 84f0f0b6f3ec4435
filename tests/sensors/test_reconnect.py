"""All addresses are tried before a wait; waits grow, are drawn by lot, and begin anew after success."""

from sensors.reconnect import BACKOFF_SECONDS_MAX, BACKOFF_SECONDS_MIN, Reconnect


def most(low: float, high: float) -> float:
    assert low == 0.0
    return high


def test_every_address_is_tried_before_a_wait_and_waits_double() -> None:
    reconnect = Reconnect(["a", "b", "c"], most)
    waits: list[float] = []
    tried: list[str] = []
    for _ in range(24):
        tried.append(reconnect.next())
        reconnect.failed()
        waits.append(reconnect.wait_seconds())
    assert tried == ["a", "b", "c"] * 8
    assert waits[2::3] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert not any(waits[0::3] + waits[1::3])
    assert (waits[2], waits[-1]) == (BACKOFF_SECONDS_MIN, BACKOFF_SECONDS_MAX)


def test_what_worked_is_tried_first_but_not_at_once() -> None:
    reconnect = Reconnect(["a", "b"], most)
    reconnect.failed()
    assert (reconnect.wait_seconds(), reconnect.next()) == (0.0, "b")
    reconnect.worked()
    assert (reconnect.wait_seconds(), reconnect.next()) == (BACKOFF_SECONDS_MIN, "b")
    reconnect.failed()
    assert (reconnect.wait_seconds(), reconnect.next()) == (0.0, "a")


def test_a_refusal_waits_long_whatever_addresses_are_left() -> None:
    reconnect = Reconnect(["a", "b"], most)
    reconnect.refused()
    assert reconnect.wait_seconds() == BACKOFF_SECONDS_MAX
    assert reconnect.next() == "b"
    reconnect.worked()
    assert reconnect.wait_seconds() == BACKOFF_SECONDS_MIN
