"""Bodies of gates: decisions, overrides and the release switch."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from soc_api.bodies import Body, Text, Verdict
from soc_api.enforcement_bodies import Gate, SystemId


class GroundRow(Body):
    """One check that stands against it, or would."""

    check: str
    state: Literal["failed", "unknown", "grace", "overridden"]
    verdict: Verdict
    reason: Text
    leaf: int | None
    since: datetime | None
    until: datetime | None


class DecisionRow(Body):
    """An answer of a gate; ``id`` is 0 where it was only looked at, ``leaf`` comes within seconds."""

    id: int
    gate: Gate
    system: str
    action: str
    about: str
    decider: str
    time: datetime
    allowed: bool
    ruling: Literal["checks", "grace", "override", "release"]
    grounds: list[GroundRow]
    reason: Text
    rules: str
    evidence: list[int]
    override: int | None
    release: int | None
    leaf: int | None


class DecisionPage(Body):
    """GET /api/v1/gates/decisions; ``next`` is 0 at the end."""

    rows: list[DecisionRow]
    next: int


class GateAsk(Body):
    """POST /api/v1/gates/{gate}/ask."""

    system: SystemId = ""
    about: str = Field(min_length=1, max_length=200)


class OverrideOrder(Body):
    """POST /api/v1/gates/overrides."""

    gate: Gate
    system: SystemId = ""
    checks: list[Annotated[str, Field(max_length=16)]] = Field(min_length=1, max_length=74)
    reason: str = Field(min_length=4, max_length=1000)
    hours: int = Field(ge=1, le=72)


class OverrideDecision(Body):
    """POST /api/v1/gates/overrides/{id}/decide."""

    approve: bool


class OverrideRow(Body):
    """Two people of different roles let a gate pass over named checks."""

    id: int
    gate: Gate
    system: str
    checks: list[str]
    reason: str
    state: Literal["asked", "approved", "refused", "ended"]
    asked_by: str
    asked_role: str
    asked: datetime
    expires: datetime
    decided_by: str
    decided_role: str
    decided: datetime | None


class ReleaseOrder(Body):
    """POST /api/v1/gates/release; ``hours`` 0 closes the gates again."""

    reason: str = Field(min_length=4, max_length=1000)
    hours: int = Field(ge=0, le=72)


class ReleaseRow(Body):
    """The switch that opens every gate of the center."""

    id: int
    released: bool
    time: datetime
    until: datetime
    actor: str
    reason: str


class GatePage(Body):
    """GET /api/v1/gates: what each gate would say of a system now, overrides and the switch.

    ``fail_closed`` lists the checks of each gate no override passes over.
    """

    gates: list[DecisionRow]
    fail_closed: dict[Gate, list[str]]
    overrides: list[OverrideRow]
    release: ReleaseRow | None
    released: bool
