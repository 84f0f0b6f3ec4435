"""Times of reports: Beijing months, due dates, minutes written and read again."""

from datetime import UTC, datetime

import pytest

from compliance.report.times import (
    day,
    due_date,
    minute,
    moment_of,
    month_bounds,
    month_of,
    months_before,
)
from crypto.words import BadInput


def test_a_month_begins_at_midnight_in_beijing() -> None:
    start, end = month_bounds("2026-12")
    assert start == datetime(2026, 11, 30, 16, tzinfo=UTC)
    assert end == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert (month_of(start), month_of(end)) == ("2026-12", "2027-01")
    for wrong in ("2026-13", "2026-1", "26-01", "", "2026-01-01", "9999-12", "0001-01"):
        with pytest.raises(BadInput, match="report-month"):
            month_bounds(wrong)


def test_months_before_and_due_dates() -> None:
    assert months_before("2026-02", 4) == ("2025-11", "2025-12", "2026-01", "2026-02")
    assert due_date("2026-11", 5) == "2026-12-05"
    assert due_date("2026-01", 31) == "2026-02-28"


def test_a_minute_is_written_and_read() -> None:
    moment = datetime(2026, 11, 22, 20, 5, tzinfo=UTC)
    assert (minute(moment), day(moment)) == ("2026-11-23 04:05", "2026-11-23")
    assert moment_of(minute(moment)) == moment
