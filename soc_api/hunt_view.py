"""What the hunt page shows: lines of progress, fields with their top values, rows of an export. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from crypto.words import BadInput, Words
from detection.facts import Facts, texts_of
from detection.query.fields import Fields, shipped_fields
from detection.store.survey import Place, Progress, Question
from sensors.event import Event, Value

VALUES_MAX: Final = 10
FIELDS_MAX: Final = 200
VALUE_CHARS_MAX: Final = 200
COLUMNS: Final = (
    "time",
    "host.name",
    "event.dataset",
    "user.name",
    "process.name",
    "source.ip",
    "destination.ip",
)
Veiling = Callable[[list[str], Mapping[str, Any]], list[str]]
_OWN: Final = ("id", "time", "ingested", "unit", "sensor", "logsource")  # of the event itself


def progress_line(progress: Progress, question: Question, shown: int) -> dict[str, Any]:
    """One line of the stream; ``shown`` of the newest events are sent, fields are counted over all."""
    events = progress.events
    rows = None if events is None else list(events[:shown])
    return {
        "events": None if rows is None else [event_row(event) for event in rows],
        "fields": None if events is None else field_rows(events),
        "sampled": 0 if events is None else len(events),
        "matched": progress.matched,
        "counts": progress.counts,
        "since": question.since,
        "until": question.until,
        "step_seconds": question.step().total_seconds(),
        "reached": progress.reached,
        "files": progress.files,
        "files_all": progress.files_all,
        "done": progress.done,
        "stopped": progress.stopped,
        "next": cursor_of(rows[-1]) if rows and len(rows) >= shown else "",
        "findings": [{"zh": one.zh, "en": one.en} for one in progress.findings],
    }


def event_row(event: Event) -> dict[str, Any]:
    """An event as ``soc_api.bodies.EventRow``."""
    return {
        "id": event.id,
        "time": event.time,
        "ingested": event.ingested,
        "unit": event.unit,
        "sensor": event.sensor,
        "logsource": msgspec.structs.asdict(event.logsource),
        "fields": event.fields,
        "native": event.native,
    }


def field_rows(events: Sequence[Event], known: Fields | None = None) -> list[dict[str, Any]]:
    """The fields of the events with their most frequent values, the fields of most events first."""
    having: Counter[str] = Counter()
    values: dict[str, Counter[str]] = {}
    for event in events:
        facts = Facts(event)
        for name in facts.names():
            having[name] += 1
            values.setdefault(name, Counter()).update(
                {text for text in facts.texts(name) if len(text) <= VALUE_CHARS_MAX}
            )
    said = {field.name: field for field in (known or shipped_fields()).known}
    places = {name: place for place, name in enumerate(said)}
    order = sorted(having, key=lambda name: (-having[name], places.get(name, len(places)), name))
    return [
        {
            "name": name,
            "zh": said[name].zh if name in said else "",
            "en": said[name].en if name in said else "",
            "events": having[name],
            "values": [{"value": text, "count": n} for text, n in _ordered(values[name])],
        }
        for name in order[:FIELDS_MAX]
    ]


def _ordered(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:VALUES_MAX]


def cursor_of(event: Event) -> str:
    """The place of a row, for the page behind it."""
    return f"{event.time.isoformat()}~{event.id}"


def place_of(cursor: str) -> Place | None:
    """The place a cursor names; None for ''. Raises BadInput (hunt-cursor)."""
    if not cursor:
        return None
    time, sign, identifier = cursor.partition("~")
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        at = None
    if not sign or at is None or at.tzinfo is None or not identifier.isalnum():
        raise BadInput(
            "hunt-cursor",
            Words("翻页标记无效", "the page cursor is not valid"),
            Words("请重新查询", "search again"),
            field="cursor",
        )
    return at, identifier


def export_rows(
    events: Iterator[Event], columns: Sequence[str], veiled: Veiling | None = None
) -> Iterator[list[str]]:
    """Cells of a CSV; ``veiled`` hides the names an event tells in its cells."""
    for event in events:
        cells = [cell_of(event, name) for name in columns]
        yield cells if veiled is None else veiled(cells, {**event.fields, **event.native})


def export_objects(events: Iterator[Event]) -> Iterator[Mapping[str, Any]]:
    """Whole events for NDJSON."""
    return map(event_row, events)


def cell_of(event: Event, name: str) -> str:
    """What stands in a column: a field of the event's own, or a value by its name; lists by semicolon."""
    if name == "time":
        return event.time.isoformat()
    if name == "ingested":
        return event.ingested.isoformat() if event.ingested else ""
    if name in _OWN:
        return str(getattr(event, name)) if name != "logsource" else _source(event)
    return "; ".join(texts_of(_value(event, name)))


def _value(event: Event, name: str) -> Value:
    return event.native[name] if name in event.native else event.fields.get(name, "")


def _source(event: Event) -> str:
    source = event.logsource
    return "/".join(one for one in (source.product, source.category, source.service) if one)
