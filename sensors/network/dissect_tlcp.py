"""TLCP (GB/T 38636-2020) as a layer of scapy, for the worker: records, hellos and the pair of certificates.

Licence: this file extends scapy, which is GPL-2.0-only, and is imported by nothing but the worker, a program
of its own (see dissect_worker.py). The sensor's own reading of TLCP, in ``tls_stream``, needs none of it.

TLCP differs from TLS in its version, 1.1, in its suites, and in that a certificate message begins with two
certificates of the server: one to sign with, one to encrypt to.
"""

# Without scapy, where this file is only checked, its classes are of no type.
# mypy: disable-error-code="misc, arg-type, method-assign, no-untyped-call"

from typing import Any, ClassVar, Final

from scapy.fields import (
    ByteEnumField,
    ByteField,
    FieldLenField,
    PacketListField,
    ShortEnumField,
    StrFixedLenField,
    StrLenField,
    ThreeBytesField,
    XShortField,
)
from scapy.layers.inet import TCP
from scapy.packet import Packet, Raw

from sensors.network.tls_names import suite_name

VERSION: Final = 0x0101
RECORDS: Final = {20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data"}
MESSAGES: Final = {
    0: "hello_request", 1: "client_hello", 2: "server_hello", 11: "certificate", 12: "server_key_exchange",
    13: "certificate_request", 14: "server_hello_done", 15: "certificate_verify", 16: "client_key_exchange",
    20: "finished",
}  # fmt: skip
SUITES: Final = {number: suite_name(number) for number in range(0xE001, 0xE060)}
_SUITES_MAX: Final = 64
_CERTIFICATES_MAX: Final = 16


class TlcpSuite(Packet):
    """One cipher suite a client offers."""

    name = "TLCP suite"
    fields_desc: ClassVar[list[Any]] = [ShortEnumField("number", 0xE013, SUITES)]

    def extract_padding(self, rest: bytes) -> tuple[bytes, bytes]:
        """What follows is the next suite's."""
        return b"", rest


class TlcpClientHello(Packet):
    """What a client offers."""

    name = "TLCP ClientHello"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("kind", 1, MESSAGES),
        ThreeBytesField("size", None),
        XShortField("version", VERSION),
        StrFixedLenField("random", bytes(32), 32),
        FieldLenField("session_size", None, fmt="B", length_of="session"),
        StrLenField("session", b"", length_from=lambda one: one.session_size),
        FieldLenField("suites_size", None, fmt="H", length_of="suites"),
        PacketListField(
            "suites", [TlcpSuite()], TlcpSuite, length_from=lambda one: one.suites_size, max_count=_SUITES_MAX
        ),
        FieldLenField("compressions_size", None, fmt="B", length_of="compressions"),
        StrLenField("compressions", b"\0", length_from=lambda one: one.compressions_size),
    ]

    def extract_padding(self, rest: bytes) -> tuple[bytes, bytes]:
        """Extensions, which TLCP 1.1 knows but seldom has, stay with the message."""
        return _own_rest(self, rest)

    def post_build(self, head: bytes, rest: bytes) -> bytes:
        """Fill in the size."""
        return _sized(self, head, rest)


class TlcpServerHello(Packet):
    """What the server chose."""

    name = "TLCP ServerHello"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("kind", 2, MESSAGES),
        ThreeBytesField("size", None),
        XShortField("version", VERSION),
        StrFixedLenField("random", bytes(32), 32),
        FieldLenField("session_size", None, fmt="B", length_of="session"),
        StrLenField("session", b"", length_from=lambda one: one.session_size),
        ShortEnumField("suite", 0xE013, SUITES),
        ByteField("compression", 0),
    ]

    def extract_padding(self, rest: bytes) -> tuple[bytes, bytes]:
        """What follows is the next message's."""
        return _own_rest(self, rest)

    def post_build(self, head: bytes, rest: bytes) -> bytes:
        """Fill in the size."""
        return _sized(self, head, rest)


