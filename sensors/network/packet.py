"""The header walk: link layer to transport ports, bounds-checked, in one pass over the bytes.

Covers Ethernet (802.1Q/ad tags, 802.1ah, VN-Tag, FabricPath, 802.2 LLC/SNAP, PPPoE, MPLS), FDDI, PPP, Linux
cooked v1 and v2, raw IP, BSD loopback; IPv4 (RFC 791), IPv6 with extension headers (RFC 8200), TCP, UDP,
SCTP, ICMP and ICMPv6. IP in IP and GRE are opened on the way, VXLAN and its kin by ``walk_inner``: see
``sensors.network.encapsulation``. Fragments are marked and not read on: see ``sensors.network.fragments``.
Whatever the bytes are, ``walk`` returns: a ``Packet``, or None where a header is cut or contradicts itself.
"""

from struct import Struct, error
from typing import Final, NamedTuple

from sensors.network.encapsulation import (
    BRIDGED,
    GRE,
    TUNNELS_MAX,
    Tunnel,
    open_gre,
    open_udp,
    tunnel_port,
)
from sensors.network.icmp_types import answer_type

LINK_NULL: Final = 0
LINK_ETHERNET: Final = 1
LINK_PPP: Final = 9
LINK_FDDI: Final = 10
LINK_RAW: Final = 101
LINK_LOOP: Final = 108
LINK_SLL: Final = 113
LINK_IPV4: Final = 228
LINK_IPV6: Final = 229
LINK_SLL2: Final = 276
_SAME: Final = {12: LINK_RAW, 14: LINK_RAW, 50: LINK_PPP}  # other numbers for the same
LINK_TYPES: Final = frozenset({LINK_NULL, LINK_ETHERNET, LINK_PPP, LINK_FDDI, LINK_RAW, LINK_LOOP}) | {
    *(LINK_SLL, LINK_IPV4, LINK_IPV6, LINK_SLL2),
    *_SAME,
}

ETHER_IPV4: Final = 0x0800
ETHER_ARP: Final = 0x0806
ETHER_IPV6: Final = 0x86DD
ETHER_LLDP: Final = 0x88CC
ETHER_LLC: Final = 0  # an 802.3 length field instead of a type

ICMP: Final = 1
IPV4_IN_IP: Final = 4
TCP: Final = 6
UDP: Final = 17
IPV6_IN_IP: Final = 41
ICMPV6: Final = 58
SCTP: Final = 132
NO_IP: Final = -1

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10

EXTENSION_HEADERS_MAX: Final = 8
VLAN_TAGS_MAX: Final = 4
_VLAN_TYPES: Final = frozenset({0x8100, 0x88A8, 0x9100})
_EXTENSIONS: Final = frozenset({0, 43, 60, 135, 139, 140})  # length in 8-byte units, first one not counted
_PPPOE_SESSION: Final = 0x8864
_PPP_TYPES: Final = {0x0021: ETHER_IPV4, 0x0057: ETHER_IPV6}
_MPLS: Final = frozenset({0x8847, 0x8848})
_WHOLE_FRAMES: Final = {0x88E7: ("pbb", 4), 0x8903: ("fabricpath", 2)}  # a tag of so many bytes, a frame
_VN_TAG: Final = 0x8926
MPLS_LABELS_MAX: Final = 8
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51

_TUNNEL_PROTOCOLS: Final = frozenset({IPV4_IN_IP, IPV6_IN_IP, GRE})
_u16: Final = Struct("!H").unpack_from
_u32: Final = Struct("!I").unpack_from
_u16x2: Final = Struct("!HH").unpack_from
_ipv4: Final = Struct("!BBHHHBBH4s4s").unpack_from
_ipv6: Final = Struct("!IHBB16s16s").unpack_from
_tcp: Final = Struct("!HHIIBBHHH").unpack_from
_udp: Final = Struct("!HHHH").unpack_from
_plain_tcp: Final = Struct("!BBHHHBBH4s4sHHIIBB").unpack_from
_PLAIN: Final = b"\x08\x00\x45"
_PLAIN_BYTES_MIN: Final = 53
_icmp: Final = Struct("!BBH").unpack_from


