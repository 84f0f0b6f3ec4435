"""Privileges used for the first time: by an account just made, or one that never used them on that host."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.reading import host_of, shown, text
from detection.special.told import Told
from sensors.event import Event

_DAY: Final = 86_400.0
_ROOT: Final = frozenset({"root", "0"})


class PrivilegeParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``privilege`` of rules/anomaly/special.toml."""

    learning_days: float
    new_days: float
    forget_days: float
    groups: frozenset[str]
    accounts_max: int
    new: Saying
    first: Saying


class Memory(msgspec.Struct):
    """Hosts with the time first seen, accounts made, and accounts that used privileges, with times."""

    hosts: dict[str, float]
    made: dict[str, float]
    used: dict[str, float]
    told: dict[str, float]


class PrivilegeDetector:
    """Claims first uses of sudo and su to root, and joining an administrators' group."""

    name = "privilege"
    datasets: frozenset[str] | None = None

    def __init__(self, parameters: PrivilegeParameters) -> None:
        self._parameters = parameters
        self._known = Memory({}, {}, {}, {})
        self._told = Told(_DAY, parameters.accounts_max)

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per account, host and day at most."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """All accounts."""
        return msgspec.structs.replace(self._known, told=dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned."""
        self._known = memory
        self._told.recall(memory.told)

    def _take(self, event: Event) -> list[Alert]:
        category, action = event.fields.get("event.category"), event.fields.get("event.action")
        if category not in ("process", "authentication", "iam"):
            return []
        host, time = host_of(event), event.time.timestamp()
        if category == "iam":
            return self._account(event, str(action), host, time)
        if event.fields.get("event.outcome") != "success":
            return []
        if text(event, "user.effective.name") not in _ROOT:
            return []
        user = text(event, "gov.login.by") or text(event, "user.name")
        if not user or user in _ROOT:
            return []
        return self._used(event, user, host, time)

    def _account(self, event: Event, action: str, host: str, time: float) -> list[Alert]:
        user = text(event, "user.target.name")
        if not user:
            return []
        key = f"{event.unit}\0{host}\0{user}"
        if action == "user-created":
            self._known.made[key] = time
            self._known.used.pop(key, None)  # a name used before by somebody else
            _bound(self._known.made, self._parameters.accounts_max)
            return []
        if action != "group-member-added" or text(event, "group.name") not in self._parameters.groups:
            return []
        return self._claim_new(event, key, user, host, time)

    def _used(self, event: Event, user: str, host: str, time: float) -> list[Alert]:
        parameters, known = self._parameters, self._known
        key = f"{event.unit}\0{host}\0{user}"
        where = f"{event.unit}\0{host}"
        begun = known.hosts[where] = min(known.hosts.get(where, time), time)
        _bound(known.hosts, parameters.accounts_max)
        before = known.used.pop(key, None)
        known.used[key] = time
        _bound(known.used, parameters.accounts_max)
        if before is not None and time - before < parameters.forget_days * _DAY:
            return []
        if alerts := self._claim_new(event, key, user, host, time):
            return alerts
        learning = time - begun < parameters.learning_days * _DAY
        if learning or not self._told.due(f"{key}\0{parameters.first.rule}", time):
            return []
        return [self._alert(parameters.first, event, user, host, (time - begun) / _DAY)]

    def _claim_new(self, event: Event, key: str, user: str, host: str, time: float) -> list[Alert]:
        made = self._known.made.get(key)
        if made is None or not 0 <= time - made <= self._parameters.new_days * _DAY:
            return []
        if not self._told.due(f"{key}\0{self._parameters.new.rule}", time):
            return []
        return [self._alert(self._parameters.new, event, user, host, (time - made) / _DAY)]

    def _alert(self, saying: Saying, event: Event, user: str, host: str, days: float) -> Alert:
        return saying.alert(
            "special",
            entity=f"user:{user}@{host}",
            numbers={
                "user": user,
                "host": host,
                "days": f"{days:.1f}",
                "what": text(event, "process.command_line")
                or text(event, "group.name")
                or text(event, "event.action")
                or "su",
            },
            events=(event,),
            matched=shown(
                event, ("user.name", "user.target.name", "user.effective.name", "group.name"), "privilege"
            ),
        )


def _bound(table: dict[str, float], size_max: int) -> None:
    if len(table) > size_max:
        del table[next(iter(table))]
