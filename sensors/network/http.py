"""HTTP/1 heads (RFC 9112), recognised by their form on any port: request line, Host, User-Agent, status.

One segment is read: a head that spans segments gives what the first one holds. Passwords are never kept; of
Basic credentials only the user name is.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

HEAD_BYTES_MAX: Final = 8 * 1024
URI_CHARS_MAX: Final = 4 * 1024
HEADER_LINES_MAX: Final = 100
VALUE_CHARS_MAX: Final = 1_024
_LONG_LINE_BYTES: Final = 1_024  # a request line cut by the segment is still taken for one from here on
METHODS: Final = (
    b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"CONNECT ", b"TRACE ", b"PATCH ",
    b"PROPFIND ", b"PROPPATCH ", b"MKCOL ", b"COPY ", b"MOVE ", b"LOCK ", b"UNLOCK ", b"SEARCH ", b"REPORT ",
)  # fmt: skip
_STATUS: Final = (b"HTTP/1.1 ", b"HTTP/1.0 ")
_KEPT: Final = frozenset({b"host", b"user-agent", b"referer", b"authorization", b"content-type", b"server"})


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request; ``uri`` as sent, ``decoded`` with one round of percent-decoding."""

    method: str
    uri: str
    decoded: str
    path: str
    query: str
    version: str
    host: str
    user_agent: str
    referrer: str
    basic_user: str | None  # None without Basic credentials


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The status line of a response."""

    version: str
    status: int
    server: str
    content_type: str


def parse_http(data: bytes) -> HttpRequest | HttpResponse | None:
    """The head that starts here, or None where none does."""
    if data.startswith(METHODS):
        return _request(data[:HEAD_BYTES_MAX])
    if data.startswith(_STATUS):
        return _response(data[:HEAD_BYTES_MAX])
    return None


def _request(data: bytes) -> HttpRequest | None:
    line, ending, rest = data.partition(b"\n")
    words = line.rstrip(b"\r").split(b" ")
    if ending and len(words) >= 3 and words[-1].startswith(b"HTTP/"):
        uri, version = b" ".join(words[1:-1]), words[-1][5:8].decode("latin-1")
    elif not ending and len(line) >= _LONG_LINE_BYTES and words[1][:1] == b"/" and line.isascii():
        uri, version = b" ".join(words[1:]), ""
    else:
        return None
    headers = _headers(rest)
    text = _text(uri, URI_CHARS_MAX)
    path, _, query = text.partition("?")
    return HttpRequest(
        method=words[0].decode("ascii"),
        uri=text,
        decoded=_text(unquote_to_bytes(uri[:URI_CHARS_MAX]), URI_CHARS_MAX),
        path=path,
        query=query,
        version=version,
        host=headers.get(b"host", ""),
        user_agent=headers.get(b"user-agent", ""),
        referrer=headers.get(b"referer", ""),
        basic_user=_basic_user(headers.get(b"authorization", "")),
    )


def _response(data: bytes) -> HttpResponse | None:
    line, ending, rest = data.partition(b"\n")
    status = line[9:12]
    if not ending or not status.isdigit() or not status.isascii():
        return None
    headers = _headers(rest)
    return HttpResponse(
        version=line[5:8].decode("latin-1"),
        status=int(status),
        server=headers.get(b"server", ""),
        content_type=headers.get(b"content-type", ""),
    )


def _headers(rest: bytes) -> dict[bytes, str]:
    """The kept headers, first value of each; stops at the empty line."""
    found: dict[bytes, str] = {}
    for line in rest.split(b"\n", HEADER_LINES_MAX)[:HEADER_LINES_MAX]:
        line = line.rstrip(b"\r")
        if not line:
            break
        name, colon, value = line.partition(b":")
        name = name.strip().lower()
        if colon and name in _KEPT and name not in found:
            found[name] = _text(value.strip(), VALUE_CHARS_MAX)
    return found


def _basic_user(value: str) -> str | None:
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, _ = b64decode(token.strip(), validate=True).partition(b":")
    except (Base64Error, ValueError):
        return ""
    return _text(user, 128)


def _text(raw: bytes, limit: int) -> str:
    """UTF-8 where it is, else Latin-1; control characters written out so that a log line stays a line."""
    try:
        text = raw[:limit].decode()
    except UnicodeDecodeError:
        text = raw[:limit].decode("latin-1")
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in text)
