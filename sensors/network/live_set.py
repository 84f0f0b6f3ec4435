"""How many conversations over UDP may be half-read at a time: the oldest lets go of what it holds."""

from collections import deque
from typing import Protocol


class Holder(Protocol):
    """What holds memory until it is released."""

    def release(self) -> None:
        """Let go of everything; further packets are not read."""
        ...


class LiveSet:
    """Remembers holders in the order they came, ``holders_max`` of them; safe to share between threads."""

    def __init__(self, holders_max: int) -> None:
        self._max = holders_max
        self._holders: deque[Holder] = deque()

    def add(self, holder: Holder) -> None:
        """Take one in; the oldest is released where there are too many."""
        self._holders.append(holder)
        if len(self._holders) > self._max:
            try:
                self._holders.popleft().release()
            except IndexError:  # another thread was quicker
                pass

    def __len__(self) -> int:
        return len(self._holders)
