"""State per key, bounded in keys and weight; the key touched longest ago goes first, and is counted."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

S = TypeVar("S")


class Remembered(Generic[S]):
    """What a detector remembers of each source, user or host."""

    __slots__ = ("_items", "_keys_max", "_make", "_weight", "_weight_max", "_weights", "evicted")

    def __init__(self, make: Callable[[], S], *, keys_max: int, weight_max: int) -> None:
        self._make = make
        self._keys_max = keys_max
        self._weight_max = weight_max
        self._items: OrderedDict[str, S] = OrderedDict()
        self._weights: dict[str, int] = {}
        self._weight = 0
        self.evicted = 0  # keys forgotten before their time: shown, never silent

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def values(self) -> Iterator[S]:
        """The states, those touched longest ago first."""
        return iter(self._items.values())

    def items(self) -> Iterator[tuple[str, S]]:
        """Keys and states in the same order."""
        return iter(self._items.items())

    @property
    def weight(self) -> int:
        """Sum of the weights of all keys."""
        return self._weight

    def touch(self, key: str) -> S:
        """The state of the key, made if it is new, and now the last to be forgotten."""
        state = self._items.get(key)
        if state is None:
            state = self._items[key] = self._make()
            self._weights[key] = 0
            if len(self._items) > self._keys_max:
                self._evict()
        else:
            self._items.move_to_end(key)
        return state

    def put(self, key: str, state: S, weight: int) -> None:
        """Take up a state made elsewhere."""
        self.touch(key)
        if key in self._items:
            self._items[key] = state
            self.weigh(key, weight)

    def weigh(self, key: str, weight: int) -> None:
        """Say how much the key weighs now; the oldest others go where the sum is too much."""
        self._weight += weight - self._weights[key]
        self._weights[key] = weight
        while self._weight > self._weight_max and len(self._items) > 1:
            self._evict()

    def _evict(self) -> None:
        key, _ = self._items.popitem(last=False)
        self._weight -= self._weights.pop(key)
        self.evicted += 1
