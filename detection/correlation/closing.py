"""Windows that open and close: for conditions that more events may unmake (lt, lte, eq, neq, not).

The first event of a key opens a window one span long; events in it are gathered; when the watermark has
passed its end the condition is looked at once; the next event opens the next window. Events come in order.
"""

import heapq
from typing import Any, Final

from detection.correlation.keyed import MARK_WEIGHT, SERIES_BYTES, Finding, Keyed, Series, value_weight
from detection.correlation.mark import edge
from detection.correlation.rule import Correlation
from detection.correlation.tally import tally_for

MARKS_MAX: Final = 50_000  # events of one window


class Closing:
    """The keys of a correlation whose windows are judged when they are whole."""

    def __init__(self, rule: Correlation) -> None:
        self._rule = rule
        self._span = rule.span_seconds * 1_000_000
        self.keyed = Keyed()
        self.found: list[Finding] = []
        self._ends: list[tuple[int, str]] = []

    def take(self, mark: bytes, micros: int, key: str, what: Any) -> None:
        """An event of a key, not earlier than any before."""
        self.close(micros)
        keyed = self.keyed
        state = keyed.states.get(key)
        if type(state) is not Series:
            state = Series(tally_for(self._rule))
            state.opened = micros
            keyed.states[key] = state
            keyed.weight += keyed.weigh(key, state)
            heapq.heappush(self._ends, (micros + self._span, key))
        if len(state.marks) >= MARKS_MAX:
            keyed.trimmed += 1
            return
        self._add(state, mark, what)

    def close(self, until: int) -> None:
        """Judge the windows that end at ``until`` or before."""
        ends = self._ends
        while ends and ends[0][0] <= until:
            end, key = heapq.heappop(ends)
            state = self.keyed.states.get(key)
            if type(state) is Series and state.opened + self._span == end:
                assert state.tally is not None
                if state.marks and state.tally.holds(edge(state.opened)):
                    number = float(state.tally.number())
                    self.found.append(state.told(key, state.opened, len(state.marks) - 1, 0, number))
                self.keyed.forget([key])

    def flush(self) -> None:
        """Nothing waits here."""

    def expire(self, before: int) -> None:
        """Windows end by themselves."""

    def series(self, marks: list[bytes], whats: list[Any], opened: int, key: str) -> Series:
        """A window as it stood."""
        state = Series(tally_for(self._rule))
        state.opened = opened
        for mark, what in zip(marks, whats, strict=True):
            self._add(state, mark, what)
        self.keyed.weight -= state.weight - SERIES_BYTES  # counted by whoever puts it into the table
        heapq.heappush(self._ends, (opened + self._span, key))
        return state

    def _add(self, state: Series, mark: bytes, what: Any) -> None:
        assert state.tally is not None
        state.marks.append(mark)
        state.whats.append(what)
        state.tally.add(mark, what)
        added = MARK_WEIGHT + value_weight(what)
        state.weight += added
        self.keyed.weight += added
