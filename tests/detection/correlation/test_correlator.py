"""Correlations equal their plain meaning, whatever the order and the batches events come in."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random  # noqa: TID251 -- seeded

import msgspec
import pytest
from correlation_reference import expected
from correlation_scenes import (
    EVERY_KIND,
    START,
    Matched,
    correlation,
    event,
    final,
    matched,
    parameters,
    run,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.alert import Alert
from detection.correlation.correlator import Correlator
from detection.correlation.rule import Correlation
from sensors.event import Value


def told(alerts: dict[str, Alert], rule: Correlation) -> set[tuple[str, str, str]]:
    """(time, completing event, number) of the alerts of one correlation."""
    return {
        (
            alert.time.isoformat(),
            alert.events[-1].id,
            alert.reason.en.partition("value ")[2].partition(":")[0],
        )
        for alert in alerts.values()
        if alert.rule == rule.id
    }


def meant(rule: Correlation, stream: Sequence[Matched]) -> set[tuple[str, str, str]]:
    rounded = ((time.isoformat(), name, number) for _, _, _, time, name, number in expected(rule, stream))
    return {
        (time, name, str(int(number) if number.is_integer() else round(number, 2)))
        for time, name, number in rounded
    }


@st.composite
def streams(draw: st.DrawFn) -> list[Matched]:
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 400),
                st.lists(st.sampled_from("abcx"), max_size=2, unique=True),
                st.sampled_from(["u1", "u2", ""]),
                st.sampled_from(["h1", "h2"]),
                st.one_of(st.integers(-3, 9), st.sampled_from([0.5, 2.25]), st.none()),
            ),
            max_size=24,
        )
    )
    return [
        (event(seconds, number=number, user=user, host=host, n=n), tuple(ids))
        for number, (seconds, ids, user, host, n) in enumerate(rows)
    ]


def textual(stream: list[Matched], rule: Correlation) -> list[Matched]:
    """Values that are told apart are text in alerts and in state."""
    if rule.kind not in ("value_count", "value_percentile") or rule.percentile is not None:
        return stream
    return [
        (event((one.time - START).total_seconds(), number=number, **{**one.fields, "n": text}), ids)  # type: ignore[arg-type]
        for number, (one, ids) in enumerate(stream)
        for text in (None if one.fields["n"] is None else str(one.fields["n"]),)
    ]


@pytest.mark.parametrize("rule", EVERY_KIND, ids=lambda rule: rule.id)
@settings(max_examples=16, deadline=None)
@given(stream=streams(), seed=st.integers(0, 1_000))
def test_every_order_and_batch_gives_what_is_meant(
    rule: Correlation, stream: list[Matched], seed: int
) -> None:
    stream = textual(stream, rule)
    wanted = meant(rule, stream)
    ordered = sorted(stream, key=lambda one: (one[0].time, one[0].id))
    alerts = run([rule], ordered, lateness_seconds=400)
    assert told(alerts, rule) == wanted
    shuffled = list(stream)
    Random(seed).shuffle(shuffled)
    for batch in (1, 7, 2_048):
        assert run([rule], shuffled, batch=batch, lateness_seconds=400) == alerts


@pytest.mark.parametrize("rule", EVERY_KIND, ids=lambda rule: rule.id)
def test_long_streams_disturbed_within_the_lateness(rule: Correlation) -> None:
    """Event time runs on, state is forgotten, windows close: nothing of it shows in the alerts."""
    lot = Random(5)
    rows: list[tuple[float, str, dict[str, Value]]] = [
        (
            lot.uniform(0, 3_000),
            lot.choice(["a", "a", "b", "c", "ab", ""]),
            {"user": lot.choice(["u1", "u2", "u3"]), "host": "h", "n": lot.randint(0, 9)},
        )
        for _ in range(600)
    ]
    stream = textual(matched(*rows), rule)
    ordered = sorted(stream, key=lambda one: (one[0].time, one[0].id))
    alerts = run([rule], ordered, batch=16)
    assert told(alerts, rule) == meant(rule, stream)
    assert alerts
    for seed in range(2):
        late = Random(seed)
        moved = sorted(ordered, key=lambda one: one[0].time + timedelta(seconds=late.uniform(0, 59)))
        for batch in (1, 50):
            assert run([rule], moved, batch=batch) == alerts


def chain() -> list[Correlation]:
    """Three failures of a user within a minute, then a success within five."""
    many = correlation("event_count", "a", gte=3, id="many")
    outer = correlation("temporal_ordered", span=300, rules="ab", id="broken")
    return [many, msgspec.structs.replace(outer, rules=("many", "b"), labels=("many", "b"))]


def test_a_chain_is_the_same_in_every_order() -> None:
    lot = Random(3)
    rows: list[tuple[float, str, dict[str, Value]]] = [
        (lot.uniform(0, 4_000), lot.choice("aaab"), {"user": lot.choice(["u1", "u2"]), "host": "h"})
        for _ in range(300)
    ]
    ordered = sorted(matched(*rows), key=lambda one: one[0].time)
    alerts = run(chain(), ordered)
    assert {alert.rule for alert in alerts.values()} == {"many", "broken"}
    for seed in range(4):
        late = Random(seed)
        moved = sorted(ordered, key=lambda one: one[0].time + timedelta(seconds=late.uniform(0, 59)))
        for batch in (1, 13, 2_048):
            assert run(chain(), moved, batch=batch) == alerts


def test_a_chain_needs_its_parts_in_order() -> None:
    failures: list[tuple[float, str, dict[str, Value]]] = [
        (float(second), "a", {"user": "z"}) for second in (1, 2, 3)
    ]
    after = matched(*failures, (30.0, "b", {"user": "z"}))
    before = matched((0.5, "b", {"user": "z"}), *failures)
    other = matched(*failures, (30.0, "b", {"user": "y"}))
    late = matched(*failures, (400.0, "b", {"user": "z"}))
    found = [
        {alert.rule for alert in run(chain(), stream).values()} for stream in (after, before, other, late)
    ]
    assert found == [{"many", "broken"}, {"many"}, {"many"}, {"many"}]


def test_a_rising_condition_is_told_at_once_and_revised_by_what_comes_late() -> None:
    correlator = Correlator([correlation("event_count", gte=3)], parameters())
    rows = [(event(second, number=second, user="z"), ("a",)) for second in (10, 20, 30, 5)]
    told = [correlator.feed([one], [ids]) for one, ids in rows]
    assert [len(alerts) for alerts in told] == [0, 0, 1, 1]
    first, revised = told[2][0], told[3][0]
    assert (first.time, revised.time) == (rows[2][0].time, rows[1][0].time)
    assert first.id == revised.id
    assert [one.id for one in revised.events] == [rows[place][0].id for place in (3, 0, 1)]
    assert correlator.finish() == []


def test_late_events_are_counted_and_still_revise_where_they_can() -> None:
    rising, settled = correlation("event_count", gte=2), correlation("event_count", lt=5, id="few")
    correlator = Correlator([rising, settled], parameters(lateness_seconds=60))
    stream = [(0, "z"), (500, "y"), (10, "z"), (490, "y"), (430, "y")]
    events = [event(second, number=number, user=user) for number, (second, user) in enumerate(stream)]
    alerts = final(correlator.feed(events, [("a",)] * 5) + correlator.finish())
    # z's own events are 10 s apart: a sensor that was cut off still raises what it saw
    assert {alert.entity for alert in alerts.values() if alert.rule == rising.id} == {"host:y", "host:z"}
    assert correlator.counters.late == 3  # 10 s and 430 s for the settled one, 430 s for the rising one


def test_a_clock_running_ahead_moves_no_watermark() -> None:
    rule = correlation("event_count", lt=5, id="few")
    correlator = Correlator([rule], parameters())
    wrong = msgspec.structs.replace(event(10**8, user="w"), ingested=START)
    correlator.feed([wrong, event(100, user="z")], [("a",), ("a",)])
    assert correlator.counters.late == 0
    assert len(correlator.finish()) == 2


def test_aliases_units_and_missing_fields() -> None:
    rule = correlation(
        "temporal",
        "ab",
        group_by=("address",),
        aliases={"address": {"a": "source.ip", "b": "destination.ip"}},
    )
    stream = [
        (event(1, number=1, **{"source.ip": "10.0.0.1"}), ("a",)),
        (event(2, number=2, **{"destination.ip": "10.0.0.1"}), ("b",)),
        (event(3, number=3, unit="other", **{"source.ip": "10.0.0.2"}), ("a",)),
        (event(4, number=4, **{"destination.ip": "10.0.0.2"}), ("b",)),
        (event(5, number=5, **{"source.ip": "10.0.0.1"}), ("b",)),
    ]
    (alert,) = run([rule], stream).values()
    assert (alert.entity, alert.events[-1].id) == ("source:10.0.0.1", stream[1][0].id)
    assert [match.value for match in alert.matched] == ["10.0.0.1", "a", "b"]
    correlator = Correlator([rule], parameters())
    correlator.feed(*zip(*stream, strict=True))
    assert correlator.counters.unkeyed == 1


def test_state_is_bounded_and_says_so() -> None:
    rule = correlation("event_count", gte=2, span=86_400)
    correlator = Correlator([rule], parameters(keys_max=100, told_seconds=10))
    events = [event(number, number=number, user=f"u{number}") for number in range(6_000)]
    alerts = correlator.feed(events, [("a",)] * len(events))
    assert correlator.counters.keys <= 100
    assert correlator.counters.evicted >= 5_900
    assert {alert.detector for alert in alerts} == {"health"}
    assert "evicted" not in alerts[0].reason.en
    assert alerts[0].group == alerts[-1].group


def test_bytes_are_bounded_and_what_is_over_is_forgotten() -> None:
    rule = correlation("value_count", gte=1_000, fields=("n",), span=600)
    correlator = Correlator([rule], parameters(bytes_max=200_000))
    events = [
        event(number / 100, number=number, user=f"u{number % 7}", n="x" * 50 + str(number))
        for number in range(9_000)
    ]
    correlator.feed(events, [("a",)] * len(events))
    assert correlator.counters.bytes <= 200_000
    assert correlator.counters.evicted
    correlator.feed([event(10_000, number=9_999, user="last", n="1")], [("a",)])
    correlator.feed([event(10_100, number=10_000, user="last", n="1")], [("a",)])
    assert correlator.counters.keys == 1


def test_alerts_outlive_their_evidence() -> None:
    rule = correlation("event_count", lt=5, id="few")
    events = [event(number / 10, number=number, user=f"u{number}", text="x" * 500) for number in range(300)]
    stream = [(one, ("a",)) for one in events]
    alerts = run([rule], stream, batch=10, evidence_bytes_max=20_000)
    assert len(alerts) == 300
    assert any(not alert.events for alert in alerts.values())
    whole = run([rule], stream, batch=10)
    assert {(alert.id, alert.time, alert.entity) for alert in alerts.values()} == {
        (alert.id, alert.time, alert.entity) for alert in whole.values()
    }


def test_waiting_events_are_bounded_too() -> None:
    rule = correlation("event_count", lt=5, span=10, id="few")
    correlator = Correlator([rule], parameters(bytes_max=100_000, lateness_seconds=3_600, told_seconds=1))
    events = [event(number / 10, number=number, user=f"u{number % 40}") for number in range(2_000)]
    alerts = [alert for one in events for alert in correlator.feed([one], [("a",)])]
    assert correlator.counters.bytes <= 100_000
    assert correlator.counters.hurried > 1_000
    assert {alert.detector for alert in alerts} == {"health", "sigma"}
    assert len(final([alert for alert in alerts if alert.detector == "sigma"] + correlator.finish())) > 100
