"""A source that can wait does so while its lane is crowded, and no longer than what it reads stays."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from crypto.words import Words
from sensors.event import LogSource, Observation
from sensors.source import Emit
from sensors.waiting import WAIT_SECONDS_MAX, WAITING, Waiting, waiting

SEEN = [Observation(time=datetime(2026, 3, 1, tzinfo=UTC), logsource=LogSource(), fields={})]


class Tail:
    """Emits three times; whether its file is pressing is the test's to say."""

    name = "tail"
    reduced: Words | None = Words("少", "less")

    def __init__(self) -> None:
        self.gone = False

    def missing(self) -> Words | None:
        return Words("缺", "missing")

    def pressing(self) -> bool:
        return self.gone

    def run(self, emit: Emit, stop: threading.Event) -> None:
        for _ in range(3):
            emit(SEEN)
        emit([])


class Plain:
    """A source that cannot wait."""

    name = "plain"

    def missing(self) -> Words | None:
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        emit(SEEN)


class Room:
    """A spool's room: crowded until it was asked so often."""

    def __init__(self, asks: int) -> None:
        self.asks = asks
        self.said: list[Words | None] = []
        self.source: Waiting | None = None

    def wait(self, lane: str, give_up: Callable[[], bool]) -> None:
        assert lane == "bulk"
        while self.asks > 0 and not give_up():
            self.asks -= 1
            self.said.append(self.source.reduced if self.source else None)


def started(tail: Tail, room: Room, clock: Callable[[], float]) -> list[Sequence[Observation]]:
    source = room.source = Waiting(tail, room.wait, clock)
    found: list[Sequence[Observation]] = []
    source.run(found.append, threading.Event())
    return found


def test_it_waits_for_room_and_says_so() -> None:
    room = Room(5)
    tail = Tail()
    assert started(tail, room, lambda: 0.0) == [SEEN, SEEN, SEEN, []]
    assert room.asks == 0
    assert room.said == [WAITING] * 5
    assert room.source is not None
    assert (room.source.reduced, room.source.missing(), room.source.name) == (
        tail.reduced,
        Words("缺", "missing"),
        "tail",
    )


def test_a_rotated_file_is_read_on() -> None:
    tail, room = Tail(), Room(5)
    tail.gone = True
    assert len(started(tail, room, lambda: 0.0)) == 4
    assert room.asks == 5


def test_patience_ends() -> None:
    times = iter([0.0, 1.0, WAIT_SECONDS_MAX + 1, WAIT_SECONDS_MAX + 2, WAIT_SECONDS_MAX + 3])
    room = Room(100)
    assert len(started(Tail(), room, lambda: next(times))) == 4
    assert room.asks == 98


def test_only_patient_sources_are_wrapped() -> None:
    plain, tail = Plain(), Tail()
    found = waiting([plain, tail], Room(0).wait)
    assert found[0] is plain
    assert isinstance(found[1], Waiting)
