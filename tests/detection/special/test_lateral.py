"""Lateral movement: learned pairs, new ones, several at once, unanswered tries."""

from collections.abc import Callable

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.lateral import LateralDetector
from detection.special.networks import Inside
from sensors.event import Event

Make = Callable[..., Event]
DAY = 86_400.0


def flow(
    make: Make, seconds: float, source: str, target: str, port: int = 22, state: str = "SF", back: int = 4_000
) -> Event:
    fields = {
        "event.action": "flow-end",
        "source.ip": source,
        "destination.ip": target,
        "destination.port": port,
        "destination.bytes": back,
    }
    return make(seconds, "net.flow", fields, {"conn_state": state})


def learned(make: Make) -> list[Event]:
    """Eight days in which 10.0.0.1 administers ten hosts."""
    return [flow(make, day * DAY + n, "10.0.0.1", f"10.0.1.{n}") for day in range(8) for n in range(10)]


def test_learned_pairs_and_an_administrators_next_host_are_none(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    detector = LateralDetector(special.lateral, inside)
    assert detector.feed(learned(make)) == []
    assert detector.feed([flow(make, 9 * DAY, "10.0.0.1", "10.0.1.3")]) == []
    assert detector.feed([flow(make, 9 * DAY, "10.0.0.1", "10.0.1.77")]) == []


def test_a_host_that_begins_to_administer_and_goes_on(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    detector = LateralDetector(special.lateral, inside)
    detector.feed(learned(make))
    steps = [flow(make, 9 * DAY + n * 60, "10.0.5.5", f"10.0.1.{n}", 445) for n in range(6)]
    alerts = detector.feed(steps)
    assert [alert.rule for alert in alerts] == ["special.lateral-first", "special.lateral-fan-out"]
    assert {alert.entity for alert in alerts} == {"source:10.0.5.5"}
    assert "10.0.1.2:445" in alerts[1].reason.zh


def test_tries_outside_addresses_and_other_ports_are_none(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    detector = LateralDetector(special.lateral, inside)
    detector.feed(learned(make))
    tries = [flow(make, 9 * DAY + n, "10.0.5.5", f"10.0.1.{n}", state="REJ") for n in range(9)]
    empty = [flow(make, 9 * DAY + n, "10.0.5.5", f"10.0.1.{n}", back=80) for n in range(9)]
    web = [flow(make, 9 * DAY + n, "10.0.5.5", f"10.0.1.{n}", 443) for n in range(9)]
    far = [flow(make, 9 * DAY + n, "203.0.113.5", f"10.0.1.{n}") for n in range(9)]
    assert detector.feed([*tries, *empty, *web, *far]) == []


def test_what_was_learned_outlives_the_process(
    special: SpecialParameters, inside: Inside, make: Make
) -> None:
    first = Durable(LateralDetector(special.lateral, inside), seconds=0)
    first.feed(learned(make))
    kept = first.snapshot()
    assert kept is not None
    second = Durable(LateralDetector(special.lateral, inside), seconds=0)
    second.recall(kept)
    assert second.feed([flow(make, 9 * DAY, "10.0.0.1", "10.0.1.3")]) == []
    assert second.feed([flow(make, 9 * DAY, "10.0.5.5", "10.0.1.3")])
