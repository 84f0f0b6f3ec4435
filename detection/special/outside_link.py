"""Forbidden ways between inside and outside (违规外联、违规内联).

A canary address that nobody should visit, an isolated network that reaches out, a host in both worlds
or with two ways out, a new radio or telephone link, a foreign address inside, many kinds of machines behind
one address.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.facts import texts_of
from detection.parameters import Saying
from detection.special.networks import Inside
from detection.special.reading import host_of, number, shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_DEFAULTS: Final = frozenset({"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "::/1", "8000::/1"})
_ANSWERED: Final = frozenset({"SF", "S1", "S2", "S3", "RSTO", "RSTR"})
# kinds of machines by what their browsers say; the first that fits holds
_KINDS: Final = (
    ("HarmonyOS", ("HarmonyOS", "OpenHarmony")),
    ("Android", ("Android",)),
    ("iOS", ("iPhone", "iPad")),
    ("Windows", ("Windows NT",)),
    ("macOS", ("Mac OS X", "Macintosh")),
    ("Linux", ("X11; Linux", "X11; Ubuntu", "UOS", "Kylin")),
)


class OutsideLinkParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``outside_link`` of rules/anomaly/special.toml."""

    canaries: tuple[str, ...]
    isolated: tuple[str, ...]
    exempt: frozenset[str]
    link_names: tuple[str, ...]
    virtual_names: tuple[str, ...]
    wire_addresses: int
    kinds: int
    kinds_seconds: float
    repeat_seconds: int
    subjects_max: int
    canary: Saying
    out: Saying
    both: Saying
    ways: Saying
    link: Saying
    foreign: Saying
    behind: Saying


class Machines(msgspec.Struct):
    """Kinds of machines behind an address, or own addresses on a wire, with the time of the last."""

    kinds: dict[str, float] = {}


class Memory(msgspec.Struct):
    """What outlives the process."""

    told: dict[str, float]


