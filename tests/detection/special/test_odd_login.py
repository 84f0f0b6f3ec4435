"""Odd logins: hours by the calendar, sleep, new networks, travel; and what is usual."""

from collections.abc import Callable

import msgspec
import pytest

from detection.calendar import Calendar, site_calendar
from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.networks import Inside
from detection.special.odd_login import OddLoginDetector, Place
from sensors.event import Event

Make = Callable[..., Event]
HOUR, DAY = 3_600.0, 86_400.0  # the tests' day 0 is a Monday, 08:00 local time


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return site_calendar()


def login(
    make: Make, seconds: float, source: str = "10.0.0.9", user: str = "zhang", outcome: str = "success"
) -> Event:
    fields = {
        "event.category": "authentication",
        "event.outcome": outcome,
        "user.name": user,
        "source.ip": source,
        "host.name": "web-01",
    }
    return make(seconds, "login", fields, product="linux")


def usual(make: Make, days: int = 20) -> list[Event]:
    """Logins at 9, 14 and 17 local time on working days."""
    return [login(make, day * DAY + hour * HOUR) for day in range(days) if day % 7 < 5 for hour in (1, 6, 9)]


def test_hours_off_work_that_are_new(
    special: SpecialParameters, inside: Inside, calendar: Calendar, make: Make
) -> None:
    detector = OddLoginDetector(special.odd_login, calendar, inside)
    assert detector.feed(usual(make)) == []
    assert (
        detector.feed([login(make, 21 * DAY + 3 * HOUR)]) == []
    )  # at 11 on a Monday: new, but working hours
    night = [login(make, 21 * DAY + 18 * HOUR), login(make, 21 * DAY + 18 * HOUR + 60)]
    (alert,) = detector.feed(night)
    assert (alert.rule, alert.entity) == ("special.login-off-hours", "user:zhang@web-01")
    assert "9–18" in alert.reason.zh
    saturday = OddLoginDetector(special.odd_login, calendar, inside)
    saturday.feed(usual(make))
    assert [one.rule for one in saturday.feed([login(make, 26 * DAY + 3 * HOUR)])] == [
        "special.login-off-hours"
    ]


def test_little_known_accounts_failures_and_nightly_jobs_are_none(
    special: SpecialParameters, inside: Inside, calendar: Calendar, make: Make
) -> None:
    detector = OddLoginDetector(special.odd_login, calendar, inside)
    detector.feed(usual(make, 8))
    assert detector.feed([login(make, 9 * DAY + 18 * HOUR)]) == []
    nightly = [login(make, day * DAY + 18 * HOUR, user="backup") for day in range(40)]
    assert detector.feed(nightly) == []
    assert detector.feed([login(make, 40 * DAY + 18 * HOUR, outcome="failure")]) == []


def test_sleep_and_new_networks(
    special: SpecialParameters, inside: Inside, calendar: Calendar, make: Make
) -> None:
    detector = OddLoginDetector(special.odd_login, calendar, inside)
    detector.feed(usual(make))
    (alert,) = detector.feed([login(make, 21 * DAY + HOUR, "203.0.113.8")])
    assert alert.rule == "special.login-new-network"
    assert detector.feed([login(make, 22 * DAY + HOUR, "203.0.113.99")]) == []
    assert detector.feed([login(make, 22 * DAY + HOUR, "10.77.0.1")]) == []
    (asleep,) = detector.feed([login(make, 140 * DAY + HOUR)])
    assert asleep.rule == "special.dormant-account"
    assert "118" in asleep.reason.en


def test_travel_needs_places(
    special: SpecialParameters, inside: Inside, calendar: Calendar, make: Make
) -> None:
    places = (
        Place(network="198.51.100.0/24", name="南京", latitude=32.06, longitude=118.78),
        Place(network="203.0.113.0/24", name="乌鲁木齐", latitude=43.83, longitude=87.62),
    )
    with_places = msgspec.structs.replace(special.odd_login, places=places)
    steps = [login(make, HOUR, "198.51.100.7"), login(make, 2 * HOUR, "203.0.113.7")]
    (alert,) = OddLoginDetector(with_places, calendar, inside).feed(steps)
    assert alert.rule == "special.impossible-travel"
    assert "南京" in alert.reason.zh
    assert OddLoginDetector(special.odd_login, calendar, inside).feed(steps) == []
    slow = [steps[0], login(make, 20 * HOUR, "203.0.113.7")]
    assert OddLoginDetector(with_places, calendar, inside).feed(slow) == []
    shared = [login(make, HOUR, "198.51.100.7", "root"), login(make, 2 * HOUR, "203.0.113.7", "root")]
    assert OddLoginDetector(with_places, calendar, inside).feed(shared) == []


def test_what_is_usual_outlives_the_process(
    special: SpecialParameters, inside: Inside, calendar: Calendar, make: Make
) -> None:
    first = Durable(OddLoginDetector(special.odd_login, calendar, inside), seconds=0)
    first.feed(usual(make))
    kept = first.snapshot()
    assert kept is not None
    second = Durable(OddLoginDetector(special.odd_login, calendar, inside), seconds=0)
    second.recall(kept)
    assert second.feed([login(make, 21 * DAY + HOUR)]) == []
    assert len(second.feed([login(make, 21 * DAY + 18 * HOUR)])) == 1
