"""Rare programs: learned ones, odd places, children of services, the budget, memory."""

from collections.abc import Callable

import msgspec

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.rare_process import RareProcessDetector
from sensors.event import Event

Make = Callable[..., Event]
HOUR = 3_600.0


def start(make: Make, hours: float, path: str, parent: str = "/usr/bin/bash", host: str = "web-01") -> Event:
    fields = {
        "process.executable": path,
        "process.parent.executable": parent,
        "process.command_line": path,
        "user.name": "zhang",
        "host.name": host,
    }
    return make(hours * HOUR, "process.start", fields, product="linux")


def learned(make: Make, host: str = "web-01") -> list[Event]:
    return [
        start(make, hour, path, parent, host)
        for hour in range(0, 80, 8)
        for path, parent in (("/usr/bin/ls", "/usr/bin/bash"), ("/usr/bin/php", "/usr/sbin/nginx"))
    ]


def rules(detector: RareProcessDetector, events: list[Event]) -> list[str]:
    return [alert.rule for alert in detector.feed(events)]


def test_odd_places_children_of_services_and_others(special: SpecialParameters, make: Make) -> None:
    detector = RareProcessDetector(special.rare_process)
    assert rules(detector, learned(make)) == []
    assert rules(detector, [start(make, 90, "/usr/bin/ls")]) == []
    assert rules(detector, [start(make, 90, "/tmp/.x/kworker9"), start(make, 91, "/tmp/.x/kworker7")]) == [
        "special.rare-program-place"
    ]
    (alert,) = detector.feed([start(make, 92, "/usr/bin/dash", "/usr/sbin/nginx")])
    assert (alert.rule, alert.entity) == ("special.rare-child", "host:web-01")
    assert "nginx" in alert.reason.zh
    assert rules(detector, [start(make, 93, "/opt/a/tool")]) == ["special.rare-program"]


def test_a_host_still_learned_and_what_others_run_is_none(special: SpecialParameters, make: Make) -> None:
    detector = RareProcessDetector(special.rare_process)
    assert rules(detector, [start(make, hour, f"/tmp/p{'x' * hour}") for hour in range(60)]) == []
    detector.feed(learned(make, "a") + learned(make, "b") + learned(make, "c"))
    told = [rules(detector, [start(make, 100, "/opt/agent/run", host=host)]) for host in "abc"]
    assert told == [["special.rare-program"], [], []]


def test_the_rest_is_told_within_a_budget(special: SpecialParameters, make: Make) -> None:
    detector = RareProcessDetector(special.rare_process)
    detector.feed(learned(make))
    many = [start(make, 96 + n / 100, f"/opt/{'x' * (n + 1)}") for n in range(50)]
    assert len(rules(detector, many)) == special.rare_process.new_per_day


def test_memory_is_bounded_and_outlives_the_process(special: SpecialParameters, make: Make) -> None:
    tight = msgspec.structs.replace(special.rare_process, hosts_max=4, programs_max=10)
    first = Durable(RareProcessDetector(tight), seconds=0)
    first.feed(learned(make))
    first.feed([start(make, 1, f"/opt/{chr(97 + n % 26)}{'y' * n}", host=f"h{n % 9}") for n in range(300)])
    first.feed(learned(make))
    kept = first.snapshot()
    assert kept is not None
    second = Durable(RareProcessDetector(tight), seconds=0)
    second.recall(kept)
    memory = second.detector.memory()
    assert len(memory.hosts) <= 4  # type: ignore[attr-defined]
    assert second.feed([start(make, 90, "/usr/bin/php", "/usr/sbin/nginx")]) == []
    assert second.feed([start(make, 90, "/dev/shm/php")])
