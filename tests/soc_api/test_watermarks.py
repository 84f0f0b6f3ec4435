"""Watermarks agree with a set of everything that was stored."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.wire import StoredHeader
from soc_api.watermarks import EPOCHS_MAX, Boot, Watermarks

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def header(epoch: int, first: int, last: int) -> StoredHeader:
    return StoredHeader(sensor="a", unit="u", epoch=epoch, lane="bulk", first=first, last=last, received=NOW)


@settings(max_examples=60, deadline=None)
@given(ranges=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(0, 6)), max_size=20))
def test_nothing_is_stored_twice(ranges: list[tuple[int, int, int]]) -> None:
    marks = Watermarks()
    stored: set[tuple[int, int]] = set()
    for epoch, first, more in ranges:
        new = marks.first_new("a", "bulk", epoch, first, first + more)
        if new is not None:
            fresh = {(epoch, n) for n in range(new, first + more + 1)}
            assert not fresh & stored
            stored |= fresh
            marks.advance(header(epoch, new, first + more))
        marks = Watermarks.decode(marks.encode())


def test_boots_not_known_are_new_and_the_least_recent_is_forgotten() -> None:
    """A sensor that started more often than is kept while it had no line loses nothing."""
    marks = Watermarks()
    for epoch in range(1, EPOCHS_MAX + 1):
        marks.advance(header(epoch, 1, 10))
    marks.advance(header(1, 11, 12))  # the oldest, and the most recent now
    marks.advance(header(EPOCHS_MAX + 9, 1, 10))
    marks = Watermarks.decode(marks.encode())
    assert marks.first_new("a", "bulk", 1, 11, 13) == 13
    assert marks.first_new("a", "bulk", 2, 5, 12) == 5, "forgotten: stored again rather than lost"
    assert marks.first_new("a", "bulk", 3, 5, 10) is None
    assert marks.first_new("a", "bulk", EPOCHS_MAX + 4, 8, 12) == 8, "an epoch between known ones"
    assert marks.first_new("a", "flows", 2, 11, 12) == 11
    assert marks.mark("b", "bulk", 1) == 0
    assert Watermarks.decode(b"").mark("a", "bulk", 1) == 0
    with pytest.raises(msgspec.MsgspecError):
        Watermarks.decode(b"\xc1")


def test_the_newest_boot_and_its_key_are_known_over_a_checkpoint() -> None:
    marks = Watermarks()
    for epoch, key in ((3, b"a" * 32), (5, b"b" * 32), (4, b"a" * 32)):
        marks.advance(header(epoch, 1, 1), key)
    assert Watermarks.decode(marks.encode()).newest("a") == Boot(5, b"b" * 32)
    assert marks.newest("b") == Boot(0, b"")
    old = msgspec.msgpack.encode({"a": {"bulk": {7: 9}}})  # as version 1 wrote it
    assert Watermarks.decode(old).mark("a", "bulk", 7) == 9
