"""What events tell of sensors: pure, bounded, in any order."""

from collections.abc import Callable
from datetime import timedelta
from typing import get_args

import msgspec

from detection.store.inventory import gaps, integer, probe_results, sightings, text
from sensors.event import Event
from sensors.source import SourceCondition
from sensors.wire import lane_sequence

MakeEvent = Callable[..., Event]


def test_the_sequence_people_see_has_no_lane(make_event: MakeEvent) -> None:
    event = make_event(lane_sequence("flows", 77), seconds=1)
    (seen,) = sightings([event])
    assert (seen.last_sequence, seen.last_epoch, seen.heartbeat) == (77, 1, None)


def test_one_sighting_per_sensor_with_its_newest_heartbeat(make_event: MakeEvent) -> None:
    beats = [
        make_event(number, sensor=sensor, event__dataset="liuhe.heartbeat", gov__sensor__events=number)
        for number, sensor in ((5, "b"), (2, "a"), (9, "b"), (7, "b"))
    ]
    found = sightings(beats)
    assert [(seen.sensor, seen.heartbeat.events if seen.heartbeat else 0) for seen in found] == [
        ("a", 2),
        ("b", 9),
    ]


def test_a_probe_without_host_belongs_to_its_sensor(make_event: MakeEvent) -> None:
    event = make_event(1, host__name=None, gov__probe__id="sshd", gov__probe__error="denied")
    (result,) = probe_results([event, make_event(2)])
    assert (result.host, result.error, result.values) == ("host-web-01", "denied", {})
    assert gaps([event]) == []


def test_fields_of_the_wrong_kind_count_as_absent(make_event: MakeEvent) -> None:
    event = make_event(1, a=7, b="x" * 9, c=True, d=-1, e=2**70)
    assert [text(event, name, 4) for name in "abz"] == ["", "xxxx", ""]
    assert [integer(event, name) for name in "abcdez"] == [7, 0, 0, 0, 2**63 - 1, 0]


def test_a_heartbeat_tells_configuration_drops_and_clock_only_where_it_came_at_once(
    make_event: MakeEvent,
) -> None:
    def offset(**more: object) -> float | None:
        said = {
            "event__dataset": "liuhe.heartbeat",
            "gov__sensor__connected": True,
            "gov__sensor__configuration": 7,
            "gov__sensor__drops": ["quota=5", "no number=x", "odd"],
        }
        made = make_event(1, **(said | {f"gov__sensor__{name}": value for name, value in more.items()}))
        received = msgspec.structs.replace(made, ingested=made.time - timedelta(seconds=90))
        (sighting,) = sightings([received])
        assert sighting.heartbeat is not None
        assert sighting.heartbeat.configuration_version == 7
        assert sighting.heartbeat.drops == {"quota": 5}
        return sighting.heartbeat.clock_offset_seconds

    assert offset() == 90.0
    assert offset(connected=False) is None
    assert offset(backlog=10_000) is None


def test_every_state_of_a_source_is_told_as_it_is_and_an_unknown_word_as_failed(
    make_event: MakeEvent,
) -> None:
    told = [f"{one}={one}" for one in get_args(SourceCondition)] + ["news=hibernating"]
    (seen,) = sightings([make_event(1, event__dataset="liuhe.heartbeat", gov__sensor__sources=told)])
    assert seen.heartbeat is not None
    assert {one.name: one.state for one in seen.heartbeat.sources} == {
        **{one: one for one in get_args(SourceCondition)},
        "news": "failed",
    }
