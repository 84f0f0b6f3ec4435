"""What the latest events of each lane were: a sequence that comes again with other content is a copy's.

Four bytes an event (CRC-32 of its line) are kept of the last ones of a lane and boot, within a bound for all
sensors together. A sensor that sends again what was not acknowledged sends the same bytes; two machines with
one identity count the same numbers with different events. Pure, no files.
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias
from zlib import crc32

LANE_EVENTS_MAX: Final = 20_000  # four full batches: as much as may be under way
EVENTS_MAX: Final = 8_000_000  # of all sensors: 32 MB

Digests: TypeAlias = "array[int]"


class Place(NamedTuple):
    """A lane of one boot of a sensor."""

    sensor: str
    lane: str
    epoch: int


def digests_of(lines: Iterable[bytes]) -> Digests:
    """One number for each event."""
    return array("I", map(crc32, lines))


class Recent:
    """Mutable; owned by the listener's committer alone."""

    def __init__(self, events_max: int = EVENTS_MAX, lane_events_max: int = LANE_EVENTS_MAX) -> None:
        self._runs: Final[OrderedDict[Place, tuple[int, Digests]]] = OrderedDict()
        self._events_max: Final = events_max
        self._lane_events_max: Final = lane_events_max
        self._events = 0

    def differs(self, place: Place, first: int, digests: Digests) -> int:
        """The first sequence that was another event before; 0 where none is known to be."""
        known = self._runs.get(place)
        if known is None:
            return 0
        start, seen = known
        low = max(first, start)
        high = min(first + len(digests), start + len(seen))
        if low >= high or digests[low - first : high - first] == seen[low - start : high - start]:
            return 0
        return next(n for n in range(low, high) if digests[n - first] != seen[n - start])

    def note(self, place: Place, first: int, digests: Digests) -> None:
        """Remember the events from ``first``; what was known further back may be forgotten for them."""
        start, seen = self._runs.pop(place, (first, array("I")))
        self._events -= len(seen)
        end = start + len(seen)
        if start <= first <= end or first + len(digests) <= end:
            seen.extend(digests[end - first :])
        else:
            start, seen = first, digests[:]
        if len(seen) > self._lane_events_max:
            start += len(seen) - self._lane_events_max
            seen = seen[-self._lane_events_max :]
        self._runs[place] = (start, seen)
        self._events += len(seen)
        while self._events > self._events_max:
            _, (_, oldest) = self._runs.popitem(last=False)
            self._events -= len(oldest)
