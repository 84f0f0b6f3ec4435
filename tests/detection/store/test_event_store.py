"""The event store: sealing survives a crash at any step, files and log read as one, retention holds."""

import pkgutil
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from crypto.words import BadInput
from detection.condition import Atom
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from sensors.segment_read import segments_of


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detection.store.event_store.FILE_EVENTS_MAX", 60)


class Crash(BaseException):
    """The process dies here."""


def ids(events: Any) -> list[str]:
    return [event.id for event in events]


def stored(store: EventStore, start: datetime) -> list[str]:
    found = ids(store.since(start))
    assert len(found) == len(set(found)) == store.count_since(start)
    return sorted(found)


def advance(engine: Engine, position: int, start: datetime) -> None:
    AlertStore(engine).commit([], [], position, start)


def fill(center: Any, engine: Engine, start: datetime, batches: int = 12) -> None:
    for _ in range(batches):
        position = center.receive(20)
    advance(engine, position, start)


def test_follow_gives_what_was_received(center: Any, engine: Engine) -> None:
    first, second = center.receive(3), center.receive(2)
    store = center.store(engine)
    frames = store.follow(0)
    assert [sequence for sequence, _ in frames] == [first, second]
    assert ids(store.events_of(frames[0][1])) == ids(center.events[:3])
    assert store.follow(second) == []


def test_sealing_moves_whole_segments_behind_the_cursor(center: Any, engine: Engine, start: datetime) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    before = len(segments_of(center.folder / "log"))
    assert before > 2
    made = store.seal(start)
    assert len(segments_of(center.folder / "log")) == 1
    assert sum(file.rows for file in made) + sum(len(store.events_of(p)) for _, p in store.follow(0)) == 240
    assert [file.sequence_first for file in made] == [1, *(file.sequence_last + 1 for file in made[:-1])]
    assert stored(store, start) == sorted(ids(center.events))
    assert store.seal(start) == []
    assert store.verify_segments() == []
    assert store.segments(made[0].id) == made[1:]


