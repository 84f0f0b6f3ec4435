"""QUIC as a dialect: versions, connection ids, and the TLS hellos out of its Initial packets.

``net.quic`` tells a connection attempt (``client-hello``) and its answer (``server-hello``); the hellos
themselves are ``net.tls`` as over TCP, with ``network.protocol`` quic.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import DatagramDialect, Message, Talk
from sensors.network.live_set import LiveSet
from sensors.network.quic import Handshake, Opened, long_headers
from sensors.network.quic_keys import V1, V2
from sensors.network.tls import ClientHello, ServerHello, parse_message
from sensors.network.tls_message import client_message, server_message

PORTS: Final = frozenset({443, 784, 853, 8443})
_FIRST_BYTES: Final = frozenset(range(0xC0, 0x100))
_VERSIONS: Final = {V1: "1", V2: "quicv2"}


LIVE_MAX: Final = 4_096  # flows whose hellos are being put together, about 4 KiB each


class _Flow:
    """What is remembered of a flow."""

    __slots__ = ("handshake", "hello")

    def __init__(self) -> None:
        self.handshake: Handshake | None = Handshake()
        self.hello: ClientHello | None = None

    def release(self) -> None:
        """Nothing more is read of this flow."""
        self.handshake = self.hello = None


_live: Final = LiveSet(LIVE_MAX)


def read_quic(payload: bytes, talk: Talk) -> Sequence[Message] | None:
    """What a datagram tells, None where it is not QUIC."""
    flow = talk.memory if isinstance(talk.memory, _Flow) else None
    if flow is not None and flow.handshake is None:
        return ()
    headers = long_headers(payload)
    if not headers:
        return None
    if flow is None:
        flow = _Flow()
        talk.memory = flow
        _live.add(flow)
    handshake, asked = flow.handshake, flow.hello
    if handshake is None:
        return ()
    messages: list[Message] = []
    for opened in handshake.see(payload, headers, talk.side):
        hello = parse_message(opened.message, "q")
        if isinstance(hello, ClientHello):
            asked = flow.hello = hello
            messages += [_attempt(handshake, hello, opened), client_message(hello, service="quic")]
        elif isinstance(hello, ServerHello):
            messages += [_answer(handshake, asked, opened), server_message(hello, asked, service="quic")]
    if handshake.done:
        flow.release()
    return messages


def _attempt(handshake: Handshake, hello: ClientHello, opened: Opened) -> Message:
    fields, native = _common(handshake, hello, opened)
    fields["event.action"] = "client-hello"
    if hello.alpn:
        fields["gov.quic.client_protocol"] = native["client_protocol"] = hello.alpn[0]
    return Message("net.quic", "quic", fields, native)


def _answer(handshake: Handshake, hello: ClientHello | None, opened: Opened) -> Message:
    fields, native = _common(handshake, hello, opened)
    fields["event.action"] = "server-hello"
    fields["gov.quic.server_connection"] = native["server_scid"] = opened.header.source.hex()
    return Message("net.quic", "quic", fields, native, reply=True)


def _common(
    handshake: Handshake, hello: ClientHello | None, opened: Opened
) -> tuple[dict[str, Value], dict[str, Value]]:
    version = _VERSIONS.get(opened.header.version, f"draft-{opened.header.version & 0xFF}")
    fields: dict[str, Value] = {
        "network.protocol_version": version,
        "gov.quic.initial_connection": handshake.connection.hex(),
        "gov.quic.client_connection": handshake.client.source.hex(),
    }
    native: dict[str, Value] = {
        "version": version,
        "client_initial_dcid": handshake.connection.hex(),
        "client_scid": handshake.client.source.hex(),
    }
    if hello is not None and hello.server_name:
        fields["tls.client.server_name"] = native["server_name"] = hello.server_name
    return fields, native


QUIC: Final = DatagramDialect("quic", read_quic, ports=PORTS, first_bytes=_FIRST_BYTES, elsewhere=True)
