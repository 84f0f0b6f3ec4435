"""NTLM tokens (MS-NLMP) wherever they travel: SMB session set-up, LDAP SASL, HTTP, DCE/RPC.

Who logs in to what domain from which machine, and what the server says of itself. No response is kept.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from struct import Struct, error
from typing import Final

import msgspec

from sensors.event import Value
from sensors.network.dialect import Message
from sensors.network.reading import text, wide

SIGNATURE: Final = b"NTLMSSP\0"
_IN_BASE64: Final = b64encode(SIGNATURE)[:10]
_BASE64_BYTES_MAX: Final = 4 * 1024
_NEGOTIATE, _CHALLENGE, _AUTHENTICATE = 1, 2, 3
_UNICODE: Final = 0x1
_PAIRS_MAX: Final = 16
_part: Final = Struct("<HHI").unpack_from
_u32: Final = Struct("<I").unpack_from
_pair: Final = Struct("<HH").unpack_from


class Ntlm(msgspec.Struct, frozen=True, kw_only=True):
    """One token."""

    kind: int
    user: str = ""
    domain: str = ""
    host: str = ""
    target: str = ""
    server_name: str = ""  # NetBIOS
    server_dns_name: str = ""
    server_tree: str = ""
    is_version_2: bool = False


def parse_ntlm(data: bytes, start: int = 0) -> Ntlm | None:
    """The first token at or after ``start``, or None."""
    at = data.find(SIGNATURE, start)
    if at < 0:
        return None
    token = data[at:]
    try:
        (kind,) = _u32(token, 8)
        if kind == _AUTHENTICATE:
            return _authenticate(token)
        if kind == _CHALLENGE:
            return _challenge(token)
    except error:
        return None
    return Ntlm(kind=kind) if kind == _NEGOTIATE else None


def _authenticate(token: bytes) -> Ntlm:
    is_wide = len(token) < 64 or bool(_u32(token, 60)[0] & _UNICODE)
    response_bytes = _part(token, 20)[0]
    domain, user, host = (_field(token, at, is_wide) for at in (28, 36, 44))
    return Ntlm(kind=_AUTHENTICATE, user=user, domain=domain, host=host, is_version_2=response_bytes > 24)


def _challenge(token: bytes) -> Ntlm:
    (flags,) = _u32(token, 20)
    names: dict[int, str] = {}
    if len(token) >= 48:
        size, _, at = _part(token, 40)
        end = min(at + size, len(token))
        for _ in range(_PAIRS_MAX):
            if at + 4 > end:
                break
            kind, length = _pair(token, at)
            if kind == 0:
                break
            names[kind] = wide(token[at + 4 : min(at + 4 + length, end)])
            at += 4 + length
    return Ntlm(
        kind=_CHALLENGE,
        target=_field(token, 12, bool(flags & _UNICODE)),
        server_name=names.get(1, ""),
        server_dns_name=names.get(3, ""),
        server_tree=names.get(5, ""),
    )


def _field(token: bytes, at: int, is_wide: bool) -> str:
    size, _, start = _part(token, at)
    raw = token[start : start + min(size, 1_024)]
    return wide(raw) if is_wide else text(raw)


def ntlm_message(data: bytes, carrier: str, start: int = 0) -> Message | None:
    """The token in these bytes as net.ntlm; ``carrier`` is the protocol it travels in."""
    token = parse_ntlm(data, start)
    if token is None or token.kind == _NEGOTIATE:
        return None
    fields: dict[str, Value] = {"event.category": "authentication", "gov.ntlm.carrier": carrier}
    native: dict[str, Value] = {}
    if token.kind == _CHALLENGE:
        fields |= {
            "event.action": "ntlm-challenge",
            "gov.ntlm.target": token.target,
            "gov.ntlm.server_name": token.server_name,
            "gov.ntlm.server_dns_name": token.server_dns_name,
            "gov.ntlm.server_tree": token.server_tree,
        }
        native |= {
            "server_nb_computer_name": token.server_name,
            "server_dns_computer_name": token.server_dns_name,
            "server_tree_name": token.server_tree,
        }
        return Message("net.ntlm", "ntlm", fields, _said(native), reply=True)
    fields |= {
        "event.action": "ntlm-authenticate",
        "user.name": token.user,
        "user.domain": token.domain,
        "gov.ntlm.client_name": token.host,
        "gov.ntlm.version": 2 if token.is_version_2 else 1,
        "gov.ntlm.anonymous": not token.user,
    }
    native |= {"username": token.user, "domainname": token.domain, "hostname": token.host}
    return Message("net.ntlm", "ntlm", fields, _said(native))


def ntlm_in_text(head: bytes) -> Message | None:
    """The token in base64 in an HTTP head, as net.ntlm."""
    at = head.find(_IN_BASE64)
    if at < 0:
        return None
    raw = head[at : at + _BASE64_BYTES_MAX].split(None, 1)[0].rstrip(b',;"')
    try:
        return ntlm_message(b64decode(raw + b"=" * (-len(raw) % 4)), "http")
    except (Base64Error, ValueError):
        return None


def _said(native: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in native.items() if value != ""}
