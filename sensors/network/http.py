"""HTTP/1 heads (RFC 9112), recognised by their form: request and status lines, headers that matter.

Passwords are never kept: of Basic credentials the user name is, and a keyed mark of the secret. What the head
says about the body that follows is read for ``sensors.network.http_stream``.
"""

from base64 import b64decode
from binascii import Error as Base64Error
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
    headers = _headers(rest)
    uri = uri.strip()
    shown = text(uri, URI_CHARS_MAX)
    path, _, query = shown.partition("?")
    credentials = headers.get(b"authorization") or headers.get(b"proxy-authorization", "")
    user, secret = _basic(credentials)
    return HttpRequest(
        method=words[0].decode("ascii").upper(),
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
    headers = _headers(rest)
    return HttpResponse(
        version=words[0][5:8].decode("latin-1"),
        status=int(status),
        reason=text(words[2].strip(), VALUE_CHARS_MAX) if len(words) > 2 else "",
        server=headers.get(b"server", ""),
        content_type=headers.get(b"content-type", ""),
        location=headers.get(b"location", ""),
        challenge=headers.get(b"www-authenticate", "").partition(" ")[0].lower()[:32],
        body=_body(headers),
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
