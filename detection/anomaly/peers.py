"""Who is compared with whom: the peer group of a host or an address, as the event itself and a list tell.

Nothing is remembered: the same event always names the same group, so that a replay does too.
"""

from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import msgspec

from crypto.words import BadInput, Words
from detection.parameters import read_parameters, shipped
from detection.special.networks import Networks, network
from sensors.event import Event

SITE_FILE: Final = "peers.toml"
INSIDE: Final = "inside"
OUTSIDE: Final = "outside"
UNKNOWN: Final = ""
_NAME_MAX: Final = 40
_GROUPS_MAX: Final = 60
_CACHE: Final = 65_536
_TEXT_MAX: Final = 255
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_WORDS: Final = {
    UNKNOWN: Words("同类", "its kind"),
    INSIDE: Words("内部地址", "inside addresses"),
    OUTSIDE: Words("外部地址", "outside addresses"),
}


class PeerGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One group of the list: whose name, address and unit fit."""

    name: str
    zh: str
    en: str
    hosts: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= _NAME_MAX or not _LETTERS.issuperset(self.name):
            raise _bad(f"name = {self.name[:60]!r}")
        for pattern in self.hosts:
            if not pattern.strip("*") or "*" in pattern.strip("*") or pattern.count("*") > 1:
                raise _bad(f"hosts: {pattern[:60]!r}")
        for one in self.networks:
            network(one)


class PeerParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/peers.toml."""

    groups: tuple[PeerGroup, ...] = ()

    def __post_init__(self) -> None:
        if len(self.groups) > _GROUPS_MAX or len({one.name for one in self.groups}) < len(self.groups):
            raise _bad(f"groups: > {_GROUPS_MAX}, or a name twice")


class Peers:
    """Names peer groups."""

    def __init__(self, parameters: PeerParameters, inside: Networks) -> None:
        self._words = {one.name: Words(one.zh, one.en) for one in parameters.groups}
        self._groups = [
            (one.name, one.hosts, tuple(network(text) for text in one.networks), frozenset(one.units))
            for one in parameters.groups
        ]
        self._own = inside.test().own
        self._found = lru_cache(maxsize=_CACHE)(self._find)

    def of(self, name: str, event: Event) -> str:
        """The group of a host's name or of an address that did something in the event; "" where none fits."""
        return self._found(name[:_TEXT_MAX].casefold(), event.unit, event.logsource.product or "")

    def words(self, group: str) -> Words:
        """A group as a person reads it."""
        return self._words.get(group) or _WORDS.get(group) or Words(f"{group} 平台", f"the platform {group}")

    def _find(self, name: str, unit: str, product: str) -> str:
        try:
            address = ip_address(name.partition("%")[0])
        except ValueError:
            address = None
        for group, hosts, networks, units in self._groups:
            if units and unit not in units:
                continue
            if address is None and any(_fits(pattern, name) for pattern in hosts):
                return group
            if address is not None and any(address in one for one in networks):
                return group
        if address is not None:
            return INSIDE if self._own(name) else OUTSIDE
        return "".join(letter if letter in _LETTERS else "-" for letter in product.casefold())[:_NAME_MAX]


def open_peers(lists: Path | None = None) -> Peers:
    """The site's groups, from its folder of lists where there are any. Raises BadInput."""
    site, special = (_there(lists, name) for name in (SITE_FILE, "special.toml"))
    parameters = read_parameters(shipped("peers.toml"), PeerParameters, over=site)
    every: dict[str, Any] = read_parameters(shipped("special.toml"), dict[str, Any], over=special)
    return Peers(parameters, msgspec.convert(every["networks"], Networks))


def _there(folder: Path | None, name: str) -> Path | None:
    return folder / name if folder is not None and (folder / name).exists() else None


def _fits(pattern: str, name: str) -> bool:
    text = pattern.casefold().strip("*")
    if pattern.startswith("*"):
        return name.endswith(text)
    return name.startswith(text) if pattern.endswith("*") else name == text


def _bad(what: str) -> BadInput:
    return BadInput(
        "parameters-malformed",
        Words(f"对等组写法不对:{what}", f"not a peer group: {what}"),
        Words("请按 docs/reference/detectors.md 改正", "correct it, see docs/reference/detectors.md"),
        field=SITE_FILE,
    )
