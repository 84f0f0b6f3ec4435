"""The scapy worker: a process of its own that dissects one packet at a time.

Licence: this file imports scapy, which is GPL-2.0-only. It is run only as a separate program
(``python -m sensors.network.dissect_worker``), talks through pipes, and is never imported by the rest of the
product. Whoever distributes it together with scapy distributes that combination under GPL-2.0. Without scapy
the product is whole; the extra ``dissect`` installs it.

Protocol: requests are ``u16 link type, u16 size, bytes``; answers are ``u32 size, JSON`` with ``summary`` and
``layers`` or ``error``; the first answer, ``{"ready": true}``, says that scapy is loaded. Bit 15 of the link
type asks for ``fields`` too: name and value of each field, layer by layer. The link type TRAFFIC, with no
bytes, asks for ``frames`` of the self-test: [dataset, hex]. All big-endian.
"""

import importlib
import json
import os
import resource
import sys
from struct import Struct
from typing import Any, BinaryIO, Final

PACKET_BYTES_MAX: Final = 4 * 1024
SUMMARY_CHARS_MAX: Final = 512
LAYERS_MAX: Final = 32
FIELDS_MAX: Final = 64  # of one layer
VALUE_CHARS_MAX: Final = 200
WITH_FIELDS: Final = 0x8000
TRAFFIC: Final = 0x7FFF
_LAYERS: Final = (  # beside the control plane: the long tail
    "dns", "eap", "hsrp", "isakmp", "l2tp", "netbios", "netflow", "ntp", "ppp", "radius", "rip", "sctp",
    "smb2", "snmp", "tftp", "vrrp",
)  # fmt: skip
_CONTRIBUTED: Final = (
    "bfd", "bgp", "cdp", "coap", "dtp", "eigrp", "enipTCP", "gtp", "igmp", "igmpv3", "knx", "lacp", "lldp",
    "modbus", "mqtt", "ospf", "pim", "pnio", "scada.iec104", "vtp",
)  # fmt: skip
MEMORY_BYTES_MAX: Final = 512 * 1024 * 1024
_NOBODY: Final = 65_534
_request: Final = Struct("!HH")
_answer: Final = Struct("!I")


def main() -> int:
    """Serve until standard input ends."""
    confine()
    layers = load_layers()
    answer(sys.stdout.buffer, {"ready": True})
    while (wanted := read_request(sys.stdin.buffer)) is not None:
        answer(sys.stdout.buffer, dissect(layers, *wanted))
    return 0


def confine() -> None:
    """No core dumps, no files beyond the few needed, bounded memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))


def load_layers() -> dict[int, Any]:
    """Link type -> scapy's class for it; afterwards the process gives up root."""
    from scapy.config import conf

    conf.route_autoload = False
    conf.route6_autoload = False
    from scapy.layers import dhcp, dhcp6, inet6, l2  # noqa: F401  their import registers the bindings

    for name in (*(f"layers.{one}" for one in _LAYERS), *(f"contrib.{one}" for one in _CONTRIBUTED)):
        importlib.import_module(f"scapy.{name}")
    tlcp = importlib.import_module("sensors.network.dissect_tlcp")
    tlcp.install()
    importlib.import_module("sensors.network.dissect_traffic")
    classes = {1: l2.Ether, 113: l2.CookedLinux, 0: l2.Loopback, 108: l2.Loopback}
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    return classes


def dissect(layers: dict[int, Any], link_type: int, data: bytes) -> dict[str, object]:
    """Scapy's reading of the packet; whatever scapy raises becomes an ``error``."""
    kind = link_type & ~WITH_FIELDS
    if kind == TRAFFIC:
        return {"frames": traffic()}
    if kind not in layers:
        return {"error": f"link type {kind}"}
    try:
        packet = layers[kind](data)
        names = [layer.__name__ for layer in packet.layers()[:LAYERS_MAX]]
        found: dict[str, object] = {"summary": packet.summary()[:SUMMARY_CHARS_MAX], "layers": names}
        if link_type & WITH_FIELDS:
            found["fields"] = [fields(packet.getlayer(number)) for number in range(len(names))]
        return found
    except Exception as error:  # noqa: BLE001  a parser of hostile bytes: any failure is an answer
        return {"error": type(error).__name__}


def traffic() -> list[tuple[str, str]]:
    """(dataset, frame in hex) of the self-test."""
    made = importlib.import_module("sensors.network.dissect_traffic").frames()
    return [(kind, raw.hex()) for kind, raw in made]


def fields(layer: Any) -> list[tuple[str, str]]:
    """Name and value of a layer's fields as scapy prints them."""
    if layer is None:
        return []
    named = list(layer.fields_desc)[:FIELDS_MAX]
    return [
        (one.name, str(one.i2repr(layer, layer.getfieldval(one.name)))[:VALUE_CHARS_MAX])
        for one in named
        if layer.getfieldval(one.name) is not None
    ]


def read_request(stream: BinaryIO) -> tuple[int, bytes] | None:
    """(link type, packet), or None at the end of the stream."""
    head = stream.read(_request.size)
    if len(head) < _request.size:
        return None
    link_type, size = _request.unpack(head)
    data = stream.read(size)
    return (link_type, data) if len(data) == size <= PACKET_BYTES_MAX else None


def answer(stream: BinaryIO, content: dict[str, object]) -> None:
    """Write one framed answer."""
    raw = json.dumps(content).encode()
    stream.write(_answer.pack(len(raw)) + raw)
    stream.flush()


if __name__ == "__main__":
    sys.exit(main())
