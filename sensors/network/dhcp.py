"""DHCP (RFC 2131, 2132): who asks for an address under which name, who gives which, with what router."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

from sensors.event import Value
from sensors.network.dialect import DatagramDialect, Message, Talk
from sensors.network.neighbour import mac_text
from sensors.network.reading import text

PORTS: Final = frozenset({67, 68, 4011})
_COOKIE: Final = b"\x63\x82\x53\x63"
_OPTIONS_MAX: Final = 128
_KINDS: Final = (
    "", "DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NAK", "RELEASE", "INFORM", "FORCERENEW",
    "LEASEQUERY", "LEASEUNASSIGNED", "LEASEUNKNOWN", "LEASEACTIVE",
)  # fmt: skip
_PAD, _END = 0, 255


def read_dhcp(payload: bytes, _talk: Talk) -> Sequence[Message] | None:
    """One datagram; None where it is not DHCP."""
    if len(payload) < 241 or payload[0] not in (1, 2) or payload[236:240] != _COOKIE or payload[2] > 16:
        return None
    options = options_of(payload, 240)
    number = options.get(53, b"\0")[:1] or b"\0"
    kind = _KINDS[number[0]] if number[0] < len(_KINDS) else str(number[0])
    is_reply = payload[0] == 2
    hardware = payload[28 : 28 + payload[2]]
    fields: dict[str, Value] = {
        "event.category": "network",
        "event.action": f"dhcp-{kind.lower() or 'bootp'}",
        "gov.dhcp.type": kind,
        "gov.dhcp.transaction": f"{int.from_bytes(payload[4:8], 'big'):08x}",
    }
    native: dict[str, Value] = {"msg_types": kind}
    if any(hardware):
        fields["gov.dhcp.client_mac"] = mac_text(hardware)
        native["mac"] = hardware.hex(":")
    for start, name in ((12, "current"), (16, "assigned"), (24, "relay")):
        if any(payload[start : start + 4]):
            fields[f"gov.dhcp.{name}_address"] = str(IPv4Address(payload[start : start + 4]))
    if is_reply and "gov.dhcp.assigned_address" in fields:
        native["assigned_addr"] = fields["gov.dhcp.assigned_address"]
    _option_fields(options, fields, native)
    return [Message("net.dhcp", "dhcp", fields, native, reply=is_reply)]


def _option_fields(options: dict[int, bytes], fields: dict[str, Value], native: dict[str, Value]) -> None:
    for code, name, zeek in (
        (12, "host_name", "host_name"),
        (15, "domain", "domain"),
        (56, "message", ""),
        (60, "vendor_class", ""),
        (66, "boot_server", ""),
        (67, "boot_file", ""),
    ):
        if options.get(code):
            fields[f"gov.dhcp.{name}"] = text(options[code].rstrip(b"\0"), 255)
            if zeek:
                native[zeek] = fields[f"gov.dhcp.{name}"]
    for code, name, zeek in ((50, "requested_address", "requested_addr"), (54, "server", "server_addr")):
        if len(options.get(code, b"")) >= 4:
            fields[f"gov.dhcp.{name}"] = native[zeek] = str(IPv4Address(options[code][:4]))
    for code, name in ((3, "routers"), (6, "dns_servers")):
        raw = options.get(code, b"")
        if len(raw) >= 4:
            fields[f"gov.dhcp.{name}"] = [
                str(IPv4Address(raw[at : at + 4])) for at in range(0, min(len(raw), 64) - 3, 4)
            ]
    if len(options.get(51, b"")) == 4:
        fields["gov.dhcp.lease_seconds"] = int.from_bytes(options[51], "big")
        native["lease_time"] = float(int.from_bytes(options[51], "big"))
    if len(options.get(81, b"")) > 3:
        raw = options[81]
        name = _labels(raw[3:]) if raw[0] & 4 else text(raw[3:].rstrip(b"\0"), 255)
        fields["gov.dhcp.full_name"] = native["client_fqdn"] = name


def options_of(data: bytes, at: int) -> dict[int, bytes]:
    """Option code -> its bytes; an option given twice is joined (RFC 3396). Bounded."""
    found: dict[int, bytes] = {}
    for _ in range(_OPTIONS_MAX):
        if at + 1 >= len(data) or data[at] == _END:
            break
        if data[at] == _PAD:
            at += 1
            continue
        size = data[at + 1]
        found[data[at]] = (found.get(data[at], b"") + data[at + 2 : at + 2 + size])[:1_024]
        at += 2 + size
    return found


def _labels(raw: bytes) -> str:
    labels: list[str] = []
    at = 0
    while at < len(raw) and 0 < raw[at] < 64 and len(labels) < 32:
        labels.append(text(raw[at + 1 : at + 1 + raw[at]], 63))
        at += 1 + raw[at]
    return ".".join(labels)


DATAGRAM: Final = DatagramDialect(
    "dhcp", read_dhcp, ports=PORTS, first_bytes=frozenset({1, 2}), elsewhere=True
)
