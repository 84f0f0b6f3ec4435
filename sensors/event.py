"""The Event: one observed fact, in ECS terms, with the source's own names beside it.

JSON form: one object a line (NDJSON), documented field by field in docs/reference/event.md.
Field names follow the Elastic Common Schema 9 plus our own ``gov.*``; native names follow what Sigma rules
of that log source use (Sysmon-for-Linux, auditd, Zeek).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from crypto.words import BadInput, Words

Scalar = str | int | float | bool | None
Value = Scalar | list[Scalar]

EVENT_BYTES_MAX: Final = 256 * 1024  # one event as JSON; larger is a broken or hostile source
FIELDS_MAX: Final = 2_000  # names in ``fields`` and in ``native``, each
_ID_CHARS: Final = 40


class LogSource(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which source speaks, in Sigma's three words; '' means not said."""

    product: str = ""
    category: str = ""
    service: str = ""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a source saw, before the spool gives it identity; ``time`` is aware UTC."""

    time: datetime
    logsource: LogSource
    fields: dict[str, Value]
    native: dict[str, Value] = {}
    lane: str = "bulk"  # spool lane: "alerts" > "flows" > "bulk"


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A fact with identity. Constructed only by ``stamp`` and ``decode``; times are aware UTC."""

    id: str
    time: datetime
    unit: str
    sensor: str
    logsource: LogSource
    fields: dict[str, Value]
    native: dict[str, Value] = {}
    ingested: datetime | None = None


_decoder: Final = msgspec.json.Decoder(Event)
_encoder: Final = msgspec.json.Encoder()


def event_id(time: datetime, sensor: str, epoch: int, sequence: int) -> str:
    """40 hex digits that sort by time: ms (12), sensor digest (8), boot epoch (8), sequence (12)."""
    milliseconds = int(time.timestamp() * 1000)
    return f"{milliseconds:012x}{_digest_of(sensor)}{epoch:08x}{sequence:012x}"


@lru_cache(maxsize=64)
def _digest_of(sensor: str) -> str:
    return sha256(sensor.encode()).hexdigest()[:8]


def sequence_of(identifier: str) -> tuple[int, int]:
    """(boot epoch, sequence) an event id carries. Raises ValueError where it is not an event id."""
    if len(identifier) != _ID_CHARS:
        raise ValueError(identifier)
    return int(identifier[20:28], 16), int(identifier[28:], 16)


def stamp(seen: Observation, *, unit: str, sensor: str, epoch: int, sequence: int) -> Event:
    """Give an observation its identity; same arguments, same event."""
    return Event(
        id=event_id(seen.time, sensor, epoch, sequence),
        time=seen.time.astimezone(UTC),
        unit=unit,
        sensor=sensor,
        logsource=seen.logsource,
        fields=seen.fields,
        native=seen.native,
    )


def encode(event: Event) -> bytes:
    """The event as one line of JSON, without the newline."""
    return _encoder.encode(event)


def decode(line: bytes | memoryview) -> Event:
    """One line of JSON as an Event. Raises BadInput naming the field at fault."""
    if len(line) > EVENT_BYTES_MAX:
        raise _bad(f"{len(line)} bytes > {EVENT_BYTES_MAX}", "event")
    try:
        event = _decoder.decode(line)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(str(error), _path_in(str(error))) from error
    _check(event)
    return event


def _check(event: Event) -> None:
    try:
        sequence_of(event.id)
    except ValueError:
        raise _bad("not an event id (40 hex digits)", "id") from None
    if event.time.tzinfo is None:
        raise _bad("time has no zone; write RFC 3339 with Z", "time")
    for name, table in (("fields", event.fields), ("native", event.native)):
        if len(table) > FIELDS_MAX:
            raise _bad(f"{len(table)} names > {FIELDS_MAX}", name)


def _path_in(message: str) -> str:
    marker = "`$."
    start = message.find(marker)
    return message[start + len(marker) :].rstrip("`") if start >= 0 else "event"


def _bad(reason: str, field: str) -> BadInput:
    return BadInput(
        "event-malformed",
        Words(f"事件不合格式:{reason}", f"malformed event: {reason}"),
        Words("请按 docs/reference/event.md 改正该字段", "correct that field, see docs/reference/event.md"),
        field=field,
    )


def lookup(event: Event, name: str) -> tuple[bool, Value]:
    """(present, value) of a field by the source's own name first, then by its ECS name."""
    table: Mapping[str, Value] = event.native if name in event.native else event.fields
    return (True, table[name]) if name in table else (False, None)
