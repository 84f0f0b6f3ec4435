"""Files and log read as one: search, ids, counts, and files that cannot be read."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from crypto.words import Words
from detection.condition import Always, Atom, Keyword, negated
from detection.store import event_search
from detection.store.alert_store import AlertStore
from sensors.event import Event, LogSource, Observation, encode, stamp
from sensors.wire import lane_sequence


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detection.store.event_store.FILE_EVENTS_MAX", 60)


def ids(events: Iterable[Event]) -> list[str]:
    return [event.id for event in events]


def fill(center: Any, engine: Engine, start: datetime) -> None:
    for _ in range(12):
        position = center.receive(20)
    AlertStore(engine).commit([], [], position, start)


def test_a_limit_is_a_limit(center: Any, engine: Engine, start: datetime) -> None:
    fill(center, engine, start)
    assert len(center.store(engine).search(Always(True), limit=0).events) == 1
    assert event_search.LIMIT_MAX >= 100_000


def test_search_over_files_and_log(center: Any, engine: Engine, start: datetime) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    store.seal(start)
    center.receive(5, process__name="NC")
    tool = store.search(Atom("Image", "endswith", ("/tool3",)), limit=1_000)
    assert ids(tool.events) == ids(reversed([e for e in center.events if e.native["Image"].endswith("3")]))
    assert ids(store.search(Atom("process.name", "equals", ("nc",))).events) == ids(
        reversed(center.events[240:])
    )
    ten = Atom("n", "gte", (10,))
    found = store.search(negated(ten), until=start + timedelta(seconds=8), since=start + timedelta(seconds=4))
    assert [event.fields["n"] for event in found.events] == [8, 7, 6, 5, 4]
    assert [event.fields["n"] for event in store.search(ten, limit=3).events] == [245, 244, 243]
    assert store.search(Keyword("contains", ("TOOL",)), limit=2).events == store.search(ten, limit=2).events
    assert ids(store.recent(7)) == ids(center.events[:-8:-1])
    assert store.count_since(start + timedelta(seconds=236)) == 10
    assert store.recent(1)[0].ingested == start


def test_events_by_id(center: Any, engine: Engine, start: datetime) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    store.seal(start)
    wanted = [center.events[n].id for n in (239, 0, 100, 7)]
    assert ids(store.get([*wanted, "0" * 40, "nonsense", "g" * 40])) == wanted
    (event,) = store.get(wanted[:1])
    assert event.fields == center.events[239].fields


def test_damaged_and_missing_files_are_named_and_the_rest_answers(
    center: Any, engine: Engine, start: datetime
) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    made = store.seal(start)
    assert len(made) >= 3
    events = center.folder / "events"
    (events / made[0].name).write_bytes(b"PAR1 this is not parquet at all PAR1" * 10)
    (events / made[1].name).unlink()
    (events / "stray.parquet").write_bytes(b"?")
    found = store.search(Atom("n", "exists"), limit=1_000)
    assert len(found.events) == 240 - made[0].rows - made[1].rows
    assert [made[1].name in found.findings[0].en, made[0].name in found.findings[1].en] == [True, True]
    assert [one.en.split()[0].rstrip(":") for one in store.verify_segments()] == [
        made[0].name,
        made[1].name,
        "stray.parquet",
    ]
    assert len(ids(store.since(start))) == len(found.events)
    assert len(store.get(ids(center.events))) == len(found.events)


def test_times_no_calendar_holds_stop_nobody(center: Any, engine: Engine, start: datetime) -> None:
    times = b"0001-01-01T00:00:00+08:00", b"9999-12-31T23:59:59.999999-08:00"
    for number, time in enumerate(times, start=1):
        seen = Observation(time=start, logsource=LogSource(), fields={"n": number})
        sequence = lane_sequence("bulk", number)
        event = stamp(seen, unit="nanjing", sensor="host-web-01", epoch=1, sequence=sequence)
        line = encode(event).replace(b"2026-11-22T08:00:00Z", time)
        assert time in line
        position = center.frame([line], number)
    AlertStore(engine).commit([], [], position, start)
    store = center.store(engine)
    assert len(store.search(Always(True)).events) == 2
    assert len(store.seal(start, force=True)) == 1
    assert len(store.search(Always(True)).events) == 2
    assert len(list(store.since(start.replace(year=1)))) == 1


def test_events_in_the_order_they_came(center: Any, engine: Engine, start: datetime) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    store.seal(start, force=True)
    center.receive(3, seconds=-5)
    told: list[Words] = []
    assert list(map(same, store.arrived(Always(True), unreadable=told.append))) == center.events
    since, until = start + timedelta(seconds=100), start + timedelta(seconds=120)
    ranged = store.arrived(Always(True), since=since, until=until, unreadable=told.append)
    assert ids(ranged) == ids(event for event in center.events if since <= event.time <= until)
    rare = ids(store.arrived(Atom("Image", "endswith", ("/tool3",)), unreadable=told.append))
    assert rare[:-3] == ids(event for event in center.events[:240] if event.native["Image"].endswith("3"))
    assert told == []


def same(event: Event) -> Event:
    """The event as it was before it was received."""
    return msgspec.structs.replace(event, ingested=None)


def test_the_oldest_event_of_each_sensor(
    center: Any, engine: Engine, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    store.seal(start, force=True)
    sensor = center.events[0].sensor
    assert store.oldest({sensor, "nobody"}) == {sensor: min(event.time for event in center.events)}
    assert store.oldest(set()) == {}
    monkeypatch.setattr(event_search, "OLDEST_FILES_MAX", 1)
    files = sorted(store.segments(), key=lambda file: file.time_min)
    assert store.oldest({"nobody"}) == {"nobody": files[1].time_min}  # it cannot be older than that
