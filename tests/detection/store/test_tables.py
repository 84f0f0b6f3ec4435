"""Times as stored are exact microseconds; the schema names every constraint."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.store.tables import from_micros, metadata, micros


@settings(max_examples=60, deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_exactly(time: datetime) -> None:
    assert from_micros(micros(time)) == time


def test_a_zone_does_not_matter() -> None:
    east = timezone(timedelta(hours=8))
    assert micros(datetime(2026, 11, 22, 16, 0, tzinfo=east)) == micros(
        datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    )


def test_a_time_out_of_the_calendar_can_be_read_back() -> None:
    zone = timezone(timedelta(hours=8))
    assert from_micros(micros(datetime.min.replace(tzinfo=zone))) == datetime.min.replace(tzinfo=UTC)
    assert from_micros(micros(datetime.max.replace(tzinfo=timezone(timedelta(hours=-8))))).year == 9999


def test_every_constraint_has_a_name() -> None:
    unnamed = [
        (table.name, constraint)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is None
    ]
    assert unnamed == []
