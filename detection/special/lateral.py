"""Lateral movement: administration from one inside host to another that was never seen before.

Nothing is told while a unit is learned. Then several new targets of one source within an hour are told at
once, and the first target ever of a source that never administered anything, once a day.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.networks import Inside
from detection.special.reading import number, shown, text
from detection.special.told import Told
from sensors.event import Event

_DAY: Final = 86_400.0
_UNITS_MAX: Final = 10_000
_ANSWERED: Final = frozenset({"SF", "S1", "S2", "S3", "RSTO", "RSTR"})


class LateralParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``lateral`` of rules/anomaly/special.toml."""

    ports: frozenset[int]
    learning_days: float
    forget_days: float
    fan_out: int
    window_seconds: int
    answered_bytes: int
    repeat_seconds: int
    pairs_max: int
    fan: Saying
    first: Saying


class Memory(msgspec.Struct):
    """Pairs with the time last seen, number of targets by source, when each unit was first seen."""

    pairs: dict[str, float]
    targets: dict[str, int]
    begun: dict[str, float]
    recent: dict[str, list[tuple[float, str]]]
    told: dict[str, float]


class LateralDetector:
    """Claims movement where pairs of source, target and port are new."""

    name = "lateral"
    datasets: frozenset[str] | None = frozenset({"net.flow"})

    def __init__(self, parameters: LateralParameters, inside: Inside) -> None:
        self._parameters = parameters
        self._inside = inside
        self._told = Told(parameters.repeat_seconds, parameters.pairs_max)
        self._known = Memory({}, {}, {}, {}, {})

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert of each kind per source, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """All pairs."""
        return msgspec.structs.replace(self._known, told=dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up the pairs an earlier process learned."""
        self._known = memory
        self._told.recall(memory.told)

    def _take(self, event: Event) -> list[Alert]:
        port = int(number(event, "destination.port"))
        if port not in self._parameters.ports or event.fields.get("event.action") == "flow-update":
            return []
        source, target = text(event, "source.ip"), text(event, "destination.ip")
        answered = text(event, "conn_state") in _ANSWERED and number(event, "destination.bytes") >= (
            self._parameters.answered_bytes
        )
        if source == target or not answered or not (self._inside.own(source) and self._inside.own(target)):
            return []
        known, time = self._known, event.time.timestamp()
        begun = known.begun[event.unit] = min(known.begun.get(event.unit, time), time)
        _bound(known.begun, _UNITS_MAX)
        key = f"{event.unit}\0{source}\0{target}\0{port}"
        seen = known.pairs.pop(key, None)
        known.pairs[key] = time
        _bound(known.pairs, self._parameters.pairs_max)
        if seen is not None and time - seen < self._parameters.forget_days * _DAY:
            return []
        who = f"{event.unit}\0{source}"
        before = known.targets.get(who, 0)
        known.targets[who] = before + 1
        _bound(known.targets, self._parameters.pairs_max)
        if time - begun < self._parameters.learning_days * _DAY:
            return []
        return self._claim(event, who, source, f"{target}:{port}", before, time)

    def _claim(
        self, event: Event, who: str, source: str, target: str, before: int, time: float
    ) -> list[Alert]:
        parameters = self._parameters
        recent = [
            one
            for one in self._known.recent.get(who, [])
            if abs(time - one[0]) <= parameters.window_seconds and one[1] != target
        ][-63:]
        recent.append((time, target))
        self._known.recent[who] = recent
        _bound(self._known.recent, parameters.pairs_max // 8)
        saying = parameters.fan if len(recent) >= parameters.fan_out else parameters.first
        if saying is parameters.first and before:
            return []  # an administrator's next host
        if not self._told.due(f"{who}\0{saying.rule}", time):
            return []
        return [
            saying.alert(
                "special",
                entity=f"source:{source}",
                numbers={
                    "source": source,
                    "targets": len(recent),
                    "list": [one for _, one in recent[-5:]],
                    "minutes": parameters.window_seconds // 60,
                    "days": f"{parameters.learning_days:.0f}",
                },
                events=(event,),
                matched=shown(event, ("source.ip", "destination.ip", "destination.port"), "lateral"),
            )
        ]


def _bound(table: dict[str, Any], size_max: int) -> None:
    if len(table) > size_max:
        del table[next(iter(table))]
