"""Snapshots: a correlator killed anywhere and fed again gives the same alerts, none lost, none new."""

from collections.abc import Sequence
from random import Random  # noqa: TID251 -- seeded

import msgspec
import pytest
from correlation_scenes import Matched, correlation, event, final, matched, parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.alert import Alert
from detection.correlation.correlator import Correlator
from detection.correlation.snapshot import recall_into, snapshot_of
from sensors.event import Value

RULES = [
    correlation("event_count", gte=3),
    correlation("event_count", lt=3, id="few"),
    correlation("value_count", gte=3, fields=("n",)),
    correlation("value_sum", gt=20, fields=("m",)),
    correlation("temporal_ordered", "ab"),
    correlation("event_count", "a", gte=2, id="inner"),
]
CHAIN = msgspec.structs.replace(
    correlation("temporal", "ab", span=300, id="chain"), rules=("inner", "b"), labels=("inner", "b")
)
EVERY = [*RULES, CHAIN]


def stream(seed: int, count: int = 240) -> list[Matched]:
    lot = Random(seed)
    rows: list[tuple[float, str, dict[str, Value]]] = [
        (
            place * 8 + lot.uniform(0, 55),
            lot.choice(["a", "a", "b", ""]),
            {"user": lot.choice(["u1", "u2"]), "n": str(lot.randint(0, 5)), "m": lot.choice([1, 2.5, 9])},
        )
        for place in range(count)
    ]
    return matched(*rows)


def fed(correlator: Correlator, part: Sequence[Matched]) -> list[Alert]:
    return correlator.feed([one for one, _ in part], [ids for _, ids in part])


def whole(rows: Sequence[Matched]) -> dict[str, Alert]:
    correlator = Correlator(EVERY, parameters())
    return final(fed(correlator, rows) + correlator.finish())


@pytest.mark.parametrize("kept_at", range(0, 240, 37))
def test_a_kill_gives_the_same_alerts_as_none(kept_at: int) -> None:
    rows = stream(1)
    first = Correlator(EVERY, parameters())
    alerts = fed(first, rows[:kept_at])
    snapshot = snapshot_of(first)
    killed_at = min(kept_at + 21, len(rows))
    alerts += fed(first, rows[kept_at:killed_at])  # committed before the kill

    second = Correlator(EVERY, parameters())
    assert recall_into(second, snapshot)
    fed(second, rows[max(0, kept_at - 15) : killed_at])  # replayed, some of it twice
    alerts += fed(second, rows[killed_at:]) + second.finish()
    assert final(alerts) == whole(rows)
    assert {alert.rule for alert in alerts} == {rule.id for rule in EVERY}


def test_a_snapshot_of_what_was_recalled_is_the_same() -> None:
    correlator = Correlator(EVERY, parameters())
    fed(correlator, stream(2))
    snapshot = snapshot_of(correlator)
    again = Correlator(EVERY, parameters())
    assert recall_into(again, snapshot)
    assert snapshot_of(again) == snapshot
    assert again.counters == correlator.counters


def test_a_changed_correlation_starts_anew_and_the_others_do_not() -> None:
    correlator = Correlator(RULES, parameters())
    fed(correlator, [(event(second, number=second, user="z"), ("a",)) for second in (1, 2)])
    changed = [msgspec.structs.replace(RULES[0], span_seconds=90), *RULES[1:]]
    again = Correlator(changed, parameters())
    assert recall_into(again, snapshot_of(correlator))
    assert not again.running[changed[0].id].machine.keyed.states
    assert again.running["inner"].machine.keyed.states


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(body: bytes) -> None:
    assert not recall_into(Correlator(RULES, parameters()), body)


def test_another_version_is_refused() -> None:
    snapshot = snapshot_of(Correlator([], parameters()))
    values = msgspec.msgpack.decode(snapshot)
    assert recall_into(Correlator([], parameters()), snapshot)
    assert not recall_into(Correlator([], parameters()), msgspec.msgpack.encode([99, *values[1:]]))
