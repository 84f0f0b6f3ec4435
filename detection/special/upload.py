"""Data leaving: one inside source sends far more outwards than it takes, and more than it ever did.

Bytes are summed per hour, by source and destination, and by source alone for what is spread.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.networks import Inside
from detection.special.reading import number, shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_HOUR: Final = 3_600
_ALL: Final = "*"  # stands for every destination of a source


class UploadParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``upload`` of rules/anomaly/special.toml."""

    hour_bytes: int
    day_bytes: int
    ratio: float
    times_usual: float
    usual_hours: int
    history_hours: int
    common_sources: int
    repeat_seconds: int
    pairs_max: int
    alert: Saying
    spread: Saying


class Sent(msgspec.Struct):
    """Bytes sent and received by hour since 1970, the newest last."""

    out: dict[int, int] = {}
    back: dict[int, int] = {}


class Memory(msgspec.Struct):
    """What outlives the process."""

    pairs: dict[str, Sent]
    common: dict[str, set[str]]
    told: dict[str, float]


class UploadDetector:
    """Claims an upload by hour or by day, against what the pair sent before."""

    name = "upload"
    datasets: frozenset[str] | None = frozenset({"net.flow"})

    def __init__(self, parameters: UploadParameters, inside: Inside) -> None:
        self._parameters = parameters
        self._inside = inside
        self._told = Told(parameters.repeat_seconds, parameters.pairs_max)
        self._empty()

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per source and destination, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Bytes by pair and hour."""
        return Memory(dict(self._pairs.items()), dict(self._common.items()), dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process counted."""
        self._empty()
        for key, sent in memory.pairs.items():
            self._pairs.put(key, sent, 1 + len(sent.out))
        for key, sources in memory.common.items():
            self._common.put(key, sources, len(sources))
        self._told.recall(memory.told)

    def _empty(self) -> None:
        pairs_max = self._parameters.pairs_max
        self._pairs: Remembered[Sent] = Remembered(Sent, keys_max=pairs_max, weight_max=pairs_max * 24)
        self._common: Remembered[set[str]] = Remembered(set, keys_max=pairs_max, weight_max=pairs_max * 4)

    def _take(self, event: Event) -> list[Alert]:
        if event.fields.get("event.action") not in ("flow-update", "flow-end"):
            return []
        source, destination = text(event, "source.ip"), text(event, "destination.ip")
        if not self._inside.own(source) or not self._inside.outside(destination):
            return []
        counted = "gov.flow.new_source_bytes" in event.fields  # else the counts run from the flow's begin
        if event.fields["event.action"] == "flow-update" and not counted:
            return []
        out = number(event, "gov.flow.new_source_bytes" if counted else "source.bytes")
        back = number(event, "gov.flow.new_destination_bytes" if counted else "destination.bytes")
        hour = int(event.time.timestamp()) // _HOUR
        for name in (destination, _ALL):
            key = f"{event.unit}\0{source}\0{name}"
            sent = self._pairs.touch(key)
            _add(sent.out, hour, int(out), self._parameters.history_hours)
            _add(sent.back, hour, int(back), self._parameters.history_hours)
            self._pairs.weigh(key, 1 + len(sent.out))
            if alert := self._claim(event, key, source, name, sent, hour):
                return [alert]
        return []

    def _claim(self, event: Event, key: str, source: str, name: str, sent: Sent, hour: int) -> Alert | None:
        parameters = self._parameters
        for width, least in ((1, parameters.hour_bytes), (24, parameters.day_bytes)):
            out = sum(sent.out.get(one, 0) for one in range(hour - width + 1, hour + 1))
            back = sum(sent.back.get(one, 0) for one in range(hour - width + 1, hour + 1))
            if out < least or out < parameters.ratio * back:
                continue
            before = [value for one, value in sent.out.items() if one <= hour - width]
            if name == _ALL and len(before) < parameters.usual_hours:
                continue  # nothing to compare with
            usual = width * median(before) if len(before) >= parameters.usual_hours else 0.0
            most = width * max(before, default=0) if usual else 0.0
            if out < max(parameters.times_usual * usual, most):
                continue
            if name != _ALL and self._is_common(event, source, name):
                continue
            if not self._told.due(key, event.time.timestamp()):
                return None
            return self._alert(event, source, name, width, out, back, usual)
        return None

    def _is_common(self, event: Event, source: str, destination: str) -> bool:
        """Whether enough other sources send as much there: a service of the site, say its backup."""
        sources = self._common.touch(f"{event.unit}\0{destination}")
        if len(sources) <= self._parameters.common_sources:
            sources.add(source)
        return len(sources) > self._parameters.common_sources

    def _alert(
        self, event: Event, source: str, name: str, hours: int, out: int, back: int, usual: float
    ) -> Alert:
        saying = self._parameters.spread if name == _ALL else self._parameters.alert
        return saying.alert(
            "special",
            entity=f"source:{source}",
            numbers={
                "source": source,
                "destination": name,
                "hours": hours,
                "megabytes": f"{out / 1e6:,.0f}",
                "back": f"{back / 1e6:,.0f}",
                "usual": f"{usual / 1e6:,.1f}",
            },
            events=(event,),
            matched=shown(
                event, ("source.ip", "destination.ip", "destination.port", "source.bytes"), "upload"
            ),
        )


def _add(table: dict[int, int], hour: int, value: int, hours_max: int) -> None:
    table[hour] = table.get(hour, 0) + value
    if len(table) > hours_max:
        del table[min(table)]
