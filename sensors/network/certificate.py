"""What a certificate seen in a handshake says (RFC 5280; GB/T 20518 for SM2), read leniently and in bounds.

Foreign certificates break rules; ``crypto.x509`` refuses those, this reader reports what it can find. It
verifies nothing. Names are written as Zeek does (RFC 2253, the most specific part first).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

import msgspec

from crypto.sm3 import sm3_hex
from sensors.network.certificate_names import CURVES, KEY_KINDS, NAME_LABELS, SIGNATURES
from sensors.network.reading import clean

CERTIFICATE_BYTES_MAX: Final = 16 * 1024
NAMES_MAX: Final = 64  # alternative names
_TEXT_CHARS_MAX: Final = 512
_PARTS_MAX: Final = 32
_ALTERNATIVE: Final = "2.5.29.17"
_CONSTRAINTS: Final = "2.5.29.19"
_RSA: Final = "1.2.840.113549.1.1.1"
_EC: Final = "1.2.840.10045.2.1"
_SM2_CURVE: Final = "1.2.156.10197.1.301"
_SM2_SIGNATURE: Final = "1.2.156.10197.1.501"
_STRINGS: Final = {12: "utf-8", 28: "utf-32-be", 30: "utf-16-be"}
_NAME_SIGNS: Final = frozenset(',+"\\<>;')


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one certificate; times are aware UTC, None where no calendar holds them."""

    version: int
    serial: str  # upper-case hexadecimal
    subject: str
    issuer: str
    common_name: str
    not_before: datetime | None
    not_after: datetime | None
    key_algorithm: str
    key_kind: str  # rsa, ecdsa, dsa, sm2, ed25519 …; "" where unknown
    key_bits: int
    exponent: int  # of RSA, else 0
    curve: str
    signature_algorithm: str
    names: list[str]  # alternative DNS names
    addresses: list[str]  # alternative addresses
    is_authority: bool | None  # basic constraints, None without
    self_issued: bool  # subject and issuer are the same
    is_sm: bool  # an SM2 key, or signed with SM2
    sha256: str
    sm3: str


class _Cut(Exception):
    """The bytes are not what they should be."""


def parse_certificate(der: bytes) -> Certificate | None:
    """The facts, or None where the bytes are no certificate."""
    if len(der) > CERTIFICATE_BYTES_MAX:
        return None
    try:
        return _parse(der)
    except (_Cut, IndexError, ValueError, OverflowError):
        return None


def _parse(der: bytes) -> Certificate:
    whole = _content(der, 0x30)
    outer = list(_elements(whole, 3))
    tbs = list(_elements(_content(outer[0], 0x30), 12))
    version = 1
    if tbs[0][0] == 0xA0:
        version = 1 + int.from_bytes(_content(_content(tbs.pop(0), 0xA0), 0x02), "big")
    serial, _, issuer, validity, subject, key = tbs[:6]
    times = list(_elements(_content(validity, 0x30), 2))
    parts = list(_elements(_content(key, 0x30), 2))
    algorithm, parameters = _algorithm(parts[0])
    kind, bits, exponent, curve = _key(algorithm, parameters, parts[1])
    signature, _ = _algorithm(outer[1])
    extensions = _extensions(tbs[6:])
    names, addresses = _alternative_names(extensions.get(_ALTERNATIVE, b""))
    return Certificate(
        version=version,
        serial=_body(serial).hex().upper().removeprefix("00") or "00",
        subject=_name(subject),
        issuer=_name(issuer),
        common_name=_common_name(subject),
        not_before=_time(times[0]),
        not_after=_time(times[1]),
        key_algorithm=KEY_KINDS.get(algorithm, (algorithm, ""))[0],
        key_kind=kind,
        key_bits=bits,
        exponent=exponent,
        curve=curve,
        signature_algorithm=SIGNATURES.get(signature, signature),
        names=names,
        addresses=addresses,
        is_authority=_authority(extensions.get(_CONSTRAINTS)),
        self_issued=subject == issuer,
        is_sm=kind == "sm2" or signature == _SM2_SIGNATURE,
        sha256=sha256(der).hexdigest(),
        sm3=sm3_hex(der),
    )


def _element(data: bytes, at: int) -> tuple[int, int]:
    """(where the content begins, where the element ends) of the element at ``at``."""
    size = data[at + 1]
    begins = at + 2
    if size >= 0x80:
        digits = size & 0x7F
        if not 1 <= digits <= 3:
            raise _Cut
        size = int.from_bytes(data[begins : begins + digits], "big")
        begins += digits
    if begins + size > len(data):
        raise _Cut
    return begins, begins + size


