"""The windows before an unusual one, counted again from events."""

from datetime import UTC, datetime, timedelta

from detection.anomaly.course import WINDOWS_SHOWN, course, first_start
from detection.anomaly.open import window_parameters
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
PARAMETERS = window_parameters()


def started(number: int, minutes: float, host: str = "web", program: str = "/usr/bin/ls") -> Event:
    fields = {"host.name": host, "event.dataset": "process.start", "process.executable": program}
    seen = Observation(time=START + timedelta(minutes=minutes), logsource=LogSource(), fields=dict(fields))
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def test_each_window_up_to_the_last_is_counted_and_empty_ones_count_nothing() -> None:
    events = [started(1, 0), started(2, 0.5), started(3, 1, host="other"), started(4, 2.1), started(5, 3)]
    found = course(events, "host:web", events[-1].time, ["processes", "programs", "unknown"], PARAMETERS)
    first = int(START.timestamp())
    assert found.starts == (first, first + 60, first + 120, first + 180)
    assert found.counts == {"processes": (2.0, 0.0, 1.0, 1.0), "programs": (1.0, 0.0, 1.0, 1.0)}


def test_only_the_last_hour_of_windows_is_shown() -> None:
    events = [started(number, number) for number in range(90)]
    found = course(events, "host:web", events[-1].time, ["events", "new_programs"], PARAMETERS)
    assert len(found.starts) == WINDOWS_SHOWN
    assert found.starts[0] == first_start(events[-1].time, PARAMETERS)
    assert list(found.counts) == ["events"]  # news depends on more than the hour


def test_nothing_is_known_of_another_entity() -> None:
    found = course([started(1, 0)], "host:db", START, ["events"], PARAMETERS)
    assert (found.starts, found.counts, found.width) == ((), {}, 60)
