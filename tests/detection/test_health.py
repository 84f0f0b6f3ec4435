"""Silence and gaps: told once, taken back by the next heartbeat, patient after a start."""

from datetime import UTC, datetime, timedelta

import msgspec
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


def life(action: str, **fields: Value) -> Event:
    said: dict[str, Value] = {
        "event.dataset": "liuhe.lifecycle",
        "event.action": action,
        "host.name": "web-01",
    }
    return _event(1, 0, "web", said | {f"gov.lifecycle.{name}": value for name, value in fields.items()})


@pytest.mark.parametrize(
    ("event", "rule", "word"),
    [
        (life("killed", last_alive="2026-01-01T00:00:00Z", pid=7), "health.sensor-killed", "process 7"),
        (life("power-lost", last_alive="x"), "health.sensor-power-lost", "web-01"),
        (life("stopped", reason="stop"), "health.sensor-stopped", "(stop)"),
        (life("clock-set", step_seconds=-3600.5), "health.sensor-clock-set", "-3600.5"),
        (life("own-file-changed", files=["/opt/a.py"], count=1), "health.sensor-own-file", "/opt/a.py"),
        (life("limit-exceeded", what="cpu", value=90, limit=20, strike=2), "health.sensor-limit", "strike 2"),
        (life("configuration-refused", reason="older", code="c"), "health.sensor-configuration", "older"),
    ],
)
def test_what_a_sensor_tells_of_its_life_is_an_alert(
    detector: HealthDetector, event: Event, rule: str, word: str
) -> None:
    (alert,) = detector.feed([event])
    assert (alert.rule, alert.entity) == (rule, "sensor:web")
    assert word in alert.reason.en


def test_a_start_and_a_restart_on_purpose_are_none(detector: HealthDetector) -> None:
    quiet = [life("started", clean=True), life("stopped", reason="restart"), life("configuration-applied")]
    assert detector.feed([*quiet, life("no such action")]) == []


def test_a_cloned_identity_is_critical_and_only_the_listener_says_so(detector: HealthDetector) -> None:
    fields: dict[str, Value] = {
        "event.dataset": "liuhe.quarantine",
        "gov.quarantine.sensor": "web",
        "gov.quarantine.reason": "two-live",
        "gov.quarantine.detail": "10.0.0.1 and 10.0.0.2",
    }
    assert detector.feed([_event(1, 0, "liar", fields)]) == []
    source = LogSource(product="liuhe", service="ingest")
    seen = Observation(time=START, logsource=source, fields=fields)
    (alert,) = detector.feed([stamp(seen, unit="u", sensor="liuhe.center", epoch=1, sequence=1)])
    assert (alert.rule, alert.severity, alert.entity) == ("health.sensor-cloned", "critical", "sensor:web")


def skewed(number: int, offset: float, **fields: Value) -> Event:
    said: dict[str, Value] = {"event.dataset": "liuhe.heartbeat", "gov.sensor.connected": True} | fields
    made = _event(number, number * 10 + offset, "web", said)
    return msgspec.structs.replace(made, ingested=at(number * 10))


def test_a_wrong_clock_is_told_once_after_three_prompt_heartbeats(detector: HealthDetector) -> None:
    assert detector.feed([skewed(1, 90), skewed(2, 90)]) == []
    (alert,) = detector.feed([skewed(3, 90)])
    assert alert.rule == "health.sensor-clock-skew"
    assert "90 s off" in alert.reason.en
    assert detector.feed([skewed(4, 90)]) == []
    assert detector.feed([skewed(5, 1)]) == []
    assert len(detector.feed([skewed(number, -3_600) for number in range(6, 12)])) == 1


def test_heartbeats_that_waited_in_the_spool_say_nothing_about_the_clock(detector: HealthDetector) -> None:
    late = [skewed(number, -600, **{"gov.sensor.connected": False}) for number in range(1, 9)]
    behind = [skewed(number, -600, **{"gov.sensor.backlog": 90_000}) for number in range(9, 20)]
    assert detector.feed([*late, *behind]) == []
