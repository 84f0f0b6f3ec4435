"""What the center knows of its sensors and hosts: the newest probe results, sensor health, gaps.

Pure: it reads these out of heartbeat, probe and gap events and bounds whatever a sensor may send.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal, get_args

import msgspec

from crypto.words import Words
from sensors.event import Event, Value, sequence_of
from sensors.messages import LANE_SHIFT, LANES
from sensors.source import SourceCondition

RESERVED: Final = "liuhe."  # ids under which the center itself speaks in the log; no sensor enrols as one
SILENT_SECONDS: Final = 60  # six missed heartbeats
NAME_CHARS_MAX: Final = 128
HOST_CHARS_MAX: Final = 256
RAW_CHARS_MAX: Final = 8_192
SOURCES_MAX: Final = 64
VALUES_MAX: Final = 256
LIVE_BACKLOG_MAX: Final = 5_000  # with more waiting, a heartbeat tells nothing about clocks
_DETAIL_CHARS_MAX: Final = 500
_VALUE_PREFIX: Final = "gov.probe.value."
_INT64_MAX: Final = 2**63 - 1
_CONDITIONS: Final[dict[str, SourceCondition]] = {one: one for one in get_args(SourceCondition)}
_LANE_MASK: Final = (1 << LANE_SHIFT) - 1  # an id carries lane and sequence; people count without the lane


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """One source of a sensor, and why it does not run where it doesn't."""

    name: str
    state: SourceCondition
    detail: Words


