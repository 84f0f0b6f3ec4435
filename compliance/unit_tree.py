"""The tree of units: who stands below whom, and where a code belongs by GB/T 2260. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from compliance.registry import Unit, bad_field

DEPTH_MAX: Final = 16  # province, city, county, department and its institutions: far fewer are real


class UnitTree:
    """Units by code with their places; units whose parent is unknown stand at the top."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {unit.code: unit for unit in units}
        self._below: dict[str, list[str]] = {}
        for unit in self._units.values():
            if unit.parent in self._units:
                self._below.setdefault(unit.parent or "", []).append(unit.code)

    def __contains__(self, code: str) -> bool:
        return code in self._units

    def get(self, code: str) -> Unit | None:
        """The unit of a code."""
        return self._units.get(code)

    def units(self) -> Sequence[Unit]:
        """All units, each after the one above it, by code within a level."""
        tops = [code for code, unit in self._units.items() if unit.parent not in self._units]
        return [self._units[code] for top in sorted(tops) for code in self._walk(top)]

    def subtree(self, code: str) -> frozenset[str]:
        """The unit and everything below it; of an unknown code, that code alone."""
        return frozenset(self._walk(code))

    def path(self, code: str) -> Sequence[Unit]:
        """From the top down to the unit itself; empty for an unknown code."""
        found: list[Unit] = []
        here = self._units.get(code)
        while here is not None and len(found) < DEPTH_MAX:
            found.append(here)
            here = self._units.get(here.parent or "")
        return found[::-1]

    def children(self, code: str) -> Sequence[str]:
        """Codes directly below."""
        return sorted(self._below.get(code, ()))

    def checked_place(self, unit: Unit) -> Unit:
        """The unit if it may stand below its parent. Raises BadInput (registry-field)."""
        if unit.parent is None:
            return unit
        if unit.parent not in self._units:
            raise bad_field("parent", f"没有单位 {unit.parent}", f"names no unit: {unit.parent}")
        if unit.parent in self.subtree(unit.code):
            raise bad_field("parent", "上级不能是自己的下级", "stands below the unit itself")
        if len(self.path(unit.parent)) >= DEPTH_MAX:
            raise bad_field("parent", f"层级超过 {DEPTH_MAX}", f"is more than {DEPTH_MAX} levels deep")
        return unit

    def _walk(self, top: str) -> Iterable[str]:
        waiting, seen = [top], set()
        while waiting:
            code = waiting.pop()
            if code not in seen:  # a loop that somebody wrote into the database must not hang anybody
                seen.add(code)
                yield code
                waiting += sorted(self._below.get(code, ()), reverse=True)


def place_by_code(code: str, known: Iterable[str]) -> str | None:
    """The unit above a code by its region: 320102-x below 320102, that below 320100, that below 320000."""
    region, codes = code[:6], frozenset(known)
    ladder = (region, f"{region[:4]}00", f"{region[:2]}0000")
    return next((one for one in ladder if one in codes and one != code), None)


def placed(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """The units with a parent by their code where none is given and there is one among them."""
    codes = [unit.code for unit in units]
    return tuple(
        unit
        if unit.parent is not None
        else msgspec.structs.replace(unit, parent=place_by_code(unit.code, codes))
        for unit in units
    )
