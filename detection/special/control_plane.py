"""Who speaks for the network: routers that announce themselves, DHCP servers, and owners of addresses.

Announcers are learned per sensor and interface; an address whose owner changes to and fro is fought over.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.detector import feed_each
from detection.facts import texts_of
from detection.parameters import Saying
from detection.special.reading import shown, text
from detection.special.told import Told
from sensors.event import Event

_DAY: Final = 86_400.0
_ROUTER_ADVERTISEMENT: Final = "134"
_OFFERING: Final = frozenset({"OFFER", "ACK", "ADVERTISE", "REPLY"})


class ControlPlaneParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``control_plane`` of rules/anomaly/special.toml."""

    learning_days: float
    owner_changes: int
    owner_seconds: float
    repeat_seconds: int
    links_max: int
    addresses_max: int
    router: Saying
    server: Saying
    settings: Saying
    fight: Saying


class Link(msgspec.Struct):
    """What is known on one interface of one sensor."""

    begun: float
    routers: dict[str, None] = {}
    servers: dict[str, None] = {}
    settings: dict[str, None] = {}


class Memory(msgspec.Struct):
    """Links, and the times at which addresses changed their owner."""

    links: dict[str, Link]
    changes: dict[str, list[tuple[float, str]]]
    told: dict[str, float]


class ControlPlaneDetector:
    """Claims new routers, new DHCP servers and settings, and addresses fought over."""

    name = "control_plane"
    datasets: frozenset[str] | None = frozenset({"net.icmp", "net.dhcp", "net.arp"})

    def __init__(self, parameters: ControlPlaneParameters) -> None:
        self._parameters = parameters
        self._known = Memory({}, {}, {})
        self._told = Told(parameters.repeat_seconds, parameters.addresses_max)

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert per announcer or address, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Everything."""
        return msgspec.structs.replace(self._known, told=dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned."""
        self._known = memory
        self._told.recall(memory.told)

    def _take(self, event: Event) -> list[Alert]:
        dataset = event.fields["event.dataset"]
        if dataset == "net.arp":
            return self._owner(event)
        if dataset == "net.icmp":
            if text(event, "icmp.type") != _ROUTER_ADVERTISEMENT or text(event, "network.type") != "ipv6":
                return []
            who = text(event, "source.mac") or text(event, "source.ip")
            prefixes = [one for one in texts_of(event.fields.get("nd.options")) if one.startswith("prefix")]
            return self._announced(event, "routers", who, self._parameters.router, prefixes)
        if text(event, "gov.dhcp.type").upper() not in _OFFERING:
            return []
        who = text(event, "gov.dhcp.server") or text(event, "gov.dhcp.server_duid")
        given = [
            f"{name.rpartition('.')[2]}={' '.join(sorted(texts_of(event.fields.get(name))))}"
            for name in ("gov.dhcp.routers", "gov.dhcp.dns_servers")
            if event.fields.get(name)
        ]
        alerts = self._announced(event, "servers", who, self._parameters.server, given)
        if alerts or not given:
            return alerts
        return self._announced(
            event, "settings", f"{who} {' '.join(given)}", self._parameters.settings, given
        )

    def _announced(self, event: Event, table: str, who: str, saying: Saying, given: list[str]) -> list[Alert]:
        if not who:
            return []
        where, time = text(event, "interface.name"), event.time.timestamp()
        key = f"{event.unit}\0{event.sensor}\0{where}"
        link = self._known.links.setdefault(key, Link(begun=time))
        if len(self._known.links) > self._parameters.links_max:
            del self._known.links[next(iter(self._known.links))]
        known: dict[str, None] = getattr(link, table)
        link.begun = min(link.begun, time)
        is_new = who not in known
        known[who] = None
        if len(known) > 256:
            del known[next(iter(known))]
        # the first of its kind after the learning is news as well: the link had none
        learning = time - link.begun < self._parameters.learning_days * _DAY
        if not is_new or learning or not self._told.due(f"{key}\0{saying.rule}\0{who}", time):
            return []
        numbers = {
            "who": who.partition(" ")[0],
            "interface": where or event.sensor,
            "known": len(known) - 1,
            "given": given or ["—"],
        }
        return [self._alert(saying, event, text(event, "source.ip") or who, numbers)]

    def _owner(self, event: Event) -> list[Alert]:
        before, now = text(event, "gov.neighbour.previous_mac"), text(event, "source.mac")
        address, time = text(event, "source.ip"), event.time.timestamp()
        if not before or not now or not address:
            return []
        parameters = self._parameters
        key = f"{event.unit}\0{event.sensor}\0{address}"
        changes = [
            one for one in self._known.changes.get(key, []) if abs(time - one[0]) <= parameters.owner_seconds
        ][-31:]
        changes.append((time, now))
        self._known.changes[key] = changes
        if len(self._known.changes) > parameters.addresses_max:
            del self._known.changes[next(iter(self._known.changes))]
        owners = sorted({mac for _, mac in changes} | {before})
        if len(changes) < parameters.owner_changes or not self._told.due(key, time):
            return []
        numbers = {
            "address": address,
            "changes": len(changes),
            "minutes": int(parameters.owner_seconds // 60),
            "owners": owners,
        }
        return [self._alert(parameters.fight, event, address, numbers)]

    def _alert(self, saying: Saying, event: Event, address: str, numbers: dict[str, Any]) -> Alert:
        return saying.alert(
            "special",
            entity=f"source:{address}",
            numbers=numbers,
            events=(event,),
            matched=shown(
                event,
                ("source.ip", "source.mac", "gov.neighbour.previous_mac", "gov.dhcp.server", "nd.options"),
                "announcer",
            ),
        )
