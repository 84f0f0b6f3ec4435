"""How much more news than usual there is of a unit's entities lately: an attack seldom stays with one.

What a window's own score says is added up over the unit, as far as it is beyond the ordinary, and fades with
a half-life. A window then ranks by its own score and by the logarithm of that unrest over the unit's usual
unrest: a sum of logarithms, as odds of "part of an attack" by the window and by the hour would be.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

_STARTS: Final = 2_016  # that make up the usual: two weeks of ten minutes


class UnrestParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``unrest`` of rules/anomaly/entities.toml."""

    half_life_minutes: float
    ordinary: float  # as much of a window's score adds no unrest
    units_max: int


class _Unit(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """Of one unit: its unrest at a time, what is usual, and from how many times that is known."""

    now: float = 0.0
    time: int = 0
    usual: float = 0.0
    starts: int = 0


class Unrest:
    """The units of one kind of entity."""

    def __init__(self, parameters: UnrestParameters) -> None:
        self._parameters = parameters
        self._units: dict[str, _Unit] = {}

    def around(self, start: int, units: Sequence[str], scores: Sequence[float]) -> list[float]:
        """What goes on around each of the windows that began at ``start``; then add what they bring."""
        brought = [max(score - self._parameters.ordinary, 0.0) for score in scores]
        by_unit: dict[str, float] = {}
        for unit, more in zip(units, brought, strict=True):
            by_unit[unit] = by_unit.get(unit, 0.0) + more
        known = {unit: self._unit(unit, start) for unit in by_unit}
        found = [
            max(float(np.log1p(known[unit].now + by_unit[unit] - own) - np.log1p(known[unit].usual)), 0.0)
            for unit, own in zip(units, brought, strict=True)
        ]
        for unit, more in by_unit.items():
            self._add(known[unit], more)
        return found

    def to_bytes(self) -> bytes:
        """Everything, for a snapshot."""
        return msgspec.msgpack.encode(self._units)

    def from_bytes(self, data: bytes) -> bool:
        """Take up what ``to_bytes`` gave; False, and nothing changed, where it is of another shape."""
        try:
            units = msgspec.msgpack.decode(data, type=dict[str, _Unit])
        except msgspec.MsgspecError:
            return False
        numbers = [number for one in units.values() for number in (one.now, one.usual)]
        if len(units) > self._parameters.units_max or not np.isfinite(numbers).all():
            return False
        self._units = units
        return True

    def _unit(self, unit: str, start: int) -> _Unit:
        """The unit as of ``start``; one too many is let go, that heard of longest ago."""
        known = self._units.get(unit)
        if known is None:
            if len(self._units) >= self._parameters.units_max:
                del self._units[min(self._units, key=lambda one: (self._units[one].time, one))]
            known = self._units[unit] = _Unit(time=start)
        passed = max(start - known.time, 0)
        known.now *= 0.5 ** (passed / (self._parameters.half_life_minutes * 60.0))
        known.time += passed
        return known

    def _add(self, unit: _Unit, more: float) -> None:
        unit.now += more
        unit.starts = min(unit.starts + 1, _STARTS)
        unit.usual += (unit.now - unit.usual) / unit.starts
