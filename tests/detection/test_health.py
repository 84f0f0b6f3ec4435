"""Silence and gaps: told once, taken back by the next heartbeat, patient after a start."""

from datetime import UTC, datetime, timedelta

import pytest

from detection.health import HealthDetector, health_parameters
from sensors.event import Event, LogSource, Observation, Value, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def detector() -> HealthDetector:
    return HealthDetector(health_parameters())


def beat(number: int, seconds: float, sensor: str = "web") -> Event:
    return _event(number, seconds, sensor, {"event.dataset": "liuhe.heartbeat", "host.name": "web-01"})


def _event(number: int, seconds: float, sensor: str, fields: dict[str, Value]) -> Event:
    source = LogSource(product="liuhe", service="sensor")
    seen = Observation(time=START + timedelta(seconds=seconds), logsource=source, fields=fields)
    return stamp(seen, unit="u", sensor=sensor, epoch=0, sequence=number)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_silence_is_told_once_until_the_sensor_is_back(detector: HealthDetector) -> None:
    detector.feed([beat(1, 0), beat(2, 0, "net"), beat(3, 50, "net")])
    assert detector.tick(at(0)) == []
    assert detector.tick(at(60)) == []
    (alert,) = detector.tick(at(61))
    assert alert.entity == "sensor:web"
    assert "61" in alert.reason.zh
    assert "web-01" in alert.reason.en
    assert detector.tick(at(65)) == []
    detector.feed([beat(4, 70), beat(5, 70, "net")])
    assert detector.tick(at(100)) == []
    assert [one.entity for one in detector.tick(at(200))] == ["sensor:web", "sensor:net"]


def test_the_same_silence_gives_the_same_alert_after_a_restart() -> None:
    alerts = []
    for _ in range(2):
        detector = HealthDetector(health_parameters())
        detector.feed([beat(1, 0)])
        detector.tick(at(0))
        alerts += detector.tick(at(90))
    assert alerts[0].id == alerts[1].id


def test_a_center_that_was_down_waits_before_it_complains(detector: HealthDetector) -> None:
    detector.feed([beat(1, 0)])
    assert detector.tick(at(3_600)) == []
    assert detector.tick(at(3_650)) == []
    assert len(detector.tick(at(3_661))) == 1


def test_the_time_of_receipt_counts_not_the_sensors_clock(detector: HealthDetector) -> None:
    late = beat(1, -900)
    received = Event(**{name: getattr(late, name) for name in late.__struct_fields__} | {"ingested": at(0)})
    detector.feed([received])
    detector.tick(at(0))
    assert detector.tick(at(50)) == []


def test_a_gap_is_told_with_its_numbers(detector: HealthDetector) -> None:
    fields: dict[str, Value] = {
        "event.dataset": "liuhe.gap",
        "gov.gap.lane": "bulk",
        "gov.gap.first": 5,
        "gov.gap.last": 9,
        "gov.gap.count": 5,
        "gov.gap.reason": "quota",
    }
    (alert,) = detector.feed([_event(1, 0, "web", fields)])
    assert alert.rule == "health.sensor-gap"
    assert "quota" in alert.reason.zh
    assert "5 events of lane bulk" in alert.reason.en
    assert len(alert.matched) == 5
