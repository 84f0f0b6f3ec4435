"""The plain meaning of correlations, for tests: quadratic, over the whole stream at once, nothing kept.

It knows all events, takes no batches, and judges every window by docs/reference/correlations.md.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from statistics import median
from typing import Any

from detection.correlation.rule import Correlation
from sensors.event import Event, lookup

Matched = tuple[Event, tuple[str, ...]]
# (correlation, key, start of the slot or window, time and id of the anchor, number)
Expected = tuple[str, tuple[str, ...], int, datetime, str, float]
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_OPERATORS = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}


def expected(rule: Correlation, stream: Iterable[Matched]) -> set[Expected]:
    """Every finding of one correlation over plain rules."""
    entries = []
    for event, ids in stream:
        for place, name in enumerate(rule.rules):
            if name not in ids:
                continue
            fields = [rule.aliases.get(one, {}).get(name, one) for one in rule.group_by]
            key = (event.unit, *(str(lookup(event, field)[1] or "") for field in fields))
            what: Any = place
            if rule.fields:
                what = lookup(event, rule.aliases.get(rule.fields[0], {}).get(name, rule.fields[0]))[1]
            if all(key) and what is not None:
                entries.append((key, event.time, event.id, what))
                if not rule.kind.startswith("temporal"):
                    break
    entries = sorted(set(entries), key=lambda one: (one[0], one[1], one[2], str(one[3])))
    found: set[Expected] = set()
    for key, group in groupby(entries, key=lambda one: one[0]):
        of_key = list(group)
        found |= _trailing(rule, key, of_key) if rule.lower_bounded else _closing(rule, key, of_key)
    return found


def _trailing(rule: Correlation, key: tuple[str, ...], entries: list[Any]) -> set[Expected]:
    span = timedelta(seconds=rule.span_seconds)
    slots: dict[int, Expected] = {}
    for place, (_, time, name, _) in enumerate(entries):
        window = [one for one in entries[: place + 1] if time - span < one[1]]
        slot = (time - _EPOCH) // span
        if slot not in slots and holds(rule, window):
            slots[slot] = (rule.id, key, slot, time, name, float(number(rule, window)))
    return set(slots.values())


def _closing(rule: Correlation, key: tuple[str, ...], entries: list[Any]) -> set[Expected]:
    span = timedelta(seconds=rule.span_seconds)
    found: set[Expected] = set()
    while entries:
        start = entries[0][1]
        window = [one for one in entries if one[1] < start + span]
        entries = entries[len(window) :]
        if holds(rule, window):
            opened = (start - _EPOCH) // timedelta(microseconds=1)
            found.add((rule.id, key, opened, window[-1][1], window[-1][2], float(number(rule, window))))
    return found


def holds(rule: Correlation, window: Sequence[Any]) -> bool:
    """Whether the condition holds of a window."""
    if rule.alternatives:
        ordered = rule.kind == "temporal_ordered"
        return any(
            _occurs(way.required, window, ordered=ordered)
            and not any(what in way.forbidden for *_, what in window)
            for way in rule.alternatives
        )
    return all(_OPERATORS[limit.comparison](number(rule, window), limit.value) for limit in rule.limits)


def number(rule: Correlation, window: Sequence[Any]) -> Any:
    """What a window amounts to."""
    whats = [what for *_, what in window]
    if rule.kind == "event_count":
        return len({name for _, _, name, _ in window})
    if rule.kind in ("value_count", "temporal", "temporal_ordered"):
        return len(set(whats))
    if rule.kind == "value_percentile" and rule.percentile is None:
        return Fraction(100 * min(whats.count(one) for one in whats), len(whats))
    exact = sorted(Fraction(one) for one in whats)
    if rule.kind == "value_sum":
        return sum(exact)
    if rule.kind == "value_avg":
        return sum(exact) / len(exact)
    if rule.kind == "value_median":
        return median(exact)
    place = Fraction(rule.percentile or 0) / 100 * (len(exact) - 1)
    upper = min(int(place) + 1, len(exact) - 1)
    return exact[int(place)] + (exact[upper] - exact[int(place)]) * (place - int(place))


def _occurs(required: Sequence[int], window: Sequence[Any], *, ordered: bool) -> bool:
    if not ordered:
        return {what for *_, what in window} >= set(required)
    after: tuple[Any, ...] = ()
    for place in required:  # the earliest event behind the step before is never worse than a later one
        step = next(
            ((time, name) for _, time, name, what in window if what == place and (time, name) > after), None
        )
        if step is None:
            return False
        after = step
    return True
