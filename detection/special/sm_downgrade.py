"""A service that spoke the SM algorithms and now agrees on others: by its name, else its address and port."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.reading import number, shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_DAY: Final = 86_400.0


class SmDowngradeParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``sm_downgrade`` of rules/anomaly/special.toml."""

    connections: int
    share: float
    forget_days: float
    repeat_seconds: int
    services_max: int
    alert: Saying


class Spoken(msgspec.Struct):
    """Connections of a service by kind of algorithm, and the last with SM."""

    sm: int = 0
    other: int = 0
    last: float = 0.0


class Memory(msgspec.Struct):
    """What outlives the process."""

    services: dict[str, Spoken]
    told: dict[str, float]


class SmDowngradeDetector:
    """Claims a downgrade where a service known to speak SM agrees on something else."""

    name = "sm_downgrade"
    datasets: frozenset[str] | None = frozenset({"net.tls"})

    def __init__(self, parameters: SmDowngradeParameters) -> None:
        self._parameters = parameters
        self._told = Told(parameters.repeat_seconds, parameters.services_max)
        self._services: Remembered[Spoken] = self._none()

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per service, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Services that ever spoke SM."""
        speaking = {key: one for key, one in self._services.items() if one.sm}
        return Memory(speaking, dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process saw."""
        self._services = self._none()
        for key, spoken in memory.services.items():
            self._services.put(key, spoken, 1)
        self._told.recall(memory.told)

    def _none(self) -> Remembered[Spoken]:
        services_max = self._parameters.services_max
        return Remembered(Spoken, keys_max=services_max, weight_max=services_max)

    def _take(self, event: Event) -> list[Alert]:
        if event.fields.get("event.action") != "server-hello":
            return []
        sm, time = event.fields.get("gov.tls.sm"), event.time.timestamp()
        address = text(event, "destination.ip")
        service = text(event, "tls.client.server_name") or (
            f"{address}:{int(number(event, 'destination.port'))}"
        )
        if type(sm) is not bool or not address:
            return []
        key = f"{event.unit}\0{service}"
        if not sm and key not in self._services:
            return []
        parameters = self._parameters
        spoken = self._services.touch(key)
        if sm:
            spoken.sm += 1
            spoken.last = max(spoken.last, time)
            return []
        known = spoken.sm >= parameters.connections and time - spoken.last < parameters.forget_days * _DAY
        spoken.other += 1
        # a service that serves both kinds of clients all along is none that falls back
        mostly = spoken.sm >= parameters.share * (spoken.sm + spoken.other)
        if not known or not mostly or not self._told.due(key, time):
            return []
        return [
            parameters.alert.alert(
                "special",
                entity=f"source:{text(event, 'source.ip')}",
                numbers={"service": service, "sm": spoken.sm, "cipher": text(event, "tls.cipher") or "?"},
                events=(event,),
                matched=shown(event, ("tls.client.server_name", "tls.version", "tls.cipher"), "downgrade"),
            )
        ]
