"""Working days: week-ends, holidays, exchanged days, in the local time of the site."""

from datetime import UTC, date, datetime

import pytest

from crypto.words import BadInput
from detection.calendar import Calendar, CalendarFile, Year, site_calendar


def at(day: str, hour: int, minute: int = 0) -> datetime:
    """A local moment (UTC+8) as UTC."""
    local = datetime.fromisoformat(f"{day}T{hour:02d}:{minute:02d}:00+08:00")
    return local.astimezone(UTC)


def test_holidays_exchanged_days_and_week_ends() -> None:
    calendar = site_calendar()
    assert calendar.is_working_day(at("2026-11-23", 9))
    assert not calendar.is_working_day(at("2026-11-22", 9))
    assert not calendar.is_working_day(at("2026-10-01", 9))
    assert calendar.is_working_day(at("2026-10-10", 9))  # a Saturday exchanged for a day of the holiday
    assert calendar.is_working_day(at("2025-01-26", 9))
    assert calendar.knows(at("2026-10-10", 9))
    assert not calendar.knows(at("2031-10-10", 9))


def test_hours_are_local_and_end_before_the_last() -> None:
    calendar = site_calendar()
    assert not calendar.is_off_hours(at("2026-11-23", 8))
    assert not calendar.is_off_hours(at("2026-11-23", 17, 59))
    assert calendar.is_off_hours(at("2026-11-23", 18))
    assert calendar.is_off_hours(at("2026-11-23", 0, 30))
    assert calendar.is_off_hours(at("2026-11-22", 10))


def test_slots_of_a_holiday_are_those_of_a_sunday() -> None:
    calendar = site_calendar()
    assert calendar.slot(at("2026-10-01", 9)) == calendar.slot(at("2026-11-22", 9)) == 33
    assert calendar.slot(at("2026-11-23", 9)) == 9


def test_no_year_has_a_day_twice_or_elsewhere() -> None:
    assert site_calendar().years == {2025, 2026}
    day = date(2026, 1, 1)
    for wrong in (
        CalendarFile(hours=(8, 18), offset_minutes=480, years=(Year(year=2025, off=(day,)),)),
        CalendarFile(hours=(8, 18), offset_minutes=480, years=(Year(year=2026, off=(day,), work=(day,)),)),
        CalendarFile(hours=(18, 8), offset_minutes=480),
        CalendarFile(hours=(8, 18), offset_minutes=9999),
    ):
        with pytest.raises(BadInput):
            Calendar(wrong)
