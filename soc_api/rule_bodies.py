"""Bodies of the rule routes as pydantic models."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from soc_api.bodies import AlertState, Body, Severity, Text

EVENT_CHARS_MAX = 256 * 1024


class RuleSource(Body):
    """Sigma's three words for a log source; '' is not said."""

    product: str
    category: str
    service: str


class RuleRow(Body):
    """One rule or correlation; hits are alerts of the page's days, ``judged`` closed groups by judgement."""

    id: str
    kind: Literal["rule", "correlation"]
    title: Text
    level: Severity
    status: str
    attack: list[str]
    clauses: list[str]
    logsource: RuleSource
    correlation: str
    state: Literal["enabled", "disabled", "waiting"]
    needs: list[str]
    silent: bool
    last_hit: datetime | None
    hits: int
    judged: dict[str, int]
    precision: float | None
    cost_nanoseconds: float | None
    cost_events: int


class RuleError(Body):
    """A rule file that cannot be used, and why."""

    place: str
    code: str
    message: Text
    fix: Text


class UnroutedRow(Body):
    """Events of one log source that no rule was asked about."""

    product: str
    category: str
    service: str
    events: int


class CorrelationCounters(Body):
    """What the correlations hold, and what was not taken or was forgotten."""

    keys: int
    bytes: int
    late: int
    unkeyed: int
    uncounted: int
    evicted: int
    hurried: int
    trimmed: int
    unshown: int


class RulePipeline(Body):
    """What the pipeline says of the rules it runs."""

    time: datetime
    started: datetime
    applied: int
    rules: int
    correlations: int
    events: int
    unknown_to_all: bool
    unrouted_events: int
    unrouted: list[UnroutedRow]
    counters: CorrelationCounters


class RulePage(Body):
    """GET /api/v1/rules; decisions are in force once ``pipeline.applied`` has reached ``decided``."""

    rows: list[RuleRow]
    errors: list[RuleError]
    days: int
    decided: int
    pipeline: RulePipeline | None


class RuleName(Body):
    """A rule that another one speaks of."""

    id: str
    title: Text


class RulePast(Body):
    """One line of a rule's history."""

    time: datetime
    kind: Literal["loaded", "removed", "enabled", "disabled"]
    digest: str
    actor: str
    reason: str


class RuleHit(Body):
    """An alert group the rule opened."""

    group: str
    entity: str
    severity: Severity
    count: int
    last_seen: datetime
    state: AlertState
    classification: str


class RuleDetail(Body):
    """GET /api/v1/rules/{rule}; history and hits newest first."""

    rule: RuleRow
    description: Text
    author: str
    references: list[str]
    falsepositives: list[str]
    place: str
    digest: str
    text: str
    watches: list[RuleName]
    watched_by: list[RuleName]
    history: list[RulePast]
    hits: list[RuleHit]


class RuleDecision(Body):
    """POST /api/v1/rules/{rule}/enable and /disable: the reason is mandatory."""

    reason: str = Field(min_length=2, max_length=500)


class RuleTrialOrder(Body):
    """POST /api/v1/rules/{rule}/test: one JSON object as text."""

    event: str = Field(min_length=2, max_length=EVENT_CHARS_MAX)


class RuleSelection(Body):
    """One selection of a rule, and whether the event satisfies it."""

    name: str
    holds: bool


class RuleMatch(Body):
    """A field that made the verdict."""

    field: str
    value: Any
    selection: str


class RuleVerdict(Body):
    """What one rule says of an event: the verdict asks for its log source and its condition."""

    id: str
    title: Text
    logsource: RuleSource
    routed: bool
    holds: bool
    verdict: bool
    selections: list[RuleSelection]
    matched: list[RuleMatch]


class RuleTrial(Body):
    """How the event was read, and what the rule, or each rule the correlation watches, says of it."""

    time: datetime
    logsource: RuleSource
    fields: dict[str, Any]
    rules: list[RuleVerdict]
