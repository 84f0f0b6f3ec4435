"""Questions answered bit by bit say what the matcher says, in files and log, whole and in parts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from detection.evaluate import matches
from detection.facts import Facts
from detection.query.parse import parse_query
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.survey import Progress, Question


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detection.store.event_store.FILE_EVENTS_MAX", 60)


@pytest.fixture
def filled(center: Any, engine: Engine, start: datetime) -> EventStore:
    """240 events, most of them sealed in several files."""
    for _ in range(12):
        position = center.receive(20)
    AlertStore(engine).commit([], [], position - 2, start)
    store: EventStore = center.store(engine)
    store.seal(start, force=True)
    assert len(store.segments()) > 2
    return store


def question(start: datetime, text: str, **over: Any) -> Question:
    given = {"since": start - timedelta(hours=1), "until": start + timedelta(days=1), "limit": 7, **over}
    return Question(condition=parse_query(text), **given)


def answered(store: EventStore, asked: Question) -> tuple[Progress, list[str]]:
    *_, last = told = list(store.survey(asked))
    newest = [one.events for one in told if one.events is not None][-1]
    return last, [event.id for event in newest]


@pytest.mark.parametrize(
    "text", ["*", "host.name:web-01", "process.pid>=3", "host.name~web", "not nothing:*"]
)
def test_counts_and_rows_are_what_the_matcher_says(
    filled: EventStore, center: Any, start: datetime, text: str
) -> None:
    asked = question(start, text)
    wanted = [event for event in center.events if matches(asked.condition, event)]
    last, newest = answered(filled, asked)
    assert (last.done, last.stopped, last.matched, sum(last.counts)) == (
        True,
        False,
        len(wanted),
        len(wanted),
    )
    ordered = sorted(wanted, key=lambda event: (event.time, event.id), reverse=True)
    assert newest == [event.id for event in ordered[:7]]
    step = asked.step()
    by_slot = [0] * len(last.counts)
    for event in wanted:
        by_slot[(event.time - asked.since) // step] += 1
    assert list(last.counts) == by_slot


def test_pages_behind_the_last_row_repeat_and_miss_nothing(
    filled: EventStore, center: Any, start: datetime
) -> None:
    seen: list[str] = []
    before = None
    while True:
        _, rows = answered(filled, question(start, "*", slots=0, limit=50, before=before))
        if not rows:
            break
        seen += rows
        last = next(event for event in center.events if event.id == rows[-1])
        before = last.time, last.id
    assert len(seen) == len(set(seen)) == 240
    assert set(seen) == {event.id for event in center.events}


def test_everything_matching_is_handed_on_once(filled: EventStore, center: Any, start: datetime) -> None:
    found = [event.id for event in filled.matching(question(start, "process.pid>=3"))]
    condition = parse_query("process.pid>=3")
    assert sorted(found) == sorted(event.id for event in center.events if matches(condition, event))


def test_other_units_are_never_seen(filled: EventStore, center: Any, start: datetime) -> None:
    unit = center.events[0].unit
    own, _ = answered(filled, question(start, "*", units=frozenset({unit})))
    others, rows = answered(filled, question(start, "*", units=frozenset({"elsewhere"})))
    assert (own.matched, others.matched, rows) == (240, 0, [])
    assert list(filled.matching(question(start, "*", units=frozenset({"elsewhere"})))) == []


@pytest.mark.parametrize("text", ["*", "host.name~web"])
def test_who_asked_may_stop(filled: EventStore, start: datetime, text: str) -> None:
    calls: list[None] = []

    def stop() -> bool:
        calls.append(None)
        return len(calls) > 1

    *_, last = filled.survey(question(start, text), stop)
    assert (last.done, last.stopped) == (False, True)
    assert last.files < last.files_all
    assert last.reached > question(start, text).since


def test_a_broken_file_is_named_and_the_others_answer(
    filled: EventStore, center: Any, start: datetime, make_event: Callable[..., Any]
) -> None:
    broken = filled.segments()[0]
    (center.folder / "events" / broken.name).write_bytes(b"no parquet")
    last, _ = answered(filled, question(start, "*"))
    assert (last.matched, len(last.findings), last.done) == (240 - broken.rows, 1, True)
    assert broken.name in last.findings[0].en


@pytest.mark.parametrize("text", ["*", "host.name~web"])
def test_values_of_a_field_with_their_number(
    filled: EventStore, center: Any, start: datetime, text: str
) -> None:
    counted: dict[str, int] = {}
    for event in center.events:
        for value in set(Facts(event).folded("Image")):
            counted[value] = counted.get(value, 0) + 1
    found = filled.values(question(start, text), "Image", 100)
    assert (dict(found.rows), found.more, found.matched) == (counted, False, 240)
    few = filled.values(question(start, text), "Image", 1)
    assert (len(few.rows), few.more) == (1, len(counted) > 1)
    nobody = filled.values(question(start, text, units=frozenset({"elsewhere"})), "Image", 9)
    assert (nobody.rows, nobody.matched) == ((), 0)
