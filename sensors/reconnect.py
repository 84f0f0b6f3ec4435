"""Where to connect next and after what wait: several addresses of one center, waits by lot; no sockets.

Every address is tried before anything is waited for, the one that worked last before the others. The wait is
drawn between nothing and a limit that doubles (full jitter), so that thousands of sensors that lost one
center do not come back in one moment.
"""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

BACKOFF_SECONDS_MIN: Final = 1.0
BACKOFF_SECONDS_MAX: Final = 30.0

A = TypeVar("A")


class Reconnect(Generic[A]):
    """``next``, then one of ``worked``, ``failed``, ``refused``, then ``wait_seconds``."""

    def __init__(self, addresses: Sequence[A], draw: Callable[[float, float], float]) -> None:
        """``draw(low, high)`` is a number between the two, as ``random.Random.uniform`` gives it."""
        self._addresses: Final = list(addresses)
        self._draw: Final = draw
        self._at = 0
        self._untried = len(self._addresses)
        self._limit = BACKOFF_SECONDS_MIN

    def next(self) -> A:
        """The address to try now."""
        return self._addresses[self._at]

    def worked(self) -> None:
        """The connection carried something before it ended: begin again with this address."""
        self._limit = BACKOFF_SECONDS_MIN
        self._untried = 0  # but wait first: the center may have lost all its sensors with this one

    def failed(self) -> None:
        """No connection, or one that carried nothing."""
        self._at = (self._at + 1) % len(self._addresses)
        self._untried -= 1

    def refused(self) -> None:
        """The center itself says no: its other addresses will say the same."""
        self._at = (self._at + 1) % len(self._addresses)
        self._untried = 0
        self._limit = BACKOFF_SECONDS_MAX

    def wait_seconds(self) -> float:
        """How long to wait before the next attempt; 0 while addresses of this round are left."""
        if self._untried > 0:
            return 0.0
        self._untried = len(self._addresses)
        limit, self._limit = self._limit, min(self._limit * 2, BACKOFF_SECONDS_MAX)
        return self._draw(0.0, limit)
