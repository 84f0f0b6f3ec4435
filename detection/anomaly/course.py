"""What an entity's windows counted before an unusual one: counted again from the stored events."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from detection.anomaly.windows import FEATURES, Closed, WindowParameters, Windows
from sensors.event import Event

WINDOWS_SHOWN = 60
REMEMBERED = frozenset({"new_programs"})  # counted against all that was seen before, not the windows alone


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of successive windows, the unusual one last; ``starts`` in epoch seconds."""

    width: int
    starts: tuple[int, ...]
    counts: dict[str, tuple[float, ...]]


def first_start(last: datetime, parameters: WindowParameters) -> int:
    """When the first window shown begins, where the unusual one holds ``last``."""
    width = parameters.window_seconds
    return (int(last.timestamp()) // width - WINDOWS_SHOWN + 1) * width


def course(
    events: Iterable[Event], entity: str, last: datetime, wanted: Iterable[str], parameters: WindowParameters
) -> Course:
    """The wanted counts of ``entity`` ("host:…", "source:…") by one sensor's events in order of time.

    A window without events counts nothing; windows before the first event given are left out.
    """
    width, first = parameters.window_seconds, first_start(last, parameters)
    at_once = msgspec.structs.replace(parameters, lateness_seconds=0)
    found = {
        window.start: window.values
        for window in _closed(Windows(at_once), events)
        if f"{window.kind}:{window.entity}" == entity and window.start >= first
    }
    if not found:
        return Course(width=width, starts=(), counts={})
    until = int(last.timestamp()) // width * width
    starts = tuple(range(min(found), until + 1, width))
    empty = (0.0,) * len(FEATURES)
    places = {name: at for at, name in enumerate(FEATURES)}
    counts = {
        name: tuple(found.get(start, empty)[places[name]] for start in starts)
        for name in wanted
        if name in places and name not in REMEMBERED
    }
    return Course(width=width, starts=starts, counts=counts)


def _closed(windows: Windows, events: Iterable[Event]) -> Iterator[Closed]:
    for event in events:
        yield from windows.add(event)
    yield from windows.rest()
