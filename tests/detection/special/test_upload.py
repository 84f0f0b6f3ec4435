"""Uploads: by hour, by day and spread out; downloads, backups and the usual are none."""

from collections.abc import Callable
from typing import Any

import pytest

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.networks import Inside
from detection.special.upload import UploadDetector
from sensors.event import Event

Make = Callable[..., Event]
HOUR, MB = 3_600.0, 1_000_000


def sent(
    make: Make, seconds: float, out: float, back: float = 1.0, target: str = "203.0.113.9", more: Any = None
) -> Event:
    fields = {
        "event.action": "flow-end",
        "source.ip": "10.0.0.7",
        "destination.ip": target,
        "source.bytes": int(out * MB),
        "destination.bytes": int(back * MB),
        **(more or {}),
    }
    return make(seconds, "net.flow", fields)


@pytest.fixture
def detector(special: SpecialParameters, inside: Inside) -> UploadDetector:
    return UploadDetector(special.upload, inside)


def test_a_large_upload_to_a_new_place_is_told_once(detector: UploadDetector, make: Make) -> None:
    alerts = detector.feed([sent(make, n * 60, 30) for n in range(30)])
    assert [alert.rule for alert in alerts] == ["special.upload"]
    assert alerts[0].entity == "source:10.0.0.7"
    assert "203.0.113.9" in alerts[0].reason.zh


def test_a_slow_upload_is_told_by_the_day(detector: UploadDetector, make: Make) -> None:
    alerts = detector.feed([sent(make, n * HOUR, 60) for n in range(20)])
    assert [alert.rule for alert in alerts] == ["special.upload"]
    assert alerts[0].time.hour == 16


def test_a_long_connection_counts_by_its_parts(detector: UploadDetector, make: Make) -> None:
    parts = [
        sent(
            make,
            n * 300,
            0.0,
            more={
                "event.action": "flow-update",
                "source.bytes": n * 100 * MB,
                "gov.flow.new_source_bytes": 15 * MB,
            },
        )
        for n in range(1, 12)
    ]
    assert detector.feed(parts) == []
    assert detector.feed([sent(make, 13 * 300, 0.0, more={"gov.flow.new_source_bytes": 300 * MB})])


def test_downloads_inside_traffic_and_the_usual_are_none(detector: UploadDetector, make: Make) -> None:
    assert detector.feed([sent(make, n * 60, 5, 300) for n in range(100)]) == []
    assert detector.feed([sent(make, n * 60, 500, target="10.9.9.9") for n in range(100)]) == []
    usual = [sent(make, n * HOUR, 30, target="198.51.100.7") for n in range(30 * 24)]
    quiet = detector.feed(usual)
    assert [alert.rule for alert in quiet] == []


def test_far_more_than_usual_spread_over_places(detector: UploadDetector, make: Make) -> None:
    usual = [sent(make, n * HOUR, 3, target=f"198.51.{n % 100}.7") for n in range(48)]
    assert detector.feed(usual) == []
    burst = [sent(make, 48 * HOUR + n, 20, target=f"192.0.3.{n}") for n in range(30)]
    assert [alert.rule for alert in detector.feed(burst)] == ["special.upload-spread"]


def test_what_many_send_to_is_a_service(special: SpecialParameters, inside: Inside, make: Make) -> None:
    detector = UploadDetector(special.upload, inside)
    told = [
        alert
        for n in range(30)
        for alert in detector.feed([sent(make, n, 400, more={"source.ip": f"10.0.1.{n}"})])
    ]
    assert len(told) == special.upload.common_sources


def test_memory_goes_on_after_a_restart(special: SpecialParameters, inside: Inside, make: Make) -> None:
    first = Durable(UploadDetector(special.upload, inside), seconds=0)
    assert first.feed([sent(make, n, 60) for n in range(3)]) == []
    kept = first.snapshot()
    assert kept is not None
    second = Durable(UploadDetector(special.upload, inside), seconds=0)
    second.recall(kept)
    assert second.feed([sent(make, 9, 60)])
