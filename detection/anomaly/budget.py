"""The alert budget: of each unit's unusual entities the riskiest few are told in a shift, the rest is kept.

The risk is that of the queue (detection/risk.py): alerts of an entity added up, halved with every day. The
first few of a shift are told as they come; later an entity is told only if its risk is at least twice that
of the least risky told, whose place it takes, and so at most twice the budget are told in a shift. An entity
once told in a shift is told again. What is withheld is stored like any alert, marked, and asleep in the
queue. Rules, special detectors and what the detectors say about themselves are no part of this.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from detection.alert import Alert
from detection.risk import COLD, heat_of, repeated, summed

_TWICE: Final = 1.0  # of heat, which is a logarithm to the base of two
_ENTITIES_MAX: Final = 1_000  # of a unit whose risk is remembered
_RULES_MAX: Final = 16  # of an entity
_UNITS_MAX: Final = 4_096
_THEMSELVES: Final = ("model:", "detector:")  # entities of what detectors say about themselves


class _Unit(msgspec.Struct):
    """One unit: its shift, who was told in it and still has a place, and the heat of each rule by entity."""

    shift: int = 0
    places: list[str] = []
    told: list[str] = []
    heats: dict[str, dict[str, float]] = {}


class _Memory(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    units: dict[str, _Unit] = {}


class Budget:
    """Remembers across restarts through ``snapshot`` and ``recall``."""

    name = "budget"

    def __init__(self, *, shift_hours: int, per_unit: int, offset_seconds: int) -> None:
        """Shifts begin at local midnight and every ``shift_hours`` from there."""
        self._shift_seconds, self._per_unit, self._offset = shift_hours * 3_600, per_unit, offset_seconds
        self._units: dict[str, _Unit] = {}
        self._changed = False

    def sift(self, alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts, those beyond the budget marked as withheld."""
        return [
            msgspec.structs.replace(alert, withheld=True) if self._is_beyond(alert) else alert
            for alert in alerts
        ]

    def snapshot(self) -> bytes | None:
        """Everything, where anything changed: it must be kept with the alerts it decided on."""
        if not self._changed:
            return None
        self._changed = False
        return msgspec.msgpack.encode(_Memory(units=self._units))

    def recall(self, snapshot: bytes) -> None:
        """Take up what ``snapshot`` gave; of another shape it is left aside."""
        try:
            self._units = msgspec.msgpack.decode(snapshot, type=_Memory).units
        except msgspec.MsgspecError:
            return

    def _is_beyond(self, alert: Alert) -> bool:
        if alert.detector != "anomaly" or alert.entity.startswith(_THEMSELVES):
            return False
        self._changed = True
        unit = self._units.pop(alert.unit, None) or _Unit()
        self._units[alert.unit] = unit  # the one heard longest ago is first
        if len(self._units) > _UNITS_MAX:
            del self._units[next(iter(self._units))]
        shift = int((alert.time.timestamp() + self._offset) // self._shift_seconds)
        if shift > unit.shift:
            unit.shift, unit.places, unit.told = shift, [], []
        self._heat(unit, alert)
        if alert.entity in unit.told:
            return False
        if not self._has_place(unit, alert.entity):
            return True
        unit.told.append(alert.entity)
        unit.places.append(alert.entity)
        return False

    def _has_place(self, unit: _Unit, entity: str) -> bool:
        if len(unit.places) < self._per_unit:
            return True
        if not unit.places or len(unit.told) >= 2 * self._per_unit:
            return False
        least = min(unit.places, key=lambda one: (self._risk(unit, one), one))
        if self._risk(unit, entity) < self._risk(unit, least) + _TWICE:
            return False
        unit.places.remove(least)
        return True

    def _heat(self, unit: _Unit, alert: Alert) -> None:
        rules = unit.heats.pop(alert.entity, None) or {}
        unit.heats[alert.entity] = rules  # the one heard longest ago is first
        rules[alert.rule] = repeated([rules.get(alert.rule, COLD), heat_of(alert.severity, alert.time)])
        while len(rules) > _RULES_MAX:
            del rules[min(rules, key=lambda one: (rules[one], one))]
        while len(unit.heats) > _ENTITIES_MAX:
            del unit.heats[next(iter(unit.heats))]

    @staticmethod
    def _risk(unit: _Unit, entity: str) -> float:
        return summed(unit.heats.get(entity, {}).values())
