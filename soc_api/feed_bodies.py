"""Bodies of changes read by programs: what is told is as it is now, by its last change.

``next`` is the cursor to go on from, the same where there is nothing new; ``more`` says to go on at once.
"""

from soc_api.bodies import AlertGroup, Body, CheckRow
from soc_api.incident_bodies import IncidentRow
from soc_api.notice_bodies import NoticeRow
from soc_api.order_bodies import OrderRow


class AlertChanges(Body):
    """GET /api/v1/changes/alerts."""

    rows: list[AlertGroup]
    next: str
    more: bool


class IncidentChanges(Body):
    """GET /api/v1/changes/incidents."""

    rows: list[IncidentRow]
    next: str
    more: bool


class NoticeChanges(Body):
    """GET /api/v1/changes/notices."""

    rows: list[NoticeRow]
    next: str
    more: bool


class OrderChanges(Body):
    """GET /api/v1/changes/orders."""

    rows: list[OrderRow]
    next: str
    more: bool


class SystemCheck(Body):
    """A check of one graded system."""

    system: str
    check: CheckRow


class CheckChanges(Body):
    """GET /api/v1/changes/checks."""

    rows: list[SystemCheck]
    next: str
    more: bool
