"""One capture's whole path, live or from a file: packet in, Observations out. Performs no input or output.

Protocols are recognised by what a payload begins with, whatever the port and wherever in the flow. Of TCP the
single segment is read; only a TLS hello is joined over segments, in order and bounded.
"""

from collections.abc import Callable
from typing import Final

from sensors.event import Observation
from sensors.network.dns import PORTS as DNS_PORTS
from sensors.network.dns import DnsMessage, parse_dns
from sensors.network.flow import PENDING_BYTES_MAX, Flow, FlowTable
from sensors.network.http import HttpRequest, parse_http
from sensors.network.neighbour import (
    NEIGHBOUR_ADVERTISEMENT,
    Bindings,
    Recent,
    parse_arp,
    parse_icmp,
)
from sensors.network.observation import Reporter
from sensors.network.packet import (
    ETHER_ARP,
    ICMP,
    ICMPV6,
    LINK_TYPES,
    NO_IP,
    TCP,
    UDP,
    Packet,
    is_control,
    walk,
)
from sensors.network.settings import NetworkSettings
from sensors.network.tls import ClientHello, is_hello, missing_bytes, parse_hello

PENDING_FLOWS_MAX: Final = 1_024  # hellos waited for at a time
BURST_SECONDS: Final = 5  # of the event budget, saved up while it is quiet
_CHANGE_CIPHER: Final = 0x14
_HELLO: Final = 0x16
_LETTERS: Final = range(0x41, 0x5B)

Offer = Callable[[bytes, int, float], None]  # packet, link type, time: to the dissect worker


