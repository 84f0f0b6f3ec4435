"""What the special detectors read of an event: one text, one number, and what to show of it."""

from collections.abc import Iterable

from detection.alert import Match
from detection.facts import number_of, texts_of
from sensors.event import Event


def text(event: Event, name: str) -> str:
    """The field's first value as text, by the source's own name first; '' if it is missing."""
    value = event.native.get(name)
    if value is None:
        value = event.fields.get(name)
    if type(value) is str:
        return value
    texts = texts_of(value)
    return texts[0] if texts else ""


def number(event: Event, name: str) -> float:
    """The field as a number; 0 if it is missing or none."""
    value = event.native.get(name, event.fields.get(name))
    found = None if isinstance(value, list) else number_of(value)
    return float(found or 0)


def shown(event: Event, names: Iterable[str], selection: str) -> tuple[Match, ...]:
    """The named fields of the event that completed a claim, as far as it has them."""
    values = ((name, event.native.get(name, event.fields.get(name))) for name in names)
    return tuple(
        Match(event=event.id, field=name, value=value, selection=selection)
        for name, value in values
        if value is not None
    )


def host_of(event: Event) -> str:
    """The host the event is about, or the sensor that told it."""
    return text(event, "host.name") or event.sensor
