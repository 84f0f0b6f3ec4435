"""TLS and TLCP hellos (RFC 5246, 8446, 8998; GB/T 38636), recognised by their form on any port.

Reads the ClientHello (server name, versions, suites, JA3, JA4) and the ServerHello (what was chosen, JA3S)
from handshake messages that were taken out of their records (``tls_records``), datagrams or QUIC packets.
"""

from hashlib import md5
from struct import Struct, error
from typing import Final

import msgspec

from sensors.network.ja4 import ja4
from sensors.network.tls_names import SM_SUITES, TLCP, is_grease

_HANDSHAKE: Final = 0x16
_CLIENT_HELLO: Final = 1
_SERVER_HELLO: Final = 2
_EXTENSIONS_MAX: Final = 128
_DRAFTS: Final = 0x7F  # the high byte of the versions of drafts of TLS 1.3
_SERVER_NAME: Final = 0
_GROUPS: Final = 10
_POINT_FORMATS: Final = 11
_SIGNATURES: Final = 13
_ALPN: Final = 16
_SUPPORTED_VERSIONS: Final = 43
_SESSION_TICKET: Final = 35
_PRE_SHARED_KEY: Final = 41
_KEY_SHARE: Final = 51
_DRAFT_KEY_SHARE: Final = 40  # up to draft 22
_CLIENT_HELLO_OUTER: Final = 0xFE0D  # encrypted_client_hello: the true name is hidden
# The random value that makes a ServerHello a HelloRetryRequest (RFC 8446 4.1.3).
_RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

_u16: Final = Struct("!H").unpack_from


class ClientHello(msgspec.Struct, frozen=True, kw_only=True):
    """What a client offers."""

    version: int  # the legacy field
    offered_version: int  # the highest of all it offers
    server_name: str
    suites: list[int]
    alpn: list[str]
    groups: list[int]
    session: bytes
    offers_ticket: bool  # of an earlier session (TLS 1.2), not empty
    hides_name: bool  # encrypted client hello
    ja3: str  # MD5 of ja3_text
    ja3_text: str
    ja4: str

    @property
    def is_sm(self) -> bool:
        """Whether the client offers the national algorithms: TLCP, or SM4 suites in TLS."""
        return self.version == TLCP or not SM_SUITES.isdisjoint(self.suites)


class ServerHello(msgspec.Struct, frozen=True, kw_only=True):
    """What a server chose."""

    version: int
    suite: int
    session: bytes
    alpn: str = ""
    group: int = 0  # of the key exchange (TLS 1.3), 0 where it is not said
    is_retry: bool = False
    is_resumed: bool = False  # by a pre-shared key (TLS 1.3)
    ja3s: str
    ja3s_text: str

    @property
    def is_sm(self) -> bool:
        """Whether the connection uses the national algorithms."""
        return self.version == TLCP or self.suite in SM_SUITES


def is_hello(data: bytes) -> bool:
    """The signature gate: a handshake record that starts with a hello."""
    if len(data) < 11 or data[0] != _HANDSHAKE or data[5] not in (_CLIENT_HELLO, _SERVER_HELLO):
        return False
    if data[1] != 3 and data[1:3] != b"\x01\x01":
        return False
    return data[2] <= 4 and data[9] in (1, 3) and data[10] <= 4 and data[6] == 0


def parse_message(message: bytes, transport: str = "t") -> ClientHello | ServerHello | None:
    """The hello of a handshake message with its 4-byte header; ``transport`` is JA4's t, q or d."""
    try:
        if message[0] == _CLIENT_HELLO:
            return _client(message, transport)
        return _server(message) if message[0] == _SERVER_HELLO else None
    except (error, IndexError):
        return None


