"""The body of the wall display: numbers, places and titles of rules; no person, host or address."""

from datetime import datetime
from typing import Literal

from soc_api.bodies import AlertState, Body, Severity, Text


class WallTile(Body):
    """One city, or the province's own units (``column`` and ``row`` null)."""

    code: str
    name: Text
    column: int | None
    row: int | None
    groups: int
    worst: Severity | None
    open: dict[Severity, int]
    sensors: int
    sensors_online: int


class WallAlert(Body):
    """An alert group by its rule's title and its place."""

    id: str
    time: datetime
    severity: Severity
    title: Text
    place: Text
    state: AlertState
    count: int


class WallLayer(Body):
    """Checks of one layer by verdict."""

    layer: str
    compliant: int
    partial: int
    violated: int
    unknown: int


class WallDue(Body):
    """A rectification order, a notice or an incident's report past its deadline."""

    kind: Literal["order", "notice", "incident"]
    number: str
    title: Text
    place: Text
    deadline: datetime


class WallPage(Body):
    """GET /api/v1/wall."""

    time: datetime
    center: str
    colour: Literal["red", "orange", "yellow", "blue", "none"]
    why: list[Text]
    open_alerts: dict[Severity, int]
    alerts_last_day: list[int]
    opened: list[int]
    closed: list[int]
    tiles: list[WallTile]
    province: WallTile
    flow: list[WallAlert]
    layers: list[WallLayer]
    orders_open: int
    orders_overdue: int
    notices_open: int
    notices_overdue: int
    incidents_open: int
    incidents_overdue: int
    due: list[WallDue]
    sensors_online: int
    sensors_total: int
    events_last_hour: int
    held_day: int
    ledger_size: int
    map_approval: str
