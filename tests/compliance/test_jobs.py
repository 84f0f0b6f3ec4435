"""The clock of compliance: one broken job stops no other, and a stop is prompt."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
import pytest

from compliance import jobs
from compliance.jobs import Feed, Jobs, gap_feed, segment_feed
from compliance.ledger import NewEvidence
from compliance.service import Compliance, Placed
from crypto.words import LiuheError, Words
from detection.store.event_store import EventStore
from detection.store.inventory import Gap
from detection.store.inventory_store import InventoryStore
from detection.store.segment_store import Sealed

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def evidence(number: int) -> NewEvidence:
    return NewEvidence(
        kind="segment", actor="system:store", subject=f"segment:{number}", summary="x", payload=b"x"
    )


class Asked:
    """A compliance side that notes what it is asked, in order."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.upto: dict[str, int] = {}
        self.wrong: Exception | None = None
        self.leaves = 100

    def recorded_up_to(self, kind: str) -> int:
        return self.upto.get(kind, 0)

    def record(
        self,
        kind: str,
        items: Sequence[tuple[int, NewEvidence]],
        now: datetime,
        placed: Placed | None = None,
    ) -> None:
        self.calls.append(f"{kind} {[number for number, _ in items]}")
        if placed is not None:
            placed([(number, self.leaves + number) for number, _ in items])
        self.upto[kind] = items[-1][0]

    def evaluate(self, actor: str, now: datetime) -> None:
        self.calls.append(f"evaluate {actor}")

    def draft_due(self, actor: str, now: datetime) -> list[Any]:
        return []

    def work_orders(self, now: datetime) -> int:
        self.calls.append("orders")
        if self.wrong:
            raise self.wrong
        return 0


def rows(last: int, at_a_time: int = 2) -> Feed:
    def feed(after: int) -> Sequence[tuple[int, NewEvidence]]:
        return [(number, evidence(number)) for number in range(after + 1, min(last, after + at_a_time) + 1)]

    return feed


def broken(after: int) -> Sequence[tuple[int, NewEvidence]]:
    raise OSError(5, "Input/output error")


def made(asked: Asked, feeds: dict[str, Feed], said: list[Words], interval: int = 60) -> Jobs:
    desk = cast("Any", asked)
    return Jobs(cast("Compliance", asked), feeds, interval_seconds=interval, say=said.append, desk=desk)


def test_a_turn_feeds_everything_before_it_evaluates() -> None:
    asked, said = Asked(), []  # type: tuple[Asked, list[Words]]
    made(asked, {"segment": rows(3), "audit": rows(1)}, said).turn(NOW)
    assert asked.calls == ["segment [1, 2]", "segment [3]", "audit [1]", "evaluate system:jobs"]
    assert said == []


def test_a_failing_feed_stops_nothing_and_is_said_once() -> None:
    asked, said = Asked(), []  # type: tuple[Asked, list[Words]]
    feeds: dict[str, Feed] = {"segment": broken, "audit": rows(1)}
    work = made(asked, feeds, said)
    for _ in range(3):
        work.turn(NOW)
    assert asked.calls == ["audit [1]", *["evaluate system:jobs"] * 3]
    assert len(said) == 1
    assert "segment" in said[0].en
    feeds["segment"] = rows(1)
    work.turn(NOW)
    work.turn(NOW)
    assert [words.en for words in said[1:]] == ["job segment works again"]


def test_another_reason_is_said_anew() -> None:
    asked, said = Asked(), []  # type: tuple[Asked, list[Words]]
    work = made(asked, {}, said)
    for code in ("a", "a", "b"):
        asked.wrong = LiuheError(code, Words("坏", "bad"), Words("修", "mend"))
        work._try("orders", lambda: asked.work_orders(NOW))
    assert [words.en.split(": ")[1] for words in said] == ["a", "b"]


def test_run_takes_orders_at_once_and_stops_promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TICK_SECONDS", 0.01)
    asked, said, stop = Asked(), [], threading.Event()  # type: tuple[Asked, list[Words], threading.Event]
    worker = threading.Thread(target=made(asked, {"segment": rows(1)}, said).run, args=(stop,))
    worker.start()
    deadline = time.monotonic() + 5
    while asked.calls.count("orders") < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    stop.set()
    worker.join(2)
    assert not worker.is_alive()
    # One turn at the start, the next one only after the interval; orders at every tick.
    assert asked.calls[:3] == ["orders", "segment [1]", "evaluate system:jobs"]
    assert asked.calls.count("evaluate system:jobs") == 1