def _client(body: bytes, transport: str) -> ClientHello:
    version = _u16(body, 4)[0]
    offset = 39 + body[38]
    session = body[39:offset]
    if transport == "d":
        offset += 1 + body[offset]  # the cookie of DTLS
    size = _u16(body, offset)[0]
    suites = _numbers(body, offset + 2, size)
    offset += 2 + size
    offset += 1 + body[offset]  # compression methods
    extensions = _extensions(body, offset)
    groups = _listed(extensions, _GROUPS)
    text = ",".join(
        (
            str(version),
            _join(suites),
            _join(list(extensions)),
            _join(groups),
            "-".join(str(number) for number in extensions.get(_POINT_FORMATS, b"")[1:]),
        )
    )
    raw = extensions.get(_SUPPORTED_VERSIONS, b"")
    offered = [number for number in _numbers(raw, 1, len(raw) - 1) if not is_grease(number)]
    alpn = _protocols(extensions.get(_ALPN, b""))
    return ClientHello(
        version=version,
        offered_version=_highest(version, offered),
        server_name=_server_name(extensions.get(_SERVER_NAME, b"")),
        suites=_plain(suites),
        alpn=[_protocol_text(name) for name in alpn],
        groups=_plain(groups),
        session=session,
        offers_ticket=bool(extensions.get(_SESSION_TICKET)),
        hides_name=_CLIENT_HELLO_OUTER in extensions,
        ja3=_md5(text),
        ja3_text=text,
        ja4=ja4(
            transport,
            max(offered, default=version) if transport != "d" else min([version, *offered]),
            _plain(suites),
            _plain(list(extensions)),
            _plain(_listed(extensions, _SIGNATURES)),
            alpn[0] if alpn else b"",
        ),
    )


def _highest(version: int, offered: list[int]) -> int:
    if version >> 8 == 0xFE:  # DTLS counts downwards
        return min([version, *(number for number in offered if number >> 8 == 0xFE)])
    return max([version, *(number for number in offered if number >> 8 == 3)])


def _server(body: bytes) -> ServerHello:
    version = _u16(body, 4)[0]
    if version >> 8 == _DRAFTS:  # drafts of TLS 1.3 up to 21 have neither session nor compression here
        offset, rest = 38, 40
    else:
        offset = 39 + body[38]
        rest = offset + 3
    suite = _u16(body, offset)[0]
    extensions = _extensions(body, rest)
    chosen = extensions.get(_SUPPORTED_VERSIONS, b"")
    share = extensions.get(_KEY_SHARE) or extensions.get(_DRAFT_KEY_SHARE, b"")
    alpn = _protocols(extensions.get(_ALPN, b""))
    text = f"{version},{suite},{_joined(list(extensions))}"
    return ServerHello(
        version=_u16(chosen, 0)[0] if len(chosen) == 2 else version,
        suite=suite,
        session=body[39:offset],
        alpn=_protocol_text(alpn[0]) if alpn else "",
        group=_u16(share, 0)[0] if len(share) >= 2 else 0,
        is_retry=body[6:38] == _RETRY,
        is_resumed=_PRE_SHARED_KEY in extensions,
        ja3s=_md5(text),
        ja3s_text=text,
    )


def _extensions(body: bytes, offset: int) -> dict[int, bytes]:
    """Type -> data in order of appearance. A repeated type keeps its first place and data."""
    found: dict[int, bytes] = {}
    if offset + 2 > len(body):
        return found
    end = min(len(body), offset + 2 + _u16(body, offset)[0])
    offset += 2
    while offset + 4 <= end and len(found) < _EXTENSIONS_MAX:
        kind, size = _u16(body, offset)[0], _u16(body, offset + 2)[0]
        found.setdefault(kind, body[offset + 4 : offset + 4 + size])
        offset += 4 + size
    return found


def _listed(extensions: dict[int, bytes], kind: int) -> list[int]:
    raw = extensions.get(kind, b"")
    return _numbers(raw, 2, len(raw) - 2)


def _numbers(raw: bytes, offset: int, size: int) -> list[int]:
    if offset + size > len(raw):
        raise IndexError(offset)
    return [_u16(raw, at)[0] for at in range(offset, offset + size - 1, 2)]


def _plain(numbers: list[int]) -> list[int]:
    return [number for number in numbers if not is_grease(number)]


def _join(numbers: list[int]) -> str:
    return _joined(_plain(numbers))


def _joined(numbers: list[int]) -> str:
    return "-".join(str(number) for number in numbers)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _server_name(raw: bytes) -> str:
    if len(raw) < 5 or raw[2] != 0:
        return ""
    name = raw[5 : 5 + _u16(raw, 3)[0]][:255]
    text = name.decode("ascii", "backslashreplace")
    return text.lower() if text.isprintable() else repr(text)[1:-1]


def _protocols(raw: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 2
    while at < len(raw) and len(found) < 16:
        found.append(raw[at + 1 : at + 1 + raw[at]])
        at += 1 + raw[at]
    return found


def _protocol_text(name: bytes) -> str:
    text = name.decode("ascii", "backslashreplace")
    return text if text.isprintable() else repr(text)[1:-1]
