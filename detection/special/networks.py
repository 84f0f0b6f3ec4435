"""Which addresses are the site's own, and which are nobody's in particular."""

from functools import lru_cache
from ipaddress import ip_address, ip_network

import msgspec

_CACHE: int = 65_536


class Networks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``networks`` of rules/anomaly/special.toml."""

    inside: tuple[str, ...]

    def test(self) -> "Inside":
        """The test of one address. Raises ValueError for what is no network."""
        return Inside(self.inside)


class Inside:
    """Tells own addresses from others; answers are remembered."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks = tuple(ip_network(one) for one in networks)
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
