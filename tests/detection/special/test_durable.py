"""Memories that outlive the process: when a snapshot is due, what a foreign one does, exact replay."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from detection.alert import Alert
from detection.detector import FeedFailed, feed_each
from detection.special.durable import Durable
from sensors.event import Event

Make = Callable[..., Event]


class Counted(msgspec.Struct):
    seen: list[str] = []


class Counter:
    """Remembers which events it was given."""

    name = "counter"
    datasets: frozenset[str] | None = frozenset({"a"})

    def __init__(self) -> None:
        self.seen: list[str] = []

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        return feed_each(self._take, events)

    def memory(self) -> Counted:
        return Counted(list(self.seen))

    def remember(self, memory: Counted) -> None:
        self.seen = memory.seen

    def _take(self, event: Event) -> list[Alert]:
        if event.fields.get("bad"):
            raise ValueError("bad")
        self.seen.append(event.id)
        return []


def test_replay_after_recall_neither_doubles_nor_loses(make: Make) -> None:
    events = [make(n, "ab"[n % 3 == 0], {}, sensor=f"s{n % 2}") for n in range(60)]
    first = Durable(Counter(), seconds=10)
    first.feed(events[:20])
    kept = first.snapshot()
    assert kept is not None
    assert first.snapshot() is None
    first.feed(events[20:40])
    second = Durable(Counter(), seconds=10)
    second.recall(kept)
    since = second.replay_since()
    assert since is not None
    assert since <= events[19].time
    second.feed(sorted(events[10:40], key=lambda event: event.sensor))
    second.feed(events[40:])
    wanted = {event.id for event in events if event.fields["event.dataset"] == "a"}
    assert sorted(second.detector.memory().seen) == sorted(wanted)  # type: ignore[attr-defined]


def test_a_snapshot_is_due_after_its_time_and_only_where_something_changed(make: Make) -> None:
    kept = Durable(Counter(), seconds=10)
    assert kept.snapshot() is None
    assert kept.replay_since() is None
    kept.feed([make(0, "a", {})])
    assert kept.snapshot() is not None
    kept.feed([make(5, "a", {})])
    assert kept.snapshot() is None
    kept.feed([make(11, "a", {})])
    assert kept.snapshot() is not None


@pytest.mark.parametrize("snapshot", [b"", b"\xc1", b"\x94\x09\x00\x80\x80", b"{}"])
def test_a_foreign_snapshot_is_left_aside(snapshot: bytes, make: Make) -> None:
    kept = Durable(Counter(), seconds=10)
    kept.recall(snapshot)
    kept.feed([make(0, "a", {})])
    assert kept.replay_since() is None


def test_a_failing_event_is_named_by_its_place_among_all(make: Make) -> None:
    kept = Durable(Counter(), seconds=10)
    events = [make(0, "b", {}), make(1, "a", {}), make(2, "b", {}), make(3, "a", {"bad": True})]
    with pytest.raises(FeedFailed) as caught:
        kept.feed(events)
    assert caught.value.index == 3
