"""What a correlation reads from the events of one of its rules: the key, and the value it counts.

Values are text as in conditions (docs/reference/normalisation.md), exact; a list is one value. An event that
lacks a field the correlation groups by belongs to no key.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from detection.correlation.rule import Correlation
from detection.facts import number_of, texts_of
from sensors.event import Event, Value, lookup

SEPARATOR: Final = "\x1f"
VALUE_CHARS_MAX: Final = 512  # a longer value is cut and told apart by its digest
_NUMERIC: Final = ("value_sum", "value_avg", "value_median")

Given = Mapping[str, str]  # what an inner correlation was grouped by
KeyOf = Callable[[Event, Given], str | None]
WhatOf = Callable[[Event, Given], Any]


def text_in(value: Value) -> str:
    """One value as text; "" where there is none."""
    if type(value) is not str:
        value = ",".join(texts_of(value))
    if len(value) > VALUE_CHARS_MAX:
        value = value[:VALUE_CHARS_MAX] + sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    if SEPARATOR in value:
        value = value.replace(SEPARATOR, "\\x1f")
    return value


def key_reader(rule: Correlation, watched: str) -> KeyOf:
    """Reads the unit and the values grouped by, of an event that the rule ``watched`` matched; None where one
    is missing."""
    names = tuple(field_for(rule, watched, name) for name in rule.group_by)
    if len(names) == 1:
        (only,), (given_name,) = names, rule.group_by

        def one(event: Event, given: Given) -> str | None:
            text = given.get(given_name) or _read(event, only) if given else _read(event, only)
            return f"{_unit(event)}{SEPARATOR}{text}" if text else None

        return one

    def several(event: Event, given: Given) -> str | None:
        texts = [_unit(event)]
        for name, given_name in zip(names, rule.group_by, strict=True):
            text = (given.get(given_name) if given else "") or _read(event, name)
            if not text:
                return None
            texts.append(text)
        return SEPARATOR.join(texts)

    return several


def what_reader(rule: Correlation, watched: str) -> WhatOf | None:
    """Reads what the tally counts; None where it counts events. It gives None for what cannot be counted."""
    if rule.kind == "event_count":
        return None
    if rule.kind in ("temporal", "temporal_ordered"):
        place = rule.rules.index(watched)
        return lambda _event, _given: place
    names = tuple(field_for(rule, watched, name) for name in rule.fields)
    if rule.kind in _NUMERIC or (rule.kind == "value_percentile" and rule.percentile is not None):
        return lambda event, _given: _number(lookup(event, names[0])[1])
    if len(names) == 1:
        return lambda event, given: given.get(rule.fields[0]) or _read(event, names[0]) or None
    return lambda event, _given: _joined([_read(event, name) for name in names])


def field_for(rule: Correlation, watched: str, name: str) -> str:
    """The field that ``name`` (an alias or a field) means in events of one rule."""
    return rule.aliases.get(name, {}).get(watched, name)


def values_of(key: str) -> list[str]:
    """The values grouped by, in order, of a key."""
    return key.split(SEPARATOR)[1:]


def _unit(event: Event) -> str:
    unit = event.unit
    return text_in(unit) if SEPARATOR in unit else unit


def _read(event: Event, name: str) -> str:
    native = event.native
    value = native[name] if name in native else event.fields.get(name)
    if type(value) is str and len(value) <= VALUE_CHARS_MAX and SEPARATOR not in value:
        return value
    return "" if value is None else text_in(value)


def _joined(texts: list[str]) -> str | None:
    return SEPARATOR.join(texts) if all(texts) else None


def _number(value: Value) -> int | float | None:
    number = None if isinstance(value, list) else number_of(value)
    if isinstance(number, int) and number.bit_length() > 63:
        return float(number) if number.bit_length() < 1_000 else None
    return number
