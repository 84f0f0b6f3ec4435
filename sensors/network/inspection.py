"""One capture's whole path, live or from a file: packet in, Observations out. Performs no input or output.

Packets are walked, opened where they are tunnels, put together where they are fragments, counted in the flow
table, and their payload goes to the dialects: streams in order to whoever claims them, datagrams as they are.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sensors.event import Observation
from sensors.network.datagram import Datagrams
from sensors.network.dialect import Message, Talk
from sensors.network.dialects import datagrams, streams
from sensors.network.dissect_gate import Gate
from sensors.network.encapsulation import tunnel_port
from sensors.network.flow import Flow, FlowTable
from sensors.network.fragments import Fragments
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
    walk,
    walk_inner,
    walk_network,
)
from sensors.network.settings import NetworkSettings
from sensors.network.stream import Streams

ONCE_SECONDS: Final = 600.0  # until what a server tells everybody is reported again
BURST_SECONDS: Final = 5  # of the event budget, saved up while it is quiet

Offer = Callable[[bytes, int, float], None]  # packet, link type, time: to the dissect worker
Keep = Callable[[bytes, int, float], None]  # likewise: to the ring of raw packets


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
        self,
        settings: NetworkSettings,
        reporter: Reporter,
        *,
        offer: Offer | None = None,
        keep: Keep | None = None,
        live: bool = True,
        secret: bytes = b"",
    ) -> None:
        self._report = reporter
        self._offer = offer
        self._keep = keep
        self._keep_packets_max = settings.packet_ring_flow_packets_max
        self._wanted = True
        self._gate = Gate()
        self._ignored_ports = frozenset(settings.ignore_ports)
        self._flows = FlowTable(settings)
        self._fragments = Fragments()
        self._streams = Streams(streams(), self._tell)
        self._datagrams = Datagrams(datagrams())
        self._talk = Talk(secret)
        self._bindings = Bindings()
        self._recent = Recent()
        self._told = Recent(ONCE_SECONDS) if live else None  # an offline reading tells everything
        self._budget = Budget(settings.events_per_second_max if live else 0)
        self._seen: list[Observation] = []
        self._packets = self._malformed = self._unknown_link = self._ignored = self._tunnelled = 0

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
        if self._offer is not None and self._gate.wants(packet, time):
            self._offer(data, link_type, time)
        self._wanted = True
        self._packet(data, packet, time)
        if self._keep is not None and self._wanted:
            self._keep(data, link_type, time)

    def advance(self, time: float) -> None:
        """Let time pass up to ``time``: idle flows end, long ones are announced."""
        self._flows.advance(time)
        self._fragments.advance(time)

    def finish(self) -> None:
        """End all flows."""
        self._flows.finish()

    def take(self) -> list[Observation]:
        """What there is to report since the last call, oldest first."""
        for ended in self._flows.take():
            flow = ended.flow
            if ended.action == "flow-end":
                self._streams.forget(flow)
            if self._budget.spend(flow.last):
                self._seen.append(self._report.flow(ended))
            if ended.action == "flow-update":
                flow.told = (flow.ip_bytes[0], flow.ip_bytes[1])
        seen, self._seen = self._seen, []
        return seen

    def counts(self) -> dict[str, int]:
        """Packets and losses so far, for the capture's own report."""
        return {
            "packets": self._packets,
            "malformed": self._malformed,
            "unknown_link": self._unknown_link,
            "ignored": self._ignored,
            "tunnelled": self._tunnelled,
            "flows_evicted": self._flows.evicted,
            "events_shed": self._budget.shed,
            "repeats_suppressed": self._recent.suppressed + (self._told.suppressed if self._told else 0),
            **self._fragments.counts(),
            **self._streams.counts(),
            **self._datagrams.counts(),
        }

    @property
    def flow_entries(self) -> int:
        """Flows in the table now."""
        return len(self._flows)

    def _packet(self, data: bytes, packet: Packet, time: float) -> None:
        """A walked packet, the captured one or what was inside it."""
        if packet.is_fragment:
            whole = self._fragments.add(data, packet, time)
            if whole is None:
                return
            joined = walk_network(whole, packet)
            if joined is None or joined.is_fragment:
                self._malformed += 1
                return
            data, packet = whole, joined
        protocol = packet.protocol
        if protocol == NO_IP:
            if packet.ethertype == ETHER_ARP:
                self._arp(data, packet, time)
            return
        if packet.tunnel is not None:
            self._tunnelled += 1
        if self._ignored_ports and self._is_ignored(packet):
            self._ignored += 1
            return
        flow, side = self._flows.see(packet, time)
        counts = flow.counts
        self._wanted = counts[0] + counts[1] <= self._keep_packets_max
        if packet.end <= packet.start:
            return
        if protocol == TCP:
            if not flow.reported and self._streams.wants(flow, side, data[packet.start]):
                self._segment(data[packet.start : packet.end], packet, flow, side, time)
        elif protocol == UDP:
            self._datagram(data, packet, flow, side, time)
        elif protocol in (ICMP, ICMPV6):
            self._icmp(data[packet.start : packet.end], packet, time)

    def _is_ignored(self, packet: Packet) -> bool:
        if packet.protocol not in (TCP, UDP):
            return False
        return packet.source_port in self._ignored_ports or packet.destination_port in self._ignored_ports

    def _segment(self, payload: bytes, packet: Packet, flow: Flow, side: int, time: float) -> None:
        talk = self._talk
        talk.side, talk.time = side, time
        talk.ports = (packet.source_port, packet.destination_port)
        talk.source, talk.destination = packet.source, packet.destination
        whole = len(payload) >= packet.payload_bytes
        self._streams.segment(flow, side, payload, packet.sequence, talk, whole=whole)

    def _tell(self, flow: Flow, side: int, messages: Sequence[Message]) -> None:
        """Report what a side's bytes told."""
        time = self._talk.time
        for message in messages:
            if not flow.service:
                flow.service = message.service
            if message.once and self._told is not None:
                # The same certificate of the same server comes with every handshake.
                server = flow.key[1:3] if message.reply == (side == 0) else flow.key[3:5]
                if self._told.is_repeat((server, message.once), time):
                    continue
            if self._budget.spend(time):
                self._seen.append(self._report.message(message, flow, side, time))

    def _datagram(self, data: bytes, packet: Packet, flow: Flow, side: int, time: float) -> None:
        if tunnel_port(packet.source_port, packet.destination_port) >= 0:
            inner = walk_inner(data, packet)
            if inner is not None and inner.tunnel is not None:
                flow.service = flow.service or inner.tunnel.kind
                self._packet(data, inner, time)
                return
        payload = data[packet.start : packet.end]
        talk = self._talk
        talk.side, talk.time = side, time
        talk.ports = (packet.source_port, packet.destination_port)
        talk.source, talk.destination = packet.source, packet.destination
        messages = self._datagrams.read(flow, payload, talk)
        if messages:
            self._tell(flow, side, messages)

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
