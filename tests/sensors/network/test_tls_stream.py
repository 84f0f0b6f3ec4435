"""TLS and TLCP conversations: real TLCP from a capture, hand-made hellos, hostile bytes."""

from collections.abc import Iterator
from pathlib import Path

import craft
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.capture_file import read_packets
from sensors.network.dialect import Message, Talk
from sensors.network.packet import walk
from sensors.network.tls_stream import TLS, TlsStream, claims_tls

TLCP = Path(__file__).parent / "captures" / "tlcp.pcap"
CHANGE = b"\x14\x03\x03\x00\x01\x01"
DATA = b"\x17\x03\x03\x00\x10" + bytes(16)


def conversation(port: int, path: Path = TLCP) -> Iterator[tuple[int, bytes]]:
    """(side, payload) of one conversation in a capture without losses."""
    with path.open("rb") as stream:
        for data, link_type, _ in read_packets(stream, path):
            packet = walk(data, link_type)
            assert packet is not None
            if port in (packet.source_port, packet.destination_port) and packet.end > packet.start:
                yield int(packet.source_port == port), data[packet.start : packet.end]


def talk(*parts: tuple[int, bytes], time: float = 1.79e9) -> list[Message]:
    about = Talk()
    about.time = time
    stream = TlsStream(about)
    return [message for side, data in parts for message in stream.feed(side, data)]


def actions(messages: list[Message]) -> list[str]:
    return [str(one.fields.get("event.action", one.dataset)) for one in messages]


def test_a_tlcp_handshake_from_a_real_stack() -> None:
    seen = talk(*conversation(20443))
    assert actions(seen) == ["client-hello", "server-hello", "net.x509", "net.x509", "established"]
    assert all(one.fields["gov.tls.sm"] for one in seen if one.dataset == "net.tls")
    last = seen[-1].fields
    assert (last["tls.version"], last["tls.cipher"]) == ("TLCPv11", "ECC_SM4_CBC_SM3")
    assert last["tls.resumed"] is False
    signs, encrypts = seen[2].fields, seen[3].fields
    assert signs["tls.server.x509.subject.distinguished_name"] == "CN=portal.example.gov.cn,O=示例单位,C=CN"
    assert signs["tls.server.x509.public_key_algorithm"] == "sm2"
    assert signs["tls.server.x509.signature_algorithm"] == "SM2-with-SM3"
    assert signs["gov.x509.sm"] is True
    assert signs["gov.x509.self_issued"] is False
    assert signs["gov.x509.validity"] == "valid"
    assert (signs["gov.x509.position"], encrypts["gov.x509.position"]) == (0, 1)
    assert signs["tls.server.hash.sha256"] != encrypts["tls.server.hash.sha256"]


def test_a_client_certificate_is_told_as_the_clients() -> None:
    seen = [one for one in talk(*conversation(20450)) if one.dataset == "net.x509"]
    assert [one.reply for one in seen] == [True, True, False]
    assert seen[-1].fields["tls.client.x509.subject.common_name"] == "clerk.example.gov.cn"


def test_a_refusal_in_the_clear() -> None:
    seen = talk(*conversation(20451))
    assert actions(seen)[-1] == "alert"
    assert seen[-1].fields["gov.tls.alert"] == "bad_certificate"
    assert seen[-1].fields["gov.tls.sm"] is True
    assert not seen[-1].reply
    ordinary = talk(*conversation(20452))
    assert actions(ordinary) == ["client-hello", "alert"]
    assert [one.fields["gov.tls.sm"] for one in ordinary] == [False, False]
    assert ordinary[1].reply


def test_an_expired_certificate_is_said_to_be() -> None:
    late = talk(*conversation(20443), time=2.5e9)
    assert late[2].fields["gov.x509.validity"] == "expired"
    assert int(str(late[2].fields["gov.x509.days_left"])) < 0
    assert talk(*conversation(20443), time=0.0)[2].fields["gov.x509.validity"] == "future"


def test_tls_1_3_stands_with_the_clients_first_ciphertext() -> None:
    seen = talk(
        (0, craft.client_hello("a.cn")), (1, craft.server_hello(0x1301, chosen=0x0304)), (1, CHANGE + DATA),
        (0, CHANGE + DATA),
    )  # fmt: skip
    assert actions(seen) == ["client-hello", "server-hello", "established"]
    assert seen[-1].fields["tls.client.server_name"] == "a.cn"
    assert seen[-1].fields["tls.version"] == "TLSv13"


def test_rfc_8998_is_sm() -> None:
    seen = talk((0, craft.client_hello(suites=(0x00C6,))), (1, craft.server_hello(0x00C6, chosen=0x0304)))
    assert [one.fields["gov.tls.sm"] for one in seen] == [True, True]
    assert seen[1].native["cipher"] == "TLS_SM4_GCM_SM3"


def test_sides_follow_the_hellos_not_the_flow() -> None:
    seen = talk((1, craft.client_hello("a.cn")), (0, craft.server_hello(0xC02F)))
    assert [one.reply for one in seen] == [False, True]


def test_the_claim() -> None:
    hello = craft.client_hello("a.cn")
    assert claims_tls(hello, Talk()) is True
    assert claims_tls(CHANGE + hello, Talk()) is True
    assert claims_tls(hello[:7], Talk()) is None
    assert claims_tls(b"\x16\x09\x03", Talk()) is False
    assert claims_tls(DATA, Talk()) is False
    assert TLS.first_bytes is not None
    assert hello[0] in TLS.first_bytes


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3_000), st.integers(0, 255), st.integers(1, 3_000))
def test_broken_conversations_are_answered(place: int, value: int, cut: int) -> None:
    parts = list(conversation(20450))
    about = Talk()
    stream = TlsStream(about)
    for side, data in parts:
        raw = bytearray(data)
        raw[place % len(raw)] = value
        for message in stream.feed(side, bytes(raw[:cut])):
            assert message.dataset in ("net.tls", "net.x509")


def test_a_stream_made_of_hellos_or_alerts_is_let_go() -> None:
    for spam in (craft.client_hello("a.cn") * 200, craft.client_hello() + b"\x15\x03\x03\0\2\1\1" * 2_000):
        stream = TlsStream(Talk())
        assert len(stream.feed(0, spam)) <= 12
        assert stream.done


def test_a_retry_is_followed_by_the_second_hello() -> None:
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    asked = craft.server_hello(0x1301, chosen=0x0304).replace(bytes(32), retry)
    seen = talk(
        (0, craft.client_hello("a.cn")), (1, asked + CHANGE), (0, CHANGE + craft.client_hello("b.cn")),
        (1, craft.server_hello(0x1301, chosen=0x0304) + DATA), (0, DATA),
    )  # fmt: skip
    assert actions(seen) == ["client-hello", "hello-retry", "client-hello", "server-hello", "established"]
