"""What each entity's own minute looks like, beside the model that all of its kind share.

The model says how rare a window is; this says against what: the entity's own usual range of every count,
and when it last showed the count at all.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from detection.anomaly.baseline import Baseline, BaselineParameters
from detection.anomaly.encoding import Array
from detection.calendar import Calendar

Span = tuple[float, float]


class Own(NamedTuple):
    """Of one count of one entity before this window; None where too little is known."""

    usual: Span | None
    last: datetime | None


class OwnMemory(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a snapshot keeps."""

    baseline: bytes = b""
    last: dict[str, list[int]] = {}


class OwnRanges:
    """The entities of one kind. ``features`` are the counts of a window, in order."""

    def __init__(self, features: Sequence[str], parameters: BaselineParameters, calendar: Calendar) -> None:
        self._baseline = Baseline(features, parameters)
        self._parameters = parameters
        self._calendar = calendar
        self._last: dict[str, list[int]] = {}  # by entity, epoch seconds of each count's last window; 0 never

    def before(self, key: str, start: int, wanted: Sequence[str]) -> list[Own]:
        """What was known of an entity's counts when its window began."""
        last, place = self._last.get(key), self._baseline.find(key)
        if last is None or place is None:
            return [Own(None, None)] * len(wanted)
        features = self._baseline.features
        known = self._baseline.windows_of(place) >= self._parameters.own_windows
        low, high, _, _ = self._baseline.usual(place, self._slot(start))
        found: list[Own] = []
        for name in wanted:
            at = features.index(name)
            usual = (round(float(low[at]), 1), round(float(high[at]), 1)) if known else None
            found.append(Own(usual, datetime.fromtimestamp(last[at], UTC) if last[at] else None))
        return found

    def learn(self, start: int, keys: Sequence[str], peers: Sequence[str], rows: Array) -> None:
        """Take in windows of different entities that began together; ``peers`` are their peer groups."""
        places = self._baseline.places(keys, peers)
        self._baseline.observe(start, self._slot(start), places, rows)
        for key, row in zip(keys, rows.tolist(), strict=True):
            last = self._last.pop(key, None) or [0] * len(row)  # put at the end: the oldest goes first
            self._last[key] = [start if value else before for value, before in zip(row, last, strict=True)]
        while len(self._last) > self._parameters.entities_max:
            del self._last[next(iter(self._last))]

    def memory(self) -> OwnMemory:
        """Everything, for a snapshot."""
        return OwnMemory(baseline=self._baseline.to_bytes(), last=self._last)

    def recall(self, memory: OwnMemory) -> bool:
        """Take up what ``memory`` gave; of another shape it is left aside (False) and learned anew."""
        width = len(self._baseline.features)
        fits = all(len(row) == width for row in memory.last.values())
        if not fits or not self._baseline.from_bytes(memory.baseline):
            return False
        self._last = dict(memory.last)
        return True

    def _slot(self, start: int) -> int:
        return self._calendar.slot(datetime.fromtimestamp(start, UTC))
