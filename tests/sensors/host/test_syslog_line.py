"""Syslog lines: both time forms, years that are not written, hostile text."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host.syslog_line import parse_line

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("Jan  5 07:59:58 web-01 sshd[312]: text", datetime(2026, 1, 4, 23, 59, 58, tzinfo=UTC)),
        ("Dec 31 23:00:00 web-01 sshd[312]: text", datetime(2025, 12, 31, 15, 0, tzinfo=UTC)),
        ("<86>Jan  5 07:59:58 web-01 sshd[312]: text", datetime(2026, 1, 4, 23, 59, 58, tzinfo=UTC)),
        ("2026-01-05T07:59:58.5+08:00 web-01 sshd[312]: text", datetime(2026, 1, 4, 23, 59, 58, 500000, UTC)),
    ],
)
def test_the_forms_of_time(line: str, time: datetime) -> None:
    found = parse_line(line, NOW)
    assert found is not None
    assert found.time == time
    assert (found.host, found.program, found.pid, found.message) == ("web-01", "sshd", 312, "text")


def test_a_leap_day_is_of_the_last_year_that_had_it() -> None:
    found = parse_line("Feb 29 10:00:00 h cron: x", datetime(2025, 1, 3, tzinfo=UTC))
    assert found is not None
    assert found.time == datetime(2024, 2, 29, 10, tzinfo=UTC)


@pytest.mark.parametrize("line", ["", "root:x:0:0", "Jan 41 00:00:00 h p: m", "2026-13-01T00:00:00Z h p: m"])
def test_other_lines_are_none(line: str) -> None:
    assert parse_line(line, NOW) is None


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.booleans())
def test_any_text_is_parsed_or_refused(text: str, dated: bool) -> None:
    found = parse_line(("Jan  5 07:59:58 " if dated else "") + text, NOW)
    assert found is None or found.time.tzinfo is UTC
