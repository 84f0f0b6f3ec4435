"""What is reported of a handshake: each of Zeek's names in one message, so that a rule matches once."""

import craft
import pytest

from sensors.network.tls import ClientHello, ServerHello, parse_message
from sensors.network.tls_message import (
    alert_message,
    client_message,
    established_message,
    server_message,
)


@pytest.fixture
def client() -> ClientHello:
    found = parse_message(craft.client_hello("portal.example.gov.cn", suites=(0x00C6, 0x1301))[5:])
    assert isinstance(found, ClientHello)
    return found


@pytest.fixture
def server() -> ServerHello:
    found = parse_message(craft.server_hello(0x00C6, chosen=0x0304)[5:])
    assert isinstance(found, ServerHello)
    return found


def test_native_names_stand_in_one_message(client: ClientHello, server: ServerHello) -> None:
    told = [
        client_message(client),
        server_message(server, client),
        established_message(server, client, 41, resumed=False, reply=False),
        alert_message(b"\x02\x28", client, server, 41, reply=True),
    ]
    for name in ("version", "cipher", "ja3", "ja3s", "ja4", "established", "last_alert"):
        assert sum(name in one.native for one in told) == 1, name
    assert all(one.fields["tls.client.server_name"] == "portal.example.gov.cn" for one in told)
    assert all(one.fields["gov.tls.sm"] is True for one in told)
    assert {one.log for one in told} == {"ssl"}


def test_the_group_is_named(client: ClientHello, server: ServerHello) -> None:
    told = established_message(server, client, 41, resumed=True, reply=False)
    assert (told.fields["tls.curve"], told.fields["tls.resumed"]) == ("curveSM2", True)


def test_an_alert_without_hellos() -> None:
    told = alert_message(b"\x01\xfe", None, None, 0, reply=False)
    assert told.fields["gov.tls.alert"] == "alert_254"
    assert told.fields["gov.tls.alert_fatal"] is False
    assert told.fields["gov.tls.sm"] is False
