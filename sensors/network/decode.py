"""Packets taken apart for a person: by scapy in its worker where it is installed, else by our header walk.

A packet that the worker refuses, or that costs it its life or its deadline, is shown by the header walk.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from sensors.network.dissect import PACKET_BYTES_MAX, Answer, Worker, WorkerLost, installed
from sensors.network.packet import ICMP, ICMPV6, NO_IP, TCP, UDP, Packet, walk

DEADLINE_SECONDS: Final = 2.0  # somebody asked for this packet, unlike those of the second opinion
LOSSES_MAX: Final = 3  # of the worker in one call; then the rest is walked
_NAMES: Final = {TCP: "TCP", UDP: "UDP", ICMP: "ICMP", ICMPV6: "ICMPv6"}
_FLAGS: Final = "FSRPAUEC"

Layer = tuple[str, tuple[tuple[str, str], ...]]


class Decoded(NamedTuple):
    """A sentence and the layers, outermost first, each with its fields."""

    summary: str
    layers: tuple[Layer, ...]


def decode(packets: Sequence[tuple[bytes, int]]) -> list[Decoded]:
    """Of each (packet, link type) what can be told; never raises on hostile bytes."""
    worker = Worker(deadline_seconds=DEADLINE_SECONDS) if packets and installed() else None
    losses = 0
    found = []
    try:
        for data, link_type in packets:
            answer: Answer | None = None
            if worker is not None and losses < LOSSES_MAX:
                try:
                    answer = worker.ask(link_type, data[:PACKET_BYTES_MAX], with_fields=True)
                except WorkerLost:
                    losses += 1
            found.append(
                _told(answer) if answer is not None and not answer.error else walked(data, link_type)
            )
    finally:
        if worker is not None:
            worker.stop()
    return found


def walked(data: bytes, link_type: int) -> Decoded:
    """What the sensor's own header walk knows."""
    packet = walk(data, link_type)
    if packet is None:
        return Decoded(f"{len(data)} bytes", ())
    if packet.protocol == NO_IP:
        return Decoded(f"ethertype 0x{packet.ethertype:04x}", ())
    source, destination = (str(ip_address(one)) for one in (packet.source, packet.destination))
    name = _NAMES.get(packet.protocol, f"protocol {packet.protocol}")
    version = "IP" if len(packet.source) == 4 else "IPv6"
    layers: list[Layer] = [
        (version, (("src", source), ("dst", destination), ("proto", str(packet.protocol))))
    ]
    if packet.protocol not in (TCP, UDP):
        return Decoded(f"{name} {source} > {destination}", tuple(layers))
    fields = [("sport", str(packet.source_port)), ("dport", str(packet.destination_port))]
    if packet.protocol == TCP:
        fields.append(("flags", _flags(packet)))
    layers.append((name, tuple(fields)))
    size = max(packet.end - packet.start, 0)
    ends = f"{_end(source, packet.source_port)} > {_end(destination, packet.destination_port)}"
    return Decoded(f"{name} {ends} {size}", tuple(layers))


def _told(answer: Answer) -> Decoded:
    fields = answer.fields or [[] for _ in answer.layers]
    layers = zip(answer.layers, fields, strict=False)
    return Decoded(answer.summary, tuple((name, tuple(some)) for name, some in layers))


def _end(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _flags(packet: Packet) -> str:
    return "".join(letter for bit, letter in enumerate(_FLAGS) if packet.flags >> bit & 1)
