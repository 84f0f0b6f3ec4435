"""Correlations and events for tests, made from short descriptions."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from crypto.words import Words
from detection.alert import Alert
from detection.correlation.correlator import Correlator
from detection.correlation.parameters import CorrelationParameters, correlation_parameters
from detection.correlation.rule import Alternative, Correlation, Kind, Limit
from sensors.event import Event, LogSource, Observation, Value, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)
Matched = tuple[Event, tuple[str, ...]]


def correlation(
    kind: Kind, rules: str = "a", *, span: int = 60, group_by: Sequence[str] = ("user",), **more: Any
) -> Correlation:
    """A correlation of rules named by letters; ``gte=3`` and the like are limits."""
    names = tuple(rules)
    limits = tuple(
        Limit(name, more.pop(name)) for name in ("gt", "gte", "lt", "lte", "eq", "neq") if name in more
    )
    if kind == "temporal_ordered" and "alternatives" not in more:
        more["alternatives"] = (Alternative(tuple(range(len(names)))),)
    if kind == "temporal" and not limits and "alternatives" not in more:
        limits = (Limit("gte", len(names)),)
    return Correlation(
        **{"id": f"{kind}-{rules}", "title": Words("关联", "Correlation"), **more},
        path="c.yml",
        line=1,
        description=Words("", ""),
        level="high",
        kind=kind,
        rules=names,
        labels=names,
        span_seconds=span,
        group_by=tuple(group_by),
        limits=limits,
    )


def event(seconds: float, *, number: int = 0, unit: str = "u", **fields: Value) -> Event:
    """An event so many seconds after START."""
    seen = Observation(time=START + timedelta(seconds=seconds), logsource=LogSource(), fields=fields)
    return stamp(seen, unit=unit, sensor="s", epoch=0, sequence=number)


def matched(*rows: tuple[float, str, dict[str, Value]]) -> list[Matched]:
    """(seconds, rules by letter, fields) as events and ids."""
    return [
        (event(seconds, number=number, **fields), tuple(rules))  # type: ignore[arg-type]
        for number, (seconds, rules, fields) in enumerate(rows)
    ]


def parameters(**changes: int) -> CorrelationParameters:
    """The shipped parameters, changed."""
    return msgspec.structs.replace(correlation_parameters(), **changes)


def final(alerts: Iterable[Alert]) -> dict[str, Alert]:
    """Alerts by id, the last telling of each."""
    return {alert.id: alert for alert in alerts}


def run(
    rules: Sequence[Correlation],
    stream: Sequence[Matched],
    *,
    batch: int = 2_048,
    finish: bool = True,
    **changes: int,
) -> dict[str, Alert]:
    """The alerts of a stream fed in batches."""
    correlator = Correlator(rules, parameters(**changes))
    alerts: list[Alert] = []
    for start in range(0, len(stream), batch):
        part = stream[start : start + batch]
        alerts += correlator.feed([one for one, _ in part], [ids for _, ids in part])
    return final(alerts + (correlator.finish() if finish else []))


EVERY_KIND = [
    correlation("event_count", gte=3),
    correlation("event_count", "ab", gt=1),
    correlation("event_count", gte=1, group_by=(), id="alone"),
    correlation("event_count", gt=1, lte=3, id="range"),
    correlation("event_count", lt=3, id="few"),
    correlation("event_count", eq=2, id="two"),
    correlation("event_count", neq=2, id="not two"),
    correlation("value_count", "ab", gte=3, fields=("n",)),
    correlation("value_count", lte=1, fields=("n",), id="one value"),
    correlation("temporal", "ab"),
    correlation("temporal", "abc", gte=2, id="some"),
    correlation("temporal", "abc", lt=2, id="lonely"),
    correlation("temporal", "abc", alternatives=(Alternative((0, 1)), Alternative((2,))), id="either"),
    correlation("temporal", "abc", alternatives=(Alternative((0,), (1, 2)),), id="without"),
    correlation("temporal_ordered", "abc"),
    correlation("temporal_ordered", "ba", group_by=("user", "host"), id="by two"),
    correlation("temporal_ordered", "abc", alternatives=(Alternative((0, 1), (2,)),), id="ordered without"),
    correlation("value_sum", "ab", gt=10, fields=("n",)),
    correlation("value_sum", lt=4, fields=("n",), id="small sum"),
    correlation("value_avg", gte=4.5, fields=("n",)),
    correlation("value_avg", lt=2, fields=("n",), id="small average"),
    correlation("value_median", gt=5, fields=("n",)),
    correlation("value_percentile", gt=7, fields=("n",), percentile=90.0),
    correlation("value_percentile", lte=20, fields=("n",), id="rare"),
]
