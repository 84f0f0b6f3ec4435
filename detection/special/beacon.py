"""Beacons: contacts of one source with one outside destination that come as if by a clock.

Score = (evenness of intervals, evenness of sizes, coverage) x confidence x prevalence x age x fingerprint.
The factors multiply: an even rhythm towards what everybody polls is an update service, not a beacon.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from math import ceil, log
from statistics import median
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.facts import time_of
from detection.parameters import Saying
from detection.special.networks import Inside
from detection.special.reading import number, shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_HOUR: Final = 3_600.0
_RARE: Final = 2  # a way to speak that is used towards no more destinations is rare
_SHOWN: Final = ("source.ip", "destination.ip", "destination.port", "url.domain", "user_agent.original")
_OTHER_DETECTORS: Final = frozenset({"http", "dns", "mdns", "llmnr", "ntp", "dhcp", "dhcp6"})


class BeaconParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``beacon`` of rules/anomaly/special.toml."""

    window_hours: int
    contacts: int
    minutes: int
    merged_seconds: float
    score: float
    known_days: int
    known_factor: float
    common_fingerprint_factor: float
    repeat_seconds: int
    pairs_max: int
    times_max: int
    numbers_max: int
    destinations_max: int
    sources_max: int
    alert: Saying


class Pair(msgspec.Struct):
    """Contacts of a source with a destination: their times (sorted) and sizes, and when looked at next."""

    times: list[float] = []
    sizes: list[float] = []
    first: float = 0.0
    look: int = 0
    fingerprint: str = ""


class Destination(msgspec.Struct):
    """Who contacts it, since when."""

    first: float = 0.0
    sources: set[str] = set()


class Memory(msgspec.Struct):
    """What outlives the process."""

    pairs: dict[str, Pair]
    destinations: dict[str, Destination]
    fingerprints: dict[str, set[str]]
    sources: dict[str, float]
    told: dict[str, float]


