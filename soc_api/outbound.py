"""Requests to addresses people typed in: where the center may go, and one POST, bounded and unfollowed.

A name is resolved once, every address it has is judged, and the connection goes to the judged address: a name
that answers differently a moment later reaches nothing else. Private, loopback and link-local networks are
refused unless the configuration names them.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from crypto.words import BadInput, Words

TIMEOUT_SECONDS: Final = 10.0
ANSWER_BYTES_MAX: Final = 4 * 1024
URL_CHARS_MAX: Final = 512

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]


class Target(NamedTuple):
    """Where a request goes: the judged address, and the name it is asked under."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def networks(text: str) -> tuple[Network, ...]:
    """Networks of a configuration key, with commas between them. Raises BadInput (outbound-networks)."""
    try:
        return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise BadInput(
            "outbound-networks",
            Words(f"网段写法有误:{error}", f"bad network: {error}"),
            Words("请写成 10.1.0.0/16, fd00::/8", "write 10.1.0.0/16, fd00::/8"),
            field="webhooks.private",
        ) from error


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def target_of(url: str, private: Sequence[Network], resolve: Resolve = resolved) -> Target:
    """Where ``url`` leads, if the center may go there. Raises BadInput (outbound-address)."""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname or ""
        port = parts.port or (443 if scheme == "https" else 80)
    except ValueError as error:
        raise _refused(str(error)) from error
    if scheme not in ("http", "https") or not host or len(url) > URL_CHARS_MAX or not url.isprintable():
        raise _refused("http(s)://…")
    if parts.username is not None or parts.fragment or " " in url:
        raise _refused("user@, #, ' '")
    try:
        addresses = resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise _refused(f"{host}: {error}") from error
    for one in addresses:
        if not allowed(one, private):
            raise _refused(f"{host} -> {one}")
    if not addresses:
        raise _refused(host)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port, path, addresses[0])


def allowed(text: str, private: Sequence[Network]) -> bool:
    """Whether the center may speak to an address: a public one, or one of the networks it was told of."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None)
    address = inner if inner is not None else address
    named = any(address.version == one.version and address in one for one in private)
    return named or (address.is_global and not address.is_multicast)


def post(target: Target, body: bytes, headers: Mapping[str, str], authority: Path | None = None) -> int:
    """The status of one POST; nothing is followed. Raises OSError where nobody answers."""
    raw = socket.create_connection((target.address, target.port), timeout=TIMEOUT_SECONDS)
    connection = http.client.HTTPConnection(target.host, target.port, timeout=TIMEOUT_SECONDS)
    try:
        if target.scheme == "https":
            trusted = str(authority) if authority is not None and authority.exists() else None
            context = ssl.create_default_context(cafile=trusted)
            raw = context.wrap_socket(raw, server_hostname=target.host)
        connection.sock = raw
        connection.request("POST", target.path, body, dict(headers))
        answer = connection.getresponse()
        answer.read(ANSWER_BYTES_MAX)
        return answer.status
    except http.client.HTTPException as error:
        raise OSError(f"{target.host}: {error!r}") from error
    finally:
        connection.close()
        raw.close()


def _refused(reason: str) -> BadInput:
    return BadInput(
        "outbound-address",
        Words(f"不可发往此地址:{reason}", f"the center does not send there: {reason}"),
        Words(
            "请填公网 http(s) 地址,或由管理员在 center.toml 的 webhooks.private 中列出内部网段",
            "give a public http(s) address, or have its network named in webhooks.private of center.toml",
        ),
        field="url",
    )
