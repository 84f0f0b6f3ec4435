"""Network addresses as people write them: ``host:port``, ``10.0.0.1:8610``, ``[2001:db8::1]:8610``."""

import socket
from typing import TYPE_CHECKING, NamedTuple

from crypto.words import BadInput, Words

if TYPE_CHECKING:
    from crypto.sm_stream import Judge, SmStream
    from crypto.sm_tls import Context


class Address(NamedTuple):
    """A host name or literal address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address in a text. Raises BadInput naming it."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    valid = colon and 0 < len(host) <= 253 and host.isascii() and host.isprintable() and " " not in host
    number = int(port) if len(port) <= 5 and port.isascii() and port.isdigit() else 0
    if not valid or not 0 < number < 65_536 or (":" in host) != bracketed:
        raise BadInput(
            "address-malformed",
            Words("地址不合格式", "malformed address"),
            Words("请写成 主机:端口 或 [IPv6]:端口", "write host:port or [IPv6]:port"),
            field=text[:100],
        )
    return Address(host, number)


def connect(
    address: Address, context: "Context", judge: "Judge | None", timeout_seconds: float
) -> "SmStream":
    """An SM TLS connection over whichever of IPv6 and IPv4 answers first in the resolver's order.

    Raises Refused where the center is not the one trusted or speaks no SM TLS, and OSError.
    """
    from crypto.sm_stream import client_stream

    plain = socket.create_connection(address, timeout=timeout_seconds)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client_stream(plain, context, judge, timeout_seconds)
