"""The ASN.1 of X.509 (RFC 5280) and PKCS#10 (RFC 2986) as far as it is used here, for reading and writing.

Declared anew rather than taken from a library so that nothing is decoded behind the reader's back: names,
keys and extension values stay bytes until somebody asks.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, NamedTuple

from asn1crypto import core

from crypto import asn1

UTC_TIME: Final = 0x17
GENERAL_TIME: Final = 0x18
GENERAL_FROM: Final = 2050  # RFC 5280 4.1.2.5: earlier years are UTCTime
_TIMES: Final = {UTC_TIME: re.compile(rb"[0-9]{12}Z"), GENERAL_TIME: re.compile(rb"[0-9]{14}Z")}
_STRINGS: Final = {12: "utf-8", 19: "ascii", 20: "latin-1", 22: "ascii", 28: "utf-32-be", 30: "utf-16-be"}
_LABELS: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "1.2.840.113549.1.9.1": "email",
}
_OIDS: Final = {label: oid for oid, label in _LABELS.items()}
NAME_PARTS_MAX: Final = 16
TEXT_CHARS_MAX: Final = 256


class Algorithm(core.Sequence):  # type: ignore[misc]
    """AlgorithmIdentifier."""

    _fields: ClassVar[Any] = [
        ("algorithm", core.ObjectIdentifier),
        ("parameters", core.Any, {"optional": True}),
    ]


class NamePart(core.Sequence):  # type: ignore[misc]
    """AttributeTypeAndValue."""

    _fields: ClassVar[Any] = [("type", core.ObjectIdentifier), ("value", core.Any)]


class NameParts(core.SetOf):  # type: ignore[misc]
    """RelativeDistinguishedName."""

    _child_spec = NamePart


class Names(core.SequenceOf):  # type: ignore[misc]
    """RDNSequence."""

    _child_spec = NameParts


class Validity(core.Sequence):  # type: ignore[misc]
    """From when until when."""

    _fields: ClassVar[Any] = [("not_before", core.Any), ("not_after", core.Any)]


class Extension(core.Sequence):  # type: ignore[misc]
    """One extension, its value undecoded."""

    _fields: ClassVar[Any] = [
        ("id", core.ObjectIdentifier),
        ("critical", core.Boolean, {"default": False}),
        ("value", core.OctetString),
    ]


class Extensions(core.SequenceOf):  # type: ignore[misc]
    """Extensions in their order."""

    _child_spec = Extension


class Signed(core.Sequence):  # type: ignore[misc]
    """SIGNED{} of X.509: certificate, CRL and request alike."""

    _fields: ClassVar[Any] = [("content", core.Any), ("algorithm", core.Any), ("signature", core.BitString)]


class TbsCertificate(core.Sequence):  # type: ignore[misc]
    """What a certificate's signature covers."""

    _fields: ClassVar[Any] = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("serial", core.Integer),
        ("algorithm", core.Any),
        ("issuer", core.Any),
        ("validity", Validity),
        ("subject", core.Any),
        ("key", core.Any),
        ("issuer_unique", core.BitString, {"implicit": 1, "optional": True}),
        ("subject_unique", core.BitString, {"implicit": 2, "optional": True}),
        ("extensions", Extensions, {"explicit": 3, "optional": True}),
    ]


class Anything(core.SequenceOf):  # type: ignore[misc]
    """SEQUENCE OF anything: general names."""

    _child_spec = core.Any


class TbsCrl(core.Sequence):  # type: ignore[misc]
    """What a CRL's signature covers; version 2 only."""

    _fields: ClassVar[Any] = [
        ("version", core.Integer),
        ("algorithm", core.Any),
        ("issuer", core.Any),
        ("this_update", core.Any),
        ("next_update", core.Any),
        ("revoked", Anything, {"optional": True}),
        ("extensions", Extensions, {"explicit": 0}),
    ]


class Values(core.SetOf):  # type: ignore[misc]
    """SET OF anything."""

    _child_spec = core.Any


class Attribute(core.Sequence):  # type: ignore[misc]
    """An attribute of a request."""

    _fields: ClassVar[Any] = [("type", core.ObjectIdentifier), ("values", Values)]


class Attributes(core.SetOf):  # type: ignore[misc]
    """The attributes of a request."""

    _child_spec = Attribute


class RequestInfo(core.Sequence):  # type: ignore[misc]
    """What a request's signature covers."""

    _fields: ClassVar[Any] = [
        ("version", core.Integer),
        ("subject", core.Any),
        ("key", core.Any),
        ("attributes", Attributes, {"implicit": 0}),
    ]


class BasicConstraints(core.Sequence):  # type: ignore[misc]
    """Whether a CA, and how long a chain below it may be."""

    _fields: ClassVar[Any] = [
        ("ca", core.Boolean, {"default": False}),
        ("path_length", core.Integer, {"optional": True}),
    ]


