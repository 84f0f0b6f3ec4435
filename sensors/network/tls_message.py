"""What is reported of a TLS or TLCP handshake: ECS fields and Zeek's ssl.log names side by side.

Zeek has one row for a connection, the sensor a message for each thing it learns: of Zeek's names each stands
in one message only (the name of the server in both hellos), so that a rule matches a connection once.
"""

from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message
from sensors.network.tls import ClientHello, ServerHello
from sensors.network.tls_names import alert_name, group_name, suite_name, version_name

_SUITES_MAX: Final = 128
_FATAL: Final = 2


def client_message(hello: ClientHello, *, service: str = "tls") -> Message:
    """What the client offers."""
    fields: dict[str, Value] = {
        "event.action": "client-hello",
        "tls.client.supported_ciphers": [suite_name(number) for number in hello.suites[:_SUITES_MAX]],
        "tls.client.ja3": hello.ja3,
        "tls.client.ja4": hello.ja4,
        "gov.tls.offered_version": version_name(hello.offered_version),
        "gov.tls.alpn": [*hello.alpn],
        "gov.tls.sm": hello.is_sm,
    }
    if hello.hides_name:
        fields["gov.tls.encrypted_client_hello"] = True
    native: dict[str, Value] = {"ja3": hello.ja3, "ja4": hello.ja4}
    return _message(fields, native, hello, service=service)


def server_message(hello: ServerHello, client: ClientHello | None, *, service: str = "tls") -> Message:
    """What the server chose."""
    fields: dict[str, Value] = {
        "event.action": "hello-retry" if hello.is_retry else "server-hello",
        "tls.server.ja3s": hello.ja3s,
    }
    native: dict[str, Value] = {"ja3s": hello.ja3s}
    _choice(hello, hello.group, fields, native)
    if hello.is_resumed:
        fields["tls.resumed"] = native["resumed"] = True
    return _message(fields, native, client, service=service, reply=True)


def established_message(
    hello: ServerHello, client: ClientHello | None, group: int, *, resumed: bool, reply: bool
) -> Message:
    """The handshake is over and data flows."""
    fields: dict[str, Value] = {
        "event.action": "established",
        "tls.established": True,
        "tls.resumed": resumed,
    }
    _choice(hello, group, fields, {})
    native: dict[str, Value] = {"established": True, "resumed": resumed}
    if group:
        native["curve"] = group_name(group)
    if client is not None:
        fields |= {"tls.client.ja3": client.ja3, "tls.client.ja4": client.ja4}
        if client.server_name:
            fields["tls.client.server_name"] = client.server_name
    return _message(fields, native, None, reply=reply)


def alert_message(
    alert: bytes, client: ClientHello | None, server: ServerHello | None, group: int, *, reply: bool
) -> Message:
    """An alert in the clear: why there is no connection, mostly."""
    name = alert_name(alert[1])
    fields: dict[str, Value] = {
        "event.action": "alert",
        "event.reason": name,
        "gov.tls.alert": name,
        "gov.tls.alert_fatal": alert[0] == _FATAL,
        "gov.tls.sm": server.is_sm if server is not None else client is not None and client.is_sm,
    }
    native: dict[str, Value] = {"last_alert": name}
    if server is not None:
        _choice(server, group, fields, {})
        if group:
            native["curve"] = group_name(group)
    if client is not None and client.server_name:
        fields["tls.client.server_name"] = client.server_name
    return _message(fields, native, None, reply=reply)


def _choice(hello: ServerHello, group: int, fields: dict[str, Value], native: dict[str, Value]) -> None:
    version, cipher = version_name(hello.version), suite_name(hello.suite)
    fields |= {"tls.version": version, "tls.cipher": cipher, "gov.tls.sm": hello.is_sm}
    native |= {"version": version, "cipher": cipher}
    if group:
        fields["tls.curve"] = native["curve"] = group_name(group)
    if hello.alpn:
        fields["tls.next_protocol"] = native["next_protocol"] = hello.alpn


def _message(
    fields: dict[str, Value],
    native: dict[str, Value],
    client: ClientHello | None,
    *,
    service: str = "tls",
    reply: bool = False,
) -> Message:
    if client is not None and client.server_name:
        fields["tls.client.server_name"] = native["server_name"] = client.server_name
    return Message("net.tls", service, fields, native, reply=reply, log="ssl", category="tls")
