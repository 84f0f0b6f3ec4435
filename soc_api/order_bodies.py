"""Bodies of rectification orders."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from soc_api.bodies import Body, Text, Verdict

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Note = Annotated[str, Field(max_length=2000)]


class OrderRow(Body):
    """A rectification order."""

    number: str
    system: str
    object: str
    check: str
    severity: str
    state: Literal["issued", "answered", "closed", "cancelled"]
    owner: str
    issued: datetime
    deadline: datetime
    overdue: bool
    verdict: Verdict
    facts: Text
    remedy: Text
    clauses: list[str]
    leaf: int
    notify: bool
    reminded: int
    escalated: int
    retests_failed: int
    answered: datetime | None
    answered_by: str
    closed: datetime | None


class OrderEventRow(Body):
    """What happened to an order."""

    time: datetime
    actor: str
    action: str
    note: str
    attachments: list[str]
    leaf: int | None


class OrderStatistics(Body):
    """Figures of a span; open and overdue are as at its end."""

    issued: int
    closed: int
    closed_in_time: int
    open: int
    overdue: int
    retests_failed: int
    escalated: int
    days_to_close: float | None


class OrderPage(Body):
    """GET /api/v1/orders, newest first; the figures are those of the last 30 days."""

    rows: list[OrderRow]
    statistics: OrderStatistics
    next: str


class OrderDetail(Body):
    """GET /api/v1/orders/{number}."""

    order: OrderRow
    events: list[OrderEventRow]


class OrderAnswer(Body):
    """POST /api/v1/orders/{number}/answer."""

    note: Note
    attachments: list[Digest] = Field(default_factory=list, max_length=20)


class OrderRetest(Body):
    """POST /api/v1/orders/{number}/retest."""

    passed: bool
    note: Note


class OrderChange(Body):
    """POST /api/v1/orders/{number}/change: another owner, more time, or an end; exactly one of them."""

    owner: str = Field(default="", max_length=128)
    deadline: datetime | None = None
    cancel: bool = False
    note: Note
