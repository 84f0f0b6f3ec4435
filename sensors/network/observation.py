"""From what was parsed to what is reported: Observations with ECS fields and Zeek's names side by side."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from sensors.event import LogSource, Observation, Value
from sensors.network.community import community_id
from sensors.network.conn_state import conn_state
from sensors.network.dialect import Message
from sensors.network.encapsulation import Tunnel
from sensors.network.flow import Ended, Flow
from sensors.network.neighbour import Arp, Icmp, mac_text
from sensors.network.packet import ICMP, ICMPV6, TCP, UDP, Packet

LANE: Final = "flows"
CONVERSATIONS_MAX: Final = 1_024  # whose common fields are kept ready
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX: Final = 253_402_300_799.0  # the last second a datetime can say
_TRANSPORTS: Final = {
    1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah",
    58: "ipv6-icmp", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp", 132: "sctp",
}  # fmt: skip
_ZEEK_TRANSPORTS: Final = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmp"}

Fields = dict[str, Value]


class Ends(NamedTuple):
    """The two ends of a conversation as the client sees it."""

    protocol: int
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    vlan: int
    tunnel: Tunnel | None


def ends_of(packet: Packet, *, from_server: bool = False) -> Ends:
    """The ends of the packet's conversation; ``from_server`` where the sender is the answering side."""
    here = (packet.source, packet.source_port)
    there = (packet.destination, packet.destination_port)
    source, destination = (there, here) if from_server else (here, there)
    return Ends(packet.protocol, *source, *destination, packet.vlan, packet.tunnel)


def flow_ends(flow: Flow, client_side: int) -> Ends:
    """The ends of a flow seen by the client, who is its originator (0) or its responder (1)."""
    protocol, source, source_port, destination, destination_port = flow.key
    if client_side:
        source, source_port, destination, destination_port = (
            destination,
            destination_port,
            source,
            source_port,
        )
    return Ends(protocol, source, source_port, destination, destination_port, flow.vlan, flow.tunnel)


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as aware UTC; what no calendar holds becomes the nearest it does."""
    return _EPOCH + timedelta(seconds=min(max(seconds, 0.0), _SECONDS_MAX))


def address_text(raw: bytes) -> str:
    """An address of 4 or 16 bytes in text; '' for any other length."""
    if len(raw) == 4:
        return str(IPv4Address(raw))
    return str(IPv6Address(raw)) if len(raw) == 16 else ""


class Reporter:
    """Builds the Observations of one capture; ``observer`` is the name of the sensing machine."""

    def __init__(self, observer: str, interface: str) -> None:
        self._observer = observer
        self._interface = interface

    def flow(self, ended: Ended) -> Observation:
        """net.flow: counts of both directions since the flow began."""
        flow, action, reason = ended
        fields, native = self._conversation("net.flow", flow_ends(flow, 0), flow.service)
        duration = max(flow.last - flow.first, 0.0)
        fields |= {
            "event.action": action,
            "event.reason": reason,
            "event.category": "network",
            "event.start": moment(flow.first).isoformat(),
            "event.duration": int(duration * 1e9),
            "network.bytes": sum(flow.ip_bytes),
            "network.packets": sum(flow.packets),
        }
        for name, side in (("source", 0), ("destination", 1)):
            fields[f"{name}.bytes"] = flow.ip_bytes[side]
            fields[f"{name}.packets"] = flow.packets[side]
        if flow.told is not None:
            fields["gov.flow.new_source_bytes"] = flow.ip_bytes[0] - flow.told[0]
            fields["gov.flow.new_destination_bytes"] = flow.ip_bytes[1] - flow.told[1]
        native |= {
            "duration": round(duration, 6),
            "orig_bytes": flow.payload_bytes[0],
            "resp_bytes": flow.payload_bytes[1],
            "orig_ip_bytes": flow.ip_bytes[0],
            "resp_ip_bytes": flow.ip_bytes[1],
            "orig_pkts": flow.packets[0],
            "resp_pkts": flow.packets[1],
            "conn_state": conn_state(flow),
        }
        return _observation(flow.last, "conn", "flow", fields, native)

    def message(self, message: Message, flow: Flow, side: int, time: float) -> Observation:
        """What a dialect made of the bytes of ``side``."""
        dataset, service, fields, native, reply, log, category, lane, _ = message
        ends = flow_ends(flow, 1 - side if reply else side)
        common, names = self._conversation(dataset, ends, service)
        return _observation(
            time, log or service, category, common | fields, names | native, lane=lane or LANE
        )

    def arp(self, message: Arp, previous_mac: str, packet: Packet, time: float) -> Observation:
        """net.arp: one ARP message; ``previous_mac`` is who claimed the sender's address before."""
        fields = self._named("net.arp")
        frame_mac = mac_text(packet.source_mac)
        fields |= {
            "network.type": "arp",
            "network.transport": "arp",
            "source.ip": message.sender_ip,
            "source.mac": message.sender_mac,
            "destination.ip": message.target_ip,
            "destination.mac": message.target_mac,
            "arp.opcode": message.opcode,
            "gov.arp.gratuitous": message.is_gratuitous,
            "gov.arp.probe": message.is_probe,
            "gov.arp.frame_mac": frame_mac,
            "gov.arp.mac_differs": bool(frame_mac) and frame_mac != message.sender_mac,
        }
        if previous_mac:
            fields["gov.neighbour.previous_mac"] = previous_mac
        return _observation(time, "arp", "", fields, {})

    def icmp(self, message: Icmp, previous_mac: str, packet: Packet, time: float) -> Observation:
        """net.icmp: one ICMP message; neighbour discovery in detail."""
        fields, native = self._conversation("net.icmp", ends_of(packet), "")
        fields |= {"icmp.type": message.type, "icmp.code": message.code, "gov.ip.hop_limit": packet.hop_limit}
        if packet.source_mac:
            fields["source.mac"] = mac_text(packet.source_mac)
        if message.target:
            fields["nd.target"] = message.target
        if message.options:
            fields["nd.options"] = [*message.options]
        if message.router_lifetime_seconds is not None:
            fields["nd.router_lifetime"] = message.router_lifetime_seconds
        if message.router_flags:
            fields["nd.router_flags"] = [*message.router_flags]
        if message.gateway:
            fields["gov.icmp.gateway"] = message.gateway
        if message.about is not None:
            about = message.about
            fields |= {
                "gov.icmp.about.source": about.source,
                "gov.icmp.about.destination": about.destination,
                "gov.icmp.about.transport": _TRANSPORTS.get(about.protocol, str(about.protocol)),
                "gov.icmp.about.source_port": about.source_port,
                "gov.icmp.about.destination_port": about.destination_port,
            }
        if previous_mac:
            fields["gov.neighbour.previous_mac"] = previous_mac
        for name in ("source.port", "destination.port"):
            fields.pop(name, None)
        return _observation(time, "icmp", "", fields, native)

    def dissect(self, summary: str, layers: list[str], time: float) -> Observation:
        """net.dissect: scapy's reading of a control-plane packet."""
        fields = self._named("net.dissect")
        fields |= {"network.protocol": layers[-1].lower() if layers else "", "packet.summary": summary}
        native: Fields = {"summary": summary, "layers": [*layers]}
        return _observation(time, "dissect", "", fields, native, lane="bulk")

    def capture(self, counts: dict[str, int], time: float) -> Observation:
        """net.capture: what was received and lost since the last report."""
        fields = self._named("net.capture")
        fields |= {f"gov.capture.{name}": count for name, count in counts.items()}
        source = LogSource(product="liuhe", service="capture")
        return Observation(time=moment(time), logsource=source, fields=fields, lane=LANE)

    def _named(self, dataset: str) -> Fields:
        return {
            "event.dataset": dataset,
            "observer.name": self._observer,
            "interface.name": self._interface,
        }

    def _conversation(self, dataset: str, ends: Ends, service: str) -> tuple[Fields, Fields]:
        common, names = _conversation(ends)
        fields = self._named(dataset) | common
        if not service:
            return fields, names.copy()
        fields["network.protocol"] = service
        return fields, names | {"service": "ssl" if service == "tls" else service}


