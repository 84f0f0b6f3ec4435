"""Trailing windows: in order, out of order, trimmed, expired, weighed."""

import msgspec
import pytest
from correlation_scenes import correlation

from detection.correlation import trailing
from detection.correlation.keyed import KEY_BYTES, Keyed, Series, newest, value_weight
from detection.correlation.mark import mark_of
from detection.correlation.trailing import Trailing

SECOND = 1_000_000


def mark(seconds: float) -> bytes:
    return mark_of(int(seconds * SECOND), "00")


def machine(lateness: int = 60, gte: int = 3) -> Trailing:
    return Trailing(correlation("event_count", gte=gte), lateness * SECOND)


def take(one: Trailing, *seconds: float, key: str = "k") -> list[tuple[int, float]]:
    """Take events and say (slot, anchor in seconds) of what was found since."""
    for second in seconds:
        one.take(mark(second), int(second * SECOND), key, None)
    one.flush()
    found = [(finding.occasion, int.from_bytes(finding.anchor[1:8], "big") / SECOND) for finding in one.found]
    one.found.clear()
    return found


def test_a_single_event_is_only_its_mark() -> None:
    one = machine()
    take(one, 1)
    assert one.keyed.states == {"k": mark(1)}
    assert newest(one.keyed.states["k"]) == mark(1)
    valued = Trailing(correlation("value_count", gte=3, fields=("n",)), 0)
    valued.take(mark(1), SECOND, "k", "v")
    assert valued.keyed.states == {"k": (mark(1), "v")}
    assert newest(valued.keyed.states["k"]) == mark(1)


def test_few_events_are_their_marks_and_old_ones_go() -> None:
    one = machine(lateness=0, gte=4)
    take(one, 1, 2, 3)
    assert one.keyed.states == {"k": mark(1) + mark(2) + mark(3)}
    assert newest(one.keyed.states["k"]) == mark(3)
    assert one.keyed.weight == one.keyed.weigh("k", one.keyed.states["k"])
    assert take(one, 62) == []
    assert one.keyed.states == {"k": mark(3) + mark(62)}
    assert one.keyed.weight == one.keyed.weigh("k", one.keyed.states["k"])
    assert take(one, 62.5, 62.2) == []
    assert one.late == 1
    late = machine(lateness=1, gte=4)
    assert take(late, 3, 62, 62.5, 62.2) == [(1, 62.5)]
    assert isinstance(late.keyed.states["k"], Series)
    many = machine(gte=1_000)
    assert take(many, *range(100)) == []
    assert isinstance(many.keyed.states["k"], Series)


def test_one_finding_a_slot() -> None:
    one = machine()
    assert take(one, 1, 2, 3, 4, 5) == [(0, 3)]
    assert take(one, 58, 61, 62) == [(1, 61)]
    assert take(one, 400) == []


def test_late_events_move_the_anchor_and_twice_is_once() -> None:
    one = machine()
    assert take(one, 10, 20, 30) == [(0, 30)]
    assert take(one, 5) == [(0, 20)]
    assert take(one, 5, 10) == []
    assert take(one, 1) == [(0, 10)]
    assert one.late == 0


def test_too_late_is_counted() -> None:
    one = machine(lateness=60)
    take(one, 500, 501)
    assert take(one, 100) == []
    assert one.late == 1


def test_one_event_may_be_enough() -> None:
    one = machine(gte=1)
    assert take(one, 1) == [(0, 1)]
    either = Trailing(correlation("temporal", "ab", gte=1), 0)
    either.take(mark(1) + b"\x00", SECOND, "k", 0)
    assert either.found


def test_long_streams_are_trimmed() -> None:
    one = machine(lateness=0)
    take(one, *range(2_000))
    (state,) = one.keyed.states.values()
    assert isinstance(state, Series)
    assert len(state.marks) < 200
    assert len(state.raised) < 8
    assert one.keyed.trimmed == 0
    assert one.keyed.weight == one.keyed.weigh("k", state)


def test_a_crowded_key_forgets_its_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trailing, "MARKS_MAX", 50)
    one = Trailing(correlation("value_count", gte=10**6, fields=("n",), span=86_400), SECOND)
    for number in range(2_000):
        one.take(mark(number), number * SECOND, "k", str(number))
    (state,) = one.keyed.states.values()
    assert isinstance(state, Series)
    assert len(state.marks) <= 50 + 1_024
    assert one.keyed.trimmed + len(state.marks) == 2_000
    assert state.tally is not None
    assert state.tally.number() == len(state.marks)
    assert one.keyed.weight == one.keyed.weigh("k", state)


def test_keys_expire_by_event_time_and_go_when_room_is_needed() -> None:
    one = machine(lateness=10)
    for number in range(32):
        take(one, number, key=f"k{number}")
    take(one, 31.5, key="k0")  # touched again: the last to go
    one.expire(90 * SECOND)  # 90 - 60 - 10 = 20
    assert sorted(one.keyed.states) == sorted(["k0", *(f"k{number}" for number in range(20, 32))])
    one.keyed.evict()
    assert "k20" not in one.keyed.states
    assert one.keyed.evicted == 1
    one.keyed.forget(list(one.keyed.states))
    assert one.keyed.weight == 0


def test_weights_follow_values() -> None:
    keyed = Keyed()
    assert keyed.weigh("key", mark(1)) > KEY_BYTES
    assert keyed.weigh("key", (mark(1), "v" * 100)) > keyed.weigh("key", (mark(1), 3))
    assert value_weight("v" * 100) > 100
    assert value_weight(3) == 0


def test_a_series_is_rebuilt_as_it_stood() -> None:
    rule = correlation("value_count", gte=3, fields=("n",))
    one = Trailing(rule, 0)
    for number in range(70):
        one.take(mark(number), number * SECOND, "k", str(number % 2))
    (state,) = one.keyed.states.values()
    assert isinstance(state, Series)
    again = Trailing(msgspec.structs.replace(rule), 0).series(state.marks, state.whats, state.raised)
    assert state.tally is not None
    assert again.tally is not None
    assert (again.left, again.tally.number(), again.weight) == (
        state.left,
        state.tally.number(),
        state.weight,
    )
