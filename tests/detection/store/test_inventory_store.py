"""The inventory: newest probe results, sensor health and gaps, whatever order or repetition they come in."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Engine

from crypto.words import Words
from detection.store.alert_store import AlertStore
from detection.store.inventory_store import InventoryStore
from sensors.event import Event, LogSource

MakeEvent = Callable[..., Event]


@pytest.fixture
def inventory(engine: Engine) -> InventoryStore:
    return InventoryStore(engine)


@pytest.fixture
def commit(engine: Engine, start: datetime) -> Callable[[list[Event]], None]:
    def write(events: list[Event]) -> None:
        AlertStore(engine).commit([], events, 1, start)

    return write


def probe(make_event: MakeEvent, sequence: int, **values: object) -> Event:
    named = {f"gov__probe__value__{name}": value for name, value in values.items()}
    return make_event(
        sequence,
        logsource=LogSource(product="linux", category="configuration", service="sshd"),
        event__dataset="probe",
        gov__probe__id="sshd",
        gov__probe__method="file:/etc/ssh/sshd_config",
        gov__probe__raw="PermitRootLogin no\n",
        **named,
    )


def heartbeat(make_event: MakeEvent, sequence: int) -> Event:
    return make_event(
        sequence,
        event__dataset="liuhe.heartbeat",
        gov__sensor__kind="host",
        gov__sensor__version="0.1.0",
        gov__sensor__backlog=3,
        gov__sensor__events=sequence,
        gov__sensor__cpu_percent=0.5,
        gov__sensor__rss_bytes=31_000_000,
        gov__sensor__sources=["processes=running", "capture:lo=missing"],
        gov__sensor__source_details=["capture:lo=缺少 CAP_NET_RAW|CAP_NET_RAW is missing"],
    )


def test_the_newest_probe_result_wins(
    inventory: InventoryStore, commit: Callable[[list[Event]], None], make_event: MakeEvent
) -> None:
    old, new = probe(make_event, 1, permit_root="yes"), probe(make_event, 9, permit_root="no", port=22)
    commit([old, new])
    commit([old])
    commit([make_event(10)])
    (result,) = inventory.probe_results("web-01")
    assert (result.host, result.probe, result.event, result.time) == ("web-01", "sshd", new.id, new.time)
    assert result.values == {"permit_root": "no", "port": 22}
    assert (result.raw, result.error) == ("PermitRootLogin no\n", "")
    assert inventory.probe_results("other") == []


def test_hosts_of_one_name_in_two_units_keep_their_own_results(
    inventory: InventoryStore, commit: Callable[[list[Event]], None], make_event: MakeEvent
) -> None:
    ours = probe(make_event, 1, permit_root="no")
    theirs = msgspec.structs.replace(probe(make_event, 2, permit_root="yes"), unit="320100-other")
    commit([ours, theirs])
    commit([ours])
    told = {one.unit: one.values["permit_root"] for one in inventory.probe_results("web-01")}
    assert told == {ours.unit: "no", "320100-other": "yes"}


def test_heartbeats_make_a_sensor(
    inventory: InventoryStore,
    commit: Callable[[list[Event]], None],
    make_event: MakeEvent,
    start: datetime,
) -> None:
    commit([make_event(1)])
    assert inventory.sensors(start)[0].kind == ""
    beat = heartbeat(make_event, 20)
    commit([beat, make_event(12)])
    commit([heartbeat(make_event, 5)])
    (sensor,) = inventory.sensors(beat.time + timedelta(seconds=60))
    assert (sensor.sensor, sensor.kind, sensor.host, sensor.state) == (
        "host-web-01",
        "host",
        "web-01",
        "online",
    )
    assert (sensor.events, sensor.backlog, sensor.last_sequence, sensor.last_seen) == (20, 3, 20, beat.time)
    assert [(source.name, source.state) for source in sensor.sources] == [
        ("processes", "running"),
        ("capture:lo", "missing"),
    ]
    assert sensor.sources[1].detail == Words("缺少 CAP_NET_RAW", "CAP_NET_RAW is missing")
    assert inventory.sensors(beat.time + timedelta(seconds=61))[0].state == "silent"


def test_what_the_center_itself_says_makes_it_no_sensor(
    inventory: InventoryStore, commit: Callable[[list[Event]], None], make_event: MakeEvent, start: datetime
) -> None:
    commit([make_event(1, sensor="liuhe.center"), make_event(2)])
    assert [one.sensor for one in inventory.sensors(start)] == ["host-web-01"]


def test_gaps_are_kept_once(
    inventory: InventoryStore, commit: Callable[[list[Event]], None], make_event: MakeEvent
) -> None:
    gap = make_event(
        3,
        event__dataset="liuhe.gap",
        gov__gap__lane="bulk",
        gov__gap__first=10,
        gov__gap__last=19,
        gov__gap__count=10,
        gov__gap__reason="quota",
    )
    commit([gap])
    commit([gap])
    (kept,) = inventory.gaps("host-web-01")
    assert (kept.lane, kept.first, kept.last, kept.count, kept.reason) == ("bulk", 10, 19, 10, "quota")
    assert inventory.gaps("other") == []


def test_gaps_are_numbered_as_they_are_committed_and_say_when_what_was_lost_happened(
    inventory: InventoryStore, commit: Callable[[list[Event]], None], make_event: MakeEvent, start: datetime
) -> None:
    times = {"gov__gap__from": start.isoformat(), "gov__gap__to": "yesterday"}
    late, early = (make_event(number, event__dataset="liuhe.gap", **times) for number in (9, 3))
    commit([late])
    commit([late, early])
    found = inventory.gaps_after(0, 10)
    assert [(gap.event, gap.number) for gap in found] == [(late.id, 1), (early.id, 2)]
    assert [(gap.begins, gap.ends) for gap in found] == [(start, None)] * 2
    assert inventory.gaps_after(1, 10) == found[1:]
    assert inventory.gap_counts() == {late.sensor: 2}
    inventory.keep_gap_leaves([(2, 41)])
    assert [gap.leaf for gap in inventory.gaps_after(0, 10)] == [None, 41]


def test_hostile_fields_are_bounded(
    inventory: InventoryStore, commit: Callable[[list[Event]], None], make_event: MakeEvent, start: datetime
) -> None:
    commit(
        [
            make_event(
                1,
                sensor="s" * 5_000,
                event__dataset="liuhe.heartbeat",
                host__name="h" * 5_000,
                gov__sensor__kind=7,
                gov__sensor__backlog=2**80,
                gov__sensor__events=-4,
                gov__sensor__cpu_percent="much",
                gov__sensor__rss_bytes=True,
                gov__sensor__sources=["a=running"] * 500 + [3],
                gov__sensor__source_details="x",
            )
        ]
    )
    (sensor,) = inventory.sensors(start)
    assert (sensor.kind, sensor.backlog, sensor.events, sensor.cpu_percent) == ("", 2**63 - 1, 0, 0.0)
    assert (len(sensor.sensor), len(sensor.host), len(sensor.sources), sensor.rss_bytes) == (128, 256, 64, 0)