class SensorState(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor as its events and its last heartbeat show it; ``kind`` is '' before the first heartbeat."""

    sensor: str
    kind: str
    unit: str
    host: str
    version: str
    state: Literal["online", "silent"]
    last_seen: datetime
    last_epoch: int
    last_sequence: int
    backlog: int
    events: int
    cpu_percent: float
    rss_bytes: int
    sources: tuple[SourceState, ...]
    configuration_version: int = 0
    clock_offset_seconds: float | None = None
    """How far its clock is ahead of the center's, by the last heartbeat that came without delay."""
    drops: dict[str, int] = {}
    """Events it could not keep since it started, by reason."""


class ProbeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The newest answer of one probe on one host; ``error`` is '' where it could be read."""

    host: str
    probe: str
    time: datetime
    event: str
    unit: str
    sensor: str
    method: str
    raw: str
    values: dict[str, Value]
    error: str


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A range of sequences a sensor could not keep; ``event`` is the id of the event that says so.

    ``number`` counts the gaps of the center from 1, 0 before the store gave it one; ``leaf`` is its record in
    the ledger.
    """

    event: str
    sensor: str
    lane: str
    first: int
    last: int
    count: int
    reason: str
    time: datetime
    begins: datetime | None = None
    ends: datetime | None = None
    number: int = 0
    leaf: int | None = None


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """What a heartbeat event says of its sensor."""

    time: datetime
    kind: str
    host: str
    version: str
    backlog: int
    events: int
    cpu_percent: float
    rss_bytes: int
    sources: tuple[SourceState, ...]
    configuration_version: int = 0
    clock_offset_seconds: float | None = None
    drops: dict[str, int] = {}
    last_sequences: dict[str, int] = {}
    """By lane, the last sequence it had given out."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch of events tells of one sensor: it lives, and its last heartbeat if there was one."""

    sensor: str
    unit: str
    last_seen: datetime
    last_epoch: int
    last_sequence: int
    heartbeat: Heartbeat | None
    received: dict[str, tuple[int, int]] = {}
    """By lane, the last (boot epoch, sequence) of the lane that is here."""


def seen_at(event: Event) -> datetime:
    """When the center knew of it: its receive time, else the event's own."""
    return event.ingested or event.time


def sightings(events: Iterable[Event]) -> list[Sighting]:
    """One sighting per sensor, sorted by sensor."""
    newest: dict[str, tuple[datetime, tuple[int, int], str]] = {}
    lanes: dict[str, dict[str, tuple[int, int]]] = {}
    beats: dict[str, Event] = {}
    for event in events:
        if event.sensor.startswith(RESERVED):
            continue  # the center's own words in the log
        epoch, sequence = sequence_of(event.id)
        place = epoch, sequence & _LANE_MASK
        if 0 < (lane := sequence >> LANE_SHIFT) <= len(LANES):
            here = lanes.setdefault(event.sensor, {})
            here[LANES[lane - 1]] = max(here.get(LANES[lane - 1], (0, 0)), place)
        before = newest.get(event.sensor)
        if before is None:
            newest[event.sensor] = seen_at(event), place, event.unit
        else:
            newest[event.sensor] = max(before[0], seen_at(event)), max(before[1], place), event.unit
        if event.fields.get("event.dataset") == "liuhe.heartbeat":
            known = beats.get(event.sensor)
            if known is None or known.time <= event.time:
                beats[event.sensor] = event
    return [
        Sighting(
            sensor=sensor[:NAME_CHARS_MAX],
            unit=unit[:NAME_CHARS_MAX],
            last_seen=time,
            last_epoch=epoch,
            last_sequence=sequence,
            heartbeat=_heartbeat(beats[sensor]) if sensor in beats else None,
            received=lanes.get(sensor, {}),
        )
        for sensor, (time, (epoch, sequence), unit) in sorted(newest.items())
    ]


def probe_results(events: Iterable[Event]) -> list[ProbeResult]:
    """The newest result per (host, probe) among the events, sorted by them."""
    newest: dict[tuple[str, str], Event] = {}
    for event in events:
        probe = text(event, "gov.probe.id", NAME_CHARS_MAX)
        if not probe:
            continue
        place = _host(event), probe
        known = newest.get(place)
        if known is None or (known.time, known.id) < (event.time, event.id):
            newest[place] = event
    return [_probe_result(host, probe, event) for (host, probe), event in sorted(newest.items())]


def gaps(events: Iterable[Event]) -> list[Gap]:
    """The gap events among the events, each once."""
    found: dict[str, Gap] = {}
    for event in events:
        if event.fields.get("event.dataset") == "liuhe.gap":
            found[event.id] = Gap(
                event=event.id,
                sensor=event.sensor[:NAME_CHARS_MAX],
                lane=text(event, "gov.gap.lane", 32),
                first=integer(event, "gov.gap.first"),
                last=integer(event, "gov.gap.last"),
                count=integer(event, "gov.gap.count"),
                reason=text(event, "gov.gap.reason", _DETAIL_CHARS_MAX),
                time=event.time,
                begins=_moment(event, "gov.gap.from"),
                ends=_moment(event, "gov.gap.to"),
            )
    return list(found.values())


def text(event: Event, name: str, chars_max: int) -> str:
    """A field as bounded text; '' where absent or not text."""
    value = event.fields.get(name)
    return value[:chars_max] if isinstance(value, str) else ""


def integer(event: Event, name: str) -> int:
    """A field as a non-negative 64-bit integer; 0 where absent or not one."""
    value = event.fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return max(0, min(value, _INT64_MAX))


def _moment(event: Event, name: str) -> datetime | None:
    """A field as an aware time; None where absent or not one."""
    try:
        found = datetime.fromisoformat(text(event, name, 64))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _number(event: Event, name: str) -> float:
    value = event.fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    number = float(value)
    return number if 0.0 <= number < 1e9 else 0.0


def _host(event: Event) -> str:
    named = text(event, "host.name", HOST_CHARS_MAX) or text(event, "observer.name", HOST_CHARS_MAX)
    return named or event.sensor[:HOST_CHARS_MAX]


def _heartbeat(event: Event) -> Heartbeat:
    return Heartbeat(
        time=event.time,
        kind=text(event, "gov.sensor.kind", 32),
        host=_host(event),
        version=text(event, "gov.sensor.version", 64),
        backlog=integer(event, "gov.sensor.backlog"),
        events=integer(event, "gov.sensor.events"),
        cpu_percent=_number(event, "gov.sensor.cpu_percent"),
        rss_bytes=integer(event, "gov.sensor.rss_bytes"),
        sources=_sources(event),
        configuration_version=integer(event, "gov.sensor.configuration"),
        clock_offset_seconds=clock_offset(event),
        drops=_counted(event, "gov.sensor.drops"),
        last_sequences={
            lane: count
            for lane, count in _counted(event, "gov.sensor.last_sequence").items()
            if lane in LANES
        },
    )


def clock_offset(event: Event) -> float | None:
    """Seconds a heartbeat's clock was ahead of the center's; None where it may have waited on its way."""
    live = event.fields.get("gov.sensor.connected") is True
    if event.ingested is None or not live or integer(event, "gov.sensor.backlog") > LIVE_BACKLOG_MAX:
        return None
    return round((event.time - event.ingested).total_seconds(), 3)


def _counted(event: Event, name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in _lines(event, name):
        reason, _, count = line.rpartition("=")
        if count.isascii() and count.isdigit() and len(count) < 19:
            found[reason[:NAME_CHARS_MAX]] = int(count)
    return found


def _sources(event: Event) -> tuple[SourceState, ...]:
    details: dict[str, Words] = {}
    for line in _lines(event, "gov.sensor.source_details"):
        name, _, said = line.partition("=")
        zh, split, en = said.partition("|")
        details[name] = Words(zh, en if split else zh)
    found: list[SourceState] = []
    for line in _lines(event, "gov.sensor.sources"):
        name, _, state = line.rpartition("=")
        known = _CONDITIONS.get(state, "failed")  # a word of a newer sensor is nothing good
        found.append(SourceState(name=name, state=known, detail=details.get(name, Words("", ""))))
    return tuple(found)


def _lines(event: Event, name: str) -> list[str]:
    value = event.fields.get(name)
    if not isinstance(value, list):
        return []
    return [line[:_DETAIL_CHARS_MAX] for line in value[:SOURCES_MAX] if isinstance(line, str)]


def _probe_result(host: str, probe: str, event: Event) -> ProbeResult:
    values = {
        name[len(_VALUE_PREFIX) :]: value
        for name, value in event.fields.items()
        if name.startswith(_VALUE_PREFIX)
    }
    return ProbeResult(
        host=host,
        probe=probe,
        time=event.time,
        event=event.id,
        unit=event.unit[:NAME_CHARS_MAX],
        sensor=event.sensor[:NAME_CHARS_MAX],
        method=text(event, "gov.probe.method", RAW_CHARS_MAX),
        raw=text(event, "gov.probe.raw", RAW_CHARS_MAX),
        values=dict(list(values.items())[:VALUES_MAX]),
        error=text(event, "gov.probe.error", _DETAIL_CHARS_MAX),
    )
