"""DHCPv6 (RFC 8415): who asks under which DUID and name, and who gives which addresses, prefixes and DNS."""

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address
from typing import Final

from sensors.event import Value
from sensors.network.dialect import DatagramDialect, Message, Talk
from sensors.network.neighbour import mac_text
from sensors.network.reading import text

PORTS: Final = frozenset({546, 547})
_OPTIONS_MAX: Final = 64
_RELAYS_MAX: Final = 4
_KINDS: Final = {
    1: "SOLICIT", 2: "ADVERTISE", 3: "REQUEST", 4: "CONFIRM", 5: "RENEW", 6: "REBIND", 7: "REPLY",
    8: "RELEASE", 9: "DECLINE", 10: "RECONFIGURE", 11: "INFORMATION-REQUEST",
    12: "RELAY-FORW", 13: "RELAY-REPL",
}  # fmt: skip
_REPLIES: Final = frozenset({2, 7, 10})
_RELAYED: Final = frozenset({12, 13})
Scalars = list[str | int | float | bool | None]


def read_dhcp6(payload: bytes, _talk: Talk) -> Sequence[Message] | None:
    """One datagram; None where it is not DHCPv6."""
    fields: dict[str, Value] = {"event.category": "network"}
    for _ in range(_RELAYS_MAX):
        if len(payload) < 4 or payload[0] not in _KINDS:
            return None
        if payload[0] not in _RELAYED:
            break
        if len(payload) < 34:
            return None
        fields["gov.dhcp.relay_address"] = str(IPv6Address(payload[2:18]))
        payload = next((body for code, body in _options(payload, 34) if code == 9), b"")
    else:
        return None
    kind = _KINDS[payload[0]]
    fields |= {
        "event.action": f"dhcp6-{kind.lower()}",
        "gov.dhcp.type": kind,
        "gov.dhcp.transaction": payload[1:4].hex(),
    }
    addresses: Scalars = []
    for code, body in _options(payload, 4):
        _option(code, body, fields, addresses)
    if addresses:
        fields["gov.dhcp.assigned_addresses"] = addresses
    native: dict[str, Value] = {"msg_types": kind}
    return [Message("net.dhcp", "dhcp", fields, native, reply=payload[0] in _REPLIES)]


def _option(code: int, body: bytes, fields: dict[str, Value], addresses: Scalars) -> None:
    if code == 1:
        fields["gov.dhcp.client_duid"] = body[:64].hex()
        if body[:4] == b"\0\x01\0\x01" and len(body) == 14:
            fields["gov.dhcp.client_mac"] = mac_text(body[8:])
        elif body[:4] == b"\0\x03\0\x01" and len(body) == 10:
            fields["gov.dhcp.client_mac"] = mac_text(body[4:])
    elif code == 2:
        fields["gov.dhcp.server_duid"] = body[:64].hex()
    elif code in (3, 25) and len(body) >= 12 and len(addresses) < 16:
        for inner, value in _options(body, 12):
            if inner == 5 and len(value) >= 24:
                addresses.append(str(IPv6Address(value[:16])))
            elif inner == 26 and len(value) >= 25:
                addresses.append(f"{IPv6Address(value[9:25])}/{value[8]}")
    elif code == 23:
        fields["gov.dhcp.dns_servers"] = [
            str(IPv6Address(body[at : at + 16])) for at in range(0, min(len(body), 128) - 15, 16)
        ]
    elif code == 39 and len(body) > 2:
        fields["gov.dhcp.full_name"] = text(b".".join(_labels(body[1:])), 255)
    elif code == 13 and len(body) >= 2:
        fields["gov.dhcp.status"] = int.from_bytes(body[:2], "big")


def _options(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    for _ in range(_OPTIONS_MAX):
        if at + 4 > len(data):
            return
        code, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + size


def _labels(raw: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at < len(raw) and 0 < raw[at] < 64 and len(found) < 32:
        found.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return found


DATAGRAM: Final = DatagramDialect("dhcpv6", read_dhcp6, ports=PORTS, first_bytes=frozenset(_KINDS))
