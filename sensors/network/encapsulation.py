"""Where the inner packet begins: GRE with its dialects, VXLAN, Geneve, GTP-U.

GRE (RFC 2784, 2890, version 1 of RFC 2637), bridged frames in it (NVGRE), ERSPAN I to III; VXLAN (RFC 7348)
with its GPE form, Geneve (RFC 8926), Teredo (RFC 4380), GTP-U of mobile networks (3GPP TS 29.281). Each
function answers with (kind, ethertype of what is inside, its offset, identifier or -1), or None where the
bytes are not that.
"""

from struct import Struct
from typing import Final, NamedTuple

GRE: Final = 47
BRIDGED: Final = 0x6558  # an Ethernet frame inside
TUNNELS_MAX: Final = 4  # one inside the other; deeper ones are left closed
VXLAN_PORTS: Final = frozenset({4789, 8472})
VXLAN_GPE_PORT: Final = 4790
GENEVE_PORT: Final = 6081
GTP_PORT: Final = 2152
TEREDO_PORT: Final = 3544
UDP_TUNNEL_PORTS: Final = VXLAN_PORTS | {VXLAN_GPE_PORT, GENEVE_PORT, GTP_PORT, TEREDO_PORT}
_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_PPP: Final = 0x880B
_ERSPAN: Final = 0x88BE
_ERSPAN_3: Final = 0x22EB
_GTP_EXTENSIONS_MAX: Final = 8
_GPE_TYPES: Final = {1: _IPV4, 2: _IPV6, 3: BRIDGED}

_u16: Final = Struct("!H").unpack_from
_u16x2: Final = Struct("!HH").unpack_from
_u32: Final = Struct("!I").unpack_from

Opened = tuple[str, int, int, int]


class Tunnel(NamedTuple):
    """What a packet came through; addresses are b"" for tunnels below IP."""

    kind: str  # gre, erspan, ip, vxlan, geneve, gtp, teredo, mpls, pbb, fabricpath
    source: bytes
    destination: bytes
    identifier: int  # key, session, VNI, TEID, label or service, -1 where there is none
    depth: int  # 1 is the outermost


def open_gre(data: bytes, start: int, end: int) -> Opened | None:
    """Past a GRE header. Raises IndexError or struct.error where it is cut."""
    flags, ethertype = _u16x2(data, start)
    version = flags & 7
    if version > 1 or flags & 0x4000 or (version == 0 and flags & 0x0080):
        return None  # source routing (RFC 1701), or nothing known
    offset = start + 4
    if flags & 0x8000:
        offset += 4  # checksum
    identifier = -1
    if flags & 0x2000:
        identifier = _u32(data, offset)[0]
        offset += 4
    sequenced = bool(flags & 0x1000)
    offset += 4 if sequenced else 0
    if version == 1:
        return _point_to_point(data, ethertype, offset + (4 if flags & 0x0080 else 0), end, identifier)
    if ethertype == _ERSPAN:
        return ("erspan", BRIDGED, offset + (8 if sequenced else 0), _session(data, offset, sequenced))
    if ethertype == _ERSPAN_3:
        return (
            "erspan",
            BRIDGED,
            offset + (20 if data[offset + 11] & 1 else 12),
            _session(data, offset, True),
        )
    return ("gre", ethertype, offset, identifier) if offset < end else None


def _session(data: bytes, offset: int, has_header: bool) -> int:
    return _u16(data, offset + 2)[0] & 0x03FF if has_header else -1


def _point_to_point(data: bytes, ethertype: int, offset: int, end: int, identifier: int) -> Opened | None:
    """PPP in GRE as PPTP has it: protocol of one or two bytes, address and control left out or not."""
    if ethertype != _PPP or offset + 4 > end:
        return None
    if data[offset : offset + 2] == b"\xff\x03":
        offset += 2
    protocol = data[offset]
    offset += 1
    if not protocol & 1:
        protocol = protocol << 8 | data[offset]
        offset += 1
    inner = {0x21: _IPV4, 0x57: _IPV6}.get(protocol)
    return None if inner is None else ("gre", inner, offset, identifier & 0xFFFF)


def tunnel_port(source: int, destination: int) -> int:
    """The port that names the tunnel between two, -1 where none does; Teredo and GTP-U answer from theirs."""
    if destination in UDP_TUNNEL_PORTS:
        return destination
    return source if source in (TEREDO_PORT, GTP_PORT) else -1


def open_udp(data: bytes, start: int, end: int, port: int) -> Opened | None:
    """Past the tunnel's header in a datagram to ``port``. Raises as ``open_gre`` where it is cut."""
    if end - start < 8:
        return None
    if port in VXLAN_PORTS:
        if data[start] & 0xF7 or not data[start] & 8 or data[start + 7]:
            return None
        return ("vxlan", BRIDGED, start + 8, _u32(data, start + 4)[0] >> 8)
    if port == VXLAN_GPE_PORT:
        inner = _GPE_TYPES.get(data[start + 3])
        return None if inner is None else ("vxlan", inner, start + 8, _u32(data, start + 4)[0] >> 8)
    if port == GENEVE_PORT:
        if data[start] >> 6:
            return None
        offset = start + 8 + 4 * (data[start] & 0x3F)
        return ("geneve", _u16(data, start + 2)[0], offset, _u32(data, start + 4)[0] >> 8)
    return _open_teredo(data, start, end) if port == TEREDO_PORT else _open_gtp(data, start)


def _open_teredo(data: bytes, start: int, end: int) -> Opened | None:
    """Past the authentication and the origin that may stand first (RFC 4380 5.1.1)."""
    if data[start : start + 2] == b"\0\1":
        start += 13 + data[start + 2] + data[start + 3]
    if data[start : start + 2] == b"\0\0":
        start += 8
    if start + 40 > end or data[start] >> 4 != 6:
        return None
    return ("teredo", _IPV6, start, -1)


def _open_gtp(data: bytes, start: int) -> Opened | None:
    flags, kind = data[start], data[start + 1]
    if flags & 0xF0 != 0x30 or kind != 0xFF:  # version 1, GTP and not GTP'; user data only
        return None
    offset = start + 8
    if flags & 7:
        following = data[offset + 3] if flags & 4 else 0
        offset += 4
        for _ in range(_GTP_EXTENSIONS_MAX):
            size = data[offset] * 4
            if not following or not size:
                break
            following = data[offset + size - 1]
            offset += size
    inner = {4: _IPV4, 6: _IPV6}.get(data[offset] >> 4)
    return None if inner is None else ("gtp", inner, offset, _u32(data, start + 4)[0])
