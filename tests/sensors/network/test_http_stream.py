"""HTTP/1 conversations: heads over segments, bodies stepped over, pipelining, tunnels, and hostile bytes."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import craft
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network import http_stream
from sensors.network.dialect import Message, Talk
from sensors.network.http_message import bare_host
from sensors.network.http_stream import HEADS_MAX, HTTP, STEPS_MAX, HttpStream, claims_http

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: nginx\r\n\r\nhello"
POST = b"POST /in HTTP/1.1\r\nHost: a.cn:8080\r\nContent-Length: 18\r\n\r\nGET /no HTTP/1.1\r\n"


def talk(*parts: tuple[int, bytes], key: bytes = b"k" * 16) -> list[Message]:
    stream = HttpStream(Talk(key))
    return [message for side, data in parts for message in stream.feed(side, data)]


def told(messages: list[Message]) -> list[object]:
    return [one.native.get("uri", one.native.get("status_code")) for one in messages]


def test_a_persistent_connection() -> None:
    seen = talk((0, POST), (1, OK), (0, craft.http("/two?x=1")), (1, OK))
    assert told(seen) == ["/in", 200, "/two?x=1", 200]
    assert [one.native["trans_depth"] for one in seen] == [1, 1, 2, 2]
    assert [one.reply for one in seen] == [False, True, False, True]
    assert seen[0].fields["url.domain"] == "a.cn"
    assert seen[0].native["host"] == "a.cn:8080"
    assert seen[3].fields["url.original"] == "/two?x=1"


def test_heads_fed_byte_by_byte() -> None:
    whole = talk((0, POST), (1, OK), (0, craft.http("/two")), (1, OK))
    bits = [(0, bytes([byte])) for byte in POST] + [(1, bytes([byte])) for byte in OK]
    bits += [(0, bytes([byte])) for byte in craft.http("/two")] + [(1, bytes([byte])) for byte in OK]
    assert talk(*bits) == whole


def test_pipelined_requests_meet_their_answers() -> None:
    seen = talk((0, craft.http("/a") + craft.http("/b")), (1, OK + OK))
    assert told(seen) == ["/a", "/b", 200, 200]
    assert [one.fields["url.original"] for one in seen[2:]] == ["/a", "/b"]


def test_chunks_are_stepped_over() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n"
    for parts in ([(1, chunked), (1, OK)], [(1, bytes([byte])) for byte in chunked + OK]):
        assert told(talk(*parts)) == [200, 200]


def test_an_interim_answer_does_not_use_up_the_request() -> None:
    seen = talk((0, POST), (1, b"HTTP/1.1 100 Continue\r\n\r\n"), (1, OK))
    assert [one.fields.get("url.original") for one in seen] == ["/in", "/in", "/in"]


def test_head_and_304_have_no_body() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    assert told(talk((0, craft.http("/", method="HEAD")), (1, answer), (1, OK))) == ["/", 200, 200]
    assert told(talk((1, answer.replace(b"200 OK", b"304 Not Modified") + OK))) == [304, 200]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"CONNECT a.cn:443 HTTP/1.1\r\nHost: a.cn:443\r\n\r\n", b"HTTP/1.1 200 Connected\r\n\r\n"),
        (craft.http("/ws", Upgrade="websocket"), b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    ],
)
def test_a_tunnel_lets_the_stream_go(request_: bytes, answer: bytes) -> None:
    stream = HttpStream(Talk())
    stream.feed(0, request_)
    assert not stream.done
    stream.feed(1, answer)
    assert stream.done


def test_a_body_without_end_is_lost_until_a_head_begins() -> None:
    seen = talk((1, b"HTTP/1.0 200 OK\r\n\r\nabc"), (1, b"more"), (1, OK))
    assert told(seen) == [200, 200]


def test_the_secret_of_basic_credentials_is_only_marked() -> None:
    first, second, other = (
        talk((0, craft.http("/", Authorization=f"Basic {token}")))[0]
        for token in ("YWRtaW46czNjcmV0", "cm9vdDpzM2NyZXQ=", "YWRtaW46b3RoZXI=")
    )
    assert first.fields["user.name"] == "admin"
    assert "s3cret" not in repr(first)
    assert first.fields["gov.credential.mark"] == second.fields["gov.credential.mark"]
    assert first.fields["gov.credential.mark"] != other.fields["gov.credential.mark"]


def test_headers_that_matter() -> None:
    answer = (
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
    )
    seen = talk((0, craft.http("/", Origin="http://b.cn", **{"X-Forwarded-For": "10.1.1.1"})), (1, answer))
    assert seen[0].fields["gov.http.origin"] == "http://b.cn"
    assert seen[0].fields["gov.http.forwarded_for"] == "10.1.1.1"
    assert seen[1].fields["gov.http.challenge"] == "basic"
    assert seen[1].fields["gov.http.location"] == "/login"


def test_the_claim() -> None:
    assert claims_http(craft.http("/"), Talk()) is True
    assert claims_http(OK, Talk()) is True
    assert claims_http(b"GET /very", Talk()) is None
    assert claims_http(b"PRO", Talk()) is None
    assert claims_http(b"GREETINGS\r\n", Talk()) is False
    assert claims_http(b"GET out of here\r\n", Talk()) is False
    assert HTTP.first_bytes is not None
    assert HTTP.first_bytes >= {ord("G"), ord("H"), ord("P")}


def test_a_host_without_its_port() -> None:
    assert (bare_host("a.cn:80"), bare_host("a.cn"), bare_host("[::1]:8080")) == ("a.cn", "a.cn", "[::1]")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=80)), max_size=8), st.integers(0, 250))
def test_any_bytes_are_answered(parts: list[tuple[int, bytes]], cut: int) -> None:
    begun = [(0, POST[: cut % len(POST)]), (1, OK[:cut]), *parts, (1, OK), (0, POST)]
    for message in talk(*begun):
        assert message.dataset == "net.http"


def test_a_segment_made_of_heads_or_chunks_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in heads read and chunk lines looked at, which a busy machine does not change."""
    calls: Counter[str] = Counter()

    def counted(name: str) -> Callable[..., Any]:
        real = getattr(http_stream, name)

        def call(*given: Any) -> Any:
            calls[name] += 1
            return real(*given)

        return call

    for name in ("parse_http", "_chunk"):
        monkeypatch.setattr(http_stream, name, counted(name))
    assert len(talk((0, b"GET /\n" * 2_700))) <= HEADS_MAX + 1
    assert 0 < calls["parse_http"] <= HEADS_MAX + 1
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 2_000
    assert told(talk((1, chunks), (1, OK))) == [200, 200]
    assert 0 < calls["_chunk"] <= STEPS_MAX
