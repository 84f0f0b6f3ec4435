"""The neighbourhood: ARP (RFC 826, 5227), ICMP, and IPv6 neighbour discovery (RFC 4861, 8106).

Parsers are pure; ``Bindings`` remembers which address was last claimed by which MAC, and ``Recent`` keeps the
same words from being said a thousand times a minute. Both are bounded.
"""

from collections import OrderedDict
from collections.abc import Hashable
from ipaddress import IPv4Address, IPv6Address
from struct import Struct, error
from typing import Final

import msgspec

ENTRIES_MAX: Final = 4_096
REPEAT_SECONDS: Final = 30.0
ROUTER_ADVERTISEMENT: Final = 134
NEIGHBOUR_ADVERTISEMENT: Final = 136
_OPTIONS_MAX: Final = 32
_ERRORS4: Final = frozenset({3, 4, 5, 11, 12})
_ERRORS6: Final = frozenset({1, 2, 3, 4})
_ARP_OPCODES: Final = {1: "request", 2: "reply", 3: "rarp-request", 4: "rarp-reply"}

_arp: Final = Struct("!HHBBH6s4s6s4s").unpack_from
_router: Final = Struct("!BBHBBHII").unpack_from
_prefix: Final = Struct("!BBII").unpack_from
_u32: Final = Struct("!I").unpack_from


class Arp(msgspec.Struct, frozen=True, kw_only=True):
    """One ARP message for IPv4 over Ethernet."""

    opcode: str
    sender_mac: str
    sender_ip: str
    target_mac: str
    target_ip: str
    is_gratuitous: bool  # announces its own address
    is_probe: bool  # asks whether an address is taken


