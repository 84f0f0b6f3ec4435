"""What the routes ask of the register of sensors: ``SensorPort`` and the values it returns.

Every value has exactly the attributes of the body of the same name in sensor_bodies.py, so a route
translates it by reading its attributes. Nothing here imports FastAPI or pydantic.
"""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from crypto.words import Words
from sensors.source import SourceCondition

# Whether it speaks, and whether the center listens: two different questions.
Condition = Literal["online", "silent", "never"]
Standing = Literal["active", "draining", "drained", "quarantined", "revoked", "unregistered"]


class SensorRowValue(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor in the list."""

    id: str
    kind: str
    unit: str
    group: str
    host: str
    version: str
    state: Condition
    standing: Standing
    last_seen: datetime | None
    last_sequence: int
    backlog: int
    gaps: int
    certificate_ends: datetime | None
    configuration_version: int
    clock_offset_seconds: float | None


class UnitValue(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that has sensors; ``code`` may be a path such as ``province/city``."""

    code: str
    name: str


class OpenTokenValue(msgspec.Struct, frozen=True, kw_only=True):
    """A token that could still enrol a sensor; the token itself is known to nobody here."""

    id: str
    unit: str
    group: str
    actor: str
    created: datetime
    expires: datetime


class SensorPageValue(msgspec.Struct, frozen=True, kw_only=True):
    """All sensors, the units they belong to, and what enrolment starts from."""

    rows: tuple[SensorRowValue, ...]
    units: tuple[UnitValue, ...]
    tokens: tuple[OpenTokenValue, ...]
    addresses: tuple[str, ...]
    unit: str


class GapValue(msgspec.Struct, frozen=True, kw_only=True):
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


class SourceValue(msgspec.Struct, frozen=True, kw_only=True):
    """One source of a sensor, and why it does not run where it doesn't."""

    name: str
    state: SourceCondition
    detail: Words


class CertificateValue(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate a sensor is known by."""

    serial: str
    fingerprint: str
    begins: datetime
    ends: datetime


class SensorDetailValue(msgspec.Struct, frozen=True, kw_only=True):
    """One sensor with its sources, its gaps and what was decided about it; ``drops`` are events by reason."""

    sensor: SensorRowValue
    events: int
    cpu_percent: float
    rss_bytes: int
    sources: tuple[SourceValue, ...]
    drops: dict[str, int]
    gaps: tuple[GapValue, ...]
    certificate: CertificateValue | None
    enrolled: datetime | None
    draining: datetime | None
    drained: datetime | None
    revoked: datetime | None
    revoked_by: str
    revoked_reason: str
    quarantined: datetime | None
    quarantine_reason: str


class TokenAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which token somebody wants."""

    kind: Literal["host", "network"]
    unit: str
    group: str
    addresses: tuple[str, ...]
    hours: int


class TokenValue(msgspec.Struct, frozen=True, kw_only=True):
    """A new token, seen this once, and the command that uses it."""

    id: str
    token: str
    command: str
    unit: str
    group: str
    expires: datetime


class SensorPort(Protocol):
    """The register as the routes see it. Acts raise Refused (sensor-not-found) or BadInput."""

    def page(self, now: datetime) -> SensorPageValue:
        """Every sensor that was ever enrolled or heard of, by id."""
        ...

    def detail(self, sensor: str, now: datetime) -> SensorDetailValue:
        """One of them."""
        ...

    def counts(self, now: datetime, units: frozenset[str] | None = None) -> tuple[int, int]:
        """How many of the sensors in use of ``units`` are online, and how many there are."""
        ...

    def give_token(self, ask: TokenAsk, actor: str, now: datetime) -> TokenValue:
        """A one-time token for one sensor."""
        ...

    def withdraw(self, token: str, now: datetime) -> None:
        """Let an open token enrol nobody. Raises Refused (token-not-found)."""
        ...

    def revoke(self, sensor: str, reason: str, actor: str, now: datetime) -> SensorRowValue:
        """Refuse its certificate from now on."""
        ...

    def move(self, sensor: str, unit: str, group: str, actor: str, now: datetime) -> SensorRowValue:
        """Let its events belong to another unit from now on."""
        ...

    def drain(self, sensor: str, now: datetime) -> SensorRowValue:
        """Take what it still has, and nothing after it."""
        ...

    def resume(self, sensor: str, now: datetime) -> SensorRowValue:
        """Take everything again."""
        ...