def _elements(data: bytes, count_max: int) -> Iterator[bytes]:
    at = 0
    while at < len(data) and count_max:
        _, ends = _element(data, at)
        yield data[at:ends]
        at = ends
        count_max -= 1


def _content(element: bytes, tag: int) -> bytes:
    if element[0] != tag:
        raise _Cut
    return _body(element)


def _body(element: bytes) -> bytes:
    begins, ends = _element(element, 0)
    return element[begins:ends]


def _oid(element: bytes) -> str:
    raw = _content(element, 0x06)
    if not raw or len(raw) > 32:
        raise _Cut
    arcs: list[int] = []
    number = 0
    for byte in raw:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def _algorithm(element: bytes) -> tuple[str, bytes]:
    inner = list(_elements(_content(element, 0x30), 2))
    return _oid(inner[0]), inner[1] if len(inner) > 1 else b""


def _key(algorithm: str, parameters: bytes, key: bytes) -> tuple[str, int, int, str]:
    """(kind, bits, RSA exponent, curve)."""
    bits = _content(key, 0x03)[1:]
    kind = KEY_KINDS.get(algorithm, ("", ""))[1]
    if algorithm == _RSA:
        modulus, exponent = (int.from_bytes(_content(one, 0x02), "big") for one in _elements(_body(bits), 2))
        return kind, modulus.bit_length(), exponent if exponent < 1 << 32 else 0, ""
    if algorithm == _EC:
        curve = _oid(parameters) if parameters[:1] == b"\x06" else ""
        name, size = CURVES.get(curve, (curve, max(0, (len(bits) - 1) * 4)))
        return "sm2" if curve == _SM2_CURVE else kind, size, 0, name
    if kind == "dsa" and parameters[:1] == b"\x30":
        prime = next(_elements(_body(parameters), 1))
        return kind, int.from_bytes(_content(prime, 0x02), "big").bit_length(), 0, ""
    return kind, len(bits) * 8, 0, ""


def _pairs(name: bytes) -> Iterator[tuple[str, str]]:
    for several in _elements(_content(name, 0x30), _PARTS_MAX):
        for part in _elements(_content(several, 0x31), 4):
            kind, value = list(_elements(_content(part, 0x30), 2))
            raw = _body(value)
            try:
                text = raw.decode(_STRINGS.get(value[0], "latin-1"))
            except UnicodeDecodeError:
                text = raw.decode("latin-1")
            oid = _oid(kind)
            yield NAME_LABELS.get(oid, oid), text[:_TEXT_CHARS_MAX]


def _name(name: bytes) -> str:
    return ",".join(f"{label}={_escaped(text)}" for label, text in reversed(list(_pairs(name))))


def _common_name(name: bytes) -> str:
    found = [text for label, text in _pairs(name) if label == "CN"]
    return clean(found[-1]) if found else ""


def _escaped(text: str) -> str:
    signs = "".join(f"\\{sign}" if sign in _NAME_SIGNS else sign for sign in clean(text))
    if signs[:1] in (" ", "#"):
        signs = "\\" + signs
    return signs[:-1] + "\\ " if signs.endswith(" ") and len(signs) > 1 else signs


def _time(element: bytes) -> datetime | None:
    text = _body(element).decode("ascii").rstrip("Z")
    if element[0] == 0x17:
        text = ("20" if text[:2] < "50" else "19") + text
    if not text[:12].isdigit():
        return None
    text = (text + "00")[:14]
    month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(4, 14, 2))
    try:
        return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _extensions(rest: list[bytes]) -> dict[str, bytes]:
    """Identifier -> value of the extensions; the first of each kind."""
    found: dict[str, bytes] = {}
    for element in rest:
        if element[0] != 0xA3:
            continue
        for one in _elements(_content(_body(element), 0x30), NAMES_MAX):
            parts = list(_elements(_content(one, 0x30), 3))
            found.setdefault(_oid(parts[0]), _content(parts[-1], 0x04))
    return found


def _alternative_names(raw: bytes) -> tuple[list[str], list[str]]:
    names: list[str] = []
    addresses: list[str] = []
    try:
        for one in _elements(_content(raw, 0x30), NAMES_MAX) if raw else ():
            body = _body(one)
            if one[0] == 0x82:
                names.append(clean(body.decode("latin-1")[:255]))
            elif one[0] == 0x87 and len(body) in (4, 16):
                addresses.append(str(ip_address(body)))
    except (_Cut, IndexError):
        pass  # what was read so far stands
    return names, addresses


def _authority(raw: bytes | None) -> bool | None:
    if raw is None:
        return None
    try:
        inner = list(_elements(_content(raw, 0x30), 2))
    except (_Cut, IndexError):
        return None
    return bool(inner) and inner[0][0] == 0x01 and _body(inner[0]) != b"\x00"
