"""QUIC Initials: the packet of RFC 9001 A.2, packets sealed here, order, fragments, and hostile bytes."""

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.dialect import Message, Talk
from sensors.network.quic import Handshake, long_headers
from sensors.network.quic_datagram import QUIC, read_quic
from sensors.network.quic_keys import V1, V2, initial_keys

CONNECTION = bytes.fromhex("8394c8f03e515708")  # of RFC 9001 appendix A
HELLO = craft.client_hello("portal.example.gov.cn")[5:]
ANSWER = craft.server_hello(0x1301, chosen=0x0304)[5:]


def varint(number: int) -> bytes:
    return (number | 0x4000).to_bytes(2, "big")


def crypto(offset: int, data: bytes) -> bytes:
    return b"\x06" + varint(offset) + varint(len(data)) + data


def initial(
    frames: bytes,
    *,
    server: bool = False,
    version: int = V1,
    connection: bytes = CONNECTION,
    number: int = 2,
    destination: bytes | None = None,
) -> bytes:
    """A sealed Initial packet, padded to 1,200 bytes."""
    keys = initial_keys(version, connection)[server]
    frames = frames.ljust(1_150, b"\0")
    kind = 1 if version == V2 else 0
    to = (b"" if server else connection) if destination is None else destination
    head = bytes((0xC0 | kind << 4 | 3,)) + version.to_bytes(4, "big")
    head += bytes((len(to),)) + to + (b"\x04SCID" if server else b"\0") + b"\0"
    head += varint(4 + len(frames) + 16) + number.to_bytes(4, "big")
    sealed = keys.packet.encrypt((keys.iv ^ number).to_bytes(12, "big"), frames, head)
    mask = keys.mask(sealed[:16])
    covered = bytearray(head)
    covered[0] ^= mask[0] & 0x0F
    for at in range(4):
        covered[len(head) - 4 + at] ^= mask[1 + at]
    return bytes(covered) + sealed


def talk(*parts: tuple[int, bytes]) -> list[Message]:
    about = Talk()
    seen: list[Message] = []
    for side, data in parts:
        about.side = side
        seen += read_quic(data, about) or ()
    return seen


def test_the_keys_are_those_of_the_standard() -> None:
    client, server = initial_keys(V1, CONNECTION)
    assert client.header.hex() == "9f50449e04a0e810283a1e9933adedd2"
    assert client.iv == 0xFA044B2F42A3FD3B46FB255C
    assert server.header.hex() == "c206b8d9b9f0f37644430b490eeaa314"
    assert initial_keys(V2, CONNECTION)[0].header.hex() == "45b95e15235d6f45a6b19cbcb0294ba9"
    assert client.mask(bytes.fromhex("d1b1c98dd7689fb8ec11d242b123dc9b")).hex() == "437b9aec36"


@pytest.mark.parametrize(("version", "named"), [(V1, "1"), (V2, "quicv2")])
def test_a_connection(version: int, named: str) -> None:
    seen = talk(
        (0, initial(crypto(0, HELLO), version=version)),
        (1, initial(b"\x02" + bytes(4) + crypto(0, ANSWER), server=True, version=version)),
    )
    assert [(one.dataset, one.reply) for one in seen] == [
        ("net.quic", False), ("net.tls", False), ("net.quic", True), ("net.tls", True),
    ]  # fmt: skip
    assert seen[0].native["server_name"] == "portal.example.gov.cn"
    assert seen[0].native["client_initial_dcid"] == CONNECTION.hex()
    assert seen[0].fields["network.protocol_version"] == named
    assert str(seen[1].fields["tls.client.ja4"]).startswith("q13d")
    assert seen[1].service == "quic"
    assert seen[2].native["server_scid"] == b"SCID".hex()
    assert seen[3].native["cipher"] == "TLS_AES_128_GCM_SHA256"


def test_a_hello_in_pieces_out_of_order() -> None:
    first = initial(crypto(100, HELLO[100:]) + b"\x01" + crypto(0, HELLO[:40]))
    second = initial(crypto(40, HELLO[40:100]), number=3)
    assert talk((0, first)) == []
    assert len(talk((0, first), (0, second))) == 2
    assert len(talk((0, second), (0, first), (0, first))) == 2


def test_after_a_retry_the_keys_begin_anew() -> None:
    retry = b"\xf0" + V1.to_bytes(4, "big") + b"\0\x08NEWCONN!" + bytes(40)
    again = initial(crypto(0, HELLO), connection=b"NEWCONN!")
    seen = talk((0, initial(crypto(0, HELLO))), (1, retry), (0, again))
    quic = [one for one in seen if one.dataset == "net.quic"]
    assert [one.native["client_initial_dcid"] for one in quic] == [CONNECTION.hex(), b"NEWCONN!".hex()]


def test_later_client_packets_name_the_servers_connection() -> None:
    half = len(HELLO) // 2
    second = initial(crypto(half, HELLO[half:]), number=3, destination=b"SCID")
    assert len(talk((0, initial(crypto(0, HELLO[:half]))), (0, second))) == 2


def test_what_is_not_quic_is_left_to_others() -> None:
    about = Talk()
    for raw in (
        b"",
        b"\xc0",
        b"\xc0" + bytes(1_200),
        b"\x40" * 1_200,
        b"\xc0\x00\x00\x00\x01\x15" + bytes(50),
    ):
        assert read_quic(raw, about) is None
    assert QUIC.first_bytes is not None
    assert initial(b"")[0] in QUIC.first_bytes


def test_packets_with_other_keys_cost_a_bounded_number_of_tries() -> None:
    handshake = Handshake()
    wrong = bytearray(initial(crypto(0, HELLO)))
    wrong[-1] ^= 1
    for _ in range(100):
        assert handshake.see(bytes(wrong), long_headers(bytes(wrong)), 0) == []
    assert handshake.client.packets <= 16


PACKET = initial(crypto(0, HELLO))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_250), st.integers(0, 255), st.integers(0, 1_250), st.binary(max_size=60))
def test_any_bytes_are_answered(place: int, value: int, cut: int, frames: bytes) -> None:
    raw = bytearray(PACKET)
    raw[place % len(raw)] = value
    talk((0, bytes(raw)), (1, bytes(raw[:cut])), (0, initial(frames)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(HELLO) - 1), st.integers(0, 255), st.integers(0, 16_383), st.integers(0, 16_383))
def test_a_lying_client_with_the_right_keys_is_answered(place: int, value: int, at: int, size: int) -> None:
    lied = bytearray(HELLO)
    lied[place] = value
    frame = b"\x06" + varint(at) + varint(size) + bytes(lied)
    talk(
        (0, initial(crypto(0, bytes(lied)))),
        (0, initial(frame, number=3)),
        (0, initial(crypto(0, HELLO), number=4)),
    )
