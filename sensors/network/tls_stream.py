"""TLS and TLCP over TCP as a dialect: hellos, certificates, alerts in the clear, and when it stands.

Recognised by a hello on any port and at any place of a flow (STARTTLS, proxies). Events of ``net.tls`` by
``event.action``: client-hello, server-hello, alert, established; one ``net.x509`` for each certificate seen
(``CERTIFICATES_MAX`` a side). From TLS 1.3 on certificates are encrypted and not seen.
"""

from collections.abc import Sequence
from typing import Final

from sensors.network.certificate import parse_certificate
from sensors.network.certificate_message import certificate_message
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.tls import ClientHello, ServerHello, is_hello, parse_message
from sensors.network.tls_message import (
    alert_message,
    client_message,
    established_message,
    server_message,
)
from sensors.network.tls_names import TLCP, TLS_1_3
from sensors.network.tls_records import ALERT, APPLICATION, CHANGE_CIPHER, HANDSHAKE, Record, Records

CERTIFICATES_MAX: Final = 6  # of one side: TLCP sends two before its issuers
STREAM_BYTES_MAX: Final = 32 * 1024  # a long chain of certificates
_CERTIFICATE: Final = 11
_SERVER_KEY: Final = 12
_NAMED_CURVE: Final = b"\x03"
_CHANGE_RECORD: Final = b"\x14"
_HELLO_RECORD: Final = b"\x16"


class TlsStream:
    """One connection of TLS or TLCP."""

    def __init__(self, talk: Talk) -> None:
        self.done = False
        self._time = talk.time
        self._sides = (Records(), Records())
        self._client_side = -1
        self._client: ClientHello | None = None
        self._server: ServerHello | None = None
        self._group = 0
        self._changed = [False, False]
        self._certificates = [0, 0]

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """Take in the next bytes of a side."""
        messages: list[Message] = []
        for record in self._sides[side].feed(data):
            self._take(side, record, messages)
        if self._sides[0].done and self._sides[1].done:
            self.done = True
        return messages

    @property
    def server_name(self) -> str:
        """What the client called the server, '' where it did not."""
        return self._client.server_name if self._client is not None else ""

    def _take(self, side: int, record: Record, messages: list[Message]) -> None:
        if record.kind == HANDSHAKE:
            self._handshake(side, record.data, messages)
        elif record.kind == CHANGE_CIPHER:
            self._changed[side] = True
            self._judge(messages, both_changed=all(self._changed), reply=self._is_server(side))
        elif record.kind == ALERT and not self._changed[side]:
            messages.append(
                alert_message(record.data, self._client, self._server, reply=self._is_server(side))
            )
        elif record.kind == APPLICATION:
            # In TLS 1.3 the server's first ciphertext is still the handshake; the client's is its answer.
            self._judge(messages, both_changed=not self._is_server(side), reply=self._is_server(side))

    def _handshake(self, side: int, message: bytes, messages: list[Message]) -> None:
        kind = message[0]
        if kind in (1, 2):
            hello = parse_message(message)
            if isinstance(hello, ClientHello):
                self._client_side, self._client = side, hello
                messages.append(client_message(hello))
            elif isinstance(hello, ServerHello):
                self._client_side = 1 - side
                self._server, self._group = hello, hello.group
                messages.append(server_message(hello, self._client))
        elif kind == _CERTIFICATE:
            self._chain(side, message, messages)
        elif kind == _SERVER_KEY and message[4:5] == _NAMED_CURVE and self._speaks_tls():
            self._group = int.from_bytes(message[5:7], "big")

    def _speaks_tls(self) -> bool:
        """Whether the server chose TLS and not TLCP, whose key exchange has another form."""
        return self._server is not None and self._server.version != TLCP

    def _chain(self, side: int, message: bytes, messages: list[Message]) -> None:
        if self._server is not None and self._server.version == TLS_1_3:
            return
        at = 7
        position = self._certificates[side]
        while at + 3 <= len(message) and position < CERTIFICATES_MAX:
            size = int.from_bytes(message[at : at + 3], "big")
            certificate = parse_certificate(message[at + 3 : at + 3 + size])
            at += 3 + size
            if certificate is not None:
                reply = self._is_server(side)
                name = self.server_name
                messages.append(certificate_message(certificate, position, name, self._time, reply=reply))
            position += 1
        self._certificates[side] = position

    def _judge(self, messages: list[Message], *, both_changed: bool, reply: bool) -> None:
        """Tell once that the connection stands."""
        server = self._server
        if not both_changed or self.done or server is None:
            return
        self.done = True
        resumed = server.is_resumed
        if server.version != TLS_1_3:
            resumed = self._certificates[1 - self._client_side] == 0 and _may_resume(self._client, server)
        messages.append(established_message(server, self._client, self._group, resumed=resumed, reply=reply))

    def _is_server(self, side: int) -> bool:
        return side != self._client_side if self._client_side >= 0 else side == 1


def _may_resume(client: ClientHello | None, server: ServerHello) -> bool:
    return client is None or bool(client.session or server.session) or client.offers_ticket


def claims_tls(data: bytes, _talk: Talk) -> bool | None:
    """Whether a hello begins here, after a lone change of ciphers too (RFC 8446 D.4)."""
    if data[:1] == _CHANGE_RECORD and data[5:6] in (b"", b"\x01"):
        data = data[6:]
    if len(data) < 11:
        return None if data[:1] in (b"", _HELLO_RECORD) and data[1:2] in (b"", b"\x03", b"\x01") else False
    return is_hello(data)


TLS: Final = StreamClaim(
    "tls",
    claims_tls,
    TlsStream,
    first_bytes=frozenset({0x14, 0x16}),
    resumes=True,
    bytes_max=STREAM_BYTES_MAX,
)
