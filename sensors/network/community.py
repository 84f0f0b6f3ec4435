"""Community ID version 1: one short name for a flow that every network tool computes alike."""

from base64 import b64encode
from hashlib import sha1
from struct import Struct
from typing import Final

from sensors.network.icmp_types import answer_type
from sensors.network.packet import ICMP, ICMPV6, SCTP, TCP, UDP

_head: Final = Struct("!H").pack
_tail: Final = Struct("!BB").pack
_ports: Final = Struct("!HH").pack


def community_id(
    protocol: int, source: bytes, destination: bytes, source_port: int, destination_port: int, seed: int = 0
) -> str:
    """``1:<base64 of SHA-1>`` over the ordered 5-tuple, whichever side asks.

    SHA-1 is what the specification names; nothing rests on its strength.
    """
    with_ports = protocol in (TCP, UDP, ICMP, ICMPV6, SCTP)
    one_way = protocol in (ICMP, ICMPV6) and answer_type(source_port, -1, version6=protocol == ICMPV6) < 0
    if not one_way and (destination, destination_port) < (source, source_port):
        source, destination = destination, source
        source_port, destination_port = destination_port, source_port
    text = _head(seed) + source + destination + _tail(protocol, 0)
    if with_ports:
        text += _ports(source_port, destination_port)
    return "1:" + b64encode(sha1(text, usedforsecurity=False).digest()).decode()
