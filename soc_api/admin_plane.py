"""Where the three administrators may act from: addresses, and a port of their own (P-16).

Both are set in ``[administration]`` of center.toml and empty by default: then any address and the console's
port will do. Everybody else is not concerned.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from crypto.words import BadInput, Refused, Words
from soc_api.accounts import ADMINISTRATORS
from soc_api.identity import Visit


class AdminPlane:
    """The rule; addresses are networks such as ``10.1.0.0/24`` or single ones."""

    def __init__(self, addresses: Iterable[str] = (), port: int = 0) -> None:
        self._networks = tuple(_network(one) for one in addresses)
        self._port = port

    def check(self, visit: Visit, source: str, port: int | None) -> None:
        """Return where the visitor may act from ``source`` over ``port``. Raises Refused (admin-plane)."""
        if visit.account.role not in ADMINISTRATORS or self._admits(source, port):
            return
        raise Refused(
            "admin-plane",
            Words("管理员不能从此地址或端口办理", "administrators do not act from this address or port"),
            Words(
                "请使用管理终端与管理端口(center.toml 的 administration)",
                "use a management terminal and port, see administration in center.toml",
            ),
            field=source,
        )

    def _admits(self, source: str, port: int | None) -> bool:
        if self._port and port != self._port:
            return False
        if not self._networks:
            return True
        try:
            address = ip_address(source)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise BadInput(
            "admin-address",
            Words(f"不是地址或网段:{text}", f"not an address or network: {text}"),
            Words("例如 10.1.0.0/24", "for example 10.1.0.0/24"),
            field="administration.addresses",
        ) from error
