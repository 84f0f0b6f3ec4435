"""Bodies of exceptions and maintenance windows."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from soc_api.bodies import AlertState, Body, Severity, Text

RuleName = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$")]
UnitName = Annotated[str, Field(min_length=1, max_length=128)]
Note = Annotated[str, Field(min_length=2, max_length=2000)]
Kind = Literal["exception", "maintenance"]
Phase = Literal["waiting", "scheduled", "active", "expired", "refused", "ended"]
_SCOPE: dict[str, JsonValue] = {
    "kind": "exception",
    "rules": ["107d2fe8-f826-4ac3-8e81-611db8015914"],
    "unit": "320000-local",
    "below": False,
    "condition": 'source.ip:"10.0.0.8" and process.name:"sshd"',
}


class ExceptionScope(Body):
    """POST /api/v1/exceptions/preview: what it would cover; ``below`` takes the units below along."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_SCOPE]})

    kind: Kind = "exception"
    rules: list[RuleName] = Field(max_length=50)
    unit: UnitName
    below: bool = False
    condition: str = Field(max_length=4096)


class ExceptionOrder(ExceptionScope):
    """POST /api/v1/exceptions. ``begins`` null is now; ``origin`` is the alert group it was made from."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                _SCOPE
                | {
                    "title": "堡垒机巡检登录",
                    "reason": "每日巡检,已与系统负责人核实",
                    "owner": "zhang",
                    "begins": None,
                    "expires": "2027-02-01T00:00:00Z",
                    "origin": "",
                }
            ]
        },
    )

    title: str = Field(min_length=2, max_length=120)
    reason: Note
    owner: str = Field(default="", max_length=128)
    begins: datetime | None = None
    expires: datetime
    origin: str = Field(default="", max_length=64, pattern=r"^([0-9a-f]+(-[0-9]+)?)?$")


class ExceptionDecision(Body):
    """POST /api/v1/exceptions/{id}/decide: not by who asked."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"approve": True, "note": "已核对影响"}]}
    )

    approve: bool
    note: Note


class ExceptionEnd(Body):
    """POST /api/v1/exceptions/{id}/end; ``bring_back`` puts the kept alerts into the queue."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "来源已变更", "bring_back": True}]}
    )

    note: Note
    bring_back: bool = False


class ExceptionDraft(Body):
    """GET /api/v1/alerts/{group}/exception: what the form begins with."""

    title: Text
    rule: str
    unit: str
    terms: list[str]
    health: bool


class GroupHitRow(Body):
    """A group of which alerts would have been held back."""

    id: str
    title: Text
    entity: str
    severity: Severity
    unit: str
    state: AlertState
    classification: str
    alerts: int
    last: datetime


class ExceptionPreview(Body):
    """What would have been held back in the last ``days``; ``grave``: why a second person must agree."""

    days: int
    asked: int
    unasked: int
    alerts: int
    groups: int
    per_day: list[int]
    shown: list[GroupHitRow]
    events: int | None
    events_more: bool
    critical: int
    true_positives: int
    health: int
    grave: list[Text]


class ExceptionRow(Body):
    """One exception; ``held`` counts the alerts it held back, ``recent`` those of the last 7 days."""

    id: int
    kind: Kind
    title: str
    rules: list[str]
    unit: str
    units: int
    condition: str
    reason: str
    owner: str
    asked: datetime
    asked_by: str
    begins: datetime
    expires: datetime
    phase: Phase
    grave: list[Text]
    decided: datetime | None
    decided_by: str
    note: str
    origin: str
    expected: dict[str, int]
    held: int
    recent: int
    last: datetime | None


class ExceptionPage(Body):
    """GET /api/v1/exceptions, newest first; ``held_day`` is what all of them held back in 24 hours."""

    rows: list[ExceptionRow]
    held_day: int
    waiting: int
    next: int


class ExceptionStep(Body):
    """What was done to it."""

    time: datetime
    actor: str
    action: Literal["asked", "approved", "refused", "ended"]
    note: str


class HeldHour(Body):
    """Alerts held back within an hour."""

    hour: datetime
    count: int


class HeldAlert(Body):
    """One alert it held back."""

    id: str
    time: datetime
    rule: str
    title: Text
    reason: Text
    severity: Severity
    entity: str
    unit: str
    sensor: str


class ExceptionDetail(Body):
    """GET /api/v1/exceptions/{id}."""

    exception: ExceptionRow
    history: list[ExceptionStep]
    per_hour: list[HeldHour]
    examples: list[HeldAlert]
