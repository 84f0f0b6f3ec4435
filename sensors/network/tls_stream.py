"""TLS and TLCP over TCP as a dialect: hellos, certificates, alerts in the clear, and when it stands.

Recognised by a hello on any port and at any place of a flow (STARTTLS, proxies). Events of ``net.tls`` by
``event.action``: client-hello, server-hello, alert, established; one ``net.x509`` for each certificate seen
(bounded, see ``tls_conversation``). From TLS 1.3 on certificates are encrypted and not seen.
"""

from collections.abc import Sequence
from typing import Final

from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.tls import is_hello
from sensors.network.tls_conversation import Conversation
from sensors.network.tls_records import Records

STREAM_BYTES_MAX: Final = 32 * 1024  # a long chain of certificates
_CHANGE_RECORD: Final = b"\x14"
_HELLO_RECORD: Final = b"\x16"


class TlsStream:
    """One connection over TCP."""

    def __init__(self, talk: Talk) -> None:
        self.done = False
        self._sides = (Records(), Records())
        self._conversation = Conversation(talk.time)

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """Take in the next bytes of a side."""
        messages: list[Message] = []
        for record in self._sides[side].feed(data):
            messages += self._conversation.take(side, record)
            if self._conversation.done:
                break
        self.done = self._conversation.done or (self._sides[0].done and self._sides[1].done)
        return messages


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
