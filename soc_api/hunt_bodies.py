"""Bodies of the hunt routes as pydantic models."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from soc_api.bodies import Body, EventRow, Text

VIEW_CHARS_MAX = 8_192


class FieldValue(Body):
    """A value and how many events have it."""

    value: str
    count: int


class HuntField(Body):
    """A field of the newest events that match: in how many of them, and its most frequent values."""

    name: str
    zh: str
    en: str
    events: int
    values: list[FieldValue]


class HuntProgress(Body):
    """One line of GET /api/v1/hunt/events: what is known so far; the next line replaces it.

    ``events`` and ``fields`` are null where they are as on the line before. ``counts`` go by slots of
    ``step_seconds`` from ``since`` and are complete back to ``reached``.
    """

    events: list[EventRow] | None
    fields: list[HuntField] | None
    sampled: int
    matched: int
    counts: list[int]
    since: datetime
    until: datetime
    step_seconds: float
    reached: datetime
    files: int
    files_all: int
    done: bool
    stopped: bool
    next: str
    findings: list[Text]


class ValuePage(Body):
    """GET /api/v1/hunt/values: all values of a field in the range, folded as they are compared."""

    field: str
    matched: int
    rows: list[FieldValue]
    more: bool
    stopped: bool


class CompletionItem(Body):
    """One thing to choose."""

    insert: str
    kind: Literal["field", "alias", "operator", "value", "connective"]
    zh: str
    en: str
    field: str
    count: int


class CompletionPage(Body):
    """GET /api/v1/hunt/complete: what is chosen replaces the characters from ``start`` to ``end``."""

    start: int
    end: int
    expects: Literal["field", "operator", "value", "connective"]
    items: list[CompletionItem]


class HuntViewOrder(Body):
    """POST /api/v1/hunt/views; ``shared``: with everybody of one's own role and unit."""

    name: str = Field(min_length=1, max_length=64)
    settings: dict[str, str] = Field(max_length=16)
    shared: bool = False


class HuntViewRow(Body):
    """A saved view; ``own``: by oneself."""

    id: int
    name: str
    owner: str
    shared: bool
    own: bool
    settings: dict[str, str]
    time: datetime


class HuntViewPage(Body):
    """GET /api/v1/hunt/views: one's own and those shared with one's role and unit."""

    rows: list[HuntViewRow]


class RuleDraftOrder(Body):
    """POST /api/v1/hunt/drafts: the query as a rule; the log source is that of the newest events it finds."""

    q: str = Field(min_length=1, max_length=4_096)
    title: str = Field(min_length=2, max_length=120)
    level: Literal["informational", "low", "medium", "high", "critical"] = "medium"
    since: datetime
    until: datetime


class RuleDraftRow(Body):
    """A draft of a rule: nothing runs until a security administrator, another person, has accepted it."""

    id: int
    rule: str
    title: str
    text: str
    author: str
    unit: str
    time: datetime
    state: Literal["draft", "accepted", "refused"]
    decider: str
    reason: str
    decided: datetime | None


class RuleDraftPage(Body):
    """GET /api/v1/rules-drafts, the newest first."""

    rows: list[RuleDraftRow]


class RuleDraftDecision(Body):
    """POST /api/v1/rules-drafts/{draft}/accept and /refuse: the reason is mandatory."""

    reason: str = Field(min_length=2, max_length=500)