class BeaconDetector:
    """Claims a beacon when the score of a pair reaches ``score``."""

    name = "beacon"
    datasets: frozenset[str] | None = frozenset({"net.flow", "net.http", "net.tls"})

    def __init__(self, parameters: BeaconParameters, inside: Inside) -> None:
        self._parameters = parameters
        self._inside = inside
        self._told = Told(parameters.repeat_seconds, parameters.pairs_max)
        self._names: OrderedDict[str, tuple[str, str]] = OrderedDict()  # community id -> name, fingerprint
        self._empty()

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per pair when it becomes a beacon, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Everything but the names of connections that are open now."""
        return Memory(
            pairs=dict(self._pairs.items()),
            destinations=dict(self._destinations.items()),
            fingerprints=dict(self._fingerprints.items()),
            sources=dict(self._sources),
            told=dict(self._told.times),
        )

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned."""
        self._empty()
        for key, pair in memory.pairs.items():
            self._pairs.put(key, pair, len(pair.times))
        for name, destination in memory.destinations.items():
            self._destinations.put(name, destination, len(destination.sources))
        for fingerprint, names in memory.fingerprints.items():
            self._fingerprints.put(fingerprint, names, len(names))
        self._sources.update(memory.sources)
        self._told.recall(memory.told)

    def ranking(self, unit: str) -> list[tuple[float, str, str]]:
        """Score, source and destination of every pair with enough contacts, the best first."""
        found = []
        for key, pair in list(self._pairs.items()):
            where, source, name = key.split("\0", 2)
            if where == unit and len(pair.times) >= self._parameters.contacts:
                found.append((self._score(where, pair, name), source, name))
        return sorted(found, reverse=True)

    def _empty(self) -> None:
        parameters = self._parameters
        self._pairs: Remembered[Pair] = Remembered(
            Pair, keys_max=parameters.pairs_max, weight_max=parameters.numbers_max
        )
        self._destinations: Remembered[Destination] = Remembered(
            Destination, keys_max=parameters.destinations_max, weight_max=parameters.destinations_max * 8
        )
        self._fingerprints: Remembered[set[str]] = Remembered(
            set, keys_max=parameters.destinations_max, weight_max=parameters.destinations_max
        )
        self._sources: dict[str, float] = {}

    def _score(self, unit: str, pair: Pair, name: str) -> float:
        parameters = self._parameters
        gaps = sorted(later - earlier for earlier, later in zip(pair.times, pair.times[1:], strict=False))
        destination = self._destinations.touch(f"{unit}\0{name}")
        hours = min(1.0, (pair.times[-1] - pair.first) / (12 * _HOUR))
        even = _evenness(gaps)
        base = even**0.5 * (0.7 * even + 0.15 * (1.0 - _spread(sorted(pair.sizes))) + 0.15 * hours)
        confidence = len(gaps) / (len(gaps) + 1.0)
        everybody = max(4, len(self._sources))
        prevalence = 1.0 - min(1.0, log(max(1, len(destination.sources))) / log(everybody))
        known = pair.first - destination.first >= parameters.known_days * 24 * _HOUR
        common = not pair.fingerprint or len(self._fingerprints.touch(pair.fingerprint)) > _RARE
        score = base * confidence * prevalence
        score *= parameters.known_factor if known else 1.0
        return float(score * (parameters.common_fingerprint_factor if common else 1.0))

    def _take(self, event: Event) -> list[Alert]:
        contact = self._contact(event)
        if contact is None:
            return []
        source, name, time, size, fingerprint = contact
        key = f"{event.unit}\0{source}\0{name}"
        self._note(event.unit, source, name, time, fingerprint)
        pair = self._pairs.touch(key)
        if not self._add(pair, time, size):
            return []
        pair.fingerprint = fingerprint or pair.fingerprint
        self._pairs.weigh(key, 2 * len(pair.times))
        count = len(pair.times)
        if count < self._parameters.contacts or time - pair.first < self._parameters.minutes * 60:
            return []
        pair.look -= 1
        if pair.look > 0:
            return []
        pair.look = count // 5  # looked at anew when it has grown by a fifth
        score = self._score(event.unit, pair, name)
        if score < self._parameters.score or not self._told.due(key, time):
            return []
        return [self._alert(event, source, name, pair, score)]

    def _contact(self, event: Event) -> tuple[str, str, float, float, str] | None:
        """Source, destination, time, size and fingerprint of what counts as one contact."""
        source, address = text(event, "source.ip"), text(event, "destination.ip")
        if not source or not self._inside.outside(address):
            return None
        dataset, action = event.fields.get("event.dataset"), event.fields.get("event.action")
        if dataset == "net.http":
            if action != "request":
                return None
            size = len(text(event, "url.original")) + number(event, "http.request.body.bytes")
            name = text(event, "url.domain") or address
            return source, name, event.time.timestamp(), size, text(event, "user_agent.original")[:200]
        community = text(event, "network.community_id")
        if dataset == "net.tls":
            if action == "client-hello" and community:
                self._names[community] = (
                    text(event, "tls.client.server_name"),
                    text(event, "tls.client.ja4") or text(event, "tls.client.ja3"),
                )
                if len(self._names) > self._parameters.pairs_max:
                    self._names.popitem(last=False)
            return None
        if action != "flow-end" or text(event, "network.protocol") in _OTHER_DETECTORS:
            return None
        name, fingerprint = self._names.pop(community, ("", ""))
        begun = time_of(text(event, "event.start"))
        time = begun.timestamp() if begun else event.time.timestamp()
        port = int(number(event, "destination.port"))
        return source, name or f"{address}:{port}", time, number(event, "orig_bytes"), fingerprint

    def _note(self, unit: str, source: str, name: str, time: float, fingerprint: str) -> None:
        """Who is there at all, who contacts this destination, and who speaks like this."""
        self._sources[source] = time
        if len(self._sources) > self._parameters.sources_max:
            del self._sources[next(iter(self._sources))]
        destination = self._destinations.touch(f"{unit}\0{name}")
        destination.first = min(destination.first or time, time)
        if len(destination.sources) < self._parameters.sources_max:
            destination.sources.add(source)
        self._destinations.weigh(f"{unit}\0{name}", 1 + len(destination.sources))
        if fingerprint:
            names = self._fingerprints.touch(fingerprint)
            if len(names) <= _RARE:
                names.add(name)

    def _add(self, pair: Pair, time: float, size: float) -> bool:
        """Put the contact in its place; False where it belongs to the burst of its neighbour."""
        times = pair.times
        place = bisect_right(times, time)
        near = self._parameters.merged_seconds
        if (place and time - times[place - 1] < near) or (place < len(times) and times[place] - time < near):
            return False
        times.insert(place, time)
        pair.sizes.append(size)
        pair.first = min(pair.first or time, time)
        horizon = times[-1] - self._parameters.window_hours * _HOUR
        drop = max(bisect_right(times, horizon), len(times) - self._parameters.times_max)
        if drop > 0:
            del times[:drop], pair.sizes[:drop]
        return bool(times)

    def _alert(self, event: Event, source: str, name: str, pair: Pair, score: float) -> Alert:
        gaps = sorted(later - earlier for earlier, later in zip(pair.times, pair.times[1:], strict=False))
        destination = self._destinations.touch(f"{event.unit}\0{name}")
        return self._parameters.alert.alert(
            "special",
            entity=f"source:{source}",
            numbers={
                "source": source,
                "destination": name,
                "contacts": len(pair.times),
                "hours": f"{(pair.times[-1] - pair.times[0]) / _HOUR:.1f}",
                "period": f"{median(gaps):.0f}",
                "spread": f"{100 * _spread(gaps):.0f}",
                "sources": len(destination.sources),
                "score": f"{score:.2f}",
            },
            events=(event,),
            matched=shown(event, _SHOWN, "beacon"),
        )


def _spread(values: list[float]) -> float:
    """Median absolute deviation over the median, at most 1."""
    middle = median(values)
    return min(1.0, median([abs(value - middle) for value in values]) / max(middle, 1e-9)) if middle else 0.0


def _evenness(gaps: list[float]) -> float:
    """1 for a clock with up to half its period of jitter, 0 for visits of a person; ``gaps`` are sorted."""
    low, high = gaps[int(0.1 * (len(gaps) - 1))], gaps[ceil(0.9 * (len(gaps) - 1))]
    ratio = log(max(high, 1e-9) / max(low, 1e-9))
    narrow = 1.0 - min(1.0, max(0.0, _spread(gaps) - 0.25) / 0.5)
    return narrow * (1.0 - min(1.0, max(0.0, ratio - log(2.6)) / log(6.0)))
