"""Which flows an alert rests on."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crypto.words import Words
from detection.alert import Alert, Claim, claim
from sensors.event import Event, LogSource, Observation, stamp
from soc_api.packet_request import AROUND, FLOWS_MAX, flows_of

START = datetime(2026, 11, 22, tzinfo=UTC)


def event(seconds: int, community: object, sensor: str = "tap", **fields: Any) -> Event:
    seen = Observation(
        time=START + timedelta(seconds=seconds),
        logsource=LogSource(product="zeek"),
        fields={
            "network.community_id": community,
            **{key.replace("__", "."): one for key, one in fields.items()},
        },
    )
    return stamp(seen, unit="u", sensor=sensor, epoch=1, sequence=seconds + 1)


def alert(*events: Event) -> Alert:
    said = Claim(rule="r", detector="sigma", title=Words("甲", "a"), severity="high")
    return claim(said, entity="source:x", reason=Words("乙", "b"), events=events, matched=())


def test_events_of_one_flow_are_one_wish_with_time_around_them() -> None:
    begun = (START - timedelta(seconds=100)).isoformat()
    found = flows_of([alert(event(0, "1:a", event__start=begun), event(50, "1:a")), alert(event(9, "1:b"))])
    assert [(one.community_id, one.begins, one.ends) for one in found] == [
        ("1:a", START - timedelta(seconds=100) - AROUND, START + timedelta(seconds=50) + AROUND),
        ("1:b", START + timedelta(seconds=9) - AROUND, START + timedelta(seconds=9) + AROUND),
    ]


def test_events_without_a_flow_and_strange_beginnings_count_for_nothing() -> None:
    assert flows_of([alert(event(0, ""), event(1, None), event(2, ["1:a"]))]) == []
    for begun in ("soon", 7, (START + timedelta(days=1)).isoformat(), "2026-11-21T00:00:00"):
        (one,) = flows_of([alert(event(0, "1:a", event__start=begun))])
        assert one.begins == START - AROUND


def test_sensors_are_kept_apart_and_flows_bounded() -> None:
    assert len(flows_of([alert(event(0, "1:a"), event(1, "1:a", "other"))])) == 2
    assert len(flows_of([alert(*(event(n, f"1:{n}") for n in range(FLOWS_MAX * 2)))])) == FLOWS_MAX
