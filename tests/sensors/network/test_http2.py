"""HTTP/2 in the clear: a real conversation, frames in pieces, and hostile bytes."""

from pathlib import Path

import agreement
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.dialect import Message, Talk
from sensors.network.http2 import HEADERS_MAX, HTTP2, PREFACE, Http2Stream, claims_http2

CAPTURE = Path(__file__).parent / "captures" / "http2.pcap"
GET = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"  # of RFC 7541 C.4.1


def frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + content


SETTINGS = frame(4, 0, 0, b"")
REQUEST = frame(1, 0x05, 1, GET)
ANSWER = frame(1, 0x04, 1, b"\x88")


def talk(*parts: tuple[int, bytes]) -> list[Message]:
    stream = Http2Stream(Talk(b"k" * 16))
    return [message for side, data in parts for message in stream.feed(side, data)]


def test_a_conversation_of_a_real_client_and_server() -> None:
    seen = [one for one in agreement.read_all(CAPTURE) if one.fields["event.dataset"] == "net.http"]
    asked = [one for one in seen if one.fields["event.action"] == "request"]
    told = [one for one in seen if one.fields["event.action"] == "response"]
    assert [one.native["uri"] for one in asked] == ["/index.html", "/api/list?page=2", "/missing", "/login"]
    assert [one.native["status_code"] for one in told] == [200, 200, 404, 200]
    assert {one.fields["http.version"] for one in seen} == {"2"}
    assert {one.native["host"] for one in asked} == {"portal.example.gov.cn"}
    assert told[2].fields["url.original"] == "/missing"
    assert told[0].fields["gov.http.server"] == "example/2"
    assert asked[3].fields["user.name"] == "clerk"
    assert "s3cret" not in repr(seen)
    assert {one.fields["source.port"] for one in seen} == {asked[0].fields["source.port"]}


def test_frames_in_any_pieces() -> None:
    whole = ((0, PREFACE + SETTINGS + REQUEST), (1, SETTINGS + ANSWER))
    bits = [(side, bytes([byte])) for side, data in whole for byte in data]
    assert [one.native for one in talk(*bits)] == [one.native for one in talk(*whole)]
    assert len(talk(*whole)) == 2


def test_a_block_over_continuations_padded_and_with_priority() -> None:
    padded = frame(1, 0x28, 1, b"\x02" + bytes(5) + GET[:5] + b"\0\0") + frame(9, 0x04, 1, GET[5:])
    assert [one.native["host"] for one in talk((0, PREFACE + padded))] == ["www.example.com"]


def test_data_is_stepped_over() -> None:
    body = frame(0, 0, 1, REQUEST * 10)
    assert len(talk((0, PREFACE + body[:50]), (0, body[50:] + REQUEST))) == 1


def test_trailers_and_pushes_are_no_answers() -> None:
    trailer = frame(1, 0x05, 1, b"\x40\x01a\x01b")
    push = frame(5, 0x04, 1, b"\0\0\0\x02" + GET)
    assert len(talk((0, PREFACE + REQUEST), (1, ANSWER + trailer + push))) == 2


def test_a_bad_block_or_place_lets_the_stream_go() -> None:
    for bad in (frame(1, 4, 1, b"\x80"), frame(0x77, 0, 0, b""), frame(1, 4, 1, b"")[:3] + b"\x01\x04junk"):
        stream = Http2Stream(Talk())
        stream.feed(0, PREFACE + bad + bytes(40))
        stream.feed(0, bytes(30))
        assert stream.done or not stream.feed(0, REQUEST)


@pytest.mark.parametrize(
    ("data", "claimed"), [(PREFACE, True), (PREFACE[:7], None), (b"PROPFIND / HTTP/1.1\r\n", False)]
)
def test_the_claim(data: bytes, claimed: bool | None) -> None:
    assert claims_http2(data, Talk()) is claimed
    assert HTTP2.first_bytes == {ord("P")}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 80), st.integers(0, 255), st.binary(max_size=80))
def test_any_bytes_are_answered(place: int, value: int, tail: bytes) -> None:
    raw = bytearray(PREFACE + SETTINGS + REQUEST)
    raw[len(PREFACE) + place % (len(raw) - len(PREFACE))] = value
    talk((0, bytes(raw) + tail), (1, tail), (0, REQUEST))


def test_a_segment_made_of_frames_lets_the_stream_go() -> None:
    for spam in (frame(0, 0, 1, b"") * 5_000, frame(1, 4, 1, b"\x82\x86\x84") * 2_000):
        stream = Http2Stream(Talk())
        assert len(stream.feed(0, PREFACE + spam)) <= HEADERS_MAX
        assert stream.done