def test_a_file_being_sealed_is_no_finding(
    center: Any, engine: Engine, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(center, engine, start)
    store = center.store(engine)

    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr("detection.store.segment_store.SegmentStore.add", dies)
        with pytest.raises(Crash):
            store.seal(start)
    assert list((center.folder / "events").glob("*.parquet"))
    assert store.verify_segments() == []
    store.seal(start)
    assert stored(store, start) == sorted(ids(center.events))


def test_nothing_before_the_cursor_passed_it(center: Any, engine: Engine, start: datetime) -> None:
    for _ in range(12):
        center.receive(20)
    store = center.store(engine)
    assert store.seal(start, force=True) == []
    advance(engine, 2, start)
    (made,) = store.seal(start, force=True)
    assert (made.sequence_first, made.sequence_last, made.rows) == (1, 2, 40)
    assert stored(store, start) == sorted(ids(center.events))
    advance(engine, 12, start)
    store.seal(start, force=True)
    assert sum(file.rows for file in store.segments()) == 240
    assert stored(store, start) == sorted(ids(center.events))
    assert len(segments_of(center.folder / "log")) == 1


@pytest.mark.parametrize(
    "target",
    [
        "detection.store.event_store.table_of",
        "detection.store.event_store.write_file",
        "detection.store.event_file.os.fsync",
        "pathlib.Path.rename",
        "detection.store.event_store.sync_folder",
        "detection.store.segment_store.SegmentStore.add",
        "detection.store.segment_store.insert",
        "sensors.segment_log.SegmentLog.release",
    ],
)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("turn", [1, 2])
def test_a_crash_at_any_step_of_sealing(
    center: Any,
    engine: Engine,
    start: datetime,
    monkeypatch: pytest.MonkeyPatch,
    target: str,
    after: bool,
    turn: int,
) -> None:
    fill(center, engine, start, batches=6)
    with monkeypatch.context() as patched:
        _crash(patched, target, turn, after=after)
        with pytest.raises(Crash):
            [center.store(engine).seal(start) for _ in range(turn)]
    # Who reads at this moment sees every event once.
    assert stored(center.store(engine), start) == sorted(ids(center.events))
    store = center.store(engine)
    store.seal(start)
    assert stored(store, start) == sorted(ids(center.events))
    assert store.verify_segments() == []
    assert not list((center.folder / "events").glob("*.tmp"))
    assert all(one.sequence_last < other.sequence_first for one, other in pairwise(store.segments()))


def _crash(patched: pytest.MonkeyPatch, target: str, turn: int, *, after: bool) -> None:
    place, _, name = target.rpartition(".")
    owner = pkgutil.resolve_name(place)
    real: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < turn:
            return real(*arguments, **named)
        if after:
            real(*arguments, **named)
        raise Crash

    patched.setattr(owner, name, dying)


def test_one_changed_bit_is_found(center: Any, engine: Engine, start: datetime) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    path = center.folder / "events" / store.seal(start)[0].name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (finding,) = store.verify_segments()
    assert "SM3" in finding.en


def test_a_malformed_frame_is_set_aside_and_stops_nothing(
    center: Any, engine: Engine, start: datetime
) -> None:
    center.receive(2)
    bad = center.frame([b'{"not": "an event"}'], center.sent + 1)
    foreign = center.log.append([b"\xff garbage"])[-1]
    last = center.receive(2)
    advance(engine, last, start)
    store = center.store(engine)
    assert stored(store, start) == sorted(ids(center.events))
    (made,) = store.seal(start, force=True)
    assert made.rows == 4
    aside = sorted(path.name for path in (center.folder / "events").glob("*.rejected"))
    assert aside == [f"{bad:020d}.rejected", f"{foreign:020d}.rejected"]


def test_an_event_stored_twice_in_the_log_is_sealed_once(
    center: Any, engine: Engine, start: datetime
) -> None:
    center.receive(3)
    payload = center.log.read(0)[0].payload
    position = center.log.append([payload])[-1]
    advance(engine, position, start)
    store = center.store(engine)
    assert len(store.search(Atom("n", "exists")).events) == 3
    (made,) = store.seal(start, force=True)
    assert made.rows == 3


def test_retention_deletes_whole_files_and_keeps_their_digest(
    center: Any, engine: Engine, start: datetime
) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    (old, *_) = first = store.seal(start)
    advance(engine, center.receive(20), start)
    (young,) = store.seal(start + timedelta(days=5), force=True)[-1:]
    with pytest.raises(BadInput) as caught:
        store.expire(start, start + timedelta(days=189))
    assert caught.value.code == "retention-short"
    assert store.expire(start, start + timedelta(days=200)) == []
    now = start + timedelta(days=192)
    assert store.expire(now - timedelta(days=190), now) == first
    assert not (center.folder / "events" / old.name).exists()
    tombstone = store.segments()[0]
    assert (tombstone.status, tombstone.sm3, tombstone.rows) == ("deleted", old.sm3, old.rows)
    assert tombstone.deleted == now
    assert store.verify_segments() == []
    assert len(ids(store.since(start))) == 260 - sum(file.rows for file in first)
    assert store.expire(now - timedelta(days=190), now) == []
    short = start + timedelta(days=7)
    assert young in store.expire(short - timedelta(days=1), short, days_min=1)


def test_a_crash_between_tombstone_and_unlink(
    center: Any, engine: Engine, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    made = store.seal(start)
    before, now = start + timedelta(days=1), start + timedelta(days=200)
    with monkeypatch.context() as patched:
        _crash(patched, "pathlib.Path.unlink", 1, after=False)
        with pytest.raises(Crash):
            store.expire(before, now)
    assert [path.name for path in (center.folder / "events").iterdir()]
    store.expire(before, now)
    assert list((center.folder / "events").iterdir()) == []
    assert [file.sm3 for file in store.segments()] == [file.sm3 for file in made]


def test_a_catalogue_put_back_from_a_backup_costs_no_file(
    center: Any, engine: Engine, start: datetime
) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    made = store.seal(start)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM segments")
    store.seal(start)
    assert all((center.folder / "events" / file.name).exists() for file in made)
    assert len(store.verify_segments()) == len(made)


def test_an_event_leads_to_its_batch_before_and_after_sealing(
    center: Any, engine: Engine, start: datetime
) -> None:
    fill(center, engine, start)
    store = center.store(engine)
    wanted = center.events[25].id
    whole = store.trace(wanted)
    assert whole is not None
    assert (whole.event.id, whole.header.first, whole.batch.count) == (wanted, 21, 20)
    assert whole.batch.body
    store.seal(start, force=True)
    head = store.trace(wanted)
    assert head is not None
    assert (head.header, head.batch) == (whole.header, msgspec.structs.replace(whole.batch, body=b""))
    assert store.trace(center.events[0].id[:-1] + "f") is None


def test_an_event_of_a_file_without_heads_is_not_traced(center: Any, engine: Engine, start: datetime) -> None:
    fill(center, engine, start, batches=2)
    store = center.store(engine)
    store.seal(start, force=True)
    for path in (center.folder / "events").glob("*.batches"):
        path.unlink()
    assert store.trace(center.events[0].id) is None
    assert store.verify_segments() == []
