"""DNS messages: what is read, what is refused off its ports, and that hostile names end."""

import time
from struct import pack

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.dns import parse_dns, type_name

QUERY = craft.dns("WWW.Example.gov.cn", 28)


def test_a_query() -> None:
    found = parse_dns(QUERY, known_port=False)
    assert found is not None
    assert (found.is_answer, found.name, found.type) == (False, "www.example.gov.cn", "AAAA")
    assert found.identifier == 0x1234


def test_an_edns_query_off_its_port() -> None:
    raw = bytearray(QUERY + b"\0" + pack("!HHIH", 41, 1_232, 0, 4) + b"\0\x0a\0\0")
    raw[11] = 1
    assert parse_dns(bytes(raw), known_port=False) is not None
    assert parse_dns(bytes(raw) + b"x", known_port=False) is None


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (1, b"\xc0\x00\x02\x01", "192.0.2.1"),
        (28, bytes(15) + b"\x01", "::1"),
        (16, b"\x05hello\x02x\x07", "hello x\\x07"),
        (5, b"\x03cdn\xc0\x0c", "cdn.a.example"),
        (15, b"\x00\x0a\x02mx\xc0\x0c", "mx.a.example"),
        (33, b"\0\0\0\0\x01\xbb\x01s\0", "s"),
        (10, b"\x01\x02", "0102"),
    ],
)
def test_answers(kind: int, data: bytes, text: str) -> None:
    found = parse_dns(craft.dns_answer("a.example", [data], kind), known_port=False)
    assert found is not None
    assert found.is_answer
    assert found.answers == [text]
    assert found.response_code == "NOERROR"


def test_an_empty_answer_says_why() -> None:
    found = parse_dns(craft.dns_answer("gone.example", [], code=3), known_port=False)
    assert found is not None
    assert (found.response_code, found.answers) == ("NXDOMAIN", [])


def test_an_answer_cut_short_keeps_what_is_whole() -> None:
    whole = craft.dns_answer("a.example", [bytes(4)] * 5)
    found = parse_dns(whole[:-3], known_port=True)
    assert found is not None
    assert len(found.answers) == 4


def test_a_multicast_announcement_has_no_question() -> None:
    record = craft.name("printer.local") + pack("!HHIH", 1, 0x8001, 120, 4) + b"\x0a\0\0\x09"
    found = parse_dns(pack("!6H", 0, 0x8400, 0, 1, 0, 0) + record, known_port=True)
    assert found is not None
    assert (found.name, found.type, found.answers) == ("printer.local", "A", ["10.0.0.9"])


def test_unknown_types_keep_their_number() -> None:
    assert type_name(65_399) == "TYPE65399"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        bytes(12),
        QUERY[:-1],
        QUERY + b"\0",
        QUERY[:2] + b"\x79\x00" + QUERY[4:],
        QUERY[:2] + b"\x01\x40" + QUERY[4:],
        pack("!6H", 1, 0x0100, 1, 0, 0, 0) + b"\xc0\x0c" + pack("!HH", 1, 1),
        pack("!6H", 1, 0x0100, 1, 0, 0, 0) + craft.name("a") + pack("!HH", 1, 77),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6 and then some",
    ],
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    assert parse_dns(raw, known_port=False) is None


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=12, max_size=600))
def test_random_datagrams_are_hardly_ever_taken_for_dns(raw: bytes) -> None:
    found = parse_dns(raw, known_port=False)
    assert found is None or found.name is not None
    parse_dns(raw, known_port=True)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.integers(0, 255), st.booleans())
def test_mutated_answers_are_answered(place: int, value: int, known: bool) -> None:
    raw = bytearray(craft.dns_answer("a.b.example", [b"\x03cdn\xc0\x0c"] * 8, 5))
    raw[place % len(raw)] = value
    found = parse_dns(bytes(raw), known_port=known)
    assert found is None or len(found.answers) <= 32


def test_a_message_made_of_pointers_is_quick() -> None:
    chain = b"".join(pack("!H", 0xC000 | max(12, place - 2)) for place in range(14, 4_000, 2))
    raw = pack("!6H", 1, 0x8180, 1, 512, 0, 0) + craft.name("a") + pack("!HH", 1, 1) + chain
    began = time.perf_counter()
    parse_dns(raw[:4_096], known_port=True)
    assert time.perf_counter() - began < 0.05
