"""DNS as dialects: what is reported, over TCP, to groups, and hostile bytes."""

from ipaddress import ip_address
from struct import pack

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.dialect import Message, Talk
from sensors.network.dns_message import DNS_TCP, MESSAGES_MAX, DnsStream, claims_dns, read_dns

QUERY = craft.dns("portal.example.gov.cn")
ANSWER = craft.dns_answer("portal.example.gov.cn", [ip_address("10.1.2.3").packed])


def about(*ports: int, destination: str = "10.0.0.53") -> Talk:
    talk = Talk()
    talk.ports = (ports[0], ports[1])
    talk.destination = ip_address(destination).packed
    return talk


def only(payload: bytes, talk: Talk) -> Message:
    seen = read_dns(payload, talk)
    assert seen is not None
    (message,) = seen
    return message


def prefixed(message: bytes) -> bytes:
    return pack("!H", len(message)) + message


def test_a_question_and_its_answer() -> None:
    asked = only(QUERY, about(40_000, 53))
    assert asked.native["query"] == "portal.example.gov.cn"
    assert (asked.native["RD"], asked.native["AA"]) == (True, False)
    assert asked.fields["dns.header_flags"] == ["RD"]
    assert not asked.reply
    told = only(ANSWER, about(53, 40_000))
    assert told.reply
    assert told.native["answers"] == ["10.1.2.3"]
    assert told.native["TTLs"] == [60]
    assert told.native["RA"] is True
    assert told.fields["gov.dns.ttl_min"] == 60


@pytest.mark.parametrize(
    ("port", "group", "service"), [(5353, "224.0.0.251", "mdns"), (5355, "ff02::1:3", "llmnr")]
)
def test_an_announcement_keeps_its_sender(port: int, group: str, service: str) -> None:
    told = only(ANSWER, about(port, port, destination=group))
    assert (told.service, told.reply) == (service, False)
    assert told.log == "dns"


def test_over_tcp_in_pieces_and_several() -> None:
    stream = DnsStream(about(40_000, 53))
    raw = prefixed(QUERY) + prefixed(craft.dns("b.cn"))
    seen = [one for byte in raw for one in stream.feed(0, bytes([byte]))]
    seen += stream.feed(1, prefixed(ANSWER))
    assert [one.native["query"] for one in seen] == ["portal.example.gov.cn", "b.cn", "portal.example.gov.cn"]
    assert [one.reply for one in seen] == [False, False, True]
    assert not stream.done
    stream.feed(1, b"\x00\x01\x02")
    assert stream.done


def test_the_claim_is_strict_where_the_port_is_not_known() -> None:
    raw = prefixed(QUERY)
    assert claims_dns(raw, about(40_000, 8_053)) is True
    assert claims_dns(raw[:-1], about(40_000, 8_053)) is None
    assert claims_dns(raw[:2], about(40_000, 8_053)) is None
    assert claims_dns(b"\x05\x01\x00", about(40_000, 1_080)) is False, "the greeting of SOCKS"
    assert claims_dns(raw[:20], about(40_000, 53)) is True
    assert claims_dns(b"\x00\x20" + bytes(40), about(40_000, 8_053)) is False
    assert claims_dns(prefixed(bytes(60)), about(1, 2)) is False
    assert DNS_TCP.first_bytes is not None
    assert 0 in DNS_TCP.first_bytes


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 80), st.integers(0, 255), st.binary(max_size=40))
def test_any_bytes_are_answered(place: int, value: int, tail: bytes) -> None:
    raw = bytearray(prefixed(ANSWER))
    raw[place % len(raw)] = value
    stream = DnsStream(about(53, 40_000))
    stream.feed(1, bytes(raw) + tail)
    read_dns(bytes(raw[2:]) + tail, about(53, 40_000))
    claims_dns(bytes(raw), about(1, 2))


def test_a_segment_made_of_messages_lets_the_stream_go() -> None:
    stream = DnsStream(about(40_000, 53))
    assert len(stream.feed(0, prefixed(QUERY) * 300)) <= MESSAGES_MAX
    assert stream.done
