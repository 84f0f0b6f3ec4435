"""DNS tunnels: one source asks for ever new names below one registered name, and the names look like data.

Full-rate tunnels are seen in the short window, throttled ones in the long windows. What many sources do
below a name (content networks, reputation look-ups) is that name's service, not a tunnel.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.name_model import NameModel
from detection.special.names import is_reverse, parted
from detection.special.reading import shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_JUDGED: Final = 24  # newest names whose look is judged
_JUDGED_EVERY: Final = 3  # new names
_SEEN_MAX: Final = 4_095


class TunnelWindow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A window: so many new names in it, so long on average, are too many."""

    seconds: int
    names: int
    chars: int


class DnsTunnelParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``dns_tunnel`` of rules/anomaly/special.toml."""

    windows: tuple[TunnelWindow, ...]
    new_share: float
    look: float
    common_sources: int
    never: tuple[str, ...]
    repeat_seconds: int
    keys_max: int
    names_max: int
    weight_max: int
    alert: Saying


class Below(msgspec.Struct):
    """Names of one source below one registered name: new ones with time and length, hashes of those known."""

    fresh: list[float] = []
    chars: list[int] = []
    newest: list[str] = []
    asked: list[float] = []
    seen: dict[str, None] = {}


class Memory(msgspec.Struct):
    """What outlives the process."""

    below: dict[str, Below]
    common: dict[str, set[str]]
    told: dict[str, float]


class DnsTunnelDetector:
    """Claims a tunnel where a window holds enough new names that look like data."""

    name = "dns_tunnel"
    datasets: frozenset[str] | None = frozenset({"net.dns"})

    def __init__(self, parameters: DnsTunnelParameters, model: NameModel) -> None:
        self._parameters = parameters
        self._model = model
        self._told = Told(parameters.repeat_seconds, parameters.keys_max)
        self._empty()

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per source and registered name, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Names of sources below registered names, and who asks there."""
        busy = {key: below for key, below in self._below.items() if len(below.fresh) > 2}
        return Memory(below=busy, common=dict(self._common.items()), told=dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process saw."""
        self._empty()
        for key, below in memory.below.items():
            self._below.put(key, below, _weight(below))
        for key, sources in memory.common.items():
            self._common.put(key, sources, len(sources))
        self._told.recall(memory.told)

    def _empty(self) -> None:
        keys_max = self._parameters.keys_max
        self._below: Remembered[Below] = Remembered(
            Below, keys_max=keys_max, weight_max=self._parameters.weight_max
        )
        self._common: Remembered[set[str]] = Remembered(set, keys_max=keys_max, weight_max=keys_max * 4)

    def _take(self, event: Event) -> list[Alert]:
        if text(event, "dns.type") != "query" or text(event, "network.protocol") in ("mdns", "llmnr"):
            return []
        name, source = text(event, "dns.question.name").lower(), text(event, "source.ip")
        if not source or is_reverse(name) or name.endswith(self._parameters.never):
            return []
        before, registered = parted(name)
        if not before:
            return []
        key, time = f"{event.unit}\0{source}\0{registered}", event.time.timestamp()
        below = self._below.touch(key)
        _newest(below.asked, time, self._parameters.names_max)
        if before in below.seen:
            return []
        below.seen[before] = None
        if len(below.seen) > _SEEN_MAX:
            for old in list(below.seen)[: _SEEN_MAX // 4]:
                del below.seen[old]
        _newest(below.fresh, time, self._parameters.names_max)
        _newest(below.chars, len(before) - before.count("."), self._parameters.names_max)
        _newest(below.newest, max(before.split("."), key=len)[:63], _JUDGED)
        self._below.weigh(key, _weight(below))
        return self._claim(event, key, source, registered, below, time)

    def _claim(
        self, event: Event, key: str, source: str, registered: str, below: Below, time: float
    ) -> list[Alert]:
        parameters = self._parameters
        few = len(below.fresh) < min(window.names for window in parameters.windows)
        if few or len(below.seen) % _JUDGED_EVERY or self._told.quiet(key, time):
            return []
        for window in parameters.windows:
            first = bisect_left(below.fresh, time - window.seconds)
            count = len(below.fresh) - first
            if count < window.names:
                continue
            carried = sum(below.chars[first:])
            asked = len(below.asked) - bisect_left(below.asked, time - window.seconds)
            if carried < window.chars * count or count < parameters.new_share * asked:
                continue
            looks = self._model.scores([f"{label}.com" for label in below.newest])
            if sum(looks) < parameters.look * len(looks) or self._is_common(event, source, registered):
                return []
            if not self._told.due(key, time):
                return []
            return [self._alert(event, source, registered, window, count, carried)]
        return []

    def _is_common(self, event: Event, source: str, registered: str) -> bool:
        """Whether enough other sources do the same below this name."""
        sources = self._common.touch(f"{event.unit}\0{registered}")
        if len(sources) <= self._parameters.common_sources:
            sources.add(source)
        return len(sources) > self._parameters.common_sources

    def _alert(
        self, event: Event, source: str, registered: str, window: TunnelWindow, count: int, carried: int
    ) -> Alert:
        return self._parameters.alert.alert(
            "special",
            entity=f"source:{source}",
            numbers={
                "source": source,
                "domain": registered,
                "names": count,
                "minutes": max(1, window.seconds // 60),
                "chars": carried // count,
                "bytes": carried * 5 // 8,
                "example": text(event, "dns.question.name")[:80],
            },
            events=(event,),
            matched=shown(event, ("source.ip", "dns.question.name", "dns.question.type"), "tunnel"),
        )


def _newest(values: list[Any], value: object, size_max: int) -> None:
    """Append, and drop the older half where there are too many; cheaper than one at a time."""
    values.append(value)
    if len(values) > 2 * size_max:
        del values[:size_max]


def _weight(below: Below) -> int:
    return 1 + len(below.fresh) + len(below.seen) + len(below.asked) // 4
