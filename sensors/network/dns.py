"""DNS messages (RFC 1035, 2782, 3596, 6762), recognised by their form on any port.

A message is taken for DNS only if the whole header, the question and the counts agree with the bytes; a
query must end exactly where its records end. Of an answer the first ``RECORDS_MAX`` records are read. Names
are lower-cased (resolvers randomise case); bytes outside printable ASCII are written ``\\xNN``.
"""

from ipaddress import IPv4Address, IPv6Address
from struct import Struct, error
from typing import Final, NamedTuple

import msgspec

MULTICAST_PORTS: Final = frozenset({5353, 5355})
PORTS: Final = frozenset({53}) | MULTICAST_PORTS
RECORDS_MAX: Final = 64
ANSWERS_MAX: Final = 32
ANSWER_CHARS_MAX: Final = 512
NAME_BYTES_MAX: Final = 255
_JUMPS_MAX: Final = 16
_COUNT_MAX: Final = 512  # records in one section; more does not fit a message that is meant

TYPES: Final = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 11: "WKS", 12: "PTR", 13: "HINFO", 15: "MX",
    16: "TXT", 17: "RP", 18: "AFSDB", 24: "SIG", 25: "KEY", 28: "AAAA", 29: "LOC", 30: "NXT", 33: "SRV",
    35: "NAPTR", 37: "CERT", 39: "DNAME", 41: "OPT", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG",
    47: "NSEC", 48: "DNSKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA",
    55: "HIP", 59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB",
    65: "HTTPS", 99: "SPF", 108: "EUI48", 109: "EUI64", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR",
    255: "ANY", 256: "URI", 257: "CAA",
}  # fmt: skip
RESPONSE_CODES: Final = (
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET",
    "NOTAUTH", "NOTZONE",
)  # fmt: skip
_OPCODES: Final = frozenset({0, 1, 2, 4, 5})
_CLASSES: Final = frozenset({1, 3, 4, 254, 255})
_NAME_TYPES: Final = frozenset({2, 5, 12, 39})

_FLAGS: Final = (("AA", 0x0400), ("TC", 0x0200), ("RD", 0x0100), ("RA", 0x0080))

_header: Final = Struct("!6H").unpack_from
_question: Final = Struct("!HH").unpack_from
_record: Final = Struct("!HHIH").unpack_from
_u16: Final = Struct("!H").unpack_from


class _Answer(NamedTuple):
    type: str
    data: str
    seconds: int


class DnsMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a DNS message asks and answers."""

    identifier: int
    is_answer: bool
    opcode: int
    response_code: str
    flags: list[str]  # of AA, TC, RD, RA (RFC 1035 4.1.1)
    reserved: int  # the three bits after RA, of which two belong to DNSSEC
    name: str  # of the question; of the first answer in an announcement without one
    type: str
    type_number: int  # 0 where there is no question
    answers: list[str]  # data of the answer section, in order
    answer_types: list[str]
    answer_seconds: list[int]  # how long each may be kept


def parse_dns(data: bytes, *, known_port: bool) -> DnsMessage | None:
    """The message, or None where the bytes are not one; on a known DNS port read less strictly."""
    if len(data) < 12:
        return None
    try:
        return _parse(data, known_port)
    except (error, IndexError):
        return None


def _parse(data: bytes, known_port: bool) -> DnsMessage | None:
    identifier, flags, questions, answers, authorities, additional = _header(data, 0)
    is_answer = bool(flags & 0x8000)
    opcode = flags >> 11 & 0x0F
    if not _is_plausible(data, known_port, questions, answers, authorities, additional):
        return None
    name, kind, offset = "", 0, 12
    if questions:
        name, offset = _name(data, 12)
        kind, query_class = _question(data, offset)
        offset += 4
        if query_class & 0x7FFF not in _CLASSES and not known_port:
            return None
        if kind == 0 or (kind not in TYPES and not known_port):
            return None
    code = RESPONSE_CODES[flags & 0x0F] if flags & 0x0F < len(RESPONSE_CODES) else str(flags & 0x0F)
    found: list[_Answer] = []
    if is_answer:
        if questions <= 1:
            name, kind = (name, kind) if questions else _first_owner(data, answers)
            found = _answers(data, offset, answers)
    elif not known_port and not _ends_exactly(data, offset, answers + authorities + additional):
        return None
    return DnsMessage(
        identifier=identifier,
        is_answer=is_answer,
        opcode=opcode,
        response_code=code if is_answer else "",
        flags=[flag for flag, bit in _FLAGS if flags & bit],
        reserved=flags >> 4 & 7,
        name=name,
        type=type_name(kind) if kind else "",
        type_number=kind if questions else 0,
        answers=[answer.data for answer in found],
        answer_types=[answer.type for answer in found],
        answer_seconds=[answer.seconds for answer in found],
    )


def _is_plausible(data: bytes, known_port: bool, questions: int, *counts: int) -> bool:
    flags = _u16(data, 2)[0]
    is_answer = bool(flags & 0x8000)
    if flags >> 11 & 0x0F not in _OPCODES or max(counts) > _COUNT_MAX:
        return False
    if known_port:
        return questions <= 32 and (questions > 0 or is_answer)
    if len(data) < 12 + 5 * questions + 11 * counts[0]:
        return False
    if questions != 1 or flags & 0x0040 or flags & 0x0F >= len(RESPONSE_CODES):
        return False
    return is_answer or (flags & 0x000F == 0 and counts[0] == 0 and flags >> 11 & 0x0F == 0)


def type_name(kind: int) -> str:
    """The record type's mnemonic, ``TYPEn`` (RFC 3597) for the rest."""
    return TYPES.get(kind) or f"TYPE{kind}"


