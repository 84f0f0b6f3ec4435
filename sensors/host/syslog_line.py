"""One line of a syslog file: its time, host, program and message.

Forms: RFC 3164 as rsyslog writes it (``Nov 22 09:08:07 web-01 sshd[312]: text``, local time, no year),
ISO 8601 (``2026-11-22T09:08:07.123456+08:00 web-01 sshd[312]: text``), each with an optional ``<PRI>``.
"""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_AHEAD_MAX: Final = timedelta(days=2)  # a line later than now by more is of last year
_TAG_CHARS_MAX: Final = 128


class SyslogLine(NamedTuple):
    """A parsed line; ``pid`` 0 where the tag names none."""

    time: datetime
    host: str
    program: str
    pid: int
    message: str


def parse_line(line: str, now: datetime) -> SyslogLine | None:
    """The line's parts, or None where it is not a syslog line; ``now`` (aware) gives the year and zone."""
    rest = _without_priority(line)
    time, rest = _time(rest, now)
    if time is None:
        return None
    host, _, rest = rest.partition(" ")
    tag, colon, message = rest.partition(": ")
    if not colon:
        tag, colon, message = rest.partition(":")
    if not host or not colon or len(tag) > _TAG_CHARS_MAX:
        return None
    program, pid = _program(tag)
    return SyslogLine(time, host, program, pid, message.strip())


def _without_priority(line: str) -> str:
    if line.startswith("<"):
        number, bracket, rest = line[1:].partition(">")
        if bracket and number.isascii() and number.isdecimal() and len(number) <= 3:
            return rest
    return line


def _time(line: str, now: datetime) -> tuple[datetime | None, str]:
    if line[:4].isdecimal() and line[4:5] == "-":
        word, _, rest = line.partition(" ")
        try:
            time = datetime.fromisoformat(word)
            return (time if time.tzinfo else time.replace(tzinfo=now.tzinfo)).astimezone(UTC), rest
        except (ValueError, OverflowError):
            return None, line
    words = line.split(None, 3)
    if len(words) < 4 or words[0] not in _MONTHS:
        return None, line
    found = _moment(now, now.year, words)
    if found is None or found - now > _AHEAD_MAX:
        found = _moment(now, now.year - 1, words)
    return (found.astimezone(UTC), words[3]) if found is not None else (None, line)


def _moment(now: datetime, year: int, words: list[str]) -> datetime | None:
    """``Nov 22 09:08:07`` in ``year`` and the zone of ``now``; None where that year has no such day."""
    clock = words[2].split(":")
    try:
        hour, minute, second = (int(part) for part in clock)
        return datetime(year, _MONTHS[words[0]], int(words[1]), hour, minute, second, tzinfo=now.tzinfo)
    except ValueError:
        return None


def _program(tag: str) -> tuple[str, int]:
    name, bracket, rest = tag.partition("[")
    number = rest.partition("]")[0]
    valid = bracket and number.isascii() and number.isdecimal() and len(number) <= 10
    return name.strip(), int(number) if valid else 0
