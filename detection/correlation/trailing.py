"""Windows that trail every event: the condition is looked at behind each, over the span before it.

A finding belongs to a span-long slot of event time; its anchor is the slot's first event behind which the
condition holds. Events out of order are put where they belong and what follows them is looked at again at the
end of the batch, so that the findings are those of the ordered stream; a finding told before and changed by
that is told again under the same occasion.
"""

from bisect import bisect_left
from typing import Any, Final

from detection.correlation.keyed import MARK_WEIGHT, Finding, Keyed, Series, unpacked, value_weight
from detection.correlation.mark import MARK_BYTES, edge, micros_in
from detection.correlation.rule import Correlation
from detection.correlation.tally import Ordered, least_of, tally_for

PACKED_MAX: Final = 16  # events of a key that holds them packed
MARKS_MAX: Final = 50_000  # events of one key


class Trailing:
    """The keys of a correlation that asks for more than something."""

    def __init__(self, rule: Correlation, lateness: int) -> None:
        """``lateness`` in microseconds: how far an event may lie behind the newest of its key."""
        self._rule = rule
        self._span = rule.span_seconds * 1_000_000
        self._lateness = lateness
        self._counting = rule.kind == "event_count"
        self._least = least_of(rule.limits) if self._counting else 0
        # so many marks cannot satisfy the condition yet, and need no window
        self._packed_bytes = MARK_BYTES * min(self._least - 1, PACKED_MAX) if self._counting else 0
        self._alone = self._least <= 1 if self._counting else self._rises_alone()
        self.keyed = Keyed()
        self.found: list[Finding] = []
        self.late = 0
        self._dirty: dict[str, Series] = {}

    def take(self, mark: bytes, micros: int, key: str, what: Any) -> None:
        """An event of a key; ``what`` is what the tally counts."""
        keyed = self.keyed
        states = keyed.states
        state = states.get(key)
        if type(state) is not Series:
            if state is None and not self._alone:
                state = mark if what is None else (mark, what)
                states[key] = state
                keyed.weight += keyed.weigh(key, state)
                return
            if type(state) is bytes and mark > state[-MARK_BYTES:] and self._packed(key, state, mark, micros):
                return
            state = self._series(key, state)
        if state.touched != keyed.epoch:
            del states[key]
            states[key] = state
            state.touched = keyed.epoch
        marks = state.marks
        if state.dirty is not None or (marks and mark <= marks[-1]):
            self._insert(state, mark, micros, key, what)
            return
        marks.append(mark)
        added = MARK_WEIGHT
        cut = edge(micros - self._span + 1)
        left = state.left
        tally = state.tally
        if tally is None:
            while marks[left] < cut:
                left += 1
            holds = len(marks) - left >= self._least
        else:
            whats = state.whats
            whats.append(what)
            added += value_weight(what)
            tally.add(mark, what)
            while marks[left] < cut:
                tally.drop(whats[left])
                left += 1
            holds = tally.holds(cut)
        state.left = left
        state.weight += added
        keyed.weight += added
        if holds:
            slot = micros // self._span
            if slot not in state.raised:
                self._raise(state, key, slot, len(marks) - 1)
        if len(marks) >= state.trim_at:
            self._trim(state)

    def flush(self) -> None:
        """Look again at the keys that took events out of order."""
        for key, state in self._dirty.items():
            if state.dirty is not None:
                self._sweep(state, key)
        self._dirty.clear()
        self.keyed.epoch += 1

    def expire(self, before: int) -> None:
        """Forget keys that nothing in time can add to: their newest event is older than span and lateness."""
        self.keyed.expire(before - self._span - self._lateness, _never)

    def series(self, marks: list[bytes], whats: list[Any], raised: dict[int, bytes]) -> Series:
        """A series as it stood, its window rebuilt."""
        state = self._empty()
        state.marks, state.whats, state.raised = marks, whats, raised
        state.weight += sum(map(value_weight, whats)) + MARK_WEIGHT * len(marks)
        state.trim_at = max(16, 2 * len(marks))
        if marks:
            self._rebuild(state, len(marks) - 1)
            if state.tally is not None:
                state.tally.add(marks[-1], whats[-1])
        return state

    def _rises_alone(self) -> bool:
        """Whether one event may be enough."""
        rule = self._rule
        if rule.alternatives:
            return any(len(way.required) == 1 for way in rule.alternatives)
        return rule.kind not in ("value_count", "temporal") or least_of(rule.limits) <= 1

    def _packed(self, key: str, state: bytes, mark: bytes, micros: int) -> bool:
        """Put a mark behind the few a key holds; False where it holds too many for that."""
        known = len(state)
        if known >= self._packed_bytes:
            cut = edge(micros - self._span - self._lateness + 1)
            start = 0
            while start < known and state[start : start + MARK_BYTES] < cut:
                start += MARK_BYTES
            state = state[start:]
            if len(state) >= self._packed_bytes:
                return False
        states = self.keyed.states
        del states[key]  # to the end of the table
        states[key] = state + mark
        self.keyed.weight += len(state) + MARK_BYTES - known
        return True

    def _empty(self) -> Series:
        return Series(None if self._counting else tally_for(self._rule))

    def _series(self, key: str, state: Any) -> Series:
        """The key as a series, whatever it was."""
        keyed = self.keyed
        series = self._empty()
        if state is None:
            keyed.weight += keyed.weigh(key, series)
        else:
            keyed.weight -= keyed.weigh(key, state)
            if type(state) is tuple:
                mark, what = state
                series.marks.append(mark)
                series.whats.append(what)
                series.weight += MARK_WEIGHT + value_weight(what)
                assert series.tally is not None
                series.tally.add(mark, what)
            else:
                series.marks = unpacked(state)
                series.weight += MARK_WEIGHT * len(series.marks)
            keyed.weight += keyed.weigh(key, series)
        keyed.states[key] = series
        return series

    def _insert(self, state: Series, mark: bytes, micros: int, key: str, what: Any) -> None:
        """Put an event where it belongs; twice the same event is once."""
        marks = state.marks
        if micros < micros_in(marks[-1]) - self._lateness:
            self.late += 1
            return
        place = bisect_left(marks, mark)
        if place < len(marks) and marks[place] == mark:
            return
        if state.dirty is None or mark < state.dirty:
            self._step_back(state, place, mark)
            state.dirty = mark
        marks.insert(place, mark)
        if state.tally is not None:
            state.whats.insert(place, what)
        added = MARK_WEIGHT + value_weight(what)
        state.weight += added
        self.keyed.weight += added
        self._dirty[key] = state
        if len(marks) >= 2 * MARKS_MAX:
            self._sweep(state, key)

    def _sweep(self, state: Series, key: str) -> None:
        """Look again behind every event from the earliest that came out of order."""
        assert state.dirty is not None
        marks = state.marks
        first = bisect_left(marks, state.dirty)
        slot_told = None
        for position in range(first, len(marks)):
            mark = marks[position]
            micros = micros_in(mark)
            cut = edge(micros - self._span + 1)
            self._enter(state, position, cut)
            slot = micros // self._span
            if slot != slot_told and self._holds(state, position, cut):
                slot_told = slot
                known = state.raised.get(slot)
                # an anchor before the earliest change has a window before it too
                if known is None or known >= state.dirty:
                    self._raise(state, key, slot, position)
        state.dirty = None
        self._trim(state)

    def _step_back(self, state: Series, place: int, mark: bytes) -> None:
        """Make the window that of a new event at ``place``, by taking back what lies behind it."""
        marks, whats, tally = state.marks, state.whats, state.tally
        cut = edge(micros_in(mark) - self._span + 1)
        left = bisect_left(marks, cut)
        if isinstance(tally, Ordered):  # which chains there were before cannot be told from those after
            tally = state.tally = tally_for(self._rule)
            for position in range(left, place):
                tally.add(marks[position], whats[position])
        elif tally is not None:
            behind = len(marks) if state.dirty is None else bisect_left(marks, state.dirty)
            for position in range(max(place, state.left), behind):
                tally.drop(whats[position])
            for position in range(left, min(place, state.left)):
                tally.add(marks[position], whats[position])
        state.left = left

    def _rebuild(self, state: Series, position: int) -> None:
        """Make the window ready for the event at ``position``."""
        state.tally = None if self._counting else tally_for(self._rule)
        cut = edge(micros_in(state.marks[position]) - self._span + 1)
        state.left = bisect_left(state.marks, cut)
        if state.tally is not None:
            for place in range(state.left, position):
                state.tally.add(state.marks[place], state.whats[place])

    def _enter(self, state: Series, position: int, cut: bytes) -> None:
        marks = state.marks
        left = state.left
        tally = state.tally
        if tally is None:
            while marks[left] < cut:
                left += 1
        else:
            tally.add(marks[position], state.whats[position])
            while marks[left] < cut:
                tally.drop(state.whats[left])
                left += 1
        state.left = left

    def _holds(self, state: Series, position: int, cut: bytes) -> bool:
        if state.tally is None:
            return position + 1 - state.left >= self._least
        return state.tally.holds(cut)

    def _raise(self, state: Series, key: str, slot: int, position: int) -> None:
        state.raised[slot] = state.marks[position]
        number = position + 1 - state.left if state.tally is None else float(state.tally.number())
        self.found.append(state.told(key, slot, position, state.left, number))

    def _trim(self, state: Series) -> None:
        """Forget events no window in time can reach, and the oldest where there are too many."""
        marks = state.marks
        newest = micros_in(marks[-1])
        oldest = newest - self._span - self._lateness
        kept = bisect_left(marks, edge(oldest + 1))
        if len(marks) - kept > MARKS_MAX:
            self.keyed.trimmed += len(marks) - MARKS_MAX - kept
            kept = len(marks) - MARKS_MAX
        if kept:
            weight = MARK_WEIGHT * kept + sum(map(value_weight, state.whats[:kept]))
            if state.tally is not None:
                for place in range(state.left, kept):  # only where too many were held
                    state.tally.drop(state.whats[place])
            del marks[:kept], state.whats[:kept]
            state.left = max(state.left - kept, 0)
            state.weight -= weight
            self.keyed.weight -= weight
            slots = oldest // self._span
            state.raised = {slot: anchor for slot, anchor in state.raised.items() if slot >= slots}
        state.trim_at = min(max(16, 2 * len(marks)), MARKS_MAX + 1_024)


def _never(state: Series) -> bool:
    del state
    return False
