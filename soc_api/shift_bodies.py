"""The body of the numbers a shift goes by."""

from datetime import datetime

from soc_api.bodies import Body, Severity, Text


class AgeRow(Body):
    """Open groups first seen this long ago: within an hour, a shift of 8 hours, a day, a week, or longer."""

    age: str
    open: dict[Severity, int]


class OwnerRow(Body):
    """Open groups of one person; '' is nobody."""

    owner: str
    groups: int
    urgent: int
    oldest: datetime


class WaitRow(Body):
    """How long groups waited in the last 7 days, in seconds; null where none did."""

    groups: int
    mean: float | None
    median: float | None


class BusyRule(Body):
    """A rule that raised alerts in the last 7 days; ``precision`` null before anybody judged."""

    id: str
    title: Text
    level: Severity
    hits: int
    judged: int
    precision: float | None


class SilentSensor(Body):
    """A sensor that does not answer."""

    id: str
    host: str
    unit: str
    last_seen: datetime | None


class LateOrder(Body):
    """A rectification order past its deadline."""

    number: str
    check: str
    title: Text
    owner: str
    deadline: datetime


class ShiftPage(Body):
    """GET /api/v1/shift."""

    time: datetime
    untouched: dict[Severity, int]
    ages: list[AgeRow]
    owners: list[OwnerRow]
    taken: WaitRow
    closed: WaitRow
    opened_per_hour: list[int]
    closed_per_hour: list[int]
    rules: list[BusyRule]
    orders_open: int
    orders_overdue: int
    late: list[LateOrder]
    notices_open: int
    notices_overdue: int
    incidents_open: int
    incidents_overdue: int
    silent: list[SilentSensor]
    held_day: int
    exceptions_waiting: int


class OverduePage(Body):
    """GET /api/v1/overdue: what is past its time, by kind; 0 for what the account may not read."""

    incidents: int
    notices: int
    orders: int
