"""Which addresses are the site's own, and which are nobody's in particular."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from crypto.words import BadInput, Words

_CACHE: int = 65_536


def network(text: str) -> IPv4Network | IPv6Network:
    """A network of a parameter file. Raises BadInput."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise BadInput(
            "parameters-malformed",
            Words(f"网段写法不对:{error}", f"not a network: {error}"),
            Words("请写成 10.0.0.0/8 或 fd00::/8 的形式", "write it as 10.0.0.0/8 or fd00::/8"),
            field="special.toml",
        ) from None


class Networks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``networks`` of rules/anomaly/special.toml."""

    inside: tuple[str, ...]

    def test(self) -> "Inside":
        """The test of one address."""
        return Inside(self.inside)


class Inside:
    """Tells own addresses from others; answers are remembered."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        """Raises BadInput for what is no network."""
        self._networks = tuple(network(one) for one in networks)
        self.own = lru_cache(maxsize=_CACHE)(self._own)
        self.outside = lru_cache(maxsize=_CACHE)(self._outside)

    def _own(self, text: str) -> bool:
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def _outside(self, text: str) -> bool:
        """A real address of somebody else: no multicast, broadcast, link-local or unset one."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        odd = address.is_multicast or address.is_link_local or address.is_unspecified or address.is_reserved
        return not odd and str(address) != "255.255.255.255" and not self.own(text)