def test_a_long_feed_gives_way_to_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TICK_SECONDS", 0.0)
    asked, stop = Asked(), threading.Event()
    record = asked.record

    def recorded(*given: Any) -> None:
        record(*given)
        stop.set()

    monkeypatch.setattr(asked, "record", recorded)
    made(asked, {"segment": rows(1_000_000), "audit": rows(5)}, []).run(stop)
    assert asked.calls == ["orders", "segment [1, 2]"]


def sealed(number: int) -> Sealed:
    return Sealed(
        id=number,
        name=f"{number:020d}.parquet",
        sm3="ab" * 32,
        bytes=9,
        rows=3,
        time_min=NOW,
        time_max=NOW,
        sequence_first=1,
        sequence_last=2,
        sealed=NOW,
        status="sealed",
        deleted=None,
    )


def test_sealed_segments_become_leaves_a_bounded_number_at_a_time() -> None:
    class Store:
        def segments(self, after: int = 0) -> list[Sealed]:
            return [sealed(number) for number in range(after + 1, 2_501)]

    feed = segment_feed(cast("EventStore", Store()))
    first = feed(0)
    assert [number for number, _ in first] == list(range(1, 1_001))
    assert first[0][1].subject == f"segment:{1:020d}.parquet"
    assert b'"sm3":"abab' in first[0][1].payload
    assert len(feed(2_000)) == 500
    assert feed(2_500) == []


def gap(number: int, lane: str = "bulk", reason: str = "quota") -> Gap:
    return Gap(
        event=f"e{number}",
        sensor="host-1",
        lane=lane,
        first=10,
        last=19,
        count=10,
        reason=reason,
        time=NOW,
        number=number,
    )


class Gaps:
    """An inventory with gaps, which notes their leaves."""

    def __init__(self, *found: Gap) -> None:
        self.found = found
        self.leaves: dict[int, int] = {}

    def gaps_after(self, number: int, limit: int) -> list[Gap]:
        return [one for one in self.found if one.number > number][:limit]

    def keep_gap_leaves(self, leaves: Sequence[tuple[int, int]]) -> None:
        self.leaves |= dict(leaves)


def test_every_gap_becomes_a_leaf_and_knows_it() -> None:
    asked, said, gaps = Asked(), list[Words](), Gaps(gap(1), gap(2))
    inventory = cast("InventoryStore", gaps)
    feeds, placed = {"gap": gap_feed(inventory)}, {"gap": gaps.keep_gap_leaves}
    work = Jobs(cast("Compliance", asked), feeds, interval_seconds=60, say=said.append, placed=placed)
    work.turn(NOW)
    assert (asked.calls[0], gaps.leaves) == ("gap [1, 2]", {1: 101, 2: 102})
    _, leaf = gap_feed(inventory)(1)[0]
    assert (leaf.kind, leaf.subject, leaf.actor) == ("gap", "gap:e2", "sensor:host-1")
    assert leaf.summary == "bulk 10-19, 10 events, quota"
    assert b'"number":2' in leaf.payload


def test_what_a_hostile_sensor_writes_into_a_gap_stays_out_of_the_summary() -> None:
    inventory = cast("InventoryStore", Gaps(gap(1, lane="bulk\nx", reason="张三 13800000000")))
    assert gap_feed(inventory)(0)[0][1].summary == "other 10-19, 10 events, other"


def test_timers_keep_their_own_beat_and_stop_nothing_when_they_break(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "TICK_SECONDS", 0.005)
    asked, said, stop = Asked(), [], threading.Event()  # type: tuple[Asked, list[Words], threading.Event]
    beats: list[str] = []

    def wrong(_: datetime) -> None:
        beats.append("wrong")
        raise OSError(5, "Input/output error")

    timers = (
        jobs.Timer("often", 0.0, lambda _: beats.append("often")),
        jobs.Timer("once", 3_600.0, lambda _: beats.append("once")),
        jobs.Timer("wrong", 0.0, wrong),
    )
    work = Jobs(cast("Compliance", asked), {}, interval_seconds=60, say=said.append, timers=timers)
    worker = threading.Thread(target=work.run, args=(stop,))
    worker.start()
    deadline = time.monotonic() + 30
    while beats.count("often") < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    stop.set()
    worker.join(30)
    assert beats.count("often") >= 3
    assert beats.count("once") == 1
    assert len(said) == 1
    assert "wrong" in said[0].en


def test_deleted_segments_become_leaves() -> None:
    kept = sealed(1)
    gone = msgspec.structs.replace(sealed(2), status="deleted", deleted=NOW)

    class Events:
        def segments(self, after: int = 0) -> list[Sealed]:
            return [one for one in (kept, gone) if one.id > after]

    feed = jobs.deletion_feed(cast("EventStore", Events()))
    ((number, leaf),) = feed(0)
    assert (number, leaf.kind, leaf.subject) == (2, "deletion", f"segment:{gone.name}")
    assert feed(2) == []
