"""HTTP/2 in the clear (RFC 9113) as a dialect: recognised by its preface, its header blocks told as HTTP is.

Streams are told as requests and responses of ``net.http``, version 2; frames other than headers are stepped
over. Where a header block cannot be understood the connection is let go.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.hpack import BLOCK_BYTES_MAX, BadBlock, Decoder, Field
from sensors.network.http import HttpRequest, HttpResponse, request_of, response_of
from sensors.network.http_message import request_message, response_message

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STREAM_BYTES_MAX: Final = 64 * 1024  # headers of many streams come one after the other
STREAMS_MAX: Final = 64  # requests that wait for their response
FRAMES_MAX: Final = 256  # out of one delivery; more is made to cost time
HEADERS_MAX: Final = 32  # likewise
_FRAME_BYTES: Final = 9
_FRAME_BYTES_MAX: Final = 1 << 24
_HEADERS, _PUSH, _CONTINUATION = 1, 5, 9
_END_HEADERS, _PADDED, _PRIORITY = 0x04, 0x08, 0x20
_KINDS_MAX: Final = 0x20  # a frame of a higher type is taken for a lost place


class _Side:
    __slots__ = ("block", "decoder", "held", "skip", "stream")

    def __init__(self) -> None:
        self.held = b""
        self.skip = 0  # bytes of a frame to pass
        self.decoder = Decoder()
        self.block = b""  # header block fragments so far
        self.stream = 0  # whose they are


class Http2Stream:
    """One connection."""

    def __init__(self, talk: Talk) -> None:
        self.done = False
        self._key = talk.secret
        self._sides = (_Side(), _Side())
        self._client_side = talk.side
        self._greeted = False
        self._depth = 0
        self._asked: OrderedDict[int, tuple[HttpRequest, int]] = OrderedDict()

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """Take in the next bytes of a side."""
        here = self._sides[side]
        data = here.held + data
        here.held = b""
        if side == self._client_side and not self._greeted:
            if len(data) < len(PREFACE):
                here.held = data
                return ()
            self._greeted = True
            data = data[len(PREFACE) :]
        messages: list[Message] = []
        frames = 0
        while data and not self.done:
            frames += 1
            if frames > 2 * FRAMES_MAX or len(messages) >= HEADERS_MAX:
                self.done = True
                break
            if here.skip:
                passed = min(here.skip, len(data))
                here.skip -= passed
                data = data[passed:]
                continue
            size = int.from_bytes(data[:3], "big")
            if len(data) < _FRAME_BYTES:
                here.held = data
                break
            kind, flags = data[3], data[4]
            if kind not in (_HEADERS, _CONTINUATION, _PUSH):
                self.done = kind > _KINDS_MAX
                here.skip = _FRAME_BYTES + size
                continue
            if size > BLOCK_BYTES_MAX:
                self.done = True
                break
            if len(data) < _FRAME_BYTES + size:
                here.held = data
                break
            stream = int.from_bytes(data[5:9], "big") & 0x7FFFFFFF
            self._headers(side, kind, flags, stream, data[_FRAME_BYTES : _FRAME_BYTES + size], messages)
            data = data[_FRAME_BYTES + size :]
        return messages

    def _headers(
        self, side: int, kind: int, flags: int, stream: int, content: bytes, messages: list[Message]
    ) -> None:
        here = self._sides[side]
        if kind != _CONTINUATION:
            here.block, here.stream = b"", stream
            padding = 0
            if flags & _PADDED and content:
                padding, content = content[0], content[1:]
            content = content[5:] if kind == _HEADERS and flags & _PRIORITY else content
            content = content[4:] if kind == _PUSH else content
            content = content[: len(content) - padding]
        here.block += content
        if len(here.block) > BLOCK_BYTES_MAX:
            self.done = True
        elif flags & _END_HEADERS:
            try:
                fields = here.decoder.decode(here.block)
            except BadBlock:
                self.done = True
                return
            here.block = b""
            if kind != _PUSH:
                messages += self._told(here.stream, fields)

    def _told(self, stream: int, fields: list[Field]) -> list[Message]:
        pseudo = {name: value for name, value in fields if name[:1] == b":"}
        if b":method" in pseudo:
            request = request_of(
                pseudo[b":method"],
                pseudo.get(b":path", b""),
                "2",
                [(b"host", pseudo.get(b":authority", b"")), *fields],
                self._key,
            )
            self._depth += 1
            self._asked[stream] = (request, self._depth)
            if len(self._asked) > STREAMS_MAX:
                self._asked.popitem(last=False)
            return [request_message(request, self._depth)]
        status = pseudo.get(b":status", b"")
        if len(status) == 3 and status.isdigit():
            response: HttpResponse = response_of(int(status), b"", "2", fields)
            asked, depth = self._asked.get(stream, (None, 0))
            if response.status >= 200:
                self._asked.pop(stream, None)
            return [response_message(response, asked, depth)]
        return []  # trailers


def claims_http2(data: bytes, _talk: Talk) -> bool | None:
    """Whether the client's preface begins here."""
    if len(data) < 16:
        return None if PREFACE.startswith(data) else False
    return data.startswith(PREFACE[:16])


HTTP2: Final = StreamClaim(
    "http2", claims_http2, Http2Stream, first_bytes=frozenset(PREFACE[:1]), bytes_max=STREAM_BYTES_MAX
)
