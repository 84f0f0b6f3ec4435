"""Bodies of what stands beside an alert: precedents, related alerts and events, playbooks."""

from datetime import datetime

from pydantic import ConfigDict, Field

from soc_api.bodies import AlertState, Body, Severity, Text


class BesideRow(Body):
    """Another alert group, briefly; ``closed`` and ``closed_by`` where somebody judged it."""

    id: str
    rule: str
    title: Text
    severity: Severity
    entity: str
    unit: str
    count: int
    first_seen: datetime
    last_seen: datetime
    state: AlertState
    owner: str
    classification: str
    close_reason: str
    closed: datetime | None = None
    closed_by: str = ""


class PrecedentPage(Body):
    """GET /api/v1/alerts/{group}/precedents: closed groups of the same rule within one's units."""

    same: list[BesideRow]
    others: list[BesideRow]
    judged: dict[str, int]


class ProcessRow(Body):
    """A process; ``place`` below 0 is an ancestor, 0 the one of the alert, 1 a child of it."""

    place: int
    event: str
    time: datetime
    pid: str
    executable: str
    command_line: str
    user: str


class SessionEvent(Body):
    """An event of the same session or flow."""

    event: str
    time: datetime
    dataset: str
    summary: str


class RelatedPage(Body):
    """GET /api/v1/alerts/{group}/related."""

    groups: list[BesideRow]
    processes: list[ProcessRow]
    session_field: str
    session_value: str
    session: list[SessionEvent]


class PlaybookStep(Body):
    """One step; ``done`` with who and when, where somebody marked it."""

    id: str
    text: Text
    done: bool = False
    time: datetime | None = None
    actor: str = ""


class PlaybookRow(Body):
    """One playbook."""

    id: str
    title: Text
    steps: list[PlaybookStep]
    rules: list[str]


class PlaybookPage(Body):
    """GET /api/v1/playbooks."""

    rows: list[PlaybookRow]


class GroupPlaybook(Body):
    """GET /api/v1/alerts/{group}/playbook; null where there is none for the rule."""

    playbook: PlaybookRow | None
    done: int
    total: int


class PlaybookMark(Body):
    """POST /api/v1/alerts/{group}/playbook: a step is done, or is not after all."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"step": "0123456789abcdef", "done": True}]}
    )

    step: str = Field(pattern=r"^[0-9a-f]{16}$")
    done: bool