@lru_cache(maxsize=CONVERSATIONS_MAX)
def _conversation(ends: Ends) -> tuple[Fields, Fields]:
    """What every event of a conversation has in common; callers copy it."""
    protocol, source, source_port, destination, destination_port, vlan, tunnel = ends
    source_text, destination_text = address_text(source), address_text(destination)
    fields: Fields = {
        "source.ip": source_text,
        "source.port": source_port,
        "destination.ip": destination_text,
        "destination.port": destination_port,
        "network.type": "ipv4" if len(source) == 4 else "ipv6",
        "network.transport": _TRANSPORTS.get(protocol, str(protocol)),
        "network.community_id": community_id(protocol, source, destination, source_port, destination_port),
    }
    if vlan >= 0:
        fields["network.vlan.id"] = str(vlan)
    if tunnel is not None:
        fields["gov.tunnel.type"] = tunnel.kind
        if tunnel.source:
            fields["gov.tunnel.source"] = address_text(tunnel.source)
            fields["gov.tunnel.destination"] = address_text(tunnel.destination)
        if tunnel.identifier >= 0:
            fields["gov.tunnel.id"] = tunnel.identifier
    native: Fields = {
        "id.orig_h": source_text,
        "id.orig_p": source_port,
        "id.resp_h": destination_text,
        "id.resp_p": destination_port,
        "proto": _ZEEK_TRANSPORTS.get(protocol, "unknown_transport"),
    }
    return fields, native


def _observation(
    time: float, service: str, category: str, fields: Fields, native: Fields, lane: str = LANE
) -> Observation:
    source = LogSource(product="zeek", category=category, service=service)
    return Observation(time=moment(time), logsource=source, fields=fields, native=native, lane=lane)