class Budget:
    """How many events may leave a second; the rest is shed and counted. 0 a second means no limit."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._left = float(per_second * BURST_SECONDS)
        self._time = 0.0
        self.shed = 0

    def spend(self, time: float) -> bool:
        """True if one more event may leave at ``time``."""
        if not self._per_second:
            return True
        passed = max(0.0, time - self._time)
        self._time = max(self._time, time)
        self._left = min(self._left + passed * self._per_second, float(self._per_second * BURST_SECONDS))
        if self._left < 1:
            self.shed += 1
            return False
        self._left -= 1
        return True


class Inspection:
    """Feed packets with ``see``, move time with ``advance``, take what is to be reported with ``take``."""

    def __init__(
        self, settings: NetworkSettings, reporter: Reporter, *, offer: Offer | None = None, live: bool = True
    ) -> None:
        self._report = reporter
        self._offer = offer
        self._ignored_ports = frozenset(settings.ignore_ports)
        self._flows = FlowTable(settings)
        self._bindings = Bindings()
        self._recent = Recent()
        self._budget = Budget(settings.events_per_second_max if live else 0)
        self._seen: list[Observation] = []
        self._pending = 0
        self._packets = self._malformed = self._unknown_link = self._ignored = self._fragments = 0

    def see(self, data: bytes, link_type: int, time: float) -> None:
        """Take in one captured packet."""
        self._packets += 1
        packet = walk(data, link_type)
        if packet is None:
            if link_type in LINK_TYPES:
                self._malformed += 1
            else:
                self._unknown_link += 1
            return
        if packet.protocol == NO_IP:
            if packet.ethertype == ETHER_ARP:
                self._arp(data, packet, time)
            if self._offer is not None and is_control(packet):
                self._offer(data, link_type, time)
            return
        if packet.later_fragment:
            self._fragments += 1
            return
        if self._ignored_ports and self._is_ignored(packet):
            self._ignored += 1
            return
        flow, side = self._flows.see(packet, time)
        if packet.protocol == TCP:
            if packet.end > packet.start:
                self._segment(data[packet.start : packet.end], packet, flow, side, time)
        elif packet.protocol == UDP:
            if packet.end > packet.start:
                self._datagram(data[packet.start : packet.end], packet, flow, time)
        elif packet.protocol in (ICMP, ICMPV6):
            self._icmp(data[packet.start : packet.end], packet, time)
        if self._offer is not None and packet.protocol in (UDP, ICMPV6) and is_control(packet):
            self._offer(data, link_type, time)

    def advance(self, time: float) -> None:
        """Let time pass up to ``time``: idle flows end, long ones are announced."""
        self._flows.advance(time)

    def finish(self) -> None:
        """End all flows."""
        self._flows.finish()

    def take(self) -> list[Observation]:
        """What there is to report since the last call, oldest first."""
        for ended in self._flows.take():
            if any(ended.flow.pending):
                self._pending -= 1
                ended.flow.pending = [b"", b""]
            if self._budget.spend(ended.flow.last):
                self._seen.append(self._report.flow(ended))
        seen, self._seen = self._seen, []
        return seen

    def counts(self) -> dict[str, int]:
        """Packets and losses so far, for the capture's own report."""
        return {
            "packets": self._packets,
            "malformed": self._malformed,
            "unknown_link": self._unknown_link,
            "fragments": self._fragments,
            "ignored": self._ignored,
            "flows_evicted": self._flows.evicted,
            "events_shed": self._budget.shed,
            "repeats_suppressed": self._recent.suppressed,
        }

    @property
    def flow_entries(self) -> int:
        """Flows in the table now."""
        return len(self._flows)

    def _is_ignored(self, packet: Packet) -> bool:
        if packet.protocol not in (TCP, UDP):
            return False
        return packet.source_port in self._ignored_ports or packet.destination_port in self._ignored_ports

    def _segment(self, payload: bytes, packet: Packet, flow: Flow, side: int, time: float) -> None:
        if flow.pending[side]:
            payload = flow.pending[side] + payload
            flow.pending[side] = b""
            self._pending -= 0 if flow.pending[1 - side] else 1
        first = payload[0]
        if (
            first == _CHANGE_CIPHER and payload[5:7] == b"\x01\x16"
        ):  # before a second ClientHello (RFC 8446 D.4)
            payload, first = payload[6:], _HELLO
        if first == _HELLO:
            self._hello(payload, packet, flow, side, time)
        elif first in _LETTERS:
            self._http(payload, packet, flow, time)
        elif len(payload) > 2 and first << 8 | payload[1] == len(payload) - 2:
            known = bool({packet.source_port, packet.destination_port} & DNS_PORTS)
            message = parse_dns(payload[2:], known_port=known)
            if message is not None:
                self._dns(message, packet, flow, time)

    def _hello(self, payload: bytes, packet: Packet, flow: Flow, side: int, time: float) -> None:
        if not is_hello(payload):
            return
        hello = parse_hello(payload)
        if hello is None:
            waits = missing_bytes(payload) > 0 and len(payload) < PENDING_BYTES_MAX
            if waits and self._pending < PENDING_FLOWS_MAX:
                self._pending += 0 if any(flow.pending) else 1
                flow.pending[side] = payload
            return
        flow.service = flow.service or "tls"
        if isinstance(hello, ClientHello):
            flow.server_name = hello.server_name
            if self._budget.spend(time):
                self._seen.append(self._report.client_hello(hello, packet, time))
        elif self._budget.spend(time):
            self._seen.append(self._report.server_hello(hello, flow.server_name, packet, time))

    def _http(self, payload: bytes, packet: Packet, flow: Flow, time: float) -> None:
        head = parse_http(payload)
        if head is None:
            return
        flow.service = flow.service or "http"
        if not self._budget.spend(time):
            return
        if isinstance(head, HttpRequest):
            self._seen.append(self._report.http_request(head, packet, time))
        else:
            self._seen.append(self._report.http_response(head, packet, time))

    def _datagram(self, payload: bytes, packet: Packet, flow: Flow, time: float) -> None:
        known = packet.destination_port in DNS_PORTS or packet.source_port in DNS_PORTS
        message = parse_dns(payload, known_port=known)
        if message is not None:
            self._dns(message, packet, flow, time)

    def _dns(self, message: DnsMessage, packet: Packet, flow: Flow, time: float) -> None:
        flow.service = flow.service or "dns"
        if self._budget.spend(time):
            self._seen.append(self._report.dns(message, packet, time))

    def _arp(self, data: bytes, packet: Packet, time: float) -> None:
        message = parse_arp(data, packet.start)
        if message is None:
            self._malformed += 1
            return
        previous = "" if message.is_probe else self._bindings.claim(message.sender_ip, message.sender_mac)
        key = (message.opcode, message.sender_ip, message.sender_mac, message.target_ip)
        if (previous or not self._recent.is_repeat(key, time)) and self._budget.spend(time):
            self._seen.append(self._report.arp(message, previous, packet, time))

    def _icmp(self, payload: bytes, packet: Packet, time: float) -> None:
        message = parse_icmp(payload, version6=packet.protocol == ICMPV6)
        if message is None:
            return
        previous = ""
        if message.type == NEIGHBOUR_ADVERTISEMENT and packet.protocol == ICMPV6 and message.target_mac:
            previous = self._bindings.claim(message.target, message.target_mac)
        key = (packet.source, packet.destination, message.type, message.code, message.target)
        if (previous or not self._recent.is_repeat(key, time)) and self._budget.spend(time):
            self._seen.append(self._report.icmp(message, previous, packet, time))
