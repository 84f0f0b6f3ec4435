"""Working days and hours: week-ends, holidays and exchanged working days (调休), as data of the site.

Detectors ask two things: which slot of the week an hour is like, and whether it is outside working hours.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import BadInput, Words
from detection.parameters import read_parameters, shipped

SLOTS: Final = 48  # hours of a working day, then hours of a day off
_DAY_SECONDS: Final = 86_400
_CACHED_DAYS_MAX: Final = 4_096


class Year(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days of one year that are not what their day of the week says."""

    year: int
    off: tuple[date, ...] = ()
    work: tuple[date, ...] = ()


class CalendarFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/calendar.toml."""

    hours: tuple[int, int]
    offset_minutes: int
    years: tuple[Year, ...] = ()


class Calendar:
    """Asks about moments in UTC, answers about local days."""

    def __init__(self, file: CalendarFile) -> None:
        """Raises BadInput where the file contradicts itself."""
        first, last = file.hours
        if not 0 <= first < last <= 24 or abs(file.offset_minutes) > 14 * 60:
            raise _bad(f"hours {first}-{last}, offset {file.offset_minutes}")
        self._first, self._last = first, last
        self._offset = timedelta(minutes=file.offset_minutes)
        self.offset_seconds = file.offset_minutes * 60  # of local time before UTC
        self._off = {day for year in file.years for day in year.off}
        self._work = {day for year in file.years for day in year.work}
        self.years = frozenset(year.year for year in file.years)
        for year in file.years:
            for day in (*year.off, *year.work):
                if day.year != year.year:
                    raise _bad(f"{day} in {year.year}")
        if both := self._off & self._work:
            raise _bad(f"{min(both)} off and working")
        self._known: dict[int, bool] = {}

    def is_working_day(self, moment: datetime) -> bool:
        """Whether people work on the local day of ``moment``."""
        number = int((moment + self._offset).timestamp() // _DAY_SECONDS)
        known = self._known.get(number)
        if known is None:
            day = date(1970, 1, 1) + timedelta(days=number)
            known = day in self._work or (day.weekday() < 5 and day not in self._off)
            if len(self._known) >= _CACHED_DAYS_MAX:
                self._known.clear()
            self._known[number] = known
        return known

    def is_off_hours(self, moment: datetime) -> bool:
        """Whether nobody is expected to work at ``moment``."""
        hour = (moment + self._offset).astimezone(UTC).hour
        return not (self._first <= hour < self._last and self.is_working_day(moment))

    def slot(self, moment: datetime) -> int:
        """0 to 23: an hour of a working day; 24 to 47: an hour of a day off. Hours alike share a slot."""
        hour = (moment + self._offset).astimezone(UTC).hour
        return hour if self.is_working_day(moment) else 24 + hour

    def knows(self, moment: datetime) -> bool:
        """Whether holidays of the local year are entered; otherwise only week-ends are known."""
        return (moment + self._offset).astimezone(UTC).year in self.years


def site_calendar(path: Path | None = None) -> Calendar:
    """The calendar of the site, or the one that comes with the product. Raises BadInput."""
    return Calendar(read_parameters(path or shipped("calendar.toml"), CalendarFile))


def _bad(reason: str) -> BadInput:
    return BadInput(
        "parameters-malformed",
        Words(f"工作日历不能用:{reason}", f"the calendar cannot be used: {reason}"),
        Words(
            "请按 docs/reference/detectors.md 改正该键", "correct that key, see docs/reference/detectors.md"
        ),
        field="calendar.toml",
    )
