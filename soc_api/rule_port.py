"""What the routes ask of the rules: ``RulePort`` and the values it returns.

Every value has exactly the attributes of the body of the same name in rule_bodies.py, so a route translates
it by reading its attributes. Nothing here imports FastAPI or pydantic.
"""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from crypto.words import Words
from detection.alert import Severity
from sensors.event import Value

Kind = Literal["rule", "correlation"]
State = Literal["enabled", "disabled", "waiting"]  # waiting: enabled, but lists it asks for are missing


class LogSourceValue(msgspec.Struct, frozen=True, kw_only=True):
    """Sigma's three words for a log source."""

    product: str = ""
    category: str = ""
    service: str = ""


class RuleRowValue(msgspec.Struct, frozen=True, kw_only=True):
    """One rule or correlation in the list; ``silent`` ones only feed correlations."""

    id: str
    kind: Kind
    title: Words
    level: Severity
    status: str
    attack: tuple[str, ...]
    clauses: tuple[str, ...]
    logsource: LogSourceValue
    correlation: str  # its type; '' for a rule
    state: State
    needs: tuple[str, ...]
    silent: bool
    last_hit: datetime | None
    hits: int
    judged: dict[str, int]
    precision: float | None
    cost_nanoseconds: float | None
    cost_events: int


class RuleErrorValue(msgspec.Struct, frozen=True, kw_only=True):
    """A rule file that cannot be used, and why."""

    place: str
    code: str
    message: Words
    fix: Words


class UnroutedValue(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one log source that no rule was asked about."""

    product: str
    category: str
    service: str
    events: int


class CountersValue(msgspec.Struct, frozen=True, kw_only=True):
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


class PipelineValue(msgspec.Struct, frozen=True, kw_only=True):
    """What the pipeline says: ``applied`` is the revision of decisions in force."""

    time: datetime
    started: datetime
    applied: int
    rules: int
    correlations: int
    events: int
    unknown_to_all: bool
    unrouted_events: int
    unrouted: tuple[UnroutedValue, ...]
    counters: CountersValue


class RulePageValue(msgspec.Struct, frozen=True, kw_only=True):
    """All rules and correlations; ``decided`` is the newest revision of decisions."""

    rows: tuple[RuleRowValue, ...]
    errors: tuple[RuleErrorValue, ...]
    days: int
    decided: int
    pipeline: PipelineValue | None


class RuleNameValue(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that another one speaks of."""

    id: str
    title: Words


class RulePastValue(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a rule's history."""

    time: datetime
    kind: Literal["loaded", "removed", "enabled", "disabled"]
    digest: str
    actor: str
    reason: str


class RuleHitValue(msgspec.Struct, frozen=True, kw_only=True):
    """An alert group the rule opened."""

    group: str
    entity: str
    severity: Severity
    count: int
    last_seen: datetime
    state: Literal["new", "acknowledged", "closed"]
    classification: str


class RuleDetailValue(msgspec.Struct, frozen=True, kw_only=True):
    """One rule; ``text`` is empty where the file is no longer the one that was loaded."""

    rule: RuleRowValue
    description: Words
    author: str
    references: tuple[str, ...]
    falsepositives: tuple[str, ...]
    place: str
    digest: str
    text: str
    watches: tuple[RuleNameValue, ...]
    watched_by: tuple[RuleNameValue, ...]
    history: tuple[RulePastValue, ...]
    hits: tuple[RuleHitValue, ...]


class SelectionValue(msgspec.Struct, frozen=True, kw_only=True):
    """One selection of a rule, and whether the event satisfies it."""

    name: str
    holds: bool


class MatchedValue(msgspec.Struct, frozen=True, kw_only=True):
    """A field that made the verdict, by ``explain``."""

    field: str
    value: Value
    selection: str


class VerdictValue(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says of an event: the ``verdict`` asks for both its log source and its condition."""

    id: str
    title: Words
    logsource: LogSourceValue
    routed: bool
    holds: bool
    verdict: bool
    selections: tuple[SelectionValue, ...]
    matched: tuple[MatchedValue, ...]


class TrialValue(msgspec.Struct, frozen=True, kw_only=True):
    """How an event was read, and what the rule, or each rule the correlation watches, says of it."""

    time: datetime
    logsource: LogSourceValue
    fields: dict[str, Value]
    rules: tuple[VerdictValue, ...]


Units = frozenset[str] | None  # None: all of them


class RulePort(Protocol):
    """The rules as the routes see them. All but ``page`` raise Refused (rule-not-found)."""

    def page(self, now: datetime, units: Units = None) -> RulePageValue:
        """Every rule and correlation with its hits in ``units``, and how the pipeline does with them."""
        ...

    def detail(self, rule: str, now: datetime, units: Units = None) -> RuleDetailValue:
        """One of them."""
        ...

    def decide(self, rule: str, enabled: bool, reason: str, actor: str, now: datetime) -> RuleRowValue:
        """Switch it on or off. Raises Refused (rule-state), BadInput (rule-reason)."""
        ...

    def trial(self, rule: str, event: str) -> TrialValue:
        """What it says of a pasted event. Raises BadInput (event-unreadable)."""
        ...

    def revision(self) -> int:
        """Grows with every decision, new version and report of the pipeline."""
        ...