class Packet(NamedTuple):
    """What the headers say; ``start:end`` bounds the upper payload within the captured bytes.

    For ICMP the ports carry the message type and the type that answers it, or the code where none does.
    """

    ethertype: int
    vlan: int  # outermost VLAN id, -1 without a tag
    source_mac: bytes  # b"" where the link has none
    protocol: int  # IP protocol number, NO_IP otherwise
    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    flags: int  # TCP flags
    sequence: int  # TCP sequence number
    hop_limit: int
    is_fragment: bool  # not a whole datagram: ports unknown, start:end bounds this part of it
    ip_bytes: int  # by the IP header, not by what was captured
    payload_bytes: int  # likewise
    start: int
    end: int
    network: int  # where the IP header begins
    tunnel: Tunnel | None  # the innermost tunnel this packet came through


_new: Final = tuple.__new__  # a third of what calling a NamedTuple costs


def walk(data: bytes, link_type: int) -> Packet | None:
    """The packet's headers, or None where they are malformed or the link type is not known."""
    try:
        if link_type != LINK_ETHERNET:
            return _link(data, _SAME.get(link_type, link_type))
        if len(data) > _PLAIN_BYTES_MIN and data[12:15] == _PLAIN and data[23] == TCP:
            return _plain(data)
        return _ethernet(data, 0, None)
    except (error, IndexError):
        return None


def _plain(data: bytes) -> Packet | None:
    """The way of most packets, all headers in one step: TCP in IPv4 without options in Ethernet."""
    head = _plain_tcp(data, 14)
    (
        _,
        _,
        total,
        _,
        fragment,
        hops,
        _,
        _,
        source,
        destination,
        source_port,
        port,
        sequence,
        _,
        words,
        flags,
    ) = head
    if fragment & 0x3FFF or not total:
        return _version4(data, 14, -1, data[6:12], None)
    start, true_end = 34 + (words >> 4) * 4, 14 + total
    if words < 0x50 or start > true_end:
        return None
    end = min(len(data), true_end)
    base = (ETHER_IPV4, -1, data[6:12], TCP, source, destination, source_port, port, flags, sequence, hops)
    return _new(Packet, (*base, False, total, true_end - start, min(start, end), end, 14, None))


def walk_network(data: bytes, outer: Packet) -> Packet | None:
    """A datagram put together from fragments: bytes from its IP header on, the rest as in ``outer``."""
    try:
        return _network(data, outer.ethertype, 0, outer.vlan, outer.source_mac, outer.tunnel)
    except (error, IndexError):
        return None


def walk_inner(data: bytes, outer: Packet) -> Packet | None:
    """The packet inside a UDP one of VXLAN, Geneve, Teredo or GTP-U; None where it is none of them."""
    port = tunnel_port(outer.source_port, outer.destination_port)
    if port < 0:
        return None
    try:
        opened = open_udp(data, outer.start, outer.end, port)
        if opened is None:
            return None
        kind, ethertype, offset, identifier = opened
        tunnel = _through(kind, outer.source, outer.destination, identifier, outer.tunnel)
        if tunnel is None:
            return None
        if ethertype == BRIDGED:
            return _ethernet(data, offset, tunnel)
        return _network(data, ethertype, offset, outer.vlan, outer.source_mac, tunnel)
    except (error, IndexError):
        return None


def _through(
    kind: str, source: bytes, destination: bytes, identifier: int, outer: Tunnel | None
) -> Tunnel | None:
    """The tunnel; None where it lies too deep in others."""
    depth = outer.depth + 1 if outer is not None else 1
    return Tunnel(kind, source, destination, identifier, depth) if depth <= TUNNELS_MAX else None


