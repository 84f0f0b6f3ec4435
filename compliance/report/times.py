"""Times as reports count and print them: Beijing time, months from its first midnight to the next."""

from datetime import MAXYEAR, UTC, datetime, timedelta, timezone
from typing import Final

from crypto.words import BadInput, Words

# One offset the whole year, so no table of zones is needed.
ZONE: Final = timezone(timedelta(hours=8), "北京时间")
_MINUTE: Final = "%Y-%m-%d %H:%M"


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """[start, end) of a YYYY-MM month. Raises BadInput (report-month)."""
    try:
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=ZONE)
    except ValueError as error:
        raise _bad_month(month) from error
    if start.strftime("%Y-%m") != month or not 1970 < start.year < MAXYEAR:
        raise _bad_month(month)
    return start.astimezone(UTC), _following(start).astimezone(UTC)


def month_of(moment: datetime) -> str:
    """The month a moment lies in."""
    return moment.astimezone(ZONE).strftime("%Y-%m")


def months_before(month: str, count: int) -> tuple[str, ...]:
    """``count`` months that end with this one, oldest first."""
    start, _ = month_bounds(month)
    found = [month]
    while len(found) < count:
        start = month_bounds(month_of(start - timedelta(days=1)))[0]
        found.append(month_of(start))
    return tuple(reversed(found))


def due_date(month: str, day: int) -> str:
    """The day of the following month a report is due, YYYY-MM-DD; a short month ends it."""
    _, end = month_bounds(month)
    first = end.astimezone(ZONE)
    last = (_following(first) - timedelta(days=1)).day
    return first.replace(day=min(day, last)).strftime("%Y-%m-%d")


def minute(moment: datetime) -> str:
    """A moment to the minute."""
    return moment.astimezone(ZONE).strftime(_MINUTE)


def day(moment: datetime) -> str:
    """The day of a moment."""
    return moment.astimezone(ZONE).strftime("%Y-%m-%d")


def moment_of(text: str) -> datetime:
    """The moment ``minute`` wrote."""
    return datetime.strptime(text, _MINUTE).replace(tzinfo=ZONE).astimezone(UTC)


def _following(start: datetime) -> datetime:
    year, month = (start.year + 1, 1) if start.month == 12 else (start.year, start.month + 1)
    return start.replace(year=year, month=month, day=1)


def _bad_month(month: str) -> BadInput:
    return BadInput(
        "report-month",
        Words(f"月份 {month!r} 不合格式", f"{month!r} is not a month"),
        Words("请写成 YYYY-MM,例如 2026-11", "write YYYY-MM, for example 2026-11"),
        field="month",
    )