class OutsideLinkDetector:
    """Claims each of the ways on its own."""

    name = "outside_link"
    datasets: frozenset[str] | None = frozenset(
        {"net.flow", "net.http", "net.arp", "inventory.interfaces", "inventory.routes", "inventory.change"}
    )

    def __init__(self, parameters: OutsideLinkParameters, inside: Inside) -> None:
        self._parameters = parameters
        self._inside = inside
        self._canaries = Inside(parameters.canaries)
        self._isolated = Inside(parameters.isolated)
        self._told = Told(parameters.repeat_seconds, parameters.subjects_max)
        subjects_max = parameters.subjects_max
        self._machines: Remembered[Machines] = Remembered(
            Machines, keys_max=subjects_max, weight_max=subjects_max
        )
        self._wires: Remembered[Machines] = Remembered(
            Machines, keys_max=subjects_max, weight_max=subjects_max
        )

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert of a kind per subject, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """What was told."""
        return Memory(dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process told."""
        self._told.recall(memory.told)

    def _take(self, event: Event) -> list[Alert]:
        dataset = event.fields["event.dataset"]
        if dataset == "net.flow":
            return self._flow(event)
        if dataset == "net.http":
            return self._behind(event)
        if dataset == "net.arp":
            return self._foreign(event)
        if dataset == "inventory.interfaces":
            return self._both(event)
        if dataset == "inventory.routes":
            return self._ways(event)
        return self._link(event)

    def _flow(self, event: Event) -> list[Alert]:
        source, target = text(event, "source.ip"), text(event, "destination.ip")
        numbers = {
            "source": source,
            "target": f"{target}:{int(number(event, 'destination.port'))}",
            "state": text(event, "conn_state"),
        }
        if self._canaries.own(target):
            return self._tell(self._parameters.canary, event, f"source:{source}", numbers)
        answered = text(event, "conn_state") in _ANSWERED and number(event, "destination.bytes") > 0
        if answered and self._isolated.own(source) and self._inside.outside(target):
            return self._tell(self._parameters.out, event, f"source:{source}", numbers)
        return []

    def _foreign(self, event: Event) -> list[Alert]:
        """Who asks by ARP lives on this wire; where own addresses do, one of the outside has no place."""
        address = text(event, "source.ip")
        if text(event, "arp.opcode") != "request":
            return []
        own = self._wires.touch(f"{event.unit}\0{event.sensor}\0{text(event, 'interface.name')}").kinds
        if self._inside.own(address):
            if len(own) < self._parameters.wire_addresses:
                own[address] = event.time.timestamp()
            return []
        if len(own) < self._parameters.wire_addresses or not self._inside.outside(address):
            return []
        numbers = {"address": address, "mac": text(event, "source.mac")}
        return self._tell(self._parameters.foreign, event, f"source:{address}", numbers)

    def _behind(self, event: Event) -> list[Alert]:
        source, agent = text(event, "source.ip"), text(event, "user_agent.original")
        kind = next((name for name, marks in _KINDS if any(mark in agent for mark in marks)), "")
        if not kind or source in self._parameters.exempt or not self._inside.own(source):
            return []
        time = event.time.timestamp()
        kinds = self._machines.touch(f"{event.unit}\0{source}").kinds
        kinds[kind] = time
        recent = [one for one, seen in kinds.items() if abs(time - seen) <= self._parameters.kinds_seconds]
        if len(recent) < self._parameters.kinds:
            return []
        numbers = {
            "source": source,
            "kinds": sorted(recent),
            "minutes": int(self._parameters.kinds_seconds // 60),
        }
        return self._tell(self._parameters.behind, event, f"source:{source}", numbers)

    def _both(self, event: Event) -> list[Alert]:
        """A host with an inside and an outside address on interfaces that are up."""
        own: dict[str, str] = {}  # interface -> address
        other: dict[str, str] = {}
        for row in _rows(event):
            name = row.get("name", "")
            virtual = name.startswith(self._parameters.virtual_names)
            if virtual or row.get("state", "up").lower() == "down":
                continue
            for address in _addresses(row):
                if self._inside.outside(address):
                    other[name] = address
                elif self._inside.own(address) and not address.startswith(
                    ("127.", "169.254.", "fe80", "::1")
                ):
                    own[name] = address
        other = {name: address for name, address in other.items() if name not in own}
        if not own or not other:
            return []
        host = host_of(event)
        numbers = {"host": host, "inside": _said(own), "outside": _said(other)}
        return self._tell(self._parameters.both, event, f"host:{host}", numbers)

    def _ways(self, event: Event) -> list[Alert]:
        """A host with default routes of one family over different links; two halves are a whole."""
        host = host_of(event)
        if host in self._parameters.exempt:
            return []
        over: dict[bool, dict[str, str]] = {False: {}, True: {}}  # by family: interface -> gateway
        for row in _rows(event):
            name, target = row.get("interface", ""), row.get("destination", "")
            if target in _DEFAULTS and not name.startswith(self._parameters.virtual_names):
                over[":" in target].setdefault(name, row.get("gateway", "") or "—")
        ways = next((found for found in over.values() if len(found) > 1), {})
        if not ways:
            return []
        return self._tell(self._parameters.ways, event, f"host:{host}", {"host": host, "ways": _said(ways)})

    def _link(self, event: Event) -> list[Alert]:
        """A new interface whose name is that of a radio, telephone or plugged-in link."""
        if text(event, "gov.inventory.kind") != "interfaces" or text(event, "event.action") == "removed":
            return []
        name = text(event, "gov.inventory.key")
        is_new = event.fields.get("gov.inventory.before") is None
        became_up = "state" in texts_of(event.fields.get("gov.inventory.changed"))
        if not name.startswith(self._parameters.link_names) or not (is_new or became_up):
            return []
        if text(event, "state").lower() == "down":
            return []
        host = host_of(event)
        numbers = {"host": host, "name": name, "address": text(event, "ipv4") or text(event, "ipv6") or "—"}
        return self._tell(self._parameters.link, event, f"host:{host}", numbers)

    def _tell(self, saying: Saying, event: Event, entity: str, numbers: dict[str, Any]) -> list[Alert]:
        subject = f"{event.unit}\0{entity}\0{saying.rule}"
        if not self._told.due(subject, event.time.timestamp()):
            return []
        names = ("source.ip", "source.mac", "destination.ip", "destination.port", "gov.inventory.key")
        return [
            saying.alert(
                "special",
                entity=entity,
                numbers=numbers,
                events=(event,),
                matched=shown(event, names, "link"),
            )
        ]


def _rows(event: Event) -> Iterator[dict[str, str]]:
    """The rows of an inventory's table by the names of its columns."""
    names = texts_of(event.fields.get("gov.inventory.columns"))
    for item in texts_of(event.fields.get("gov.inventory.items")):
        yield dict(zip(names, item.split("\t"), strict=False))


def _said(table: dict[str, str]) -> str:
    return " ".join(f"{name} {address}" for name, address in list(table.items())[:4])


def _addresses(row: dict[str, str]) -> Iterator[str]:
    for column in ("ipv4", "ipv6"):
        for word in row.get(column, "").replace(",", " ").split():
            yield word.partition("/")[0]
