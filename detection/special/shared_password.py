"""One password for several accounts or services, as the keyed marks of credentials in clear text tell."""

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
_KEPT: Final = 64


class SharedPasswordParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``shared_password`` of rules/anomaly/special.toml."""

    users: int
    services: int
    window_days: float
    repeat_seconds: int
    marks_max: int
    alert: Saying


class Used(msgspec.Struct):
    """Where one secret was used: users and services with the time of the last use."""

    users: dict[str, float] = {}
    services: dict[str, float] = {}


class Memory(msgspec.Struct):
    """What outlives the process."""

    marks: dict[str, Used]
    told: dict[str, float]


class SharedPasswordDetector:
    """Claims a shared password where a mark is seen with enough users or services."""

    name = "shared_password"
    datasets: frozenset[str] | None = frozenset(
        {"net.login", "net.http", "net.ldap", "net.redis", "net.snmp"}
    )

    def __init__(self, parameters: SharedPasswordParameters) -> None:
        self._parameters = parameters
        self._told = Told(parameters.repeat_seconds, parameters.marks_max)
        self._marks: Remembered[Used] = self._none()

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per secret, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Marks are keyed digests, never passwords."""
        return Memory(dict(self._marks.items()), dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process saw."""
        self._marks = self._none()
        for mark, used in memory.marks.items():
            self._marks.put(mark, used, 1)
        self._told.recall(memory.told)

    def _none(self) -> Remembered[Used]:
        marks_max = self._parameters.marks_max
        return Remembered(Used, keys_max=marks_max, weight_max=marks_max)

    def _take(self, event: Event) -> list[Alert]:
        mark = text(event, "gov.credential.mark")
        if not mark or text(event, "gov.credential.kind") not in ("", "password"):
            return []
        parameters, time = self._parameters, event.time.timestamp()
        key = f"{event.unit}\0{event.sensor}\0{mark}"  # a mark is of its sensor's own key
        used = self._marks.touch(key)
        if user := text(event, "user.name").casefold():
            _note(used.users, user, time, parameters.window_days * _DAY)
        service = f"{text(event, 'destination.ip')}:{int(number(event, 'destination.port'))}"
        _note(used.services, service, time, parameters.window_days * _DAY)
        if len(used.users) < parameters.users and len(used.services) < parameters.services:
            return []
        if not self._told.due(key, time):
            return []
        numbers: dict[str, Any] = {
            "users": len(used.users),
            "names": [*used.users][:5],
            "services": len(used.services),
            "list": [*used.services][:5],
        }
        return [
            parameters.alert.alert(
                "special",
                entity=f"source:{text(event, 'source.ip')}",
                numbers=numbers,
                events=(event,),
                matched=shown(event, ("user.name", "destination.ip", "destination.port"), "password"),
            )
        ]


def _note(table: dict[str, float], name: str, time: float, seconds: float) -> None:
    table[name] = time
    for old in [one for one, seen in table.items() if time - seen > seconds]:
        del table[old]
    if len(table) > _KEPT:
        del table[next(iter(table))]
