"""Kerberos 5 (RFC 4120) over UDP and TCP: who asks for a ticket to what, and what the KDC says.

Tickets and pre-authentication data stay sealed; only names, times, options and ciphers are read.
``ap_request`` finds the same in a token of GSS-API, as SMB and LDAP carry it.
"""

from calendar import timegm
from collections.abc import Sequence
from time import strptime
from typing import Final

import msgspec

from sensors.event import Value
from sensors.network.ber import Element, content, element, inside, number, tagged, whole_size
from sensors.network.dialect import DatagramDialect, Message, StreamClaim, Talk
from sensors.network.kerberos_names import REFUSALS, WEAK_CIPHERS, cipher_name, error_name
from sensors.network.reading import Frames, text

PORTS: Final = frozenset({88, 464})
_KINDS: Final = {0x6A: "AS", 0x6B: "AS", 0x6C: "TGS", 0x6D: "TGS", 0x6E: "AP", 0x7E: "ERROR"}
_REQUESTS: Final = frozenset({0x6A, 0x6C, 0x6E})
_ERROR: Final = 0x7E
_MECHANISM: Final = bytes.fromhex("06092a864886f712010202")  # Kerberos 5 in GSS-API
_PACKET_BYTES_MAX: Final = 1 << 20
_TIMES: Final = {"from": 0xA4, "till": 0xA5, "rtime": 0xA6}


class Kerberos(msgspec.Struct, kw_only=True):
    """What one message says; '' and 0 where it does not."""

    kind: str  # AS, TGS, AP, ERROR
    is_request: bool
    client: str = ""
    realm: str = ""
    service: str = ""
    error: int = -1
    cipher: int = 0
    offered: list[int] = []
    options: int = -1
    till: int = -1
    has_preauth: bool = False
    asked: str = ""  # of an error: what the refused request was


def parse_kerberos(data: bytes, at: int = 0) -> Kerberos | None:
    """The message that starts at ``at``, or None."""
    outer = element(data, at, len(data))
    if outer is None or outer.tag not in _KINDS:
        return None
    sequence = element(data, outer.start, outer.end)
    if sequence is None or sequence.tag != 0x30:
        return None
    parts = tagged(data, sequence)
    version = parts.get(0xA1 if outer.tag in (0x6A, 0x6C) else 0xA0)
    inner = version and element(data, version.start, version.end)
    if inner is None or inner.tag != 0x02 or number(data, inner) != 5:
        return None
    found = Kerberos(kind=_KINDS[outer.tag], is_request=outer.tag in _REQUESTS)
    if outer.tag in (0x6A, 0x6C):
        _request(data, parts, found)
    elif outer.tag == 0x6E:
        _ticket(data, parts.get(0xA3), found)
    elif outer.tag == _ERROR:
        _error(data, parts, found)
    else:
        found.realm, found.client = _string(data, parts.get(0xA3)), _name(data, parts.get(0xA4))
        _ticket(data, parts.get(0xA5), found)
    return found


def _request(data: bytes, parts: dict[int, Element], found: Kerberos) -> None:
    kinds = (_first_number(data, one) for one in _list(data, parts.get(0xA3)))
    found.has_preauth = any(kind in (2, 16, 17) for kind in kinds)
    holder = parts.get(0xA4)
    body = holder and element(data, holder.start, holder.end)
    if body is None:
        return
    asked = tagged(data, body)
    found.client, found.realm = _name(data, asked.get(0xA1)), _string(data, asked.get(0xA2))
    found.service = _name(data, asked.get(0xA3))
    found.till = _seconds(_string(data, asked.get(0xA5)))
    options = _only(data, asked.get(0xA0))
    if options is not None and options.end - options.start >= 5:
        found.options = int.from_bytes(data[options.start + 1 : options.start + 5], "big")
    found.offered = [number(data, one) for one in _list(data, asked.get(0xA8))][:32]


def _ticket(data: bytes, holder: Element | None, found: Kerberos) -> None:
    outer = _only(data, holder)
    sequence = outer and element(data, outer.start, outer.end)
    if sequence is None:
        return
    parts = tagged(data, sequence)
    found.service = _name(data, parts.get(0xA2))
    found.realm = found.realm or _string(data, parts.get(0xA1))
    sealed = _only(data, parts.get(0xA3))
    if sealed is not None:
        kind = _only(data, tagged(data, sealed).get(0xA0))
        found.cipher = number(data, kind) if kind is not None else 0


def _error(data: bytes, parts: dict[int, Element], found: Kerberos) -> None:
    code = _only(data, parts.get(0xA6))
    found.error = number(data, code) if code is not None else -1
    found.client = _name(data, parts.get(0xA8))
    found.realm = _string(data, parts.get(0xA7)) or _string(data, parts.get(0xA9))
    found.service = _name(data, parts.get(0xAA))


def _only(data: bytes, holder: Element | None) -> Element | None:
    return element(data, holder.start, holder.end) if holder is not None else None


def _list(data: bytes, holder: Element | None) -> list[Element]:
    sequence = _only(data, holder)
    return inside(data, sequence) if sequence is not None else []


def _first_number(data: bytes, outer: Element) -> int:
    kind = _only(data, tagged(data, outer).get(0xA1))
    return number(data, kind) if kind is not None else 0