class TlcpCertificateEntry(Packet):
    """One certificate: first the one to sign with, then the one to encrypt to, then their issuers."""

    name = "TLCP certificate"
    fields_desc: ClassVar[list[Any]] = [
        FieldLenField("size", None, fmt="!I", length_of="body"),
        StrLenField("body", b"", length_from=lambda one: one.size),
    ]

    def do_dissect(self, raw: bytes) -> bytes:
        """Sizes here are of three bytes, which no field of scapy counts with."""
        size = int.from_bytes(raw[:3], "big")
        self.fields |= {"size": size, "body": raw[3 : 3 + size]}
        return raw[3 + size :]

    def extract_padding(self, rest: bytes) -> tuple[bytes, bytes]:
        """What follows is the next certificate's."""
        return b"", rest


class TlcpCertificate(Packet):
    """The certificates of one side."""

    name = "TLCP Certificate"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("kind", 11, MESSAGES),
        ThreeBytesField("size", None),
        ThreeBytesField("certificates_size", None),
        PacketListField(
            "certificates",
            [],
            TlcpCertificateEntry,
            length_from=lambda one: one.certificates_size,
            max_count=_CERTIFICATES_MAX,
        ),
    ]

    def extract_padding(self, rest: bytes) -> tuple[bytes, bytes]:
        """What follows is the next message's."""
        return b"", rest


class TlcpMessage(Packet):
    """Any other message of the handshake, or a sealed one."""

    name = "TLCP handshake"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("kind", 14, MESSAGES),
        ThreeBytesField("size", 0),
        StrLenField("body", b"", length_from=lambda one: one.size),
    ]

    def extract_padding(self, rest: bytes) -> tuple[bytes, bytes]:
        """What follows is the next message's."""
        return b"", rest


_CLASSES: Final = {1: TlcpClientHello, 2: TlcpServerHello, 11: TlcpCertificate}


def message_of(raw: bytes, **_more: Any) -> Packet:
    """The message that starts here, as its own class where there is one and its size is sound."""
    size = int.from_bytes(raw[1:4], "big")
    if size > len(raw) - 4 or raw[0] not in MESSAGES:
        return Raw(raw)
    return _CLASSES.get(raw[0], TlcpMessage)(raw)


class Tlcp(Packet):
    """One record."""

    name = "TLCP"
    fields_desc: ClassVar[list[Any]] = [
        ByteEnumField("kind", 22, RECORDS),
        XShortField("version", VERSION),
        FieldLenField("size", None, fmt="H", length_of="messages"),
        PacketListField("messages", [], message_of, length_from=lambda one: one.size, max_count=8),
    ]

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """The next record of the segment."""
        return Tlcp if is_tlcp(payload) else Raw


def is_tlcp(payload: bytes) -> bool:
    """Whether a record of TLCP starts here."""
    return len(payload) >= 5 and payload[0] in RECORDS and payload[1:3] == b"\x01\x01"


def install() -> None:
    """Let TCP know TLCP on every port: it is told from its first bytes."""
    plain = TCP.guess_payload_class

    def guess(self: Packet, payload: bytes) -> type[Packet]:
        return Tlcp if is_tlcp(payload) else plain(self, payload)

    TCP.guess_payload_class = guess


def _own_rest(one: Packet, rest: bytes) -> tuple[bytes, bytes]:
    """Bytes of the message's size that its fields do not name belong to it; the rest to the next message."""
    size = one.size if one.size is not None else 0
    named = len(one.original) - len(rest) if one.original else 0
    own = max(0, 4 + size - named)
    return rest[:own], rest[own:]


def _sized(one: Packet, head: bytes, rest: bytes) -> bytes:
    whole = head + rest
    return whole if one.size is not None else whole[:1] + (len(whole) - 4).to_bytes(3, "big") + whole[4:]
