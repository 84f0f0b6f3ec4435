"""Sweeps of neighbours: one source asks by ARP, neighbour discovery or ping for many addresses at once."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.reading import shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_ECHO: Final = frozenset({("ipv4", "8"), ("ipv6", "128")})
_SOLICITATION: Final = "135"


class SweepParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``sweep`` of rules/anomaly/special.toml."""

    window_seconds: float
    addresses: int
    exempt: frozenset[str]
    repeat_seconds: int
    sources_max: int
    addresses_max: int
    alert: Saying


class Asked(msgspec.Struct):
    """Addresses asked for, with the time of the last question, the newest last."""

    times: dict[str, float] = {}


class Memory(msgspec.Struct):
    """What outlives the process."""

    told: dict[str, float]


class SweepDetector:
    """Claims a sweep where a window holds enough distinct addresses."""

    name = "sweep"
    datasets: frozenset[str] | None = frozenset({"net.arp", "net.icmp"})

    def __init__(self, parameters: SweepParameters) -> None:
        self._parameters = parameters
        self._told = Told(parameters.repeat_seconds, parameters.sources_max)
        self._sources: Remembered[Asked] = Remembered(
            Asked, keys_max=parameters.sources_max, weight_max=parameters.addresses_max
        )

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per source and way of asking, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """What was told; the window is rebuilt by the replay after a start."""
        return Memory(dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process told."""
        self._told.recall(memory.told)

    def _take(self, event: Event) -> list[Alert]:
        way, target = _question(event)
        source = text(event, "source.ip")
        if not target or not source or source == target or source in self._parameters.exempt:
            return []
        parameters, time = self._parameters, event.time.timestamp()
        key = f"{event.unit}\0{source}\0{way}"
        times = self._sources.touch(key).times
        times.pop(target, None)
        times[target] = time
        for old in list(times)[:2]:  # the oldest first, a few at a time
            if abs(time - times[old]) > parameters.window_seconds:
                del times[old]
        if len(times) > 4 * parameters.addresses:
            del times[next(iter(times))]
        self._sources.weigh(key, 1 + len(times))
        if len(times) < parameters.addresses:
            return []
        recent = sum(abs(time - seen) <= parameters.window_seconds for seen in times.values())
        if recent < parameters.addresses or not self._told.due(key, time):
            return []
        return [
            parameters.alert.alert(
                "special",
                entity=f"source:{source}",
                numbers={
                    "source": source,
                    "way": way,
                    "addresses": recent,
                    "seconds": int(parameters.window_seconds),
                },
                events=(event,),
                matched=shown(event, ("source.ip", "destination.ip", "nd.target", "arp.opcode"), "sweep"),
            )
        ]


def _question(event: Event) -> tuple[str, str]:
    """How the event asks, and for which address; ('', '') where it asks nothing."""
    if event.fields["event.dataset"] == "net.arp":
        asks = text(event, "arp.opcode") == "request" and event.fields.get("gov.arp.gratuitous") is not True
        return ("ARP", text(event, "destination.ip")) if asks else ("", "")
    kind, family = text(event, "icmp.type"), text(event, "network.type")
    if (family, kind) in _ECHO:
        return "ping", text(event, "destination.ip")
    return ("NDP", text(event, "nd.target")) if (family, kind) == ("ipv6", _SOLICITATION) else ("", "")
