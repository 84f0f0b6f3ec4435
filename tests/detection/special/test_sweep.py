"""Sweeps by ARP, neighbour discovery and ping; slow scans; what is none."""

from collections.abc import Callable

import pytest

from detection.special.detectors import SpecialParameters
from detection.special.scan import ScanDetector
from detection.special.sweep import SweepDetector
from sensors.event import Event

Make = Callable[..., Event]


def arp(make: Make, seconds: float, target: str, opcode: str = "request") -> Event:
    fields = {"source.ip": "10.0.0.7", "destination.ip": target, "arp.opcode": opcode}
    return make(seconds, "net.arp", fields)


def icmp(make: Make, seconds: float, family: str, kind: int, target: str) -> Event:
    fields = {
        "source.ip": "10.0.0.7" if family == "ipv4" else "2001:db8::7",
        "destination.ip": target if kind != 135 else "ff02::1:ff00:1",
        "network.type": family,
        "icmp.type": kind,
        "nd.target": target if kind == 135 else None,
    }
    return make(seconds, "net.icmp", fields)


def test_each_way_of_asking_is_a_sweep(special: SpecialParameters, make: Make) -> None:
    detector = SweepDetector(special.sweep)
    for events, way in (
        ([arp(make, n / 4, f"10.0.0.{n + 10}") for n in range(80)], "ARP"),
        ([icmp(make, n / 4, "ipv4", 8, f"10.0.0.{n + 10}") for n in range(80)], "ping"),
        ([icmp(make, n / 4, "ipv6", 135, f"2001:db8::{n + 10:x}") for n in range(80)], "NDP"),
    ):
        (alert,) = detector.feed(events)
        assert alert.rule == "special.neighbour-sweep"
        assert way in alert.reason.zh


def test_slow_or_repeated_questions_and_answers_are_none(special: SpecialParameters, make: Make) -> None:
    detector = SweepDetector(special.sweep)
    slow = [arp(make, n * 5, f"10.0.{n // 200}.{n % 200}") for n in range(600)]
    same = [arp(make, n / 4, f"10.0.0.{n % 20}") for n in range(400)]
    answers = [arp(make, n / 4, f"10.0.0.{n}", "reply") for n in range(200)]
    echo_replies = [icmp(make, n / 4, "ipv4", 0, f"10.0.0.{n}") for n in range(200)]
    assert detector.feed([*slow, *same, *answers, *echo_replies]) == []


@pytest.mark.parametrize(("gap", "wanted"), [(30.0, ["special.slow-scan"]), (0.1, [])])
def test_a_slow_scan_is_spread_over_the_hour(
    special: SpecialParameters, make: Make, gap: float, wanted: list[str]
) -> None:
    detector = ScanDetector(special.slow_scan, name="slow_scan")
    events = [
        make(
            n * gap,
            "net.flow",
            {"source.ip": "fd00::7", "destination.ip": "fd00::1", "destination.port": 1_000 + n},
            {"conn_state": "REJ"},
        )
        for n in range(100)
    ]
    assert [alert.rule for alert in detector.feed(events)] == wanted
