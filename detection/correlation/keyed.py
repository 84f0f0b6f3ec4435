"""State per key of one correlation, bounded and weighed; the keys touched longest ago go first.

A key with few events is their marks in one string of bytes (or the only mark with its value, where one is
counted): most keys of a wide correlation never see enough events to be looked at.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

import msgspec

from detection.correlation.mark import MARK_BYTES, micros_in
from detection.correlation.tally import Distinct, Ordered, Rarest, Tally, Together

KEY_BYTES: Final = 130  # of a key, beside its text: its place in the table and its own object
MARK_WEIGHT: Final = 72  # of a mark in a list
SERIES_BYTES: Final = 420  # of lists and window, once there is a second event
VALUE_BYTES: Final = 60  # of a counted value, beside its text
WINDOW_MARKS: Final = 20  # of the window told with a finding
VALUES_TOLD: Final = 5
EVICTED_AT_ONCE: Final = 16  # the share of the keys that goes when room is needed is 1/16


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A key that satisfied its correlation: when, which of its spans, and what led to it."""

    key: str
    occasion: int  # number of the span (or start of the window): one alert per key and occasion
    anchor: bytes  # mark of the event that completed it
    marks: tuple[bytes, ...]  # the last of the window, the anchor last
    whats: tuple[Any, ...]  # places of rules, where the correlation is about them
    number: float
    values: tuple[str, ...] = ()  # some of the counted values


class Series:
    """The events of one key in order, and the window that ends with the newest."""

    __slots__ = (
        "dirty",
        "left",
        "marks",
        "opened",
        "raised",
        "tally",
        "touched",
        "trim_at",
        "weight",
        "whats",
    )

    def __init__(self, tally: Tally | None) -> None:
        self.marks: list[bytes] = []
        self.whats: list[Any] = []
        self.left = 0  # where the window begins
        self.tally = tally
        self.raised: dict[int, bytes] = {}  # occasion -> anchor
        self.dirty: bytes | None = None  # the earliest mark that came out of order since the last sweep
        self.trim_at = 16
        self.weight = SERIES_BYTES
        self.touched = 0
        self.opened = 0  # start of the open window, where windows open and close

    def told(self, key: str, occasion: int, position: int, left: int, number: float) -> Finding:
        """The finding whose anchor stands at ``position``."""
        first = max(left, position + 1 - WINDOW_MARKS)
        values: tuple[str, ...] = ()
        if isinstance(self.tally, Distinct | Rarest):
            values = tuple(islice(dict.fromkeys(self.whats[left : position + 1]), VALUES_TOLD))
        return Finding(
            key=key,
            occasion=occasion,
            anchor=self.marks[position],
            marks=tuple(self.marks[first : position + 1]),
            whats=tuple(self.whats[first : position + 1])
            if isinstance(self.tally, Together | Ordered)
            else (),
            number=float(number),
            values=values,
        )


State = bytes | tuple[bytes, Any] | Series


class Keyed:
    """The keys of one correlation."""

    __slots__ = ("epoch", "evicted", "states", "trimmed", "weight")

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.weight = 0
        self.evicted = 0  # keys forgotten to make room: shown, never silent
        self.trimmed = 0  # events of one key forgotten because the key held too many
        self.epoch = 0  # keys move to the end of the table once in an epoch

    def weigh(self, key: str, state: State) -> int:
        """What a key weighs, roughly in bytes."""
        weight = KEY_BYTES + len(key)
        if isinstance(state, Series):
            return weight + state.weight
        if isinstance(state, tuple):
            return weight + MARK_WEIGHT + VALUE_BYTES + _length(state[1])
        return weight + MARK_WEIGHT + len(state) - MARK_BYTES

    def forget(self, keys: Iterable[str]) -> None:
        """Drop keys that can no longer matter."""
        for key in keys:
            self.weight -= self.weigh(key, self.states.pop(key))

    def evict(self) -> None:
        """Drop the keys touched longest ago, some at once."""
        share = max(1, len(self.states) // EVICTED_AT_ONCE)
        keys = list(islice(self.states, share))
        self.forget(keys)
        self.evicted += len(keys)

    def expire(self, before: int, busy: Callable[[Series], bool]) -> None:
        """Drop keys from the front of the table whose newest event lies before ``before``."""
        done: list[str] = []
        for key, state in self.states.items():
            series = state if type(state) is Series else None
            if series is not None and busy(series):
                break
            if micros_in(newest(state)) >= before:
                break
            done.append(key)
        self.forget(done)


def newest(state: State) -> bytes:
    """The newest mark of a key; b"" of a key without events."""
    if isinstance(state, Series):
        return state.marks[-1] if state.marks else b"\x80" + bytes(7)
    return state[0] if isinstance(state, tuple) else state[-MARK_BYTES:]


def unpacked(marks: bytes) -> list[bytes]:
    """The marks of a key that holds few."""
    return [marks[start : start + MARK_BYTES] for start in range(0, len(marks), MARK_BYTES)]


def value_weight(what: Any) -> int:
    """What a counted value adds to its key."""
    return VALUE_BYTES + len(what) if type(what) is str else 0


def _length(what: Any) -> int:
    return len(what) if type(what) is str else 0
