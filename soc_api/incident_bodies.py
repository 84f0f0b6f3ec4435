"""Bodies of incidents: the list, one with everything of it, what people do to it, the rules behind it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from soc_api.bodies import Body, Severity, Text

State = Literal["open", "handling", "handled", "closed", "dismissed", "merged"]
StepName = Literal["accept", "settle", "resume", "close", "dismiss", "reopen"]
TaskState = Literal["open", "done", "dropped"]
FilingKind = Literal["first", "follow-up", "final"]
Grade = Annotated[int, Field(ge=1, le=4)]
GroupId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9a-f]+(-[0-9]+)?$")]
Number = Annotated[str, Field(pattern=r"^20\d\d-\d{6,12}$")]
Title = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(max_length=128)]
Id = Annotated[str, Field(max_length=64)]
Note = Annotated[str, Field(max_length=2000)]
Long = Annotated[str, Field(max_length=4000)]


class ClockRow(Body):
    """A statutory clock: whom to tell until when, and since when it is done."""

    id: Literal["first", "final"]
    to: Text
    started: datetime
    due: datetime
    done: datetime | None
    overdue: bool
    source: str
    confidence: str


class IncidentTask(Body):
    """Something to do."""

    number: int
    title: str
    owner: str
    due: datetime | None
    state: TaskState
    overdue: bool
    ended: datetime | None
    ended_by: str


class FilingRow(Body):
    """A report of the chain 首报 - 续报 - 总结报告."""

    number: int
    kind: FilingKind
    to: str
    channel: str
    sent: datetime
    recorded: datetime
    actor: str
    fields: dict[str, str]


class CaseFileRow(Body):
    """A file of the evidence locker."""

    sm3: str
    name: str
    bytes: int
    time: datetime
    actor: str
    note: str


class IncidentRow(Body):
    """One incident as the list shows it; ``revision`` grows with every change."""

    number: str
    title: str
    unit: str
    unit_name: str
    system: str
    state: State
    category: str
    kind: str
    grade: Grade
    clock: str
    owner: str
    discovered: datetime
    created: datetime
    created_by: str
    updated: datetime
    ended: datetime | None
    closed: datetime | None
    merged_into: str
    tasks_open: int
    clocks: list[ClockRow]
    revision: int


class IncidentFigures(Body):
    """The active incidents of one's units: how many, how many of them owe a report that is late, by grade."""

    active: int
    overdue: int
    grades: dict[int, int]


class IncidentPage(Body):
    """GET /api/v1/incidents; ``next`` is the ``before`` of the following page, '' at the end."""

    rows: list[IncidentRow]
    figures: IncidentFigures
    next: str


class IncidentAlert(Body):
    """An alert group of an incident; without its words where it is not kept any more."""

    id: str
    title: Text
    severity: Severity
    entity: str
    state: str
    count: int
    last_seen: datetime | None
    attack: list[str]


class IncidentEventRow(Body):
    """What happened; ``at`` is when, ``time`` when it was written down."""

    time: datetime
    at: datetime
    actor: str
    action: str
    note: str
    leaf: int | None


class IncidentDetail(Body):
    """GET /api/v1/incidents/{number}."""

    incident: IncidentRow
    place: str
    persons: int
    summary: str
    alerts: list[IncidentAlert]
    tasks: list[IncidentTask]
    filings: list[FilingRow]
    files: list[CaseFileRow]
    events: list[IncidentEventRow]
    steps: list[StepName]


class IncidentOrder(Body):
    """POST /api/v1/incidents: from alert groups, or by hand; what is left out comes from them."""

    groups: list[GroupId] = Field(default_factory=list, max_length=200)
    title: Title = ""
    unit: Name = ""
    system: Id = ""
    category: Id = ""
    kind: Id = ""
    grade: Grade = 4
    clock: Id = ""
    owner: Name = ""
    discovered: datetime | None = None
    place: Title = ""
    persons: int = Field(default=0, ge=0, le=2_000_000_000)
    summary: Long = ""
    note: Note = ""


class IncidentChangeOrder(Body):
    """POST /api/v1/incidents/{number}/change: what is given is changed, for a reason."""

    title: Title | None = None
    system: Id | None = None
    category: Id | None = None
    kind: Id | None = None
    grade: Grade | None = None
    clock: Id | None = None
    owner: Name | None = None
    discovered: datetime | None = None
    place: Title | None = None
    persons: int | None = Field(default=None, ge=0, le=2_000_000_000)
    summary: Long | None = None
    note: Note


class IncidentStepOrder(Body):
    """POST /api/v1/incidents/{number}/steps."""

    step: Literal["accept", "settle", "resume"]
    note: Note = ""


class IncidentDecision(Body):
    """POST /api/v1/incidents/{number}/decide."""

    step: Literal["close", "dismiss", "reopen"]
    note: Note


class IncidentAlertsOrder(Body):
    """POST /api/v1/incidents/{number}/alerts: join, or with ``drop`` leave.

    ``move`` takes them from the incidents they are in.
    """

    groups: list[GroupId] = Field(min_length=1, max_length=200)
    drop: bool = False
    move: bool = False
    note: Note = ""


class IncidentMerge(Body):
    """POST /api/v1/incidents/{number}/merge."""

    into: Number
    note: Note = ""


class IncidentSplit(Body):
    """POST /api/v1/incidents/{number}/split: these alerts become an incident of their own."""

    groups: list[GroupId] = Field(min_length=1, max_length=200)
    title: Title
    note: Note = ""


class TimelineEntry(Body):
    """POST /api/v1/incidents/{number}/notes; ``at`` is when it happened, now where it is left out."""

    note: Note
    at: datetime | None = None


class TaskOrder(Body):
    """POST /api/v1/incidents/{number}/tasks."""

    title: Title
    owner: Name = ""
    due: datetime | None = None


class TaskChange(Body):
    """POST /api/v1/incidents/{number}/tasks/{task}."""

    state: TaskState
    owner: Name | None = None
    note: Note = ""


class FilingOrder(Body):
    """POST /api/v1/incidents/{number}/filings: a report that has been given, as it was given."""

    kind: FilingKind
    to: Title
    channel: Title
    sent: datetime | None = None
    fields: dict[Annotated[str, Field(max_length=32)], Long] = Field(max_length=32)


class RuleName(Body):
    """An id with its words."""

    id: str
    name: Text


class CategoryRow(Body):
    """A category of GB/T 20986-2023 with its kinds."""

    id: str
    name: Text
    kinds: list[str]


class GradeRow(Body):
    """A grade; personal information of so many people makes it at least this one."""

    grade: Grade
    name: Text
    persons: int


class ClockKindRow(Body):
    """How soon units of a kind report, from a grade upwards."""

    id: str
    name: Text
    minutes: int
    to: Text
    grade: Grade
    source: str
    confidence: str


class FormFieldRow(Body):
    """One item of a report."""

    name: str
    title: Text
    asked: list[FilingKind]
    required: list[FilingKind]


class IncidentRulesBody(Body):
    """GET /api/v1/incidents/rules: what the console offers, with its sources."""

    source: str
    confidence: str
    categories: list[CategoryRow]
    grades: list[GradeRow]
    clocks: list[ClockKindRow]
    closing_days: int
    form: list[FormFieldRow]
    titles: dict[FilingKind, Text]
