"""Bodies of the entity and ATT&CK routes as pydantic models."""

from datetime import datetime
from typing import Literal

from soc_api.bodies import AlertGroup, Body, Severity, SystemBadge, Text
from soc_api.inventory_bodies import HostRow

EntityKind = Literal["host", "user", "address"]


class RiskPoint(Body):
    """The risk at the end of a day (the last: now), and that day's alerts."""

    time: datetime
    risk: int
    alerts: int


class EntityUnit(Body):
    """A unit the entity was seen in."""

    unit: str
    name: str


class EntityDetail(Body):
    """GET /api/v1/entities/{kind}/{name}."""

    kind: EntityKind
    name: str
    risk: int
    days: list[RiskPoint]
    alerts: list[AlertGroup]
    alerts_open: int
    hosts: list[HostRow]
    units: list[EntityUnit]
    systems: list[SystemBadge]
    query: str


class TimelineRow(Body):
    """One thing that happened: an alert, an event or a change of the inventory."""

    time: datetime
    kind: Literal["alert", "event", "change"]
    title: Text
    detail: str
    severity: Severity | Literal[""]
    group: str
    event: str


class TimelinePage(Body):
    """GET /api/v1/entities/{kind}/{name}/timeline, the newest first; complete back to ``reached``."""

    rows: list[TimelineRow]
    since: datetime
    until: datetime
    reached: datetime


class NeighbourRow(Body):
    """Somebody the entity was seen with: in which relation, in how many events, and the risk now."""

    kind: EntityKind
    name: str
    relation: str
    events: int
    risk: int


class NeighbourPage(Body):
    """GET /api/v1/entities/{kind}/{name}/neighbours, the most frequent first."""

    rows: list[NeighbourRow]
    more: bool
    stopped: bool


class AttackDetection(Body):
    """A rule, correlation or built-in detection that names a technique."""

    id: str
    kind: Literal["rule", "correlation", "special", "anomaly"]
    title: Text
    level: Severity
    state: Literal["enabled", "disabled", "waiting"]
    hits: int


class AttackTechnique(Body):
    """A technique or sub-technique: how many detections name it, those that run, and their alerts."""

    id: str
    name: Text
    detections: int
    enabled: int
    hits: int
    parts: list["AttackTechnique"]


class AttackTactic(Body):
    """A column of the matrix."""

    id: str
    name: Text
    techniques: list[AttackTechnique]


class AttackPage(Body):
    """GET /api/v1/attack: hits are alerts of the last ``days``; ``unnamed`` have no name in the data."""

    days: int
    version: str
    tactics: list[AttackTactic]
    techniques: int
    covered: int
    unnamed: list[str]


class AttackDetail(Body):
    """GET /api/v1/attack/{technique}: what names it (and its sub-techniques), and the newest groups."""

    id: str
    name: Text
    tactics: list[Text]
    detections: list[AttackDetection]
    groups: list[AlertGroup]
