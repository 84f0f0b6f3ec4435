"""Marks sort by time and id, and give both back."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.correlation.mark import MARK_BYTES, edge, id_in, mark_of, micros_in, micros_of, time_of
from sensors.event import event_id

times = st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=60, deadline=None)
@given(times, times, st.integers(0, 10**9))
def test_marks_sort_as_times_do(first: datetime, second: datetime, number: int) -> None:
    micros, other = micros_of(first), micros_of(second)
    assert time_of(micros) == first
    name = event_id(datetime(2026, 1, 1, tzinfo=UTC), "s", 0, number)
    mark, later = mark_of(micros, name), mark_of(other, name)
    assert (mark < later) is (first < second)
    assert (mark >= edge(other)) is (first >= second)
    assert (micros_in(mark), id_in(mark), len(mark)) == (micros, name, MARK_BYTES)


def test_equal_times_sort_by_id_and_foreign_ids_have_marks_too() -> None:
    time = micros_of(datetime(2026, 1, 1, tzinfo=UTC))
    names = [event_id(datetime(2026, 1, 1, tzinfo=UTC), "s", 0, number) for number in (2, 1)]
    assert sorted(names) == [id_in(mark) for mark in sorted(mark_of(time, name) for name in names)]
    assert len(mark_of(time, "no hex at all")) == MARK_BYTES
    assert edge(-(1 << 64)) == bytes(8)
    assert time_of(time + 1) - time_of(time) == timedelta(microseconds=1)
