"""Which reports an account may see: those of its unit and of the units and systems below."""

from collections.abc import Callable

from crypto.words import Refused
from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.unit_scope import UnitScope, need_unit, scope_of


def reach_of_reports(center: Center, visit: Visit) -> Callable[[str, str], bool]:
    """Told a scope and a unit's code or system's id: whether the account may see it."""
    scope = _scope(center, visit)

    def sees(kind: str, unit: str) -> bool:
        return scope.units is None or scope.holds(_owner(center, kind, unit))

    return sees


def need_report(center: Center, visit: Visit, kind: str, unit: str) -> None:
    """Return where a report about it may be seen. Raises Refused (unit-scope), audited."""
    scope = _scope(center, visit)
    if scope.units is not None:
        need_unit(center, visit, scope, _owner(center, kind, unit))


def _scope(center: Center, visit: Visit) -> UnitScope:
    if visit.account.unit == center.unit or center.registry is None:
        return UnitScope(None if visit.account.unit == center.unit else frozenset({visit.account.unit}))
    return scope_of(center, visit, center.registry.registry.tree)


def _owner(center: Center, kind: str, unit: str) -> str:
    """The unit a report belongs to; '' where its system is not known."""
    if kind != "system":
        return unit
    try:
        return center.registry.registry.system(unit).unit if center.registry is not None else ""
    except Refused:
        return ""
