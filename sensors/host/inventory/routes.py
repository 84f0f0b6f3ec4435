"""Inventory of where packets go: the kernel's main routes, both families.

/proc/net/route has words in host byte order, /proc/net/ipv6_route in network order, numbers in hexadecimal
(net/ipv4/fib_trie.c, net/ipv6/route.c). What the kernel keeps for itself is left out: local, multicast,
refused and cached ones.
"""

from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import Final

from sensors.host.inventory.kind import Kind
from sensors.host.probe import HostFiles
from sensors.host.proc_net import parse_address

_UP, _REJECT, _CACHE, _LOCAL = 0x1, 0x200, 0x0100_0000, 0x8000_0000
_ROUTES_MAX: Final = 1_000  # of a family; a router with more tells its ways outside alone
_OWN6: Final = ("fe80:", "ff")
_DEFAULTS: Final = frozenset({"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "::/1", "8000::/1"})

Route = tuple[str, ...]


def routes(files: HostFiles) -> Iterator[Route]:
    """Destination, interface, gateway and metric of each."""
    for table in (_v4(files), _v6(files)):
        found: list[Route] = []
        for route in table:
            if len(found) < _ROUTES_MAX:
                found.append(route)
            elif route[0] in _DEFAULTS:
                yield route
        yield from (found if len(found) < _ROUTES_MAX else (one for one in found if one[0] in _DEFAULTS))


def _v4(files: HostFiles) -> Iterator[Route]:
    for line in files.lines("/proc/net/route")[1:]:
        words = line.split()
        if len(words) < 8 or not int(words[3], 16) & _UP or int(words[3], 16) & _REJECT:
            continue
        size = int(words[7], 16).bit_count()
        gateway = parse_address(words[2])
        yield (
            f"{parse_address(words[1])}/{size}",
            words[0],
            gateway if int(words[2], 16) else "",
            words[6],
        )


def _v6(files: HostFiles) -> Iterator[Route]:
    try:
        lines = files.lines("/proc/net/ipv6_route")
    except OSError:
        return  # IPv6 may be switched off
    for line in lines:
        words = line.split()
        if len(words) != 10:
            continue
        flags = int(words[8], 16)
        if not flags & _UP or flags & (_REJECT | _CACHE | _LOCAL) or words[9] == "lo":
            continue
        target, gateway = IPv6Address(bytes.fromhex(words[0])), IPv6Address(bytes.fromhex(words[4]))
        if str(target).startswith(_OWN6):
            continue
        metric = str(int(words[5], 16))
        yield (f"{target}/{int(words[1], 16)}", words[9], str(gateway) if int(gateway) else "", metric)


KINDS: Final = (
    Kind(
        "routes",
        ("destination", "interface", "gateway", "metric"),
        routes,
        "file:/proc/net/route, /proc/net/ipv6_route",
        keys=3,
    ),
)
