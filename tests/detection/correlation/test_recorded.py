"""Recorded Windows events in random order: correlations are what they mean, as in order of time."""

import io
from itertools import islice
from pathlib import Path

import pytest
import zstandard
from correlation_reference import expected
from correlation_scenes import Matched, correlation, run

from detection.alert import Alert
from detection.correlation.mark import micros_of
from detection.offline import events_in
from sensors.event import Event

RECORDED = Path(__file__).resolve().parents[4] / "shared" / "data" / "host" / "otrf" / "events.jsonl.zst"
EVENTS = 25_000
YEARS = 20 * 366 * 86_400
BY = ("host.name", "Image")
RULES = [
    correlation("event_count", "bc", gte=20, span=120, group_by=BY),
    correlation("event_count", "c", lt=2, span=600, group_by=BY, id="lonely"),
    correlation("value_count", "b", gte=8, span=300, group_by=BY, fields=("TargetObject",)),
    correlation("temporal", "bc", span=60, group_by=("host.name",), id="at one time"),
    correlation("temporal_ordered", "cab", span=300, group_by=("host.name",), id="in order"),
    correlation("value_median", "abc", gte=2_000, span=60, group_by=("host.name",), fields=("ProcessId",)),
]


def matches(event: Event) -> tuple[str, ...]:
    """Stand-ins for rules: process access, registry, images loaded."""
    number = str(event.native.get("EventID"))
    return tuple(
        name for name, wanted in {"a": "10", "b": "12 13", "c": "7"}.items() if number in wanted.split()
    )


def told(alerts: dict[str, Alert]) -> set[tuple[str, int, str]]:
    return {(alert.rule, micros_of(alert.time), alert.id) for alert in alerts.values()}


@pytest.mark.slow
def test_recorded_events_in_any_order(tmp_path: Path) -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded events are not at hand (../shared/data/host/otrf)")
    with RECORDED.open("rb") as file:
        lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), encoding="utf-8")
        (tmp_path / "events.jsonl").write_text("".join(islice(lines, EVENTS)), encoding="utf-8")
    stream: list[Matched] = [
        (event, matches(event)) for event in events_in(tmp_path / "events.jsonl", "jsonl", print)
    ]
    assert len(stream) == EVENTS
    found = run(RULES, stream, lateness_seconds=YEARS)
    assert {alert.rule for alert in found.values()} == {rule.id for rule in RULES}
    for rule in RULES:
        wanted = {(rule.id, micros_of(time)) for _, _, _, time, _, _ in expected(rule, stream)}
        assert {(name, time) for name, time, _ in told(found) if name == rule.id} == wanted
    ordered = sorted(stream, key=lambda one: one[0].time)
    assert told(run(RULES, ordered, batch=500)) == told(found)
    assert told(run(RULES, ordered[::-1], batch=500, lateness_seconds=YEARS)) == told(found)
