"""Bodies of the sensor routes as pydantic models."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from sensors.source import SourceCondition
from soc_api.bodies import Body, Text

Place = Annotated[str, Field(max_length=64)]


class SensorRow(Body):
    """One sensor in the list: ``state`` says whether it speaks, ``standing`` whether the center listens."""

    id: str
    kind: str
    unit: str
    group: str
    host: str
    version: str
    state: Literal["online", "silent", "never"]
    standing: Literal["active", "draining", "drained", "quarantined", "revoked", "unregistered"]
    last_seen: datetime | None
    last_sequence: int
    backlog: int
    gaps: int
    certificate_ends: datetime | None
    configuration_version: int
    clock_offset_seconds: float | None


class SensorUnit(Body):
    """A unit that has sensors."""

    code: str
    name: str


class OpenToken(Body):
    """A token that could still enrol a sensor; never the token itself."""

    id: str
    unit: str
    group: str
    actor: str
    created: datetime
    expires: datetime


class SensorPage(Body):
    """GET /api/v1/sensors; ``addresses`` and ``unit`` are what enrolment proposes."""

    rows: list[SensorRow]
    units: list[SensorUnit]
    tokens: list[OpenToken]
    addresses: list[str]
    unit: str


class GapRow(Body):
    """A range of sequences a sensor could not keep; ``leaf`` is its record in the ledger."""

    event: str
    lane: str
    first: int
    last: int
    count: int
    reason: str
    time: datetime
    begins: datetime | None
    ends: datetime | None
    leaf: int | None


class SourceRow(Body):
    """One source of a sensor, and why it does not run where it doesn't."""

    name: str
    state: SourceCondition
    detail: Text


class SensorCertificate(Body):
    """The certificate a sensor is known by."""

    serial: str
    fingerprint: str
    begins: datetime
    ends: datetime


class SensorDetail(Body):
    """GET /api/v1/sensors/{sensor}; the newest gaps first, 200 at most; ``drops`` are events by reason."""

    sensor: SensorRow
    events: int
    cpu_percent: float
    rss_bytes: int
    sources: list[SourceRow]
    drops: dict[str, int]
    gaps: list[GapRow]
    certificate: SensorCertificate | None
    enrolled: datetime | None
    draining: datetime | None
    drained: datetime | None
    revoked: datetime | None
    revoked_by: str
    revoked_reason: str
    quarantined: datetime | None
    quarantine_reason: str


class TokenOrder(Body):
    """POST /api/v1/sensors/tokens; without addresses the center's own."""

    kind: Literal["host", "network"]
    unit: Place
    group: Place = ""
    addresses: list[Annotated[str, Field(min_length=1, max_length=300)]] = Field(default=[], max_length=8)
    hours: int = Field(default=24, ge=1, le=720)


class SensorToken(Body):
    """A new token: shown once, kept by nobody; ``command`` is run on the machine to be watched."""

    id: str
    token: str
    command: str
    unit: str
    group: str
    expires: datetime


class RevokeSensor(Body):
    """POST /api/v1/sensors/{sensor}/revoke: the reason is mandatory."""

    reason: str = Field(min_length=2, max_length=500)


class MoveSensor(Body):
    """POST /api/v1/sensors/{sensor}/move."""

    unit: Place
    group: Place = ""
