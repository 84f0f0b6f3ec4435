"""Bodies of the queue's routes: buckets, acts, saved views, completion, alerts by hand."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from soc_api.bodies import Body, Classification, Role, Severity, Text

QueueState = Literal["open", "new", "acknowledged", "snoozed", "withheld", "closed", "all"]
ActionName = Literal["acknowledge", "assign", "close", "reopen", "snooze", "wake", "note", "merge", "split"]
GROUPS_MAX = 10_000  # named one by one; a filter means any number


class BucketRow(Body):
    """Groups that share a value of the field; ``title`` tells what it is, where the value alone does not.

    ``hosts`` and ``users`` are how many different ones the groups are about; null where the filter holds more
    than 30,000 groups, and of single entities.
    """

    value: str
    title: Text | None
    groups: int
    alerts: int
    worst: Severity
    severities: dict[Severity, int]
    latest: datetime
    hosts: int | None = None
    users: int | None = None


class BucketPage(Body):
    """GET /api/v1/alerts/buckets: most groups first, 500 at most."""

    by: str
    rows: list[BucketRow]
    revision: int


class FilterOrder(Body):
    """What the queue is narrowed to; the same words as the parameters of GET /api/v1/alerts."""

    state: QueueState = "open"
    severity: Literal["", "informational", "low", "medium", "high", "critical"] = ""
    detector: Literal["", "sigma", "anomaly", "special", "health", "manual"] = ""
    q: str = Field(default="", max_length=500)
    since: datetime | None = None
    until: datetime | None = None


class ActOrder(Body):
    """POST /api/v1/alerts/acts: what to do, and to which groups: ids, or every row of a filter."""

    action: ActionName
    groups: list[str] = Field(default_factory=list, max_length=GROUPS_MAX)
    filter: FilterOrder | None = None
    owner: str = Field(default="", max_length=128)
    classification: Classification | Literal[""] = ""
    reason: str = Field(default="", max_length=2000)
    until: datetime | None = None
    into: str = Field(default="", max_length=64)


class ActRow(Body):
    """An act and how far it is; the one who began it may take it back until ``undo_until``."""

    id: int
    time: datetime
    actor: str
    action: str
    state: Literal["running", "done", "undoing", "undone"]
    total: int
    done: int
    refused: int
    finished: datetime | None
    undo_until: datetime | None


class ActPage(Body):
    """GET /api/v1/alerts/acts: one's own acts on more than one group, newest first."""

    rows: list[ActRow]


class ActItemRow(Body):
    """What became of one group."""

    group: str
    state: Literal["waiting", "done", "refused", "undone"]
    code: str
    message: Text | None


class ActDetail(Body):
    """GET /api/v1/alerts/acts/{act}: progress, and a page of its groups."""

    act: ActRow
    items: list[ActItemRow]
    next: str


class NewAlert(Body):
    """POST /api/v1/alerts: an alert that no sensor raised, such as a telephone call."""

    title: str = Field(min_length=2, max_length=200)
    reason: str = Field(min_length=2, max_length=2000)
    severity: Severity
    entity: str = Field(pattern=r"^(host|source|user|unit|address):\S.{0,199}$")
    unit: str = Field(default="", max_length=64)
    time: datetime | None = None


class ViewSettings(Body):
    """The address of the queue a view stands for."""

    state: QueueState = "open"
    q: str = Field(default="", max_length=500)
    hours: int = Field(default=0, ge=0, le=8_784)
    sort: Literal["latest", "risk", "count", "severity"] = "latest"
    by: list[Literal["severity", "state", "detector", "unit", "owner", "rule", "entity"]] = Field(
        default_factory=list, max_length=2
    )


class ViewOrder(Body):
    """POST /api/v1/alerts/views."""

    name: str = Field(min_length=1, max_length=40)
    settings: ViewSettings


class ShareOrder(Body):
    """POST /api/v1/alerts/views/{view}/share: with whom, within one's unit."""

    role: Role


class ViewRow(Body):
    """A saved view; ``own`` views can be deleted by the reader."""

    id: int
    name: Text
    settings: ViewSettings
    role: str
    own: bool


class ViewPage(Body):
    """GET /api/v1/alerts/views: those that come with the product, those of one's role, one's own."""

    rows: list[ViewRow]


class PersonRow(Body):
    """Somebody an alert can be assigned to."""

    actor: str
    name: str
    role: Role


class PersonPage(Body):
    """GET /api/v1/alerts/people."""

    rows: list[PersonRow]
