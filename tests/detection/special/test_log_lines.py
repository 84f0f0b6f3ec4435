"""Log lines: new templates of settled programs, silence by the sensor's clock, memory."""

from collections.abc import Callable

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.log_lines import LogLinesDetector
from sensors.event import Event

Make = Callable[..., Event]
HOUR, DAY = 3_600.0, 86_400.0


def line(make: Make, seconds: float, message: str, program: str = "sshd") -> Event:
    fields = {"message": message, "process.name": program, "host.name": "web-01"}
    return make(seconds, "auth.log", fields, product="linux")


def beat(make: Make, seconds: float) -> Event:
    return make(seconds, "liuhe.heartbeat", {"host.name": "web-01"}, product="liuhe")


def learned(make: Make, days: float = 4.0) -> list[Event]:
    """A line every 5 minutes and a heartbeat every 2 minutes."""
    events = [
        line(make, n * 300, f"Accepted publickey for u{n % 9} from 10.0.0.{n % 9} port {n}")
        for n in range(int(days * 288))
    ]
    events += [beat(make, n * 120.0) for n in range(int(days * 720))]
    return sorted(events, key=lambda event: event.time)


def test_a_new_line_of_a_settled_program_is_told_within_a_budget(
    special: SpecialParameters, make: Make
) -> None:
    detector = LogLinesDetector(special.log_lines)
    assert detector.feed(learned(make)) == []
    (alert,) = detector.feed([line(make, 4 * DAY + 1, "segfault in libcrypto while checking key")])
    assert (alert.rule, alert.entity) == ("special.log-template-new", "host:web-01")
    assert "libcrypto" in alert.reason.zh
    assert detector.feed([line(make, 4 * DAY + 2, "segfault in libcrypto while checking key")]) == []
    many = [line(make, 4 * DAY + 3 + n, " ".join([chr(97 + n) * 5] * (4 + n))) for n in range(20)]
    assert len(detector.feed(many)) == special.log_lines.new_per_day - 1


def test_unsettled_programs_say_nothing(special: SpecialParameters, make: Make) -> None:
    detector = LogLinesDetector(special.log_lines)
    words = [chr(97 + a) * 3 + chr(97 + b) * 3 for a in range(26) for b in range(26)]
    chatter = [line(make, n * 600, " ".join([word] * (3 + n % 40)), "chatty") for n, word in enumerate(words)]
    assert detector.feed(chatter) == []


def test_silence_is_told_once_and_by_the_sensors_own_clock(special: SpecialParameters, make: Make) -> None:
    detector = LogLinesDetector(special.log_lines)
    detector.feed(learned(make))
    quiet = [beat(make, 4 * DAY + n * 120.0) for n in range(120)]
    (alert,) = detector.feed(quiet)
    assert (alert.rule, alert.entity) == ("special.log-silent", "host:web-01")
    assert 55 * 60 <= (alert.time - quiet[0].time).total_seconds() <= 65 * 60
    away = LogLinesDetector(special.log_lines)
    away.feed(learned(make))
    back = [beat(make, 5 * DAY + n * 120.0) for n in range(20)]
    assert away.feed(back) == []


def test_what_is_learned_outlives_the_process(special: SpecialParameters, make: Make) -> None:
    events = learned(make)
    first = Durable(LogLinesDetector(special.log_lines), seconds=0)
    first.feed(events)
    kept = first.snapshot()
    assert kept is not None
    second = Durable(LogLinesDetector(special.log_lines), seconds=0)
    second.recall(kept)
    assert second.feed(events[-50:]) == []
    assert second.feed([line(make, 4 * DAY, "Accepted publickey for u1 from 10.0.0.1 port 9")]) == []
    assert len(second.feed([line(make, 4 * DAY, "segfault in libcrypto while checking key")])) == 1
