"""DNS, mDNS (RFC 6762) and LLMNR (RFC 4795) as dialects, over UDP and TCP; ECS fields and Zeek's names.

One ``net.dns`` for each message, told from the side that asks; an announcement to a group keeps its sender.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Scalar, Value
from sensors.network.dialect import DatagramDialect, Message, StreamClaim, Talk
from sensors.network.dns import PORTS, DnsMessage, parse_dns
from sensors.network.reading import Frames

_SERVICES: Final = {5353: "mdns", 5355: "llmnr"}
_TCP_BYTES_MAX: Final = 4 * 1024  # of one message over TCP, where the port is not 53
MESSAGES_MAX: Final = 64  # out of one delivery; more is no conversation
_QUERY_BYTES_MAX: Final = 512
_TCP_KNOWN_BYTES_MAX: Final = 16 * 1024
_HEADER_BYTES: Final = 12
_OPCODES: Final = {0: "query", 1: "inverse-query", 2: "server-status", 4: "notify", 5: "update"}


def dns_message(message: DnsMessage, talk: Talk) -> Message:
    """What is reported of a message."""
    answers: list[Scalar] = [*message.answers]
    fields: dict[str, Value] = {
        "dns.type": "answer" if message.is_answer else "query",
        "dns.id": str(message.identifier),
        "dns.op_code": _OPCODES.get(message.opcode, str(message.opcode)),
        "dns.header_flags": [*message.flags],
        "dns.question.name": message.name,
        "dns.question.type": message.type,
    }
    native: dict[str, Value] = {
        "trans_id": message.identifier,
        "query": message.name,
        "qtype": message.type_number,
        "qtype_name": "*" if message.type == "ANY" else message.type,
        "record_type": message.type,
        "opcode_name": _OPCODES.get(message.opcode, str(message.opcode)),
        "Z": message.reserved,
    }
    native |= {flag: flag in message.flags for flag in ("AA", "TC", "RD", "RA")}
    if message.is_answer:
        fields |= {"dns.response_code": message.response_code, "dns.answers": answers}
        native |= {
            "rcode_name": message.response_code,
            "answers": answers,
            "answer": answers,
            "TTLs": [*message.answer_seconds],
            "rejected": message.response_code == "REFUSED",
        }
        if message.answer_seconds:
            fields["gov.dns.ttl_min"] = min(message.answer_seconds)
    service = next((_SERVICES[port] for port in talk.ports if port in _SERVICES), "dns")
    reply = message.is_answer and not _is_group(talk.destination)
    return Message("net.dns", service, fields, native, reply=reply, log="dns", category="dns")


def read_dns(payload: bytes, talk: Talk) -> Sequence[Message] | None:
    """The message in a datagram, None where there is none."""
    known = talk.ports[0] in PORTS or talk.ports[1] in PORTS
    message = parse_dns(payload, known_port=known)
    return None if message is None else (dns_message(message, talk),)


class DnsStream:
    """DNS over TCP (RFC 7766): each message behind its length."""

    def __init__(self, talk: Talk) -> None:
        self.done = False
        self._known = 53 in talk.ports
        self._talk = Talk()
        self._talk.ports, self._talk.destination = talk.ports, talk.destination
        self._sides = (Frames(_measure), Frames(_measure))

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """Take in the next bytes of a side."""
        messages: list[Message] = []
        for frame in self._sides[side].feed(data):
            message = parse_dns(frame[2:], known_port=self._known)
            if message is None or len(messages) >= MESSAGES_MAX:
                self.done = True
                break
            messages.append(dns_message(message, self._talk))
        if self._sides[side].broken:
            self.done = True
        return messages


def _measure(data: bytes) -> int:
    if len(data) < 2:
        return 0
    size = data[0] << 8 | data[1]
    return size + 2 if size > _HEADER_BYTES else -1


def claims_dns(data: bytes, talk: Talk) -> bool | None:
    """Whether a length and a message that fits it begin here."""
    known = 53 in talk.ports
    if len(data) < 2 + _HEADER_BYTES:
        return None if known or len(data) <= 2 else False  # a length may travel alone, a cut header hardly
    size = data[0] << 8 | data[1]
    questions = data[6] << 8 | data[7]
    if data[4] >> 3 & 0x0F not in _OPCODES:
        return False
    if known:
        return _HEADER_BYTES < size <= _TCP_KNOWN_BYTES_MAX and questions <= 1
    is_answer = bool(data[4] & 0x80)
    if questions != 1 or size <= _HEADER_BYTES or size > (_TCP_BYTES_MAX if is_answer else _QUERY_BYTES_MAX):
        return False
    if any(data[8:14:2]) or (not is_answer and any(data[8:12])):  # a query answers nothing
        return False
    if len(data) < 2 + size:
        return None
    return parse_dns(data[2 : 2 + size], known_port=False) is not None


def _is_group(address: bytes) -> bool:
    return address[:1] == b"\xff" if len(address) == 16 else address[:1] >= b"\xe0"


DNS: Final = DatagramDialect("dns", read_dns, ports=PORTS, elsewhere=True)
DNS_TCP: Final = StreamClaim("dns", claims_dns, DnsStream, first_bytes=frozenset(range(0x40)))
