"""From what was parsed to what is reported: Observations with ECS fields and Zeek's names side by side."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from sensors.event import LogSource, Observation, Value
from sensors.network.community import community_id
from sensors.network.conn_state import conn_state
from sensors.network.dns import DnsMessage
from sensors.network.flow import Ended
from sensors.network.http import HttpRequest, HttpResponse
from sensors.network.neighbour import Arp, Icmp, mac_text
from sensors.network.packet import ICMP, ICMPV6, TCP, UDP, Packet
from sensors.network.tls import ClientHello, ServerHello
from sensors.network.tls_names import suite_name, version_name

LANE: Final = "flows"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX: Final = 253_402_300_799.0  # the last second a datetime can say
_TRANSPORTS: Final = {
    1: "icmp", 2: "igmp", 4: "ipip", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah",
    58: "ipv6-icmp", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp", 132: "sctp",
}  # fmt: skip
_ZEEK_TRANSPORTS: Final = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmp"}
_SUITES_MAX: Final = 128

Fields = dict[str, Value]


class Ends(NamedTuple):
    """The two ends of a conversation as the client sees it."""

    protocol: int
    source: bytes
    source_port: int
    destination: bytes
    destination_port: int
    vlan: int


def ends_of(packet: Packet, *, from_server: bool = False) -> Ends:
    """The ends of the packet's conversation; ``from_server`` where the sender is the answering side."""
    here = (packet.source, packet.source_port)
    there = (packet.destination, packet.destination_port)
    source, destination = (there, here) if from_server else (here, there)
    return Ends(packet.protocol, *source, *destination, packet.vlan)


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as aware UTC; what no calendar holds becomes the nearest it does."""
    return _EPOCH + timedelta(seconds=min(max(seconds, 0.0), _SECONDS_MAX))


def address_text(raw: bytes) -> str:
    """An address of 4 or 16 bytes in text; '' for any other length."""
    if len(raw) == 4:
        return str(IPv4Address(raw))
    return str(IPv6Address(raw)) if len(raw) == 16 else ""


def is_multicast(address: bytes) -> bool:
    """Whether the address, of either IP version, names a group."""
    return address[0] >> 4 == 0xE if len(address) == 4 else address[:1] == b"\xff"


class Reporter:
    """Builds the Observations of one capture; ``observer`` is the name of the sensing machine."""

    def __init__(self, observer: str, interface: str) -> None:
        self._observer = observer
        self._interface = interface

    def flow(self, ended: Ended) -> Observation:
        """net.flow: counts of both directions so far."""
        flow, action, reason = ended
        protocol, source, source_port, destination, destination_port = flow.key
        ends = Ends(protocol, source, source_port, destination, destination_port, flow.vlan)
        fields, native = self._conversation("net.flow", ends, flow.service)
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

    def dns(self, message: DnsMessage, packet: Packet, time: float) -> Observation:
        """net.dns: one message, seen from the side that asks."""
        multicast = is_multicast(packet.destination)
        ends = ends_of(packet, from_server=message.is_answer and not multicast)
        fields, native = self._conversation("net.dns", ends, "dns")
        fields |= {
            "dns.type": "answer" if message.is_answer else "query",
            "dns.id": str(message.identifier),
            "dns.question.name": message.name,
            "dns.question.type": message.type,
        }
        native |= {"query": message.name, "qtype_name": message.type, "record_type": message.type}
        if message.is_answer:
            answers: list[str | int | float | bool | None] = [*message.answers]
            fields |= {"dns.response_code": message.response_code, "dns.answers": answers}
            native |= {"rcode_name": message.response_code, "answers": answers, "answer": answers}
        return _observation(time, "dns", "dns", fields, native)

    def client_hello(self, hello: ClientHello, packet: Packet, time: float) -> Observation:
        """net.tls: what the client offers."""
        fields, native = self._conversation("net.tls", ends_of(packet), "tls")
        fields |= {
            "event.action": "client-hello",
            "tls.client.supported_ciphers": [suite_name(number) for number in hello.suites[:_SUITES_MAX]],
            "tls.client.ja3": hello.ja3,
            "gov.tls.offered_version": version_name(hello.offered_version),
            "gov.tls.alpn": [*hello.alpn],
            "gov.tls.sm": hello.is_sm,
        }
        if hello.server_name:
            fields["tls.client.server_name"] = hello.server_name
            native["server_name"] = hello.server_name
        native["ja3"] = hello.ja3
        return _observation(time, "ssl", "tls", fields, native)

    def server_hello(self, hello: ServerHello, name: str, packet: Packet, time: float) -> Observation:
        """net.tls: what the server chose; ``name`` is the server name the client gave."""
        ends = ends_of(packet, from_server=True)
        fields, native = self._conversation("net.tls", ends, "tls")
        version, cipher = version_name(hello.version), suite_name(hello.suite)
        fields |= {
            "event.action": "server-hello",
            "tls.version": version,
            "tls.cipher": cipher,
            "gov.tls.sm": hello.is_sm,
        }
        native |= {"version": version, "cipher": cipher}
        if name:
            fields["tls.client.server_name"] = name
            native["server_name"] = name
        return _observation(time, "ssl", "tls", fields, native)

    def http_request(self, head: HttpRequest, packet: Packet, time: float) -> Observation:
        """net.http: a request."""
        fields, native = self._conversation("net.http", ends_of(packet), "http")
        fields |= {
            "event.action": "request",
            "http.request.method": head.method,
            "http.version": head.version,
            "url.original": head.uri,
            "url.path": head.path,
            "url.query": head.query,
            "url.domain": head.host,
            "user_agent.original": head.user_agent,
            "http.request.referrer": head.referrer,
        }
        native |= {
            "method": head.method,
            "host": head.host,
            "uri": head.decoded,
            "user_agent": head.user_agent,
            "referrer": head.referrer,
            "cs-method": head.method,
            "cs-uri-stem": head.path,
            "cs-uri-query": head.query,
            "cs-host": head.host,
            "c-useragent": head.user_agent,
        }
        if head.basic_user is not None:
            fields |= {"gov.http.basic_auth": True, "user.name": head.basic_user}
            native["username"] = head.basic_user
        return _observation(time, "http", "webserver", fields, native)

    def http_response(self, head: HttpResponse, packet: Packet, time: float) -> Observation:
        """net.http: a response, reported under the client that asked."""
        ends = ends_of(packet, from_server=True)
        fields, native = self._conversation("net.http", ends, "http")
        fields |= {
            "event.action": "response",
            "http.version": head.version,
            "http.response.status_code": head.status,
            "http.response.mime_type": head.content_type,
            "gov.http.server": head.server,
        }
        native |= {"status_code": head.status, "sc-status": head.status}
        return _observation(time, "http", "webserver", fields, native)

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
        protocol, source, source_port, destination, destination_port, vlan = ends
        source_text, destination_text = address_text(source), address_text(destination)
        fields = self._named(dataset) | {
            "source.ip": source_text,
            "source.port": source_port,
            "destination.ip": destination_text,
            "destination.port": destination_port,
            "network.type": "ipv4" if len(source) == 4 else "ipv6",
            "network.transport": _TRANSPORTS.get(protocol, str(protocol)),
            "network.community_id": community_id(
                protocol, source, destination, source_port, destination_port
            ),
        }
        if service:
            fields["network.protocol"] = service
        if vlan >= 0:
            fields["network.vlan.id"] = str(vlan)
        native: Fields = {
            "id.orig_h": source_text,
            "id.orig_p": source_port,
            "id.resp_h": destination_text,
            "id.resp_p": destination_port,
            "proto": _ZEEK_TRANSPORTS.get(protocol, "unknown_transport"),
        }
        if service:
            native["service"] = "ssl" if service == "tls" else service
        return fields, native


def _observation(
    time: float, service: str, category: str, fields: Fields, native: Fields, lane: str = LANE
) -> Observation:
    source = LogSource(product="zeek", category=category, service=service)
    return Observation(time=moment(time), logsource=source, fields=fields, native=native, lane=lane)
