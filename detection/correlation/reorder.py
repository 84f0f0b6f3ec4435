"""Events held until the watermark has passed them, then handed on in order of event time."""

import heapq
from typing import Any, Final

from detection.correlation.closing import Closing
from detection.correlation.keyed import Finding, Keyed
from detection.correlation.trailing import Trailing

Waiting = tuple[bytes, int, str, Any]
PENDING_MAX: Final = 500_000  # events waiting in one correlation
_PENDING_BYTES: Final = 340


class Reordered:
    """A machine behind a buffer: nothing reaches it out of order, what comes too late is counted."""

    def __init__(self, machine: Trailing | Closing) -> None:
        self.machine = machine
        self.waiting: list[Waiting] = []
        self.reached = -(1 << 62)  # the watermark handed on so far
        self.late = 0
        self.dropped = 0
        self.hurried = 0  # events handed on before their time to make room
        self._marks: set[bytes] = set()

    @property
    def keyed(self) -> Keyed:
        """The keys of the machine."""
        return self.machine.keyed

    @property
    def found(self) -> list[Finding]:
        """What the machine found."""
        return self.machine.found

    @property
    def pending_weight(self) -> int:
        """What waits, roughly in bytes."""
        return len(self.waiting) * _PENDING_BYTES

    def take(self, mark: bytes, micros: int, key: str, what: Any) -> None:
        """Hold an event; twice the same is once."""
        if micros < self.reached:
            self.late += 1
            return
        if mark in self._marks:
            return
        if len(self.waiting) >= PENDING_MAX:
            self.dropped += 1
            return
        self._marks.add(mark)
        heapq.heappush(self.waiting, (mark, micros, key, what))

    def advance(self, watermark: int) -> None:
        """Hand on what lies before the watermark, and judge the windows it has passed."""
        if watermark <= self.reached:
            return
        waiting = self.waiting
        while waiting and waiting[0][1] < watermark:
            mark, micros, key, what = heapq.heappop(waiting)
            self._marks.discard(mark)
            self.machine.take(mark, micros, key, what)
        if isinstance(self.machine, Closing):
            self.machine.close(watermark)
        self.reached = watermark

    def hurry(self) -> None:
        """Hand on the older half of what waits: what should come before it is late now."""
        times = sorted(one[1] for one in self.waiting)
        self.hurried += len(times)
        self.advance(times[len(times) // 2] + 1)
        self.hurried -= len(self.waiting)

    def flush(self) -> None:
        """Nothing comes out of order here."""
        self.machine.flush()

    def expire(self, before: int) -> None:
        """Forget keys that nothing in time can add to."""
        self.machine.expire(before)

    def hold(self, waiting: list[Waiting], reached: int) -> None:
        """Take up what waited."""
        self.waiting = list(waiting)  # sorted is a heap
        self._marks = {one[0] for one in waiting}
        self.reached = reached
