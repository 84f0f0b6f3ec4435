"""HTTP/1 over TCP as a dialect: each head of a persistent connection, bodies stepped over, unread.

Bodies are measured by Content-Length or their chunks and skipped. Where a length is lied about or not said,
the next head is looked for at the beginning of each delivery. After CONNECT or an upgrade the stream is let
go, so that what runs inside may be claimed anew.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.http import HEAD_BYTES_MAX, METHODS, STATUS, Body, HttpRequest, HttpResponse, parse_http
from sensors.network.http_message import request_message, response_message
from sensors.network.ntlm import ntlm_in_text

STEPS_MAX: Final = 256  # heads and chunks out of one delivery; more is made to cost time
HEADS_MAX: Final = 64
PIPELINED_MAX: Final = 32  # requests that wait for their response
_CHUNK_LINE_BYTES: Final = 256
_HEADS: Final = (*STATUS, *METHODS)
_BEGUN: Final = frozenset(start[:size] for start in _HEADS for size in range(len(start)))
_TOKEN_SCHEMES: Final = frozenset({"ntlm", "negotiate"})
_NO_BODY: Final = frozenset({204, 304})


class _Side:
    """Where the reading of one direction stands."""

    __slots__ = ("chunked", "held", "lost", "skip")

    def __init__(self) -> None:
        self.held = b""  # an incomplete head or chunk line
        self.skip = 0  # body bytes still to pass
        self.chunked = False
        self.lost = False  # no longer at a known place: a head is looked for at the next delivery


class HttpStream:
    """One connection."""

    def __init__(self, talk: Talk) -> None:
        self.done = False
        self._key = talk.secret
        self._sides = (_Side(), _Side())
        self._asked: deque[HttpRequest] = deque(maxlen=PIPELINED_MAX)
        self._depth = 0
        self._answered = 0

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """Take in the next bytes of a side."""
        messages: list[Message] = []
        here = self._sides[side]
        if here.lost:
            if not data.startswith(_HEADS):
                return messages
            here.lost, here.held = False, b""
            here.skip, here.chunked = 0, False
        if here.held:
            data, here.held = here.held + data, b""
        steps = 0
        while data and not (here.lost or self.done):
            steps += 1
            if steps > STEPS_MAX or len(messages) > HEADS_MAX:
                here.lost = True
                break
            if here.skip:
                passed = min(here.skip, len(data))
                here.skip -= passed
                data = data[passed:]
            elif here.chunked:
                data = _chunk(here, data)
            else:
                data = self._head(here, data, messages)
        return messages

    def _head(self, here: _Side, data: bytes, messages: list[Message]) -> bytes:
        """Read the head ``data`` begins with; what follows it, nothing where it has to be waited for."""
        if data[:2] == b"\r\n":  # RFC 9112 2.2: an empty line before a head is passed over
            return data[2:]
        if data == b"\r":
            here.held = data
            return b""
        end = _end(data)
        if end < 0 and len(data) < HEAD_BYTES_MAX and _may_begin(data):
            here.held = data
            return b""
        head = parse_http(data, self._key)
        if head is None:
            here.lost = True
            return b""
        if isinstance(head, HttpRequest):
            self._depth += 1
            self._asked.append(head)
            messages.append(request_message(head, self._depth))
            _expect(here, head.body, implied=0)
        else:
            self._response(here, head, messages)
        scheme = head.scheme if isinstance(head, HttpRequest) else head.challenge
        if scheme in _TOKEN_SCHEMES and (token := ntlm_in_text(data[:end] if end > 0 else data)) is not None:
            messages.append(token)
        if end < 0:
            here.lost = True
            return b""
        return data[end:]

    def _response(self, here: _Side, head: HttpResponse, messages: list[Message]) -> None:
        asked = self._asked[0] if self._asked else None
        interim = 100 <= head.status < 200 and head.status != 101
        if not interim and self._asked:
            self._asked.popleft()
        self._answered += not interim
        messages.append(response_message(head, asked, self._answered or 1))
        if interim:
            return
        method = asked.method if asked is not None else ""
        if head.status == 101 or (method == "CONNECT" and head.status // 100 == 2):
            self.done = True
        elif method == "HEAD" or head.status in _NO_BODY:
            _expect(here, Body(), implied=0)
        else:
            _expect(here, head.body, implied=-1)


def _expect(here: _Side, body: Body, *, implied: int) -> None:
    """Set out to pass the body; without a size it is ``implied``, -1: until the connection ends."""
    here.chunked = body.chunked
    here.skip = 0
    if not body.chunked:
        size = body.size if body.size >= 0 else implied
        here.skip = max(size, 0)
        here.lost = size < 0


def _chunk(here: _Side, data: bytes) -> bytes:
    """Begin the next chunk (RFC 9112 7.1); what follows its line."""
    line, ending, rest = data.partition(b"\n")
    if not ending:
        here.lost = len(data) > _CHUNK_LINE_BYTES
        here.held = b"" if here.lost else data
        return b""
    digits = line.partition(b";")[0].strip()
    if not digits:
        return rest  # the line end after a chunk's data
    try:
        here.skip = int(digits, 16) if len(digits) <= 12 and digits.isalnum() else -1
    except ValueError:
        here.skip = -1
    if here.skip < 0:
        here.skip, here.chunked, here.lost = 0, False, True
        return b""
    if here.skip == 0:
        here.chunked = False
        return _after_trailer(here, rest)
    return rest


def _after_trailer(here: _Side, rest: bytes) -> bytes:
    """What follows the empty line that ends the last chunk; trailers are rare and end the reading."""
    if rest[:2] == b"\r\n":
        return rest[2:]
    if not rest:
        return b""  # the empty line comes with the next delivery and is passed over there
    here.lost = True
    return b""


def _end(data: bytes) -> int:
    """Where the head ends, -1 where it does not yet; a line without a version is a head of its own."""
    crlf, lf = data.find(b"\r\n\r\n"), data.find(b"\n\n")
    ends = [at + size for at, size in ((crlf, 4), (lf, 2)) if at >= 0]
    first = data.find(b"\n")
    if first >= 0 and b"HTTP/" not in data[:first].upper():
        return first + 1
    return min(ends, default=-1)


def _may_begin(data: bytes) -> bool:
    return data.startswith(_HEADS) or data in _BEGUN


def claims_http(data: bytes, _talk: Talk) -> bool | None:
    """Whether a head begins here: its first line has to be whole and well-formed."""
    if not _may_begin(data):
        return False
    if parse_http(data) is not None:
        return True
    return None if b"\n" not in data else False


HTTP: Final = StreamClaim(
    "http", claims_http, HttpStream, first_bytes=frozenset(start[0] for start in _HEADS), resumes=True
)
