"""Which part of the unit tree an account sees: its unit and what is below; the center's own sees all.

Asked by every route that names a unit or a system. What lies outside is refused and audited.
"""

from collections.abc import Callable

import msgspec

from compliance.unit_tree import UnitTree
from crypto.words import Refused, Words
from soc_api.audit import entry
from soc_api.context import Center
from soc_api.identity import Visit


class UnitScope(msgspec.Struct, frozen=True):
    """``units`` is None for an account of the center's own unit: it sees everything the center holds."""

    units: frozenset[str] | None

    def holds(self, unit: str) -> bool:
        """Whether a unit is one's own or stands below."""
        return self.units is None or unit in self.units


def scope_of(center: Center, visit: Visit, tree: Callable[[], UnitTree]) -> UnitScope:
    """The scope of a visit."""
    own = visit.account.unit
    return UnitScope(None if own == center.unit else tree().subtree(own))


def actors_in(center: Center, scope: UnitScope) -> frozenset[str] | None:
    """Who acts for the units of a scope, as the audit log names them; None for everybody."""
    return None if scope.units is None else center.audit.actors_of(scope.units)


def need_actor(center: Center, visit: Visit, scope: UnitScope, actor: str) -> None:
    """Return where what ``actor`` did may be seen. Raises Refused (unit-scope), audited."""
    within = actors_in(center, scope)
    if within is not None and actor not in within:
        need_unit(center, visit, scope, center.unit)


def need_unit(center: Center, visit: Visit, scope: UnitScope, unit: str) -> None:
    """Return where ``unit`` may be seen. Raises Refused (unit-scope), audited."""
    if scope.holds(unit):
        return
    center.audit.record(
        entry(
            time=center.clock(),
            actor=visit.actor,
            source=visit.source,
            action="access.denied",
            about=f"unit:{unit}",
            result="refused: unit-scope",
        )
    )
    raise Refused(
        "unit-scope",
        Words("不在您的管辖范围", "this is outside your part of the tree of units"),
        Words("请由其上级单位办理", "ask the unit above it"),
        field=unit,
    )