class AuthorityKey(core.Sequence):  # type: ignore[misc]
    """AuthorityKeyIdentifier."""

    _fields: ClassVar[Any] = [
        ("key", core.OctetString, {"implicit": 0, "optional": True}),
        ("issuer", core.Any, {"optional": True}),
        ("serial", core.Any, {"optional": True}),
    ]


class Oids(core.SequenceOf):  # type: ignore[misc]
    """SEQUENCE OF OBJECT IDENTIFIER: extended key usages."""

    _child_spec = core.ObjectIdentifier


class Name(NamedTuple):
    """A distinguished name: its bytes, which are compared, and its text, which is read."""

    der: bytes
    parts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return ", ".join(f"{label}={value}" for label, value in self.parts)

    def get(self, label: str) -> str:
        """The last value under a label such as CN; empty where there is none."""
        return next((value for name, value in reversed(self.parts) if name == label), "")


def read_name(der: bytes) -> Name:
    """Decode a name; call inside ``asn1.reading``."""
    parts: list[tuple[str, str]] = []
    for several in Names.load(der, strict=True):
        for part in several:
            oid, raw = part["type"].dotted, part["value"].dump()
            coding = _STRINGS.get(raw[0])
            if coding is None:
                raise ValueError(f"a name with a value of tag {raw[0]:#04x}")
            text = content(raw).decode(coding)
            if len(text) > TEXT_CHARS_MAX or len(parts) >= NAME_PARTS_MAX:
                raise ValueError("an oversized name")
            parts.append((_LABELS.get(oid, oid), printable(text)))
    return Name(der, tuple(parts))


def write_name(parts: tuple[tuple[str, str], ...]) -> Name:
    """A name of one value per level: C as PrintableString, the others as UTF8String."""
    kinds: dict[str, Any] = {"C": core.PrintableString, "serialNumber": core.PrintableString}
    levels = [
        NameParts([NamePart({"type": _OIDS[label], "value": kinds.get(label, core.UTF8String)(value)})])
        for label, value in parts
    ]
    return Name(Names(levels).dump(), parts)


def read_time(raw: bytes) -> datetime:
    """UTCTime or GeneralizedTime in the one form of RFC 5280; call inside ``asn1.reading``."""
    pattern, text = _TIMES.get(raw[0]), content(raw)
    if pattern is None or not pattern.fullmatch(text):
        raise ValueError("a time that is not YYMMDDHHMMSSZ")
    digits = text[:-1].decode("ascii")
    if raw[0] == UTC_TIME:
        digits = ("20" if digits < "50" else "19") + digits
    elif int(digits[:4]) < GENERAL_FROM:
        raise ValueError("a GeneralizedTime before 2050")
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)


def write_time(time: datetime) -> core.Any:
    """To the second, UTC."""
    moment = time.astimezone(UTC).replace(microsecond=0)
    kind = core.GeneralizedTime if moment.year >= GENERAL_FROM else core.UTCTime
    return core.Any(kind(moment))


def content(raw: bytes) -> bytes:
    """What an element that was checked holds, without tag and length."""
    if raw[1] < 0x80:
        return raw[2:]
    return raw[2 + (raw[1] & 0x7F) :]


def children(raw: bytes) -> Iterator[bytes]:
    """The elements inside a constructed element that was checked; far quicker than a parser on long lists."""
    whole = content(raw)
    at = 0
    while at < len(whole):
        size, begins = whole[at + 1], at + 2
        if size >= 0x80:
            begins += size & 0x7F
            size = int.from_bytes(whole[at + 2 : begins])
        yield whole[at : begins + size]
        at = begins + size


def wrap(tag: int, data: bytes) -> bytes:
    """One element of DER."""
    size = len(data)
    if size < 0x80:
        return bytes((tag, size)) + data
    digits = size.to_bytes(-(-size.bit_length() // 8))
    return bytes((tag, 0x80 | len(digits))) + digits + data


def printable(text: str) -> str:
    """Text that can be shown on a terminal: control characters and direction marks become escapes."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def signed(spec: Any, der: bytes, *, bytes_max: int, what: str, elements_max: int = asn1.ELEMENTS_MAX) -> Any:
    """(content DER, content of ``spec``, algorithm DER, signature bytes) of a signed object."""
    asn1.check(der, bytes_max=bytes_max, what=what, elements_max=elements_max)
    with asn1.reading(what):
        whole = Signed.load(der, strict=True)
        inner, signature = bytes(whole["content"].dump()), bytes(whole["signature"].contents)
        if signature[:1] != b"\0":
            raise ValueError("a signature that is not whole octets")
        return inner, spec.load(inner, strict=True), bytes(whole["algorithm"].dump()), signature[1:]
