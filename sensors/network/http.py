"""HTTP/1 heads (RFC 9112), recognised by their form: request and status lines, headers that matter.

Passwords are never kept: of Basic credentials the user name is, and a keyed mark of the secret. What the head
says about the body that follows is read for ``sensors.network.http_stream``.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from sensors.network.reading import mark_of, text

HEAD_BYTES_MAX: Final = 8 * 1024
URI_CHARS_MAX: Final = 4 * 1024
HEADER_LINES_MAX: Final = 100
VALUE_CHARS_MAX: Final = 1_024
_LONG_LINE_BYTES: Final = 1_024  # a request line cut by the segment is still taken for one from here on
_METHOD_NAMES: Final = (
    "GET POST HEAD PUT DELETE OPTIONS CONNECT TRACE PATCH PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK "
    "SEARCH REPORT BIND UNBIND REBIND SUBSCRIBE UNSUBSCRIBE NOTIFY POLL BMOVE BCOPY BPROPFIND BPROPPATCH "
    "BDELETE VERSION-CONTROL CHECKOUT UNCHECKOUT CHECKIN UPDATE LABEL MERGE MKWORKSPACE MKACTIVITY "
    "MKCALENDAR BASELINE-CONTROL ORDERPATCH ACL X-MS-ENUMATTS RPC_IN_DATA RPC_OUT_DATA CCM_POST M-SEARCH get "
    "post head"
)
METHODS: Final = tuple(f"{name} ".encode() for name in _METHOD_NAMES.split())
STATUS: Final = (b"HTTP/1.", b"http/1.")
_VERSIONS: Final = (b"HTTP/", b"http/")
_KEPT: Final = frozenset(
    {
        b"host", b"user-agent", b"referer", b"origin", b"authorization", b"proxy-authorization",
        b"x-forwarded-for", b"content-type", b"content-length", b"transfer-encoding", b"upgrade", b"server",
        b"location", b"www-authenticate",
    }
)  # fmt: skip


class Body(msgspec.Struct, frozen=True):
    """What a head says of the bytes after it; ``size`` is -1 where it is not said."""

    size: int = -1
    chunked: bool = False


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request; ``uri`` as sent, ``decoded`` with one round of percent-decoding."""

    method: str
    uri: str
    decoded: str
    path: str
    query: str
    version: str
    host: str  # as sent, with its port
    user_agent: str
    referrer: str
    origin: str
    forwarded_for: str
    content_type: str
    scheme: str  # of authorization, in lower case
    basic_user: str | None  # None without Basic credentials
    basic_mark: str  # keyed mark of their password
    upgrade: str
    body: Body


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a response."""

    version: str
    status: int
    reason: str
    server: str
    content_type: str
    location: str
    challenge: str  # the scheme of authentication asked for, in lower case
    body: Body


def parse_http(data: bytes, key: bytes = b"") -> HttpRequest | HttpResponse | None:
    """The head that starts here, or None where none does; ``key`` marks the passwords."""
    if data.startswith(METHODS):
        return _request(data[:HEAD_BYTES_MAX], key)
    if data.startswith(STATUS):
        return _response(data[:HEAD_BYTES_MAX])
    return None


def _request(data: bytes, key: bytes) -> HttpRequest | None:
    line, ending, rest = data.partition(b"\n")
    words = line.rstrip(b"\r").split(b" ")
    if ending and len(words) >= 2 and words[-1].startswith(_VERSIONS):
        uri, version = b" ".join(words[1:-1]), words[-1][5:8].decode("latin-1")
    elif ending and len(words) == 2 and words[1][:1] == b"/":
        uri, version = b" ".join(words[1:]), "0.9"
    elif not ending and len(line) >= _LONG_LINE_BYTES and words[1][:1] == b"/" and line.isascii():
        uri, version = b" ".join(words[1:]), ""
    else:
        return None
    return request_of(words[0], uri.strip(), version, _lines(rest), key)


def request_of(
    method: bytes, uri: bytes, version: str, fields: Iterable[tuple[bytes, bytes]], key: bytes
) -> HttpRequest:
    """A request from its parts, of any version of HTTP."""
    headers = _kept(fields)
    shown = text(uri, URI_CHARS_MAX)
    path, _, query = shown.partition("?")
    credentials = headers.get(b"authorization") or headers.get(b"proxy-authorization", "")
    user, secret = _basic(credentials)
    return HttpRequest(
        method=text(method, 32).upper(),
        uri=shown,
        decoded=text(unquote_to_bytes(uri[:URI_CHARS_MAX]), URI_CHARS_MAX),
        path=path,
        query=query,
        version=version,
        host=headers.get(b"host", ""),
        user_agent=headers.get(b"user-agent", ""),
        referrer=headers.get(b"referer", ""),
        origin=headers.get(b"origin", ""),
        forwarded_for=headers.get(b"x-forwarded-for", ""),
        content_type=headers.get(b"content-type", ""),
        scheme=credentials.partition(" ")[0].lower()[:32],
        basic_user=user,
        basic_mark=mark_of(secret, key),
        upgrade=headers.get(b"upgrade", "").lower(),
        body=_body(headers),
    )


def _response(data: bytes) -> HttpResponse | None:
    line, ending, rest = data.partition(b"\n")
    words = line.rstrip(b"\r").split(b" ", 2)
    status = words[1] if len(words) > 1 else b""
    if not ending or len(status) != 3 or not status.isdigit() or not status.isascii():
        return None
    reason = words[2].strip() if len(words) > 2 else b""
    return response_of(int(status), reason, words[0][5:8].decode("latin-1"), _lines(rest))


def response_of(
    status: int, reason: bytes, version: str, fields: Iterable[tuple[bytes, bytes]]
) -> HttpResponse:
    """A response from its parts, of any version of HTTP."""
    headers = _kept(fields)
    return HttpResponse(
        version=version,
        status=status,
        reason=text(reason, VALUE_CHARS_MAX),
        server=headers.get(b"server", ""),
        content_type=headers.get(b"content-type", ""),
        location=headers.get(b"location", ""),
        challenge=headers.get(b"www-authenticate", "").partition(" ")[0].lower()[:32],
        body=_body(headers),
    )


def _lines(rest: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The header lines up to the empty line."""
    for line in rest.split(b"\n", HEADER_LINES_MAX)[:HEADER_LINES_MAX]:
        line = line.rstrip(b"\r")
        if not line:
            break
        name, colon, value = line.partition(b":")
        if colon:
            yield name.strip().lower(), value


def _kept(fields: Iterable[tuple[bytes, bytes]]) -> dict[bytes, str]:
    """The headers that matter, first value of each."""
    found: dict[bytes, str] = {}
    for name, value in fields:
        if name in _KEPT and not found.get(name):
            found[name] = text(value.strip(), VALUE_CHARS_MAX)
    return found


def _body(headers: dict[bytes, str]) -> Body:
    if "chunked" in headers.get(b"transfer-encoding", "").lower():
        return Body(-1, chunked=True)
    size = headers.get(b"content-length", "")
    return Body(int(size)) if size.isascii() and size.isdigit() and len(size) <= 15 else Body()


def _basic(value: str) -> tuple[str | None, bytes]:
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "basic":
        return None, b""
    try:
        user, _, secret = b64decode(token.strip(), validate=True).partition(b":")
    except (Base64Error, ValueError):
        return "", b""
    return text(user, 128), secret
