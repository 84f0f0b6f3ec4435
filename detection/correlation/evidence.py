"""The last events that took part in a correlation, bounded in bytes: what alerts show beside the counts."""

from collections.abc import Iterator
from typing import Final

from sensors.event import Event

_EVENT_BYTES: Final = 900
_FIELD_BYTES: Final = 110


class Evidence:
    """Events by mark; the one seen first goes first."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._events: dict[bytes, Event] = {}
        self._weights: dict[bytes, int] = {}
        self._weight = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._events)

    def remember(self, mark: bytes, event: Event) -> None:
        """Keep an event; the same mark keeps its first."""
        if mark in self._events:
            return
        fields, native = event.fields, event.native
        weight = _EVENT_BYTES + _FIELD_BYTES * (len(fields) + len(native))
        weight += sum([len(value) for value in fields.values() if type(value) is str])
        if native:
            weight += sum([len(value) for value in native.values() if type(value) is str])
        self._events[mark] = event
        self._weights[mark] = weight
        self._weight += weight

    def bound(self) -> None:
        """Let the oldest go where there is too much; called once a batch, so that a batch finds its own."""
        if self._weight <= self._bytes_max:
            return
        gone: list[bytes] = []
        for mark, weight in self._weights.items():
            if self._weight <= self._bytes_max * 7 // 8 or len(self._weights) - len(gone) <= 1:
                break
            self._weight -= weight
            gone.append(mark)
        for mark in gone:
            del self._events[mark], self._weights[mark]
        self.evicted += len(gone)

    def get(self, mark: bytes) -> Event | None:
        """The event of a mark, if it is still there."""
        return self._events.get(mark)

    def values(self) -> Iterator[Event]:
        """The events, those seen first first."""
        return iter(self._events.values())

    def items(self) -> Iterator[tuple[bytes, Event]]:
        """Marks and events, those seen first first."""
        return iter(self._events.items())