class Icmp(msgspec.Struct, frozen=True, kw_only=True):
    """One ICMP or ICMPv6 message; ``target`` and ``options`` only in neighbour discovery."""

    type: int
    code: int
    target: str = ""
    target_mac: str = ""
    options: list[str] = []
    router_lifetime_seconds: int | None = None
    router_flags: list[str] = []  # of an advertisement: managed, other, home-agent, high, low
    gateway: str = ""  # where a redirect points
    about: "About | None" = None  # of an error: the packet it complains of


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What an ICMP error quotes of the packet that caused it."""

    source: str
    destination: str
    protocol: int
    source_port: int = 0
    destination_port: int = 0


def mac_text(raw: bytes) -> str:
    """Six bytes as ECS writes them: ``00-1A-2B-3C-4D-5E``."""
    return raw.hex("-").upper()


def parse_arp(data: bytes, offset: int) -> Arp | None:
    """The ARP message at ``offset``, or None where it is cut or for other hardware."""
    try:
        hardware, protocol, hardware_size, size, opcode, *rest = _arp(data, offset)
    except error:
        return None
    if (protocol, hardware_size, size) != (0x0800, 6, 4) or hardware not in (1, 6):
        return None
    sender_mac, sender, target_mac, target = rest
    return Arp(
        opcode=_ARP_OPCODES.get(opcode, str(opcode)),
        sender_mac=mac_text(sender_mac),
        sender_ip=str(IPv4Address(sender)),
        target_mac=mac_text(target_mac),
        target_ip=str(IPv4Address(target)),
        is_gratuitous=sender == target and any(sender),
        is_probe=opcode == 1 and not any(sender),
    )


def parse_icmp(data: bytes, *, version6: bool) -> Icmp | None:
    """The message from its type byte on, or None where it is cut short."""
    if len(data) < 4:
        return None
    kind, code = data[0], data[1]
    if not version6 or not 133 <= kind <= 137:
        errors = _ERRORS6 if version6 else _ERRORS4
        gateway = str(IPv4Address(data[4:8])) if kind == 5 and not version6 and len(data) >= 8 else ""
        about = _about(data[8:]) if kind in errors else None
        return Icmp(type=kind, code=code, gateway=gateway, about=about)
    try:
        return _discovery(data, kind, code)
    except (error, ValueError, IndexError):
        return Icmp(type=kind, code=code, options=["malformed"])


def _discovery(data: bytes, kind: int, code: int) -> Icmp:
    lifetime = None
    target = gateway = ""
    flags: list[str] = []
    offset = 24
    if kind == ROUTER_ADVERTISEMENT:
        lifetime = _router(data, 0)[5]
        flags = _router_flags(data[5])
        offset = 16
    elif kind == 133:
        offset = 8
    else:
        target = str(IPv6Address(data[8:24]))
        offset = 40 if kind == 137 else 24
        gateway = target if kind == 137 else ""  # a redirect's target is the better first hop
    options, target_mac = _options(data, offset)
    return Icmp(
        type=kind,
        code=code,
        target=target,
        target_mac=target_mac,
        options=options,
        router_lifetime_seconds=lifetime,
        router_flags=flags,
        gateway=gateway,
    )


def _router_flags(flags: int) -> list[str]:
    """Flags and preference of a router advertisement (RFC 4861, 4191)."""
    found = [name for bit, name in ((0x80, "managed"), (0x40, "other"), (0x20, "home-agent")) if flags & bit]
    preference = flags >> 3 & 3
    return [*found, *({1: ["high"], 3: ["low"]}.get(preference, []))]


def _about(quoted: bytes) -> About | None:
    """The packet quoted in an error; None where too little of it is."""
    version = quoted[0] >> 4 if quoted else 0
    if version == 4 and len(quoted) >= 20:
        head, protocol = (quoted[0] & 0x0F) * 4, quoted[9]
        source, destination = str(IPv4Address(quoted[12:16])), str(IPv4Address(quoted[16:20]))
    elif version == 6 and len(quoted) >= 40:
        head, protocol = 40, quoted[6]
        source, destination = str(IPv6Address(quoted[8:24])), str(IPv6Address(quoted[24:40]))
    else:
        return None
    ports = quoted[head : head + 4] if protocol in (6, 17, 132) else b""
    return About(
        source=source,
        destination=destination,
        protocol=protocol,
        source_port=int.from_bytes(ports[:2], "big") if len(ports) == 4 else 0,
        destination_port=int.from_bytes(ports[2:], "big") if len(ports) == 4 else 0,
    )


def _options(data: bytes, offset: int) -> tuple[list[str], str]:
    found: list[str] = []
    target_mac = ""
    while offset + 2 <= len(data) and len(found) < _OPTIONS_MAX:
        kind, size = data[offset], data[offset + 1] * 8
        if size == 0 or offset + size > len(data):
            found.append("malformed")
            break
        body = data[offset : offset + size]
        if kind == 2:
            target_mac = mac_text(body[2:8])
        found.append(_option(kind, body))
        offset += size
    return found, target_mac


def _option(kind: int, body: bytes) -> str:
    if kind in (1, 2) and len(body) >= 8:
        return f"{'source' if kind == 1 else 'target'}-mac={mac_text(body[2:8])}"
    if kind == 3 and len(body) == 32:
        bits, _, valid, preferred = _prefix(body, 2)
        return f"prefix={IPv6Address(body[16:32])}/{bits} valid={valid} preferred={preferred}"
    if kind == 5 and len(body) == 8:
        return f"mtu={_u32(body, 4)[0]}"
    if kind == 25 and len(body) >= 24:
        servers = [str(IPv6Address(body[at : at + 16])) for at in range(8, len(body) - 15, 16)]
        return f"dns={','.join(servers[:8])}"
    return f"option{kind}={len(body)}"


class Bindings:
    """Which MAC claimed an address last."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._macs: OrderedDict[str, str] = OrderedDict()

    def claim(self, address: str, mac: str) -> str:
        """Remember the claim; the other MAC that claimed the address before, '' where none did."""
        previous = self._macs.get(address, "")
        self._macs[address] = mac
        self._macs.move_to_end(address)
        if len(self._macs) > self._entries_max:
            self._macs.popitem(last=False)
        return previous if previous != mac else ""


class Recent:
    """Whether the same thing was said within the last ``seconds``."""

    def __init__(self, seconds: float = REPEAT_SECONDS, entries_max: int = ENTRIES_MAX) -> None:
        self._seconds = seconds
        self._entries_max = entries_max
        self._said: OrderedDict[Hashable, float] = OrderedDict()
        self.suppressed = 0

    def is_repeat(self, key: Hashable, time: float) -> bool:
        """True for a repetition; what is new, or old enough, is remembered as said now."""
        said = self._said.get(key)
        if said is not None and abs(time - said) < self._seconds:
            self.suppressed += 1
            return True
        self._said[key] = time
        self._said.move_to_end(key)
        if len(self._said) > self._entries_max:
            self._said.popitem(last=False)
        return False
