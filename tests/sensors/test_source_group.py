"""Sources are paused together and start afresh."""

import threading
import time
from collections.abc import Callable, Sequence

from crypto.words import Words
from sensors.event import Observation
from sensors.source import Emit, Source
from sensors.source_group import PAUSED, SourceGroup


class Waiting:
    """A source that waits for its stop."""

    def __init__(self, name: str) -> None:
        self.name = name

    def missing(self) -> Words | None:
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        emit([])
        stop.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_paused_sources_say_so_and_start_as_new_ones() -> None:
    made: list[Waiting] = []

    def make() -> Sequence[Source]:
        made.append(Waiting("a"))
        return made[-1:]

    def emit(seen: Sequence[Observation]) -> None:
        pass

    group = SourceGroup(make, emit)
    group.start()
    until(lambda: group.threads[0].state == "running")
    group.pause()
    assert (group.paused, group.threads[0].state, group.threads[0].detail) == (True, "paused", PAUSED)
    group.start()
    assert not group.paused
    until(lambda: group.threads[0].state == "running")
    group.stop(30)
    until(lambda: group.threads[0].state == "stopped")
    assert len(made) == 2
