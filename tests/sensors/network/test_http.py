"""HTTP heads: requests, responses, credentials, and what is not taken for HTTP."""

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.http import HttpRequest, HttpResponse, parse_http


def request(raw: bytes) -> HttpRequest:
    found = parse_http(raw)
    assert isinstance(found, HttpRequest)
    return found


def test_a_request() -> None:
    found = request(craft.http("/a/b.jsp?x=%20y", agent="probe/1", Referer="http://r/"))
    assert (found.method, found.path, found.query) == ("GET", "/a/b.jsp", "x=%20y")
    assert found.decoded == "/a/b.jsp?x= y"
    assert (found.host, found.user_agent, found.referrer) == ("portal.example.gov.cn", "probe/1", "http://r/")
    assert found.basic_user is None


def test_only_the_user_of_basic_credentials_is_kept() -> None:
    found = request(craft.http("/", Authorization="Basic YWRtaW46czNjcmV0"))
    assert found.basic_user == "admin"
    assert "s3cret" not in repr(found)
    assert "YWRt" not in repr(found)
    assert request(craft.http("/", Authorization="Basic ???")).basic_user == ""
    assert request(craft.http("/", Authorization="Bearer abc")).basic_user is None


def test_a_response() -> None:
    found = parse_http(b"HTTP/1.1 503 Busy\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n<html>")
    assert isinstance(found, HttpResponse)
    assert (found.status, found.server, found.content_type) == (503, "nginx", "text/html")


def test_a_long_line_cut_by_the_segment_is_read() -> None:
    found = request(b"GET /" + b"../" * 400)
    assert found.path.startswith("/../../")
    assert parse_http(b"GET /short") is None


def test_control_characters_are_written_out() -> None:
    found = request(b"GET /a\x1b[31m HTTP/1.1\r\nHost: \xff\x00\r\n\r\n")
    assert found.uri == "/a\\x1b[31m"
    assert found.host.isprintable()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"GET",
        b"GETTING / HTTP/1.1\r\n\r\n",
        b"GET / FTP/1\r\n",
        b"HTTP/1.1 abc x\r\n",
        b"HTTP/1.1 200",
    ],
)
def test_what_is_no_head(raw: bytes) -> None:
    assert parse_http(raw) is None


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 120), st.integers(0, 255))
def test_any_bytes_are_answered(tail: bytes, place: int, value: int) -> None:
    raw = bytearray(craft.http("/a?b=c", Authorization="Basic YTpi"))
    raw[place % len(raw)] = value
    for whole in (bytes(raw), b"GET " + tail, b"HTTP/1.1 " + tail, bytes(raw[: place + 1])):
        found = parse_http(whole)
        if isinstance(found, HttpRequest):
            assert found.decoded.isprintable()
            assert len(found.uri) <= 8_192
