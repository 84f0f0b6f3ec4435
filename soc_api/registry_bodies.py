"""Bodies of the registry's routes: units, systems, assets, objects, people, tasks, coverage, imports."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from compliance.grading_process import Step
from compliance.registry import AssetKind, Duty, Extension, ObjectKind, Stage, UnitKind
from compliance.registry_sheet import SheetName
from soc_api.bodies import Body, Text

Name = Field(min_length=1, max_length=200)
Short = Field(default="", max_length=200)
Long = Field(default="", max_length=2000)


class UnitRow(Body):
    """One unit; rows of a page come each after the one above it."""

    code: str
    name: str
    parent: str | None
    kind: UnitKind
    retired: bool


class UnitPage(Body):
    """GET /api/v1/units: the account's part of the tree."""

    own: str
    rows: list[UnitRow]


class UnitOrder(Body):
    """PUT /api/v1/units/{unit}."""

    name: str = Name
    parent: str | None = Field(default=None, max_length=64)
    kind: UnitKind = "institution"
    retired: bool = False


class SystemRow(Body):
    """A graded system 定级对象; dates that are not known are null."""

    id: str
    unit: str
    name: str
    level: int
    grade: str
    extensions: list[Extension]
    stage: Stage
    owner: str
    note: str
    internet: bool
    critical: bool
    launched: date | None
    filing_number: str
    filed: date | None
    filing_expires: date | None
    assessed: date | None
    assessment_due: date | None
    crypto_assessed: date | None
    crypto_due: date | None
    revision: int


class SystemPage(Body):
    """GET /api/v1/systems."""

    rows: list[SystemRow]


class SystemOrder(Body):
    """PUT /api/v1/systems/{system}: ``revision`` 0 for a new one, else that of the row that was changed.

    ``grade`` counts for a new one; later it changes by a grading step. A state-secret system is refused.
    """

    unit: str = Field(min_length=1, max_length=64)
    name: str = Name
    grade: str = Field(pattern=r"^S[1-4]A[1-4]G[1-4]$")
    extensions: list[Extension] = Field(default=[], max_length=4)
    owner: str = Short
    note: str = Long
    internet: bool = False
    critical: bool = False
    launched: date | None = None
    state_secret: bool = False
    revision: int = Field(default=0, ge=0)


class StepRow(Body):
    """A step that may be taken now."""

    step: Step
    name: Text


class MilestoneRow(Body):
    """A step that was taken."""

    number: int
    step: Step
    day: date
    stage: Stage
    document: str
    authority: str
    conclusion: str
    valid_until: date | None
    note: str
    actor: str
    recorded: datetime


class StepOrder(Body):
    """POST /api/v1/systems/{system}/steps."""

    step: Step
    day: date
    document: str = Short
    authority: str = Short
    conclusion: str = Short
    valid_until: date | None = None
    note: str = Long
    grade: str = Field(default="", pattern=r"^(S[1-4]A[1-4]G[1-4])?$")


class AssetRow(Body):
    """An asset of a system."""

    number: int
    system: str
    name: str
    kind: AssetKind
    address: str
    owner: str
    location: str
    model: str
    origin: Literal["entered", "sensor", "import"]
    found: datetime
    retired: bool


class AssetOrder(Body):
    """POST /api/v1/systems/{system}/assets: ``number`` 0 adds one, else changes that one."""

    number: int = Field(default=0, ge=0)
    name: str = Name
    kind: AssetKind = "host"
    address: str = Short
    owner: str = Short
    location: str = Short
    model: str = Short
    retired: bool = False


class ObjectRow(Body):
    """An assessment object 测评对象."""

    id: str
    kind: ObjectKind
    name: str
    asset: int | None
    note: str
    retired: bool


class ObjectOrder(Body):
    """POST /api/v1/systems/{system}/objects: adds one, or changes note and use of the one of that name."""

    kind: ObjectKind
    name: str = Field(min_length=1, max_length=120)
    note: str = Short
    retired: bool = False


class ContactRow(Body):
    """A person who answers for a unit or one of its systems."""

    number: int
    unit: str
    system: str
    duty: Duty
    name: str
    phone: str
    email: str


class ContactOrder(Body):
    """POST /api/v1/units/{unit}/contacts: ``number`` 0 adds one, else changes that one."""

    number: int = Field(default=0, ge=0)
    system: str = Field(default="", max_length=64)
    duty: Duty
    name: str = Name
    phone: str = Short
    email: str = Short


class ContactPage(Body):
    """GET /api/v1/units/{unit}/contacts."""

    rows: list[ContactRow]


class ChangeRow(Body):
    """One change of an entry, newest first; ``body`` is the entry after it."""

    number: int
    time: datetime
    actor: str
    action: str
    body: dict[str, Any]


class SystemDetail(Body):
    """GET /api/v1/systems/{system}."""

    system: SystemRow
    path: list[UnitRow]
    steps: list[StepRow]
    milestones: list[MilestoneRow]
    assets: list[AssetRow]
    objects: list[ObjectRow]
    contacts: list[ContactRow]
    history: list[ChangeRow]


class TaskRow(Body):
    """Something a person must do to the registry."""

    number: int
    kind: str
    key: str
    unit: str
    system: str
    what: Text
    opened: datetime
    due: date | None
    state: Literal["open", "done", "dismissed"]
    closed: datetime | None
    actor: str
    reason: str


class TaskPage(Body):
    """GET /api/v1/registry/tasks, most urgent first."""

    rows: list[TaskRow]


class TaskDismissal(Body):
    """POST /api/v1/registry/tasks/{task}/dismiss."""

    reason: str = Field(min_length=4, max_length=500)


class SensorCountBody(Body):
    """Sensors of a unit and of those below it."""

    total: int
    online: int


class UnitCoverageRow(Body):
    """How far the center sees a unit, those below it included."""

    unit: str
    name: str
    parent: str | None
    kind: UnitKind
    sensors: SensorCountBody
    systems: int
    systems_covered: int
    assets: int
    assets_seen: int
    unregistered: int
    orders_open: int
    tasks_open: int


class SystemCoverageRow(Body):
    """How far the center sees a graded system."""

    system: str
    name: str
    unit: str
    grade: str
    stage: Stage
    assets: int
    assets_seen: int
    checks: int
    checks_fresh: int
    orders_open: int
    tasks_open: int
    newest: datetime | None
    covered: bool


class CoveragePage(Body):
    """GET /api/v1/registry/coverage."""

    units: list[UnitCoverageRow]
    systems: list[SystemCoverageRow]


class RowErrorBody(Body):
    """What is wrong with one row; its head is row 1."""

    sheet: SheetName
    row: int
    column: str
    what: Text
    fix: Text


class ImportResult(Body):
    """POST /api/v1/registry/import: rows per sheet; with any error nothing was changed."""

    dry_run: bool
    done: bool
    added: dict[SheetName, int]
    changed: dict[SheetName, int]
    same: dict[SheetName, int]
    errors: list[RowErrorBody]
