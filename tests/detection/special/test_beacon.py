"""Beacons: a clock with jitter is found, people and what everybody polls are not; memory and bounds."""

from collections.abc import Callable
from random import Random  # noqa: TID251 -- a seeded one
from typing import Any

import msgspec

from detection.special.beacon import BeaconDetector
from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.networks import Inside
from sensors.event import Event

Make = Callable[..., Event]
HOUR = 3_600.0


def request(
    make: Make, seconds: float, host: str = "c2.example", source: str = "10.0.0.7", **more: Any
) -> Event:
    fields = {
        "event.action": "request",
        "source.ip": source,
        "destination.ip": "203.0.113.9",
        "url.domain": host,
        "url.original": "/a",
        "user_agent.original": "Mozilla/5.0",
        **more,
    }
    return make(seconds, "net.http", fields)


def background(make: Make, sources: int = 12, hours: int = 12) -> list[Event]:
    """People: bursts at odd times to a site of their own, and a poll that everybody does."""
    lot = Random(4)
    events = []
    for number in range(sources):
        source = f"10.0.1.{number}"
        for _ in range(60):
            start = lot.random() * hours * HOUR
            steps = [start + n * 5 * lot.random() for n in range(lot.randrange(1, 8))]
            events += [request(make, step, f"site{number}.example", source) for step in steps]
        events += [request(make, beat * 300 + number, "poll.example", source) for beat in range(hours * 12)]
    return sorted(events, key=lambda event: event.time)


def clock(make: Make, period: float, jitter: float, hours: float = 12.0) -> list[Event]:
    lot, time, events = Random(1), 0.0, []
    while time < hours * HOUR:
        events.append(request(make, time))
        time += period * (1 + jitter * (2 * lot.random() - 1))
    return events


def test_clocks_with_jitter_are_found_and_nobody_else(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    for period, jitter in ((10, 0.5), (60, 0.0), (900, 0.5), (3_600, 0.25)):
        detector = BeaconDetector(special.beacon, inside)
        events = sorted([*background(make), *clock(make, period, jitter)], key=lambda event: event.time)
        (alert,) = detector.feed(events)
        assert (alert.rule, alert.entity) == ("special.beacon", "source:10.0.0.7")
        assert "c2.example" in alert.reason.zh
        assert "c2.example" in alert.reason.en
        assert detector.ranking("u")[0][2] == "c2.example"


def test_connections_count_under_the_name_of_their_hello(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    detector = BeaconDetector(special.beacon, inside)
    alerts = []
    for beat in range(40):
        ends = {
            "source.ip": "10.0.0.7",
            "destination.ip": "203.0.113.9",
            "destination.port": 443,
            "network.community_id": f"1:{beat}",
        }
        hello = {**ends, "event.action": "client-hello", "tls.client.server_name": "cdn.example"}
        end = {**ends, "event.action": "flow-end", "network.protocol": "tls"}
        alerts += detector.feed([make(beat * 120, "net.tls", hello)])
        alerts += detector.feed([make(beat * 120 + 2, "net.flow", end, {"orig_bytes": 640})])
    assert [alert.rule for alert in alerts] == ["special.beacon"]
    assert "cdn.example" in alerts[0].reason.zh


def test_inside_destinations_and_long_known_ones_are_not_told(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    detector = BeaconDetector(special.beacon, inside)
    here = [request(make, n * 60, **{"destination.ip": "10.1.1.1"}) for n in range(200)]
    assert detector.feed(here) == []
    old = [request(make, 0, source="10.0.0.8")]
    late = [request(make, 30 * 24 * HOUR + n * 60) for n in range(300)]
    assert detector.feed([*old, *late]) == []


def test_memory_outlives_the_process_and_replay_adds_nothing(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    events = clock(make, 600, 0.2)
    whole = BeaconDetector(special.beacon, inside).feed(events)
    first = Durable(BeaconDetector(special.beacon, inside), seconds=0)
    assert first.feed(events[:4]) == []
    kept = first.snapshot()
    assert kept is not None
    second = Durable(BeaconDetector(special.beacon, inside), seconds=0)
    second.recall(kept)
    assert second.feed(events[2:4]) == []
    assert [alert.id for alert in second.feed(events[4:])] == [alert.id for alert in whole]


def test_memory_is_bounded(special: SpecialParameters, inside: Inside, make: Make) -> None:
    tight = msgspec.structs.replace(special.beacon, pairs_max=10, times_max=8, destinations_max=10)
    detector = BeaconDetector(tight, inside)
    detector.feed([request(make, n, f"h{n % 50}.example", f"10.0.2.{n % 40}") for n in range(3_000)])
    memory = detector.memory()
    assert len(memory.pairs) <= 10
    assert len(memory.destinations) <= 10
    assert max(len(pair.times) for pair in memory.pairs.values()) <= 8
