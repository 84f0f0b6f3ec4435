"""A handshake of TLS, TLCP or DTLS as its two sides tell it, whatever carries the messages."""

from typing import Final

from sensors.network.certificate import parse_certificate
from sensors.network.certificate_message import certificate_message
from sensors.network.dialect import Message
from sensors.network.tls import ClientHello, ServerHello, parse_message
from sensors.network.tls_message import (
    alert_message,
    client_message,
    established_message,
    server_message,
)
from sensors.network.tls_names import TLCP, is_1_3
from sensors.network.tls_records import ALERT, APPLICATION, CHANGE_CIPHER, HANDSHAKE, Record

CERTIFICATES_MAX: Final = 6  # of one side: TLCP sends two before its issuers
HELLOS_MAX: Final = 8  # of both sides: retries and renegotiations
ALERTS_MAX: Final = 4
_CERTIFICATE: Final = 11
_SERVER_KEY: Final = 12
_NAMED_CURVE: Final = b"\x03"


class Conversation:
    """One connection; ``transport`` is JA4's t or d, ``time`` when it began."""

    def __init__(self, time: float, transport: str = "t") -> None:
        self.done = False
        self._time = time
        self._transport = transport
        self._client_side = -1
        self._client: ClientHello | None = None
        self._server: ServerHello | None = None
        self._group = 0
        self._changed = [False, False]
        self._certificates = [0, 0]
        self._hellos = self._alerts = 0

    def take(self, side: int, record: Record) -> list[Message]:
        """What a record, or a whole handshake message, of a side tells."""
        reply = self._is_server(side)
        if record.kind == HANDSHAKE:
            return self._handshake(side, record.data)
        if record.kind == CHANGE_CIPHER:
            self._changed[side] = True
            is_old = self._server is not None and not is_1_3(self._server.version)  # later ones say nothing
            return self._judge(both_changed=is_old and all(self._changed), reply=reply)
        if record.kind == ALERT and not self._changed[side]:
            self._alerts += 1
            self.done = self.done or self._alerts >= ALERTS_MAX
            return [alert_message(record.data, self._client, self._server, self._group, reply=reply)]
        if record.kind == APPLICATION:
            # In TLS 1.3 the server's first ciphertext is still the handshake; the client's is its answer.
            return self._judge(both_changed=not reply, reply=reply)
        return []

    def _handshake(self, side: int, message: bytes) -> list[Message]:
        kind = message[0]
        if kind in (1, 2):
            return self._hello(side, message)
        if kind == _CERTIFICATE:
            return self._chain(side, message)
        if kind == _SERVER_KEY and message[4:5] == _NAMED_CURVE and self._speaks_tls():
            self._group = int.from_bytes(message[5:7], "big")
        return []

    def _hello(self, side: int, message: bytes) -> list[Message]:
        self._hellos += 1
        if self._hellos > HELLOS_MAX:
            self.done = True
            return []
        hello = parse_message(message, self._transport)
        if isinstance(hello, ClientHello):
            again = self._transport == "d" and self._client is not None and self._client.ja3 == hello.ja3
            self._client_side, self._client = side, hello
            return [] if again else [client_message(hello)]  # DTLS repeats it with a cookie
        if isinstance(hello, ServerHello):
            self._client_side = 1 - side
            self._server, self._group = hello, hello.group
            return [server_message(hello, self._client)]
        return []

    def _speaks_tls(self) -> bool:
        """Whether the server chose TLS and not TLCP, whose key exchange has another form."""
        return self._server is not None and self._server.version != TLCP

    def _chain(self, side: int, message: bytes) -> list[Message]:
        if self._server is not None and is_1_3(self._server.version):
            return []
        found: list[Message] = []
        name = self._client.server_name if self._client is not None else ""
        at = 7
        position = self._certificates[side]
        while at + 3 <= len(message) and position < CERTIFICATES_MAX:
            size = int.from_bytes(message[at : at + 3], "big")
            certificate = parse_certificate(message[at + 3 : at + 3 + size])
            at += 3 + size
            if certificate is not None:
                reply = self._is_server(side)
                found.append(certificate_message(certificate, position, name, self._time, reply=reply))
            position += 1
        self._certificates[side] = position
        return found

    def _judge(self, *, both_changed: bool, reply: bool) -> list[Message]:
        """Tell once that the connection stands."""
        server = self._server
        if not both_changed or self.done or server is None:
            return []
        self.done = True
        resumed = server.is_resumed
        if not is_1_3(server.version):
            resumed = self._certificates[1 - self._client_side] == 0 and _may_resume(self._client, server)
        return [established_message(server, self._client, self._group, resumed=resumed, reply=reply)]

    def _is_server(self, side: int) -> bool:
        return side != self._client_side if self._client_side >= 0 else side == 1


def _may_resume(client: ClientHello | None, server: ServerHello) -> bool:
    return client is None or bool(client.session or server.session) or client.offers_ticket
