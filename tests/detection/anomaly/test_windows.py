"""Windows: what counts, when they close, and what hostile times and floods can do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from detection.anomaly.open import window_parameters
from detection.anomaly.peers import open_peers
from detection.anomaly.windows import FEATURES, Closed, WindowParameters, Windows, span_words
from sensors.event import Event, LogSource, Observation, Value, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)
PARAMETERS = window_parameters()


def event(number: int, seconds: float, dataset: str, sensor: str = "s", /, **fields: Any) -> Event:
    named: dict[str, Value] = {name.replace("__", "."): value for name, value in fields.items()}
    seen = Observation(
        time=START + timedelta(seconds=seconds),
        logsource=LogSource(),
        fields={"event.dataset": dataset, "host.name": "web", **named},
    )
    return stamp(seen, unit="u", sensor=sensor, epoch=0, sequence=number)


def closed(events: list[Event], parameters: WindowParameters = PARAMETERS) -> list[Closed]:
    windows = Windows(parameters)
    return [one for each in events for one in windows.add(each)]


def counts(window: Closed) -> dict[str, float]:
    return {name: value for name, value in zip(FEATURES, window.values, strict=True) if value}


TICK = event(999, 200, "liuhe.heartbeat")


def test_a_host_window_counts_what_happened_on_the_host() -> None:
    login = {"event__category": "authentication", "event__outcome": "failure"}
    (window,) = closed(
        [
            event(1, 1, "process.start", process__executable="/bin/sh"),
            event(2, 2, "process.start", process__executable="/bin/sh"),
            event(3, 3, "process.start", process__executable="/bin/ls"),
            event(4, 4, "file.change", event__action="modified"),
            event(5, 5, "listener.change", event__action="listener-added"),
            event(6, 6, "auth", **login),
            event(7, 7, "auth", event__category="authentication", event__outcome="success"),
            event(8, 8, "probe"),
            TICK,
        ]
    )
    assert (window.kind, window.entity, window.start) == ("host", "web", int(START.timestamp()))
    assert counts(window) == {
        "events": 7,
        "processes": 3,
        "programs": 2,
        "new_programs": 2,
        "logins_failed": 1,
        "logins": 1,
        "files_changed": 1,
        "listeners": 1,
    }
    assert len(window.events) == 5


def test_a_source_window_counts_what_it_did_on_the_network() -> None:
    flow = {
        "source__ip": "10.0.0.1",
        "event__action": "flow-end",
        "source__bytes": 100,
        "destination__bytes": 7,
    }
    (window,) = closed(
        [
            event(1, 1, "net.flow", **flow, destination__ip="a", destination__port=80, conn_state="SF"),
            event(2, 2, "net.flow", **flow, destination__ip="b", destination__port=80, conn_state="REJ"),
            event(3, 3, "net.dns", source__ip="10.0.0.1", dns__question__name="X.cn", dns__type="query"),
            event(4, 4, "net.dns", source__ip="10.0.0.1", dns__question__name="x.CN", dns__type="answer"),
            event(5, 5, "net.capture", source__ip="10.0.0.1"),
            TICK,
        ]
    )
    assert (window.kind, window.entity) == ("source", "10.0.0.1")
    assert counts(window) == {
        "events": 4,
        "flows": 2,
        "flows_failed": 1,
        "destinations": 2,
        "ports": 1,
        "bytes_out": 200,
        "bytes_in": 14,
        "dns_queries": 1,
        "dns_names": 1,
    }


def test_a_program_is_new_once_per_host() -> None:
    first = event(1, 1, "process.start", process__executable="/bin/sh")
    second = event(2, 61, "process.start", process__executable="/bin/sh")
    windows = closed([first, second, TICK])
    assert [counts(window).get("new_programs", 0) for window in windows] == [1, 0]


def test_a_window_closes_after_its_lateness_and_late_events_are_counted() -> None:
    windows = Windows(PARAMETERS)
    assert list(windows.add(event(1, 30, "x"))) == []
    assert list(windows.add(event(2, 89, "x"))) == []
    assert list(windows.add(event(3, 59, "x"))) == []
    (first,) = windows.add(event(4, 91, "x"))
    assert counts(first)["events"] == 2
    assert list(windows.add(event(5, 10, "x"))) == []
    assert windows.late == 1


def test_a_clock_that_runs_ahead_does_not_close_the_windows_of_others() -> None:
    windows = Windows(PARAMETERS)
    assert list(windows.add(event(1, 10, "x"))) == []
    assert list(windows.add(event(2, 10_000, "x", "other"))) == []
    ahead = msgspec.structs.replace(event(3, 10_000, "x"), ingested=START + timedelta(seconds=20))
    assert list(windows.add(ahead)) == []
    assert len(list(windows.add(TICK))) == 1


def test_open_windows_and_their_values_are_bounded() -> None:
    small = msgspec.structs.replace(PARAMETERS, windows_open_max=5, values_max=3)
    windows = Windows(small)
    for number in range(50):
        list(windows.add(event(number, 1, "net.flow", source__ip=f"10.0.0.{number}")))
        list(windows.add(event(number, 1, "net.flow", source__ip="10.0.0.0", destination__ip=str(number))))
    assert windows.evicted > 0
    found = list(windows.add(TICK))
    assert len(found) == 5
    assert max(counts(window).get("destinations", 0) for window in found) == 3


def test_bytes_of_a_long_flow_count_once_however_often_it_is_told() -> None:
    told = [
        event(1, 1, "net.flow", source__ip="a", event__action="flow-start", source__bytes=10),
        event(2, 2, "net.flow", source__ip="a", event__action="flow-update", source__bytes=100),
        event(
            3,
            3,
            "net.flow",
            source__ip="a",
            event__action="flow-end",
            source__bytes=130,
            gov__flow__new_source_bytes=30,
        ),
    ]
    (window,) = closed([*told, TICK])
    assert (counts(window)["flows"], counts(window)["bytes_out"]) == (1, 130)


@pytest.mark.parametrize("value", [None, [], [1], "x", -5, float("nan"), 1e300, True])
def test_malformed_numbers_do_no_harm(value: Value) -> None:
    flow = event(1, 1, "net.flow", source__ip="a", event__action="flow-end", source__bytes=value)
    (window,) = closed([flow, TICK])
    assert 0 <= counts(window).get("bytes_out", 0) <= 1e15


def test_a_window_is_as_long_as_is_said() -> None:
    said = {30: "30 seconds", 60: "1 minute", 300: "5 minutes", 90: "90 seconds"}
    assert {seconds: span_words(seconds).en for seconds in said} == said


def test_a_window_names_the_peer_group_of_its_entity() -> None:
    windows = Windows(PARAMETERS, open_peers())
    seen = [
        event(1, 1, "process.start", process__executable="/bin/sh"),
        event(2, 2, "net.flow", source__ip="10.0.0.1"),
        event(3, 3, "net.flow", source__ip="203.0.113.9"),
        TICK,
    ]
    seen[0] = msgspec.structs.replace(seen[0], logsource=LogSource(product="linux"))
    found = {one.entity: one.group for each in seen for one in windows.add(each)}
    assert found == {"web": "linux", "10.0.0.1": "inside", "203.0.113.9": "outside"}