def _link(data: bytes, link_type: int) -> Packet | None:
    if link_type == LINK_SLL:
        size = _u16(data, 4)[0]
        return _network(data, _u16(data, 14)[0], 16, -1, data[6 : 6 + size] if size == 6 else b"", None)
    if link_type == LINK_SLL2:
        size = data[11]
        return _network(data, _u16(data, 0)[0], 20, -1, data[12:18] if size == 6 else b"", None)
    if link_type in (LINK_NULL, LINK_LOOP):
        _u32(data, 0)
        family = data[0] or data[3]  # written in the byte order of the machine that captured
        return _network(data, ETHER_IPV4 if family == 2 else ETHER_IPV6, 4, -1, b"", None)
    if link_type == LINK_FDDI:
        is_snap = data[13:19] == b"\xaa\xaa\x03\x00\x00\x00"
        ethertype = _u16(data, 19)[0] if is_snap else ETHER_LLC
        return _network(data, ethertype, 21 if is_snap else 13, -1, data[7:13], None)
    if link_type == LINK_PPP:
        offset = 2 if data[:2] == b"\xff\x03" else 0
        return _network(data, _PPP_TYPES.get(_u16(data, offset)[0], -1), offset + 2, -1, b"", None)
    if link_type in LINK_TYPES:
        return _network(data, ETHER_IPV4 if data[0] >> 4 == 4 else ETHER_IPV6, 0, -1, b"", None)
    return None


def _ethernet(data: bytes, offset: int, tunnel: Tunnel | None) -> Packet | None:
    mac = data[offset + 6 : offset + 12]
    ethertype: int = _u16(data, offset + 12)[0]
    offset += 14
    if ethertype == ETHER_IPV4:
        return _version4(data, offset, -1, mac, tunnel)
    vlan = -1
    for _ in range(VLAN_TAGS_MAX):
        if ethertype in _VLAN_TYPES:
            tag, ethertype = _u16x2(data, offset)
            vlan = tag & 0x0FFF if vlan < 0 else vlan
            offset += 4
        elif ethertype == _VN_TAG:
            ethertype = _u16(data, offset + 4)[0]
            offset += 6
        else:
            break
    if ethertype in _WHOLE_FRAMES:
        kind, size = _WHOLE_FRAMES[ethertype]
        identifier = int.from_bytes(data[offset : offset + size], "big") & 0xFFFFFF
        inner = _through(kind, b"", b"", identifier, tunnel)
        return None if inner is None else _ethernet(data, offset + size, inner)
    if ethertype < 0x0600:
        is_snap = data[offset : offset + 6] == b"\xaa\xaa\x03\x00\x00\x00"
        ethertype = _u16(data, offset + 6)[0] if is_snap else ETHER_LLC
        offset += 8 if is_snap else 0
    return _network(data, ethertype, offset, vlan, mac, tunnel)


def _network(
    data: bytes, ethertype: int, offset: int, vlan: int, mac: bytes, tunnel: Tunnel | None
) -> Packet | None:
    if ethertype == ETHER_IPV4:
        return _version4(data, offset, vlan, mac, tunnel)
    if ethertype == ETHER_IPV6:
        return _version6(data, offset, vlan, mac, tunnel)
    if ethertype == _PPPOE_SESSION:
        inner = _PPP_TYPES.get(_u16(data, offset + 6)[0], -1)
        return _network(data, inner, offset + 8, vlan, mac, tunnel)
    if ethertype in _MPLS:
        return _labelled(data, offset, vlan, mac, tunnel)
    size = len(data) - offset
    if size < 0:
        return None
    base = (ethertype, vlan, mac, NO_IP, b"", b"", 0, 0, 0, 0, 0, False, 0, size, offset, len(data))
    return _new(Packet, (*base, offset, tunnel))


def _labelled(data: bytes, offset: int, vlan: int, mac: bytes, tunnel: Tunnel | None) -> Packet | None:
    for _ in range(MPLS_LABELS_MAX):
        is_last = data[offset + 2] & 1
        offset += 4
        if is_last:
            version = data[offset] >> 4
            if version == 0:  # a pseudowire's control word, then a frame
                inner = _through("mpls", b"", b"", _u32(data, offset - 4)[0] >> 12, tunnel)
                return None if inner is None else _ethernet(data, offset + 4, inner)
            ethertype = {4: ETHER_IPV4, 6: ETHER_IPV6}.get(version, -1)
            return _network(data, ethertype, offset, vlan, mac, tunnel)
    return None


def _version4(data: bytes, offset: int, vlan: int, mac: bytes, tunnel: Tunnel | None) -> Packet | None:
    first, _, total, _, fragment, hops, protocol, _, source, destination = _ipv4(data, offset)
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < 20:
        return None
    total = total or len(data) - offset  # 0: the length is left to segmentation offload
    if total < header:
        return None
    base = (ETHER_IPV4, vlan, mac, protocol, source, destination)
    parted = fragment & 0x3FFF != 0
    return _transport(data, base, offset + header, offset + total, hops, parted, total, offset, tunnel)


