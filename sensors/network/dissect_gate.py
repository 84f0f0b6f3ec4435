"""Which packets scapy gets to see: the control plane, and the first of each long-tail conversation.

Asked for every packet, so it looks at nothing but what the header walk already knows. How many of them are
really dissected is up to the worker's budget (dissect.py).
"""

from typing import Final

from sensors.network.neighbour import Recent
from sensors.network.packet import NO_IP, TCP, UDP, Packet, is_control

# IGMP, EIGRP, OSPF, PIM, VRRP, SCTP: routers among themselves, and who joins which group.
PROTOCOLS: Final = frozenset({2, 88, 89, 103, 112, 132})
UDP_PORTS: Final = frozenset(
    {
        69, 123, 319, 320, 500, 520, 521, 1_645, 1_646, 1_701, 1_812, 1_813, 1_985, 2_055, 2_123, 2_152,
        3_671, 3_784, 4_500, 4_789, 5_683, 9_995, 34_964, 47_808,
    }
)  # fmt: skip
TCP_PORTS: Final = frozenset({179, 1_883, 2_404, 20_000, 44_818})
ETHERTYPES: Final = frozenset({0x8809, 0x8863, 0x888E, 0x8892, 0x88B8})  # LACP PPPoE 802.1X PROFINET GOOSE
AGAIN_SECONDS: Final = 300.0  # between two looks at one long-tail conversation
ENTRIES_MAX: Final = 2_048


class Gate:
    """Remembers, bounded, which long-tail conversations were looked at lately."""

    def __init__(self) -> None:
        self._recent = Recent(AGAIN_SECONDS, ENTRIES_MAX)

    def wants(self, packet: Packet, time: float) -> bool:
        """Whether scapy should see this packet."""
        protocol = packet.protocol
        if protocol == TCP:
            port = _port(packet, TCP_PORTS)
            return port > 0 and packet.end > packet.start and self._is_new(packet, port, time)
        if is_control(packet):
            return True
        if protocol == NO_IP:
            return packet.ethertype in ETHERTYPES and self._is_new(packet, packet.ethertype, time)
        if protocol == UDP:
            port = _port(packet, UDP_PORTS)
            return port > 0 and self._is_new(packet, port, time)
        return protocol in PROTOCOLS

    def _is_new(self, packet: Packet, port: int, time: float) -> bool:
        key = (packet.source or packet.source_mac, packet.destination, port)
        return not self._recent.is_repeat(key, time)


def _port(packet: Packet, ports: frozenset[int]) -> int:
    if packet.destination_port in ports:
        return packet.destination_port
    return packet.source_port if packet.source_port in ports else 0
