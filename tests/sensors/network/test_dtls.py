"""DTLS: hellos, fragments, cookies, refusals, and hostile bytes."""

from itertools import pairwise
from struct import pack

import craft
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.dialect import Message, Talk
from sensors.network.dtls import DATAGRAMS_MAX, DTLS, read_dtls
from sensors.network.tls_conversation import Conversation
from sensors.network.tls_records import APPLICATION, CHANGE_CIPHER, HANDSHAKE, Record

CHANGE = b"\x14\xfe\xfd\0\0" + bytes(6) + b"\0\1\1"


def record(content: bytes, kind: int = 22, epoch: int = 0) -> bytes:
    return bytes((kind,)) + b"\xfe\xfd" + pack("!H", epoch) + bytes(6) + pack("!H", len(content)) + content


def parts(message: bytes, *cuts: int) -> list[bytes]:
    """A handshake message of TLS as DTLS fragments."""
    kind, size, body = message[:1], message[1:4], message[4:]
    places = [0, *cuts, len(body)]
    return [
        kind + size + b"\0\0" + start.to_bytes(3, "big") + (end - start).to_bytes(3, "big") + body[start:end]
        for start, end in pairwise(places)
    ]


def client(cookie: bytes = b"") -> bytes:
    body = craft.client_hello("a.cn", version=0xFEFD, offered=())[9:]
    body = body[:35] + bytes((len(cookie),)) + cookie + body[35:]
    return b"\x01" + len(body).to_bytes(3, "big") + body


SERVER = craft.server_hello(0xC02F, version=0xFEFD)[5:]


def talk(*datagrams: tuple[int, bytes]) -> list[Message]:
    about = Talk()
    seen: list[Message] = []
    for side, data in datagrams:
        about.side = side
        seen += read_dtls(data, about) or ()
    return seen


def actions(seen: list[Message]) -> list[object]:
    return [one.fields["event.action"] for one in seen]


def test_a_handshake_with_a_cookie() -> None:
    verify = record(b"\x03\0\0\x03" + bytes(5) + b"\0\0\x03\xfe\xfd\0")
    seen = talk(
        (0, record(parts(client())[0])),
        (1, verify),
        (0, record(parts(client(b"cookie"))[0])),
        (1, record(parts(SERVER)[0]) + record(b"x", 22, 1)),
        (0, CHANGE),
        (1, CHANGE),
    )
    assert actions(seen) == ["client-hello", "server-hello", "established"]
    assert str(seen[0].fields["tls.client.ja4"]).startswith("dd2d")
    assert seen[2].fields["tls.version"] == "DTLSv12"
    assert seen[2].fields["tls.client.server_name"] == "a.cn"


def test_fragments_out_of_order() -> None:
    first, second, third = parts(client(), 20, 50)
    assert actions(talk((0, record(second)))) == []
    assert actions(talk((0, record(first)), (0, record(third) + record(second)))) == ["client-hello"]


def test_a_refusal() -> None:
    seen = talk((0, record(parts(client())[0])), (1, record(b"\x02\x28", 21)))
    assert seen[1].fields["gov.tls.alert"] == "handshake_failure"


def test_what_is_not_dtls_is_left_to_others() -> None:
    for raw in (b"", b"\x16\xfe", b"\x16\x03\x03" + bytes(40), CHANGE, record(bytes(30), 22, 1)):
        assert read_dtls(raw, Talk()) is None
    assert DTLS.first_bytes is not None
    assert 0x16 in DTLS.first_bytes


def test_a_flow_that_never_ends_costs_little() -> None:
    about = Talk()
    hello = record(parts(client())[0])
    for _ in range(DATAGRAMS_MAX * 2):
        read_dtls(hello, about)
    assert read_dtls(hello, about) == ()


def test_a_conversation_told_by_records() -> None:
    one = Conversation(0.0)
    told = one.take(0, Record(HANDSHAKE, craft.client_hello("a.cn")[5:]))
    told += one.take(1, Record(HANDSHAKE, craft.server_hello(0x1301, chosen=0x0304)[5:]))
    told += one.take(1, Record(CHANGE_CIPHER, b"")) + one.take(1, Record(APPLICATION, b""))
    assert not one.done
    told += one.take(0, Record(APPLICATION, b""))
    assert actions(told) == ["client-hello", "server-hello", "established"]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 150), st.integers(0, 255), st.integers(1, 150), st.binary(max_size=40))
def test_any_bytes_are_answered(place: int, value: int, cut: int, tail: bytes) -> None:
    raw = bytearray(record(parts(client(), 30)[0]) + record(parts(client(), 30)[1]))
    raw[place % len(raw)] = value
    talk((0, bytes(raw) + tail), (1, bytes(raw[:cut])), (0, record(parts(SERVER)[0]) + tail))


def test_ciphertext_of_dtls_1_3_says_that_it_stands() -> None:
    body = pack("!H", 0xFEFD) + bytes(32) + b"\0" + pack("!HB", 0x1301, 0)
    body += pack("!H", 6) + craft.extension(43, b"\xfe\xfc")
    server = b"\x02" + len(body).to_bytes(3, "big") + body
    about = Talk()
    assert read_dtls(b"\x2f" + bytes(40), about) is None, "of no flow that is known"
    sealed = b"\x2f" + bytes(40)
    seen = talk((0, record(parts(client())[0])), (1, record(parts(server)[0])), (1, sealed), (0, sealed))
    assert actions(seen) == ["client-hello", "server-hello", "established"]
    assert seen[-1].fields["tls.version"] == "DTLSv13"