def _string(data: bytes, holder: Element | None) -> str:
    inner = _only(data, holder)
    return text(content(data, inner)) if inner is not None else ""


def _name(data: bytes, holder: Element | None) -> str:
    name = _only(data, holder)
    if name is None:
        return ""
    parts = _list(data, tagged(data, name).get(0xA1))
    return "/".join(text(content(data, one)) for one in parts[:8])


def _seconds(written: str) -> int:
    try:
        return timegm(strptime(written, "%Y%m%d%H%M%SZ"))
    except ValueError:
        return -1


def ap_request(data: bytes, carrier: str, start: int = 0) -> Message | None:
    """The AP-REQ of a GSS-API token in these bytes, as net.kerberos."""
    at = data.find(_MECHANISM, start)
    at = data.find(b"\x01\x00\x6e", at, at + 64) if at >= 0 else -1
    found = parse_kerberos(data, at + 2) if at >= 0 else None
    if found is None:
        return None
    message = _message(found)
    message.fields["gov.kerberos.carrier"] = carrier
    return message


def _message(found: Kerberos, asked: Kerberos | None = None) -> Message:
    if asked is not None and not found.is_request:
        found = _answered(found, asked)
    client = f"{found.client}/{found.realm}" if found.client or found.realm else ""
    fields: dict[str, Value] = {
        "event.category": "authentication",
        "event.action": f"kerberos-{found.kind.lower()}-{'request' if found.is_request else 'reply'}",
        "gov.kerberos.request_type": found.asked or found.kind,
    }
    native: dict[str, Value] = {"request_type": found.asked or found.kind}
    if found.client:
        fields["user.name"] = found.client
    if found.realm:
        fields["user.domain"] = found.realm
    if client:
        native["client"] = client
    if found.service:
        fields["gov.kerberos.service"] = native["service"] = found.service
    if found.kind == "ERROR":
        fields["event.action"] = "kerberos-error"
        fields["event.outcome"] = "failure" if found.error in REFUSALS else "unknown"
        fields["gov.kerberos.error"] = native["error_msg"] = error_name(found.error)
        native["success"] = False
    elif not found.is_request:
        fields["event.outcome"] = "success" if found.kind == "AS" else "unknown"
        native["success"] = True
    if found.cipher:
        fields["gov.kerberos.cipher"] = native["cipher"] = cipher_name(found.cipher)
        fields["gov.kerberos.weak_cipher"] = found.cipher in WEAK_CIPHERS
    if found.is_request and found.kind != "AP":
        fields["gov.kerberos.offered_ciphers"] = [cipher_name(one) for one in found.offered]
        fields["gov.kerberos.preauthenticated"] = found.has_preauth
    if found.options >= 0:
        native["forwardable"] = bool(found.options & 0x40000000)
        native["renewable"] = bool(found.options & 0x00800000)
    if found.till >= 0:
        native["till"] = float(found.till)
    return Message("net.kerberos", "kerberos", fields, native, reply=not found.is_request)


def _answered(found: Kerberos, asked: Kerberos) -> Kerberos:
    """The answer with what only its request says: a KDC need not repeat whom it refuses."""
    found.asked = asked.kind if asked.kind in ("AS", "TGS") else ""
    found.client = asked.client or found.client
    found.realm = found.realm or asked.realm
    found.service = found.service or asked.service
    found.options, found.till = asked.options, asked.till
    return found


def read_kerberos(payload: bytes, talk: Talk) -> Sequence[Message] | None:
    """One datagram; the flow remembers its last request."""
    found = parse_kerberos(payload)
    if found is None:
        return None
    asked = talk.memory if isinstance(talk.memory, Kerberos) else None
    if found.is_request:
        talk.memory = found
    return [_message(found, asked)]


class KerberosStream:
    """Kerberos over TCP: every message behind its length (RFC 4120 7.2.2)."""

    def __init__(self, _talk: Talk) -> None:
        self._frames = (Frames(_measure), Frames(_measure))
        self._asked: Kerberos | None = None

    @property
    def done(self) -> bool:
        """Whether either side stopped speaking Kerberos."""
        return self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The messages that end with these bytes."""
        said: list[Message] = []
        for frame in self._frames[side].feed(data):
            found = parse_kerberos(frame, 4)
            if found is None:
                continue
            said.append(_message(found, self._asked))
            if found.is_request:
                self._asked = found
        return said


def _measure(data: bytes) -> int:
    if len(data) < 4:
        return 0
    size = int.from_bytes(data[:4], "big")
    return 4 + size if 0 < size <= _PACKET_BYTES_MAX else -1


def claims_kerberos(first: bytes, _talk: Talk) -> bool | None:
    """A length, then an element of Kerberos of just that length."""
    if first[:1] != b"\0" or (len(first) > 4 and first[4] not in _KINDS):
        return False  # at once: an undecided claim holds back those behind it
    if len(first) < 10:
        return None
    return whole_size(first[4:]) == int.from_bytes(first[:4], "big")


STREAM: Final = StreamClaim("kerberos", claims_kerberos, KerberosStream, first_bytes=frozenset({0}))
DATAGRAM: Final = DatagramDialect(
    "kerberos", read_kerberos, ports=PORTS, first_bytes=frozenset(_KINDS), elsewhere=True
)
