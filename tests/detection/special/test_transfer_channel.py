"""Channels between networks: amounts, hours, receivers, refusals, replays, receipts; and what is ordinary."""

from collections.abc import Callable
from typing import Any

import pytest

from detection.alert import Alert
from detection.calendar import site_calendar
from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.transfer_channel import TransferChannelDetector
from sensors.event import Event

Make = Callable[..., Event]
DAY = 86_400
TEN = 2 * 3_600  # 10 o'clock in the morning of a day whose beginning is given in UTC


@pytest.fixture
def detector(special: SpecialParameters) -> TransferChannelDetector:
    return TransferChannelDetector(special.transfer_channel, site_calendar())


class Road:
    """Makes events of transfers with rising audit lines."""

    def __init__(self, make: Make) -> None:
        self.make = make
        self.line = 0

    def act(self, seconds: float, action: str = "export", **given: Any) -> Event:
        self.line += 1
        fields = {
            "event.action": f"transfer-{action}",
            "event.outcome": "success",
            "user.name": "zhang",
            "gov.transfer.line": self.line,
            "gov.transfer.direction": "in" if action in ("import", "duplicate") else "out",
            "gov.transfer.channel": "city-province",
            "gov.transfer.package": f"p{self.line}",
            "gov.transfer.receiver": "province",
            "gov.transfer.to_zone": "outside",
            "gov.transfer.bytes": 20_000_000,
            "gov.transfer.one_way": True,
        }
        named = {
            key.replace("__", "."): value for key, value in given.items() if key not in ("outcome", "reason")
        }
        fields |= {f"gov.transfer.{key}" if "." not in key else key: value for key, value in named.items()}
        if "outcome" in given:
            fields["event.outcome"] = given["outcome"]
        if "reason" in given:
            fields["gov.transfer.reason"] = given["reason"]
        return self.make(seconds, "gov.transfer", fields, product="liuhe")

    def month(self) -> list[Event]:
        return [self.act(day * DAY + TEN) for day in range(28)]


@pytest.fixture
def road(make: Make) -> Road:
    return Road(make)


def rules(alerts: list[Alert]) -> list[str]:
    return [alert.rule for alert in alerts]


def test_a_month_like_any_other_is_silent(detector: TransferChannelDetector, road: Road) -> None:
    assert detector.feed(road.month()) == []
    assert detector.feed([road.act(28 * DAY + TEN + n, bytes=20_000_000) for n in range(3)]) == []


def test_much_on_one_day(detector: TransferChannelDetector, road: Road) -> None:
    detector.feed(road.month())
    alerts = detector.feed([road.act(28 * DAY + TEN + n) for n in range(12)])
    assert rules(alerts) == ["special.transfer-volume"]
    assert alerts[0].entity == "channel:city-province"
    assert "20.0 MB" in alerts[0].reason.en


def test_at_night_and_by_a_person(detector: TransferChannelDetector, road: Road) -> None:
    detector.feed(road.month())
    night = 28 * DAY - 5 * 3_600
    assert rules(detector.feed([road.act(night)])) == ["special.transfer-off-hours"]


def test_a_new_receiver_after_learning_alone(detector: TransferChannelDetector, road: Road) -> None:
    assert detector.feed([road.act(TEN), road.act(DAY + TEN, receiver="district")]) == []
    detector.feed(road.month())
    alerts = detector.feed([road.act(29 * DAY + TEN + n, receiver="stranger") for n in range(3)])
    assert rules(alerts) == ["special.transfer-new-receiver"]
    assert "stranger" in alerts[0].reason.zh


def test_refusals_add_up_and_a_replay_is_told_at_once(detector: TransferChannelDetector, road: Road) -> None:
    bad = {"outcome": "failure", "reason": "transfer-content"}
    assert detector.feed([road.act(n, "import", **bad) for n in range(2)]) == []
    assert rules(detector.feed([road.act(9, "import", **bad)])) == ["special.transfer-refused"]
    replay = road.act(10, "import", outcome="failure", reason="transfer-replay")
    (alert,) = detector.feed([replay])
    assert (alert.rule, alert.severity) == ("special.transfer-replay", "high")


def test_the_same_package_again_and_again(detector: TransferChannelDetector, road: Road) -> None:
    again = [road.act(n * 60, "duplicate", package="same") for n in range(5)]
    assert rules(detector.feed(again)) == ["special.transfer-replay"]


def test_a_receipt_that_does_not_come(detector: TransferChannelDetector, road: Road, make: Make) -> None:
    sent = [road.act(n, package=f"x{n}", one_way=False) for n in range(3)]
    assert detector.feed([*sent, road.act(60, "receipt", package="x1", verdict="accepted")]) == []
    beat = {"host.name": "h"}
    assert detector.feed([make(DAY - 60, "liuhe.heartbeat", beat)]) == []
    (alert,) = detector.feed([make(DAY + 60 + n, "liuhe.heartbeat", beat) for n in range(4)])
    assert alert.rule == "special.transfer-no-receipt"
    assert alert.reason.en.startswith("2 exported packages")


def test_an_act_told_twice_counts_once(special: SpecialParameters, road: Road, make: Make) -> None:
    bad = road.act(0, "import", outcome="failure", reason="transfer-content")
    first = Durable(TransferChannelDetector(special.transfer_channel, site_calendar()), seconds=0)
    again = [make(n, "gov.transfer", dict(bad.fields)) for n in range(6)]
    assert first.feed([bad, *again]) == []
    kept = first.snapshot()
    assert kept is not None
    second = Durable(TransferChannelDetector(special.transfer_channel, site_calendar()), seconds=0)
    second.recall(kept)
    assert second.feed([make(n, "gov.transfer", dict(bad.fields)) for n in range(6)]) == []
