"""Bodies of the anomalies' routes."""

from datetime import datetime
from typing import Literal

from soc_api.bodies import Body, Severity, Text


class UnusualRow(Body):
    """An entity with open anomalies; ``odd`` is how likely a person would call it odd, once learned."""

    unit: str
    entity: str
    risk: int
    odd: float | None
    within: bool
    groups: int
    group: str
    title: Text
    reason: Text
    severity: Severity
    last: datetime


class UnusualPage(Body):
    """GET /api/v1/anomalies: the riskiest first; ``within`` are those within the budget of the shift."""

    rows: list[UnusualRow]
    total: int
    within: int
    budget: int
    shift_hours: int
    learned: bool


class ProposalRow(Body):
    """What closings speak for: scope and condition of an exception, to be asked for at /exceptions."""

    kind: Literal["entity", "threshold"]
    rule: str
    unit: str
    condition: str
    labels: int
    days: int
    why: Text


class ProposalPage(Body):
    """GET /api/v1/anomalies/proposals; ``labels`` closings, ranking is learned from ``needed`` on."""

    rows: list[ProposalRow]
    labels: int
    needed: int


class CourseRow(Body):
    """One count of the entity's windows, oldest first."""

    field: str
    values: list[float]


class CoursePage(Body):
    """GET /api/v1/anomalies/{group}/course: what the windows before the newest alert's counted."""

    window_seconds: int
    starts: list[datetime]
    rows: list[CourseRow]
