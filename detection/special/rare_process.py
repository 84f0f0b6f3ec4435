"""Rare programs: started for the first time on a host that is known, and on hardly any other.

Told by where the program lies and by who started it; the rest within a budget per host and day.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.reading import host_of, shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_HOUR: Final = 3_600.0
_DIGITS: Final = re.compile(r"[0-9]+")
_PATH_CHARS_MAX: Final = 256
_HOSTS_KEPT: Final = 8  # of those that ran a program
_SHOWN: Final = ("process.executable", "process.command_line", "process.parent.executable", "user.name")


class RareProcessParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``rare_process`` of rules/anomaly/special.toml."""

    learning_hours: float
    hosts_with_it: int
    places: tuple[str, ...]
    services: frozenset[str]
    new_per_day: int
    hosts_max: int
    programs_max: int
    place: Saying
    child: Saying
    new: Saying


class Host(msgspec.Struct):
    """Programs and pairs of parent and child of one host, the newest last; and its budget of today."""

    begun: float = 0.0
    programs: dict[str, None] = {}
    pairs: dict[str, None] = {}
    day: int = 0
    told: int = 0


class Memory(msgspec.Struct):
    """What outlives the process."""

    hosts: dict[str, Host]
    fleet: dict[str, set[str]]


class RareProcessDetector:
    """Claims a rare program or a rare child of a service."""

    name = "rare_process"
    datasets: frozenset[str] | None = frozenset({"process.start"})

    def __init__(self, parameters: RareProcessParameters) -> None:
        self._parameters = parameters
        self._told = Told(24 * _HOUR, parameters.hosts_max * 8)
        self._empty()

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """An alert for each first start of a program or pair that is worth one."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Programs by host, hosts by program."""
        return Memory(dict(self._hosts.items()), dict(self._fleet.items()))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned."""
        self._empty()
        for name, host in memory.hosts.items():
            self._hosts.put(name, host, _weight(host))
        for program, hosts in memory.fleet.items():
            self._fleet.put(program, hosts, len(hosts))

    def _empty(self) -> None:
        parameters = self._parameters
        weight = parameters.hosts_max * 200
        self._hosts: Remembered[Host] = Remembered(Host, keys_max=parameters.hosts_max, weight_max=weight)
        self._fleet: Remembered[set[str]] = Remembered(set, keys_max=weight, weight_max=weight)

    def _take(self, event: Event) -> list[Alert]:
        path = text(event, "process.executable")[:_PATH_CHARS_MAX]
        if not path.startswith("/"):
            return []
        name, time = host_of(event), event.time.timestamp()
        key = f"{event.unit}\0{name}"
        host = self._hosts.touch(key)
        host.begun = min(host.begun or time, time)
        program = _DIGITS.sub("#", path)
        parent = text(event, "process.parent.executable")[:_PATH_CHARS_MAX].rpartition("/")[2]
        pair = f"{_DIGITS.sub('#', parent)} > {program.rpartition('/')[2]}"
        new_program = self._note(host.programs, program)
        new_pair = self._note(host.pairs, pair)
        if not (new_program or new_pair):
            return []
        self._hosts.weigh(key, _weight(host))
        hosts = self._ran(event.unit, program, name)
        others = self._ran(event.unit, pair, name)
        if time - host.begun < self._parameters.learning_hours * _HOUR:
            return []
        saying = self._saying(parent, program, new_program and hosts, new_pair and others)
        if saying is None or not self._affordable(host, saying, key, program, pair, time):
            return []
        return [self._alert(saying, event, name, path, parent, hosts)]

    def _note(self, table: dict[str, None], value: str) -> bool:
        if value in table:
            return False
        table[value] = None
        if len(table) > self._parameters.programs_max:
            del table[next(iter(table))]
        return True

    def _ran(self, unit: str, what: str, host: str) -> int:
        """How many hosts are known to have run it, this one included."""
        key = f"{unit}\0{what}"
        hosts = self._fleet.touch(key)
        if len(hosts) < _HOSTS_KEPT:
            hosts.add(host)
            self._fleet.weigh(key, len(hosts))
        return len(hosts)

    def _saying(self, parent: str, program: str, hosts: int, pairs: int) -> Saying | None:
        """What to say; ``hosts`` and ``pairs`` are 0 where the program or pair is not new."""
        parameters = self._parameters
        if 0 < pairs <= parameters.hosts_with_it and parent in parameters.services:
            return parameters.child
        if not 0 < hosts <= parameters.hosts_with_it:
            return None
        return parameters.place if program.startswith(parameters.places) else parameters.new

    def _affordable(self, host: Host, saying: Saying, key: str, program: str, pair: str, time: float) -> bool:
        parameters = self._parameters
        if saying is not parameters.new:
            what = pair if saying is parameters.child else program
            return self._told.due(f"{key}\0{saying.rule}\0{what}", time)
        day = int(time // (24 * _HOUR))
        if host.day != day:
            host.day, host.told = day, 0
        host.told += 1
        return host.told <= parameters.new_per_day

    def _alert(self, saying: Saying, event: Event, host: str, path: str, parent: str, hosts: int) -> Alert:
        return saying.alert(
            "special",
            entity=f"host:{host}",
            numbers={
                "host": host,
                "program": path,
                "parent": parent or "—",
                "hosts": hosts,
                "user": text(event, "user.name"),
                "command": text(event, "process.command_line"),
            },
            events=(event,),
            matched=shown(event, _SHOWN, "process"),
        )


def _weight(host: Host) -> int:
    return 1 + len(host.programs) + len(host.pairs)