def _name(data: bytes, offset: int) -> tuple[str, int]:
    """(name, offset behind it). Pointers must point backwards, so every jump makes progress."""
    labels: list[bytes] = []
    size = jumps = 0
    behind = -1
    while True:
        length = data[offset]
        if length == 0:
            return _text(b".".join(labels)).lower(), offset + 1 if behind < 0 else behind
        if length < 0x40:
            label = data[offset + 1 : offset + 1 + length]
            size += length + 1
            if len(label) < length or size > NAME_BYTES_MAX:
                raise IndexError(offset)
            labels.append(label)
            offset += length + 1
            continue
        target = _u16(data, offset)[0] & 0x3FFF
        jumps += 1
        if length < 0xC0 or target >= offset or jumps > _JUMPS_MAX:
            raise IndexError(offset)
        behind = offset + 2 if behind < 0 else behind
        offset = target


def _text(raw: bytes) -> str:
    if raw.isascii() and (text := raw.decode("ascii")).isprintable():
        return text
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in raw)


def _ends_exactly(data: bytes, offset: int, count: int) -> bool:
    if count > RECORDS_MAX:
        return False
    for _ in range(count):
        _, offset = _name(data, offset)
        offset += 10 + _record(data, offset)[3]
    return offset == len(data)


def _first_owner(data: bytes, answers: int) -> tuple[str, int]:
    if not answers:
        return "", 0
    name, offset = _name(data, 12)
    return name, _record(data, offset)[0]


def _answers(data: bytes, offset: int, count: int) -> list[_Answer]:
    found: list[_Answer] = []
    for _ in range(min(count, ANSWERS_MAX)):
        try:
            _, offset = _name(data, offset)
            kind, _, seconds, size = _record(data, offset)
            offset += 10
            if offset + size > len(data):
                break
            text = _data(data, kind, offset, size)[:ANSWER_CHARS_MAX]
            found.append(_Answer(type_name(kind), text, seconds))
            offset += size
        except (error, IndexError):
            break  # cut by the snap length: what was read stands
    return found


def _data(data: bytes, kind: int, offset: int, size: int) -> str:
    raw = data[offset : offset + size]
    if kind == 1 and size == 4:
        return str(IPv4Address(raw))
    if kind == 28 and size == 16:
        return str(IPv6Address(raw))
    if kind in _NAME_TYPES or kind == 6:
        return _name(data, offset)[0]
    if kind == 15:
        return _name(data, offset + 2)[0]
    if kind == 33:
        return _name(data, offset + 6)[0]
    if kind in (16, 99):
        return " ".join(_strings(raw))
    if kind == 46 and size > 18:
        return f"{type_name(_u16(raw, 0)[0])} {_name(data, offset + 18)[0]}"
    if kind in (48, 43) and size > 4:  # of a key the numbers, of its digest the digest too
        rest = f" {raw[4:68].hex()}" if kind == 43 else ""
        return f"{_u16(raw, 0)[0]} {raw[2]} {raw[3]}{rest}"
    if kind == 44 and size > 2:
        return f"{raw[0]} {raw[1]} {raw[2:66].hex()}"
    if kind == 257 and size > 2:
        tag = raw[2 : 2 + raw[1]]
        return f"{raw[0]} {_text(tag)} {_text(raw[2 + raw[1] :])}"
    if kind in (64, 65) and size > 2:
        return f"{_u16(raw, 0)[0]} {_name(data, offset + 2)[0] or '.'}"
    return raw[:128].hex()


def _strings(raw: bytes) -> list[str]:
    found = []
    while raw:
        found.append(_text(raw[1 : 1 + raw[0]]))
        raw = raw[1 + raw[0] :]
    return found
