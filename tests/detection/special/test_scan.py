"""Scans: the drill's burst, slow and late ones, harmless busy sources, bounds, independence of batches."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from detection.alert import Alert
from detection.parameters import read_parameters, shipped
from detection.special.detectors import SpecialParameters
from detection.special.scan import ScanDetector, ScanParameters
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def parameters() -> ScanParameters:
    return read_parameters(shipped("special.toml"), SpecialParameters).scan


def flow(
    number: int,
    seconds: float,
    port: int,
    state: str = "REJ",
    source: str = "127.0.0.1",
    target: str = "127.0.0.1",
) -> Event:
    seen = Observation(
        time=START + timedelta(seconds=seconds),
        logsource=LogSource(product="zeek", category="flow", service="conn"),
        fields={
            "event.dataset": "net.flow",
            "event.action": "flow-end",
            "source.ip": source,
            "destination.ip": target,
            "destination.port": port,
        },
        native={"conn_state": state},
    )
    return stamp(seen, unit="u", sensor="net", epoch=0, sequence=number)


def test_sixty_refused_loopback_ports_in_five_seconds_are_a_scan(parameters: ScanParameters) -> None:
    alerts = ScanDetector(parameters).feed([flow(n, n / 12, 40_000 + n) for n in range(60)])
    assert len(alerts) == 1
    (alert,) = alerts
    assert alert.entity == "source:127.0.0.1"
    assert alert.rule == "special.port-scan"
    assert alert.attack == ("T1046",)
    assert "30" in alert.reason.zh
    assert "30 of them refused" in alert.reason.en
    assert alert.events[-1].id == flow(29, 29 / 12, 0).id
    assert {match.field for match in alert.matched} == {"source.ip", "destination.ip", "conn_state"}


def test_one_alert_per_source_and_minute_of_event_time(parameters: ScanParameters) -> None:
    alerts = ScanDetector(parameters).feed([flow(n, n / 2, n) for n in range(400)])
    times = [alert.time for alert in alerts]
    assert len(times) == 4
    assert all(later - earlier >= timedelta(seconds=60) for earlier, later in pairwise(times))


def test_many_hosts_on_one_port_are_a_scan_too(parameters: ScanParameters) -> None:
    events = [flow(n, n / 10, 22, "S0", "10.0.0.9", f"10.0.1.{n}") for n in range(40)]
    (alert,) = ScanDetector(parameters).feed(events)
    assert alert.entity == "source:10.0.0.9"


@pytest.mark.parametrize(
    "events",
    [
        [flow(n, n / 10, n, "SF") for n in range(300)],  # a busy client
        [flow(n, n / 10, n % 5, "REJ") for n in range(300)],  # one that retries a few closed ports
        [flow(n, n * 5, n, "REJ") for n in range(300)],  # twelve refusals a minute
        [flow(n, n / 20, n, "REJ" if n % 3 == 0 else "SF") for n in range(300)],  # mostly answered
        [flow(n, n / 10, n, "REJ", f"10.0.{n}.1") for n in range(300)],  # everybody once
    ],
    ids=["answered", "few", "slow", "share", "everybody"],
)
def test_what_is_no_scan(parameters: ScanParameters, events: list[Event]) -> None:
    assert ScanDetector(parameters).feed(events) == []


def test_unanswered_connections_told_late_still_count(parameters: ScanParameters) -> None:
    scan = [flow(n, n / 10, n, "S0") for n in range(40)]
    later = [flow(100 + n, 60 + n, 80, "SF") for n in range(60)]
    assert len(ScanDetector(parameters).feed(later + scan)) == 1
    old = ScanDetector(parameters)
    assert old.feed([flow(500, 3_600, 80, "SF"), *scan]) == []
    assert old.late == 40


def test_the_cut_into_batches_changes_nothing(parameters: ScanParameters) -> None:
    events = [flow(n, n / 7, n % 90, "REJ" if n % 4 else "SF", f"10.0.0.{n % 3}") for n in range(600)]
    whole = ScanDetector(parameters).feed(events)
    assert whole
    for size in (1, 7):
        detector = ScanDetector(parameters)
        cut: list[Alert] = []
        for at in range(0, len(events), size):
            cut += detector.feed(events[at : at + size])
        assert cut == whole


def test_state_is_bounded_and_eviction_counted(parameters: ScanParameters) -> None:
    small = msgspec.structs.replace(parameters, sources_max=10, targets_max=100, slot_targets_max=20)
    detector = ScanDetector(small)
    detector.feed([flow(n, n / 1000, n, "REJ", f"10.1.{n % 50}.1") for n in range(5_000)])
    assert len(detector._sources) <= 10
    assert detector._sources.weight <= 100
    assert detector.evicted > 0


@pytest.mark.parametrize(
    "fields",
    [
        {"source.ip": None},
        {"source.ip": []},
        {"destination.ip": 5, "destination.port": "x"},
        {"destination.port": [1, 2]},
        {"destination.port": float("1e300")},
    ],
)
def test_malformed_flows_do_no_harm(parameters: ScanParameters, fields: dict[str, Any]) -> None:
    event = flow(1, 0, 1)
    broken = msgspec.structs.replace(event, fields={**event.fields, **fields})
    assert ScanDetector(parameters).feed([broken]) == []
