"""Password guessing: the limit, the window, spraying, success after failures, doubles of two logs, bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from detection.parameters import read_parameters, shipped
from detection.special.brute_force import BruteForceDetector, BruteForceParameters
from detection.special.detectors import SpecialParameters
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def parameters() -> BruteForceParameters:
    return read_parameters(shipped("special.toml"), SpecialParameters).brute_force


def login(
    number: int,
    seconds: float,
    outcome: str = "failure",
    user: str = "zhang",
    source: str | None = "10.0.0.9",
    dataset: str = "auth",
) -> Event:
    fields: dict[str, Any] = {
        "event.dataset": dataset,
        "event.category": "authentication",
        "event.outcome": outcome,
        "user.name": user,
        "source.ip": source,
        "host.name": "web-01",
    }
    seen = Observation(
        time=START + timedelta(seconds=seconds),
        logsource=LogSource(product="linux", category="authentication"),
        fields=fields,
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def rules_of(events: list[Event], parameters: BruteForceParameters) -> list[tuple[str, str]]:
    return [(alert.rule, alert.entity) for alert in BruteForceDetector(parameters).feed(events)]


def test_five_failures_of_one_user_are_guessing(parameters: BruteForceParameters) -> None:
    (alert,) = BruteForceDetector(parameters).feed([login(n, n) for n in range(5)])
    assert (alert.rule, alert.entity) == ("special.brute-force", "user:zhang@web-01")
    assert "5" in alert.reason.zh
    assert "zhang" in alert.reason.zh
    assert "10.0.0.9" in alert.reason.en
    assert len(alert.events) == 5
    assert alert.severity == "high"


def test_four_failures_or_slow_ones_are_not(parameters: BruteForceParameters) -> None:
    assert rules_of([login(n, n) for n in range(4)], parameters) == []
    assert rules_of([login(n, n * 40) for n in range(20)], parameters) == []


def test_local_failures_without_a_source_count_too(parameters: BruteForceParameters) -> None:
    events = [login(n, n, source=None) for n in range(6)]
    assert rules_of(events, parameters) == [("special.brute-force", "user:zhang@web-01")]


def test_one_source_and_many_users_is_spraying(parameters: BruteForceParameters) -> None:
    events = [login(n, n, user=f"user{n}") for n in range(6)]
    assert rules_of(events, parameters) == [("special.password-spray", "source:10.0.0.9")]


def test_two_logs_of_the_same_failures_are_not_twice_as_many(parameters: BruteForceParameters) -> None:
    twice = [login(n, n // 2, dataset=("login", "auth.log")[n % 2]) for n in range(8)]
    assert rules_of(twice, parameters) == []


def test_a_success_after_the_failures_is_told_once(parameters: BruteForceParameters) -> None:
    events = [login(n, n) for n in range(6)]
    events += [login(10, 8, "success"), login(11, 9, "success", dataset="login")]
    assert rules_of(events, parameters) == [
        ("special.brute-force", "user:zhang@web-01"),
        ("special.brute-force-success", "user:zhang@web-01"),
    ]
    assert rules_of([*events[:4], login(10, 8, "success")], parameters) == []
    assert rules_of([*events[:5], login(10, 500, "success")], parameters) == [
        ("special.brute-force", "user:zhang@web-01")
    ]


def test_continued_guessing_is_told_again_after_a_while(parameters: BruteForceParameters) -> None:
    assert len(rules_of([login(n, n) for n in range(300)], parameters)) == 3


def test_the_cut_into_batches_changes_nothing(parameters: BruteForceParameters) -> None:
    events = [login(n, n * 3, user=f"u{n % 4}", source=f"10.0.0.{n % 2}") for n in range(200)]
    whole = BruteForceDetector(parameters).feed(events)
    single = BruteForceDetector(parameters)
    assert whole
    assert [alert for event in events for alert in single.feed([event])] == whole


def test_order_within_the_window_does_not_hide_the_failures(parameters: BruteForceParameters) -> None:
    events = [login(n, n) for n in (4, 2, 0, 1, 3)]
    assert rules_of([*events, login(9, 5)], parameters) == [("special.brute-force", "user:zhang@web-01")]


def test_state_is_bounded_and_eviction_counted(parameters: BruteForceParameters) -> None:
    detector = BruteForceDetector(msgspec.structs.replace(parameters, keys_max=10, times_max=6))
    detector.feed([login(n, n / 100, user=f"u{n}", source=f"10.0.{n % 200}.1") for n in range(500)])
    assert len(detector._keys) <= 10
    assert detector.evicted > 0


def test_other_events_are_left_alone(parameters: BruteForceParameters) -> None:
    event = login(1, 1)
    other = msgspec.structs.replace(event, fields={**event.fields, "event.category": "session"})
    assert BruteForceDetector(parameters).feed([other] * 20) == []


def test_slow_guessing_is_spread_over_hours() -> None:
    slow = read_parameters(shipped("special.toml"), SpecialParameters).slow_guessing

    def told(events: list[Event]) -> list[tuple[str, str]]:
        detector = BruteForceDetector(slow, name="slow_guessing")
        return [(alert.rule, alert.entity) for alert in detector.feed(events)]

    one_user = [login(n, n * 1_200, source=f"10.0.9.{n}") for n in range(40)]
    assert told(one_user) == [("special.slow-guessing", "user:zhang@web-01")]
    spray = [login(n, n * 1_200, user=f"user{n}") for n in range(40)]
    assert told(spray) == [("special.slow-spray", "source:10.0.0.9")]
    after = [*one_user, login(99, 40 * 1_200, "success")]
    assert told(after)[-1] == ("special.slow-guessing-success", "user:zhang@web-01")
    assert told([login(n, n * 10) for n in range(100)]) == []
    assert told([login(n, n * 7_200) for n in range(60)]) == []
