"""Where an alert belongs: the name of its unit, and the graded system its host or address is part of.

Read from the registry once per change of it; a page of the queue then costs no further question.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from compliance.registry import GradedSystem
from compliance.registry_desk import RegistryDesk

_ADDRESSED: Final = ("source", "address", "host")


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """The registry as the queue needs it, at one revision."""

    revision: int
    units: Mapping[str, str]
    systems: Mapping[str, Sequence[GradedSystem]]  # by entity in lower case

    def system_of(self, entity: str, unit: str) -> GradedSystem | None:
        """The system of an entity: of the same unit, or the only one that claims it."""
        kind, _, name = entity.lower().partition(":")
        if kind == "user":
            kind, name = "host", name.rpartition("@")[2]
        found = self.systems.get(f"{kind}:{name}", ())
        own = [system for system in found if system.unit == unit]
        return own[0] if own else found[0] if len(found) == 1 else None

    def keys_of(self, sought: str) -> Collection[str]:
        """Entities of the systems with this id, or with this text in their name."""
        sought = sought.lower()
        return {
            key
            for key, systems in self.systems.items()
            for system in systems
            if system.id.lower() == sought or sought in system.name.lower()
        }


class QueuePlaces:
    """The newest ``Places``; safe to share between threads."""

    def __init__(self, desk: RegistryDesk) -> None:
        self._desk = desk
        self._known: Places | None = None

    def now(self) -> Places:
        """As the registry stands."""
        revision = self._desk.registry.revision()
        known = self._known
        if known is None or known.revision != revision:
            known = self._known = self._read(revision)
        return known

    def _read(self, revision: int) -> Places:
        systems = {system.id: system for system in self._desk.registry.systems()}
        by_key: dict[str, dict[str, GradedSystem]] = defaultdict(dict)
        for asset in self._desk.assets.assets(systems):
            found = systems[asset.system]
            for name in filter(None, (asset.name.lower(), asset.address.lower())):
                for kind in _ADDRESSED:
                    by_key[f"{kind}:{name}"][found.id] = found
        return Places(
            revision=revision,
            units={unit.code: unit.name for unit in self._desk.registry.tree().units()},
            systems={key: list(found.values()) for key, found in by_key.items()},
        )
