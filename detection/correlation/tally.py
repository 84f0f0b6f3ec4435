"""What a window of one key amounts to, kept while events enter and leave it: counts, sums, ranks, order.

Numbers are exact (fractions where floats occur), so the order in which events come and go leaves no trace.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Sequence
from fractions import Fraction
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, Protocol

from detection.correlation.rule import Alternative, Correlation, Limit

Number = int | float | Fraction
_COMPARE: Final = {"gt": gt, "gte": ge, "lt": lt, "lte": le, "eq": eq, "neq": ne}


class Tally(Protocol):
    """The state of one window; ``what`` is the counted value or the place of the rule that matched."""

    def add(self, mark: bytes, what: Any) -> None:
        """An event enters; marks only grow."""
        ...

    def drop(self, what: Any) -> None:
        """The oldest event leaves."""
        ...

    def number(self) -> Number:
        """What the limits are compared with, and what the alert tells."""
        ...

    def holds(self, cut: bytes) -> bool:
        """Whether the condition holds of the events not before ``cut``."""
        ...


def within(limits: Sequence[Limit], number: Number) -> bool:
    """Whether all limits hold of the number."""
    return all(_COMPARE[limit.comparison](number, limit.value) for limit in limits)


def tally_for(rule: Correlation) -> "Tally":
    """An empty window of a correlation."""
    if rule.kind == "temporal_ordered":
        return Ordered(rule.alternatives)
    if rule.kind == "temporal":
        return Together(rule.limits, rule.alternatives, len(rule.rules))
    if rule.kind == "value_percentile" and rule.percentile is None:
        return Rarest(rule.limits)
    if rule.kind in ("value_percentile", "value_median"):
        return Rank(rule.limits, 50.0 if rule.percentile is None else rule.percentile)
    if rule.kind in ("value_sum", "value_avg"):
        return Total(rule.limits, averaged=rule.kind == "value_avg")
    return Distinct(rule.limits) if rule.kind == "value_count" else Count(rule.limits)


def least_of(limits: Sequence[Limit]) -> int:
    """The smallest count that satisfies limits of gt and gte."""
    return max(
        math.floor(limit.value) + 1 if limit.comparison == "gt" else math.ceil(limit.value)
        for limit in limits
    )


class Count:
    """How many events."""

    __slots__ = ("_events", "_limits")

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = limits
        self._events = 0

    def add(self, mark: bytes, what: Any) -> None:
        """One more."""
        del mark, what
        self._events += 1

    def drop(self, what: Any) -> None:
        """One less."""
        del what
        self._events -= 1

    def number(self) -> int:
        """The events."""
        return self._events

    def holds(self, cut: bytes) -> bool:
        """Whether there are as many as the limits say."""
        del cut
        return self._events > 0 and within(self._limits, self._events)


class Distinct:
    """How many different values: each is held as often as it stands in the window, so none is recounted."""

    __slots__ = ("_least", "_limits", "values")

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = limits
        rising = all(limit.comparison in ("gt", "gte") for limit in limits)
        self._least = least_of(limits) if rising else None
        self.values: dict[str, int] = {}

    def add(self, mark: bytes, what: str) -> None:
        """A value enters."""
        del mark
        values = self.values
        values[what] = values.get(what, 0) + 1

    def drop(self, what: str) -> None:
        """A value leaves; its last copy takes it along."""
        values = self.values
        left = values[what] - 1
        if left:
            values[what] = left
        else:
            del values[what]

    def number(self) -> int:
        """The different values."""
        return len(self.values)

    def holds(self, cut: bytes) -> bool:
        """Whether there are as many as the limits say."""
        del cut
        if self._least is not None:
            return len(self.values) >= self._least
        return bool(self.values) and within(self._limits, len(self.values))


class Together:
    """Which of the rules matched, in any order."""

    __slots__ = ("_alternatives", "_counts", "_limits", "_seen")

    def __init__(self, limits: Sequence[Limit], alternatives: Sequence[Alternative], rules: int) -> None:
        self._limits = limits
        self._alternatives = alternatives
        self._counts = [0] * rules
        self._seen = 0

    def add(self, mark: bytes, what: int) -> None:
        """The rule at place ``what`` matched."""
        del mark
        self._counts[what] += 1
        self._seen += self._counts[what] == 1

    def drop(self, what: int) -> None:
        """Its oldest match leaves."""
        self._counts[what] -= 1
        self._seen -= not self._counts[what]

    def number(self) -> int:
        """How many of the rules were seen."""
        return self._seen

    def holds(self, cut: bytes) -> bool:
        """Whether the rules seen are those, or as many, as the condition says."""
        del cut
        if not self._alternatives:
            return self._seen > 0 and within(self._limits, self._seen)
        counts = self._counts
        return any(
            all(counts[place] for place in way.required) and not any(counts[place] for place in way.forbidden)
            for way in self._alternatives
        )


class Ordered:
    """Whether the rules matched in order: for every step, the latest start of a chain that reached it.

    One event never makes two steps: what it leads to is kept back until the next event.
    """

    __slots__ = ("_alternatives", "_counts", "_event", "_kept_back", "_starts")

    def __init__(self, alternatives: Sequence[Alternative]) -> None:
        self._alternatives = alternatives
        self._starts: list[list[bytes]] = [[b""] * len(way.required) for way in alternatives]
        self._counts: dict[int, int] = {}
        self._event = b""
        self._kept_back: list[tuple[list[bytes], int, bytes]] = []

    def add(self, mark: bytes, what: int) -> None:
        """The rule at place ``what`` matched."""
        event = mark[:-1]
        if event != self._event:
            self._settle()
            self._event = event
        self._counts[what] = self._counts.get(what, 0) + 1
        for way, starts in zip(self._alternatives, self._starts, strict=True):
            if what in way.required:
                step = way.required.index(what)
                start = starts[step - 1] if step else mark
                if start:
                    self._kept_back.append((starts, step, start))

    def drop(self, what: int) -> None:
        """Chains that started with what leaves are told by their start."""
        self._counts[what] -= 1

    def number(self) -> int:
        """How many steps were seen."""
        return sum(1 for count in self._counts.values() if count)

    def holds(self, cut: bytes) -> bool:
        """Whether some chain that started in the window is whole."""
        counts = self._counts
        for way, starts in zip(self._alternatives, self._starts, strict=True):
            latest = starts[-1]
            for changed, step, start in self._kept_back:
                if changed is starts and step == len(starts) - 1 and start > latest:
                    latest = start
            if latest and latest >= cut and not any(counts.get(place) for place in way.forbidden):
                return True
        return False

    def _settle(self) -> None:
        for starts, step, start in self._kept_back:
            starts[step] = max(starts[step], start)
        self._kept_back.clear()


class Total:
    """The sum of the numbers, or their average."""

    __slots__ = ("_averaged", "_events", "_limits", "_sum")

    def __init__(self, limits: Sequence[Limit], *, averaged: bool) -> None:
        self._limits = limits
        self._averaged = averaged
        self._sum: int | Fraction = 0
        self._events = 0

    def add(self, mark: bytes, what: float) -> None:
        """A number enters."""
        del mark
        self._sum += what if isinstance(what, int) else Fraction(what)
        self._events += 1

    def drop(self, what: float) -> None:
        """A number leaves."""
        self._sum -= what if isinstance(what, int) else Fraction(what)
        self._events -= 1

    def number(self) -> Number:
        """The sum or the average; 0 of nothing."""
        return Fraction(self._sum, self._events) if self._averaged and self._events else self._sum

    def holds(self, cut: bytes) -> bool:
        """Whether it is as large as the limits say."""
        del cut
        return self._events > 0 and within(self._limits, self.number())


class Rank:
    """A percentile of the numbers, linear between the two nearest; the median is the fiftieth."""

    __slots__ = ("_limits", "_numbers", "_share")

    def __init__(self, limits: Sequence[Limit], percentile: float) -> None:
        self._limits = limits
        self._share = Fraction(percentile) / 100
        self._numbers: list[int | float] = []

    def add(self, mark: bytes, what: float) -> None:
        """A number enters."""
        del mark
        insort(self._numbers, what)

    def drop(self, what: float) -> None:
        """A number leaves."""
        del self._numbers[bisect_left(self._numbers, what)]

    def number(self) -> Number:
        """The percentile; 0 of nothing."""
        if not self._numbers:
            return 0
        place = self._share * (len(self._numbers) - 1)
        below = math.floor(place)
        low = Fraction(self._numbers[below])
        if place == below:
            return low
        return low + (Fraction(self._numbers[below + 1]) - low) * (place - below)

    def holds(self, cut: bytes) -> bool:
        """Whether it is as large as the limits say."""
        del cut
        return bool(self._numbers) and within(self._limits, self.number())


class Rarest:
    """The share of the rarest value among all, in percent (value_percentile without ``percentile``)."""

    __slots__ = ("_events", "_limits", "values")

    def __init__(self, limits: Sequence[Limit]) -> None:
        self._limits = limits
        self.values: dict[str, int] = {}
        self._events = 0

    def add(self, mark: bytes, what: str) -> None:
        """A value enters."""
        del mark
        self.values[what] = self.values.get(what, 0) + 1
        self._events += 1

    def drop(self, what: str) -> None:
        """A value leaves."""
        self._events -= 1
        self.values[what] -= 1
        if not self.values[what]:
            del self.values[what]

    def number(self) -> Number:
        """The share of the rarest value; 0 of nothing."""
        return Fraction(100 * min(self.values.values()), self._events) if self._events else 0

    def holds(self, cut: bytes) -> bool:
        """Whether it is as large as the limits say."""
        del cut
        return self._events > 0 and within(self._limits, self.number())
