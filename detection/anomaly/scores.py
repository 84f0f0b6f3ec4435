"""The scores of the last windows of one kind: how rare one is, and a bound on what a day may tell."""

from bisect import bisect_left, insort
from collections import deque
from typing import Final

import msgspec

_DAY: Final = 86_400


class Watched(msgspec.Struct, array_like=True):
    """What a snapshot keeps."""

    scores: list[float] = []  # in order of time
    first: int = 0  # start of the first window
    day: int = 0
    spent: int = 0  # alerts of that day
    dropped: int = 0  # rare windows beyond the bound, since the beginning


class Scores:
    """At most ``most`` of them."""

    def __init__(self, most: int) -> None:
        self._line: deque[float] = deque(maxlen=most)
        self._sorted: list[float] = []
        self.first = 0
        self._day = 0
        self._spent = 0
        self.dropped = 0

    def since(self, start: int) -> int:
        """Seconds from the first window to one that began at ``start``."""
        self.first = self.first or start
        return start - self.first

    def one_in(self, score: float) -> float:
        """Of how many windows one scores as high, this one counted; then remember it."""
        above = len(self._sorted) - bisect_left(self._sorted, score)
        rare = (len(self._sorted) + 1.0) / (above + 1.0)
        if len(self._line) == self._line.maxlen:
            del self._sorted[bisect_left(self._sorted, self._line[0])]
        self._line.append(score)
        insort(self._sorted, score)
        return rare

    def spend(self, start: int, most: int) -> bool:
        """Whether the day may tell one more; if so it has."""
        if start // _DAY != self._day:
            self._day, self._spent = start // _DAY, 0
        if self._spent >= most:
            self.dropped += 1
            return False
        self._spent += 1
        return True

    def kept(self) -> Watched:
        """What a snapshot keeps."""
        return Watched(list(self._line), self.first, self._day, self._spent, self.dropped)

    def recall(self, kept: Watched) -> None:
        """Take up what a snapshot kept."""
        self._line.extend(kept.scores)
        self._sorted = sorted(self._line)
        self.first, self._day, self._spent, self.dropped = kept.first, kept.day, kept.spent, kept.dropped
