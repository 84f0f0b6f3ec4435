"""Watermarks agree with a set of everything that was stored."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.wire import StoredHeader
from soc_api.watermarks import EPOCHS_MAX, Watermarks

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


def test_old_boots_are_forgotten_and_stay_repetitions() -> None:
    marks = Watermarks()
    for epoch in range(1, EPOCHS_MAX + 5):
        marks.advance(header(epoch, 1, 10))
    assert marks.first_new("a", "bulk", 2, 11, 12) is None
    assert marks.first_new("a", "bulk", EPOCHS_MAX + 4, 8, 12) == 11
    assert marks.first_new("a", "flows", 2, 11, 12) == 11
    assert marks.mark("b", "bulk", 1) == 0
    assert Watermarks.decode(b"").mark("a", "bulk", 1) == 0
    with pytest.raises(msgspec.MsgspecError):
        Watermarks.decode(b"\xc1")
