"""Chains of every kind: the same alerts in every order within the lateness, and over a kill at any place."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random  # noqa: TID251 -- seeded
from typing import Any

import msgspec
import pytest
from correlation_scenes import EVERY_KIND, Matched, correlation, final, matched, parameters, run

from detection.alert import Alert
from detection.correlation.correlator import Correlator
from detection.correlation.rule import Alternative, Correlation, Kind
from detection.correlation.snapshot import recall_into, snapshot_of
from sensors.event import Value

SEEDS = 160
OUTER: list[tuple[Kind, dict[str, Any]]] = [
    ("temporal", {}),
    ("temporal_ordered", {}),
    ("event_count", {"gte": 2}),
    ("event_count", {"lt": 3}),
    ("value_count", {"gte": 2, "fields": ("n",)}),
    ("temporal", {"alternatives": (Alternative((0,), (1,)),)}),
]


def chain(lot: Random) -> list[Correlation]:
    """Any correlation, one over it and the rule b, and often one over that."""
    inner = msgspec.structs.replace(
        lot.choice(EVERY_KIND), id="inner", span_seconds=lot.choice([5, 20, 60]), group_by=("user",)
    )
    kind, more = lot.choice(OUTER)
    names = lot.choice([("inner", "b"), ("b", "inner")])
    outer = correlation(kind, "ab", span=lot.choice([60, 300]), id="outer", **more)
    rules = [inner, msgspec.structs.replace(outer, rules=names, labels=names)]
    if lot.random() < 0.4:
        top = correlation("event_count", "a", gte=2, span=600, id="top")
        rules.append(msgspec.structs.replace(top, rules=("outer",), labels=("outer",)))
    return rules


def rows(lot: Random, *, numbers: bool) -> list[Matched]:
    horizon = lot.choice([400, 3_000])
    made: list[tuple[float, str, dict[str, Value]]] = [
        (
            lot.uniform(0, horizon),
            lot.choice(["a", "a", "b", "c", "ab", "bc", ""]),
            {
                "user": lot.choice(["u1", "u2"]),
                "host": "h",
                "n": lot.randint(0, 9) if numbers else lot.choice("xyz"),
            },
        )
        for _ in range(lot.choice([40, 150]))
    ]
    return sorted(matched(*made), key=lambda one: (one[0].time, one[0].id))


def fed(correlator: Correlator, part: Sequence[Matched]) -> list[Alert]:
    return correlator.feed([one for one, _ in part], [ids for _, ids in part])


@pytest.mark.slow
def test_chains_in_every_order_and_over_kills() -> None:
    chained = 0
    for seed in range(SEEDS):
        lot = Random(seed)
        rules = chain(lot)
        numbers = (
            rules[0].kind in ("value_sum", "value_avg", "value_median") or rules[0].percentile is not None
        )
        ordered = rows(lot, numbers=numbers)
        alerts = run(rules, ordered, batch=lot.choice([1, 5, 50, 2_048]))
        chained += sum(alert.rule != "inner" for alert in alerts.values())
        moved = sorted(ordered, key=lambda one: one[0].time + timedelta(seconds=lot.uniform(0, 59)))
        for batch in (1, 9, 300):
            assert run(rules, moved, batch=batch) == alerts, seed
        kept = lot.randrange(len(moved))
        killed = min(len(moved), kept + lot.randrange(30))
        first, second = Correlator(rules, parameters()), Correlator(rules, parameters())
        told = fed(first, moved[:kept])
        snapshot = snapshot_of(first)
        told += fed(first, moved[kept:killed])
        assert recall_into(second, snapshot)
        fed(second, moved[max(0, kept - 20) : killed])
        assert final(told + fed(second, moved[killed:]) + second.finish()) == alerts, seed
    assert chained > 500
