"""The alert group as the queue shows it: rule x unit x entity, folded from its alerts.

A group that is closed stays as it was judged; the next alert of the same rule, unit and entity opens a new
instance (generation 2, 3, …) with an id of its own. Values here are plain and frozen; alert_store.py keeps
them in tables.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from crypto.words import Words
from detection.alert import SEVERITIES, Alert, Detector, Severity
from detection.risk import heat_of, repeated

State = Literal["new", "acknowledged", "closed"]
Classification = Literal["true_positive", "benign_positive", "false_positive", "test"]

WITHHELD: Final = datetime(9999, 1, 1, tzinfo=UTC)  # sleeps until an alert of it is within the budget
STATES: Final[tuple[State, ...]] = ("new", "acknowledged", "closed")
CLASSIFICATIONS: Final[tuple[Classification, ...]] = (
    "true_positive",
    "benign_positive",
    "false_positive",
    "test",
)


class AlertGroup(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the queue. ``count`` is exact; the reason and the rule's words are the newest alert's."""

    id: str
    key: str
    generation: int
    rule: str
    detector: Detector
    title: Words
    severity: Severity
    entity: str
    unit: str
    sensor: str
    count: int
    first_seen: datetime
    last_seen: datetime
    state: State
    owner: str
    classification: Classification | Literal[""]
    close_reason: str
    reason: Words
    attack: tuple[str, ...]
    clauses: tuple[str, ...]
    revision: int
    heat: float = 0.0  # what it adds to the risk of its entity; detection.risk tells the points at a time
    entity_heat: float = 0.0  # the risk of its entity
    latest: datetime | None = None  # the last alert, of merged groups as well
    parent: str = ""  # the group this one is merged into
    members: int = 0  # groups merged into this one; their alerts are counted in ``total``
    total: int = 0
    snoozed_until: datetime | None = None

    @property
    def withheld(self) -> bool:
        """Whether the alert budget holds it back: kept, found and counted, but not shown unasked."""
        return self.snoozed_until == WITHHELD


class AlertRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One kept alert of a group and the time the center raised it."""

    alert: Alert
    detected: datetime


class HistoryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to a group: opened, acknowledged, closed and so on (detection/store/act.py)."""

    time: datetime
    actor: str
    action: str
    note: str


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows in the order asked for; ``next`` is the cursor of the following page, '' at the end.

    Where ``total`` is not ``exact`` there are at least that many groups.
    """

    rows: tuple[AlertGroup, ...]
    total: int
    revision: int
    next: str
    exact: bool = True


class AlertDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A group with its newest alerts and its history, both newest first, and the groups merged into it."""

    group: AlertGroup
    alerts: tuple[AlertRecord, ...]
    history: tuple[HistoryRecord, ...]
    members: tuple[AlertGroup, ...] = ()


def group_id(key: str, generation: int) -> str:
    """The id of an instance: the key itself, then with its generation behind it."""
    return key if generation == 1 else f"{key}-{generation}"


def opened(alert: Alert, generation: int) -> AlertGroup:
    """A new instance, still without any alert in it: fold the alerts in next."""
    return AlertGroup(
        id=group_id(alert.group, generation),
        key=alert.group,
        generation=generation,
        rule=alert.rule,
        detector=alert.detector,
        title=alert.title,
        severity=alert.severity,
        entity=alert.entity,
        unit=alert.unit,
        sensor=alert.sensor,
        count=0,
        first_seen=alert.time,
        last_seen=alert.time,
        state="new",
        owner="",
        classification="",
        close_reason="",
        reason=alert.reason,
        attack=alert.attack,
        clauses=alert.clauses,
        revision=0,
    )


def withheld(group: AlertGroup, fresh: Iterable[Alert]) -> AlertGroup:
    """The group as it begins: asleep where the alert budget holds all of its alerts back."""
    held = all(alert.withheld is True for alert in fresh)
    return msgspec.structs.replace(group, snoozed_until=WITHHELD) if held else group


def woken(before: AlertGroup, after: AlertGroup, fresh: Iterable[Alert]) -> AlertGroup:
    """A group that sleeps wakes early when it turns out graver than it was when it was put to sleep.

    One that the alert budget holds back wakes with the first alert that is within the budget.
    """
    if before.snoozed_until == WITHHELD:
        return after if all(alert.withheld is True for alert in fresh) else _awake(after)
    if before.snoozed_until is None or SEVERITIES.index(after.severity) <= SEVERITIES.index(before.severity):
        return after
    return _awake(after)


def _awake(group: AlertGroup) -> AlertGroup:
    return msgspec.structs.replace(group, snoozed_until=None)


def folded(group: AlertGroup, fresh: Iterable[Alert], revision: int, now: datetime) -> AlertGroup:
    """The group after these alerts, whatever their order: count, first and last seen, the newest reason.

    A clock that is ahead heats nothing: no alert is younger than ``now``.
    """
    alerts = list(fresh)
    newest = max(alerts, key=lambda alert: (alert.time, alert.id))
    spoken = newest if newest.time >= group.last_seen else None
    counted = msgspec.structs.replace(
        group,
        count=group.count + len(alerts),
        first_seen=min(group.first_seen, *(alert.time for alert in alerts)),
        last_seen=max(group.last_seen, newest.time),
        revision=revision,
        heat=repeated([group.heat, *(heat_of(alert.severity, min(alert.time, now)) for alert in alerts)]),
    )
    if spoken is None:
        return counted
    return msgspec.structs.replace(
        counted,
        title=spoken.title,
        severity=spoken.severity,
        sensor=spoken.sensor,
        reason=spoken.reason,
        attack=spoken.attack,
        clauses=spoken.clauses,
    )
