"""Incidents (安全事件): a case with its grade, statutory clocks, tasks, reports and files. Pure.

Category and grade are those of GB/T 20986-2023, clocks those of rules/incidents/clocks.yaml. ``STEPS`` is the
whole of its states; what people do to one is in ``incident_acts``.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from compliance.incident_rules import Clocks, FilingKind
from crypto.words import Words

IncidentState = Literal["open", "handling", "handled", "closed", "dismissed", "merged"]
IncidentStep = Literal["accept", "settle", "resume", "close", "dismiss", "reopen"]
TaskState = Literal["open", "done", "dropped"]
ClockId = Literal["first", "final"]

ACTIVE: Final[frozenset[IncidentState]] = frozenset({"open", "handling", "handled"})
# From which states a step may be taken, and what it makes of the incident. Merging is an act of two.
STEPS: Final[dict[IncidentStep, tuple[frozenset[IncidentState], IncidentState]]] = {
    "accept": (frozenset({"open"}), "handling"),
    "settle": (frozenset({"open", "handling"}), "handled"),
    "resume": (frozenset({"handled"}), "handling"),
    "close": (frozenset({"handled"}), "closed"),
    "dismiss": (frozenset({"open", "handling"}), "dismissed"),
    "reopen": (frozenset({"closed", "dismissed"}), "handling"),
}
STEP_WORDS: Final[dict[IncidentStep, Words]] = {
    "accept": Words("受理", "accept"),
    "settle": Words("处置结束", "handled"),
    "resume": Words("继续处置", "resume"),
    "close": Words("结案", "close"),
    "dismiss": Words("不成立", "dismiss"),
    "reopen": Words("重新打开", "reopen"),
}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to do in an incident."""

    number: int
    title: str
    owner: str = ""
    due: datetime | None = None
    state: TaskState = "open"
    ended: datetime | None = None
    ended_by: str = ""

    def overdue(self, now: datetime) -> bool:
        """Past its time and not done."""
        return self.state == "open" and self.due is not None and now > self.due


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """One report of the chain 首报 - 续报 - 总结报告 as it was given; it never changes after."""

    number: int
    kind: FilingKind
    to: str
    channel: str
    sent: datetime
    recorded: datetime
    actor: str
    fields: dict[str, str]
    stated: "Stated"


class Stated(msgspec.Struct, frozen=True, kw_only=True):
    """What the incident was when the report was given: the head of the form."""

    title: str
    unit: str
    unit_name: str
    system: str
    system_name: str
    category: str
    kind: str
    grade: int
    discovered: datetime
    place: str = ""
    persons: int = 0
    owner: str = ""
    ended: datetime | None = None
    alerts: int = 0


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the evidence locker: sealed on disk, its SM3 in the ledger."""

    sm3: str
    name: str
    bytes: int
    time: datetime
    actor: str
    note: str = ""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident. ``judged`` is when it became one that must be reported: the first clock begins there."""

    id: int = 0
    number: str = ""
    title: str
    unit: str
    system: str = ""
    state: IncidentState = "open"
    category: str
    kind: str = ""
    grade: int
    clock: str  # kind of unit in clocks.yaml
    owner: str = ""
    discovered: datetime
    judged: datetime
    created: datetime
    created_by: str
    updated: datetime
    place: str = ""
    persons: int = 0
    summary: str = ""
    tasks: tuple[Task, ...] = ()
    filings: tuple[Filing, ...] = ()
    files: tuple[CaseFile, ...] = ()
    ended: datetime | None = None
    closed: datetime | None = None
    merged_into: str = ""
    reminded: Mapping[str, int] = {}
    revision: int = 0

    @property
    def active(self) -> bool:
        """Whether anything is still to be done."""
        return self.state in ACTIVE


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """One statutory clock of one incident; ``done`` is when the report was given."""

    id: ClockId
    to: Words
    started: datetime
    due: datetime
    done: datetime | None
    source: str
    confidence: str

    @property
    def issued(self) -> datetime:
        """As orders call the start of their time."""
        return self.started

    @property
    def deadline(self) -> datetime:
        """As orders call the end of their time."""
        return self.due

    def overdue(self, now: datetime) -> bool:
        """Given too late, or not given in time."""
        return (self.done or now) > self.due


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens to an incident; ``incident`` is how it is after it, ``at`` when it happened."""

    incident: Incident
    action: str
    note: str = ""
    at: datetime | None = None
    detail: Mapping[str, object] = {}


def reportable(grade: int, clock: str, rules: Clocks) -> bool:
    """Whether units of this kind must report an incident of this grade."""
    kind = rules.kind(clock)
    return kind is not None and grade <= kind.grade


def clocks_of(incident: Incident, rules: Clocks) -> tuple[Clock, ...]:
    """The clocks that run, or ran, for an incident. None for one that is merged or was none."""
    if incident.state in ("dismissed", "merged"):
        return ()
    found = []
    kind = rules.kind(incident.clock)
    if kind is not None and incident.grade <= kind.grade:
        found.append(
            Clock(
                id="first",
                to=Words(kind.to.zh, kind.to.en),
                started=incident.judged,
                due=incident.judged + timedelta(minutes=kind.minutes),
                done=_sent(incident, "first"),
                source=kind.source,
                confidence=kind.confidence,
            )
        )
        if incident.ended is not None and incident.grade <= rules.closing.grade:
            found.append(
                Clock(
                    id="final",
                    to=Words(kind.to.zh, kind.to.en),
                    started=incident.ended,
                    due=incident.ended + timedelta(days=rules.closing.days),
                    done=_sent(incident, "final"),
                    source=rules.closing.source,
                    confidence=rules.closing.confidence,
                )
            )
    return tuple(found)


def next_due(incident: Incident, rules: Clocks) -> datetime | None:
    """When the next report is owed; None where none is."""
    return min((clock.due for clock in clocks_of(incident, rules) if clock.done is None), default=None)


def _sent(incident: Incident, kind: FilingKind) -> datetime | None:
    return next((one.sent for one in incident.filings if one.kind == kind), None)
