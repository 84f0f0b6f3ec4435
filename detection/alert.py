"""The Alert: a detector's claim about events, with its reason and what matched.

JSON form documented field by field in docs/reference/alert.md.
"""

from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from crypto.words import Words
from sensors.event import Event, Value

Severity = Literal["informational", "low", "medium", "high", "critical"]
Detector = Literal["sigma", "anomaly", "special", "health", "manual"]

SEVERITIES: Final[tuple[Severity, ...]] = ("informational", "low", "medium", "high", "critical")
EVENTS_MAX: Final = 20  # events carried by one alert; the rest is found in the store by the same entity


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One field that made the claim true: the event, the field, its value, and the selection or feature."""

    event: str
    field: str
    value: Value
    selection: str = ""
    usual: tuple[float, float] | UnsetType = UNSET  # of an anomaly: from, to of the entity itself
    peers: tuple[float, float] | UnsetType = UNSET  # and of its peers
    label: Words | UnsetType = UNSET  # what the value counts, in words
    one_in: float | UnsetType = UNSET  # a window as rare as this comes once in so many
    last: datetime | UnsetType = UNSET  # when the entity last did it before


class Alert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A claim. Constructed only by ``claim``; ``time`` is that of the event that completed it (UTC)."""

    id: str
    group: str
    time: datetime
    unit: str
    sensor: str
    detector: Detector
    rule: str
    title: Words
    reason: Words
    severity: Severity
    entity: str
    attack: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    matched: tuple[Match, ...] = ()
    withheld: bool | UnsetType = UNSET  # beyond the alert budget: kept, and asleep in the queue


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of every alert it raises; ``rule`` is its stable id."""

    rule: str
    detector: Detector
    title: Words
    severity: Severity
    attack: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()


def claim(
    said: Claim,
    *,
    entity: str,
    reason: Words,
    events: tuple[Event, ...],
    matched: tuple[Match, ...],
    occasion: str = "",
) -> Alert:
    """The alert that ``said`` raises about ``entity``; same input, same id, so replay never doubles it.

    ``occasion`` gives the id where the completing event may still change: a claim about a window is told
    again under the same id when an event that came late changes what completed it.

    ``events`` holds at least the one that completed the claim, last; only the last EVENTS_MAX are kept.
    ``entity`` is "kind:name", for example "host:web-01", "source:10.0.0.8", "user:zhang@web-01".
    """
    last = events[-1]
    group = _digest(said.rule, last.unit, entity)
    return Alert(
        id=_digest(group, occasion or last.id),
        group=group,
        time=last.time,
        unit=last.unit,
        sensor=last.sensor,
        detector=said.detector,
        rule=said.rule,
        title=said.title,
        reason=reason,
        severity=said.severity,
        entity=entity,
        attack=said.attack,
        clauses=said.clauses,
        events=events[-EVENTS_MAX:],
        matched=matched,
    )


def _digest(*parts: str) -> str:
    return sha256("\x00".join(parts).encode()).hexdigest()[:32]