def _version6(data: bytes, offset: int, vlan: int, mac: bytes, tunnel: Tunnel | None) -> Packet | None:
    first, size, following, hops, source, destination = _ipv6(data, offset)
    if first >> 28 != 6:
        return None
    start = offset + 40
    total = size + 40 if size else len(data) - offset  # 0: a jumbogram or offload
    parted = False
    if following not in (TCP, UDP):
        for _ in range(EXTENSION_HEADERS_MAX):
            if following in _EXTENSIONS:
                following, start = data[start], start + 8 * (data[start + 1] + 1)
            elif following == _FRAGMENT:
                parted = bool(_u16(data, start + 2)[0] & 0xFFF9)
                following, start = data[start], start + 8
                if parted:
                    break
            elif following == _AUTHENTICATION:
                following, start = data[start], start + 4 * (data[start + 1] + 2)
            else:
                break
    if start > offset + total:
        return None
    base = (ETHER_IPV6, vlan, mac, following, source, destination)
    return _transport(data, base, start, offset + total, hops, parted, total, offset, tunnel)


def _transport(
    data: bytes,
    base: tuple[int, int, bytes, int, bytes, bytes],
    start: int,
    true_end: int,
    hops: int,
    parted: bool,
    total: int,
    network: int,
    tunnel: Tunnel | None,
) -> Packet | None:
    protocol = base[3]
    source_port = destination_port = flags = sequence = 0
    if parted:
        pass
    elif protocol == TCP:
        source_port, destination_port, sequence, _, words, flags, _, _, _ = _tcp(data, start)
        if words < 0x50:
            return None
        start += (words >> 4) * 4
    elif protocol == UDP:
        source_port, destination_port, size, _ = _udp(data, start)
        true_end = min(true_end, start + size) if size >= 8 else true_end
        start += 8
    elif protocol in (ICMP, ICMPV6):
        source_port, code, _ = _icmp(data, start)
        destination_port = answer_type(source_port, code, version6=protocol == ICMPV6)
    elif protocol in _TUNNEL_PROTOCOLS:
        inner = _tunnelled(data, base, start, min(true_end, len(data)), tunnel)
        if inner is not None:
            return inner
    elif protocol == SCTP:
        source_port, destination_port = _u16x2(data, start)
    if start > true_end:
        return None
    end = len(data)
    if true_end < end:
        end = true_end
    ports = (source_port, destination_port, flags, sequence, hops, parted)
    bounds = (total, true_end - start, min(start, end), end, network, tunnel)
    return _new(Packet, (*base, *ports, *bounds))


def _tunnelled(
    data: bytes,
    base: tuple[int, int, bytes, int, bytes, bytes],
    start: int,
    end: int,
    outer: Tunnel | None,
) -> Packet | None:
    """The packet inside IP in IP or GRE; None where there is none to be read, the outer one then stands."""
    _, vlan, mac, protocol, source, destination = base
    try:
        if protocol == GRE:
            opened = open_gre(data, start, end)
            if opened is None:
                return None
            kind, ethertype, offset, identifier = opened
        else:
            kind, offset, identifier = "ip", start, -1
            ethertype = ETHER_IPV4 if protocol == IPV4_IN_IP else ETHER_IPV6
        tunnel = _through(kind, source, destination, identifier, outer)
        if tunnel is None:
            return None
        if ethertype == BRIDGED:
            return _ethernet(data, offset, tunnel)
        return _network(data, ethertype, offset, vlan, mac, tunnel)
    except (error, IndexError):
        return None


def is_control(packet: Packet) -> bool:
    """Whether the packet belongs to the control plane: ARP, NDP, DHCP, LLDP, spanning tree and its kin."""
    if packet.protocol == NO_IP:
        return packet.ethertype in (ETHER_ARP, ETHER_LLDP, ETHER_LLC)
    if packet.protocol == ICMPV6:
        return 133 <= packet.source_port <= 137
    if packet.protocol != UDP:
        return False
    return {packet.source_port, packet.destination_port} in ({67, 68}, {67}, {546, 547}, {547})
