"""Syslog messages as devices send them: RFC 5424, RFC 3164 and its common variations, never refused.

RFC 5424: ``<PRI>1 TIME HOST APP PROCID MSGID [SD-ID name="value"] TEXT``. RFC 3164: ``<PRI>Nov 22 09:08:07
host tag[pid]: text``; devices also write a year, milliseconds, a zone or no host, some nothing of it.
What has no form of its own is still a message: its text is kept, its time is when it came.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple

from sensors.host.syslog_line import parse_line

MESSAGE_BYTES_MAX: Final = 64 * 1024  # RFC 5424 wants 2,048 at least; larger is cut
ELEMENTS_MAX: Final = 32
PARAMETERS_MAX: Final = 128
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", *(f"local{number}" for number in range(8)),
)  # fmt: skip
SEVERITIES: Final = ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug")
# <PRI>Nov 22 2026 09:08:07[.123][ +08:00] host tag: text, as Huawei, H3C and Cisco write it with a year.
_WITH_YEAR: Final = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}),? (?P<year>\d{4}) (?P<clock>\d{2}:\d{2}:\d{2})"
    r"(?:\.\d{1,6})?(?: ?(?P<zone>[+-]\d{2}:?\d{2}))?:? (?P<rest>.*)",
    re.DOTALL,
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class SyslogMessage(NamedTuple):
    """A message; ``priority`` -1 where none was given, ``data`` maps ``SD-ID.name`` to the value."""

    time: datetime
    host: str
    program: str
    pid: int
    message_id: str
    data: dict[str, str]
    text: str
    priority: int

    @property
    def facility(self) -> str:
        """The facility's name, '' where no priority was given."""
        return FACILITIES[self.priority >> 3] if 0 <= self.priority < 192 else ""

    @property
    def severity(self) -> int:
        """0 emergency … 7 debug; -1 where no priority was given."""
        return self.priority & 7 if 0 <= self.priority < 192 else -1


def parse_syslog(text: str, received: datetime, zone: tzinfo | None = None) -> SyslogMessage:
    """The message in ``text``; ``received`` (aware) is its time where it says none or no possible one.

    ``zone`` is that of clocks which name none; None: the zone of ``received``.
    """
    text = text.rstrip("\r\n\x00")
    priority, rest = _priority(text)
    local = received.astimezone(zone) if zone is not None else received
    if rest.startswith("1 "):
        found = _structured(rest[2:], priority, local)
        if found is not None:
            return found
    return _traditional(rest, priority, local)


def _priority(text: str) -> tuple[int, str]:
    if text.startswith("<"):
        number, bracket, rest = text[1:5].partition(">")
        if bracket and number.isascii() and number.isdecimal() and int(number) < 192:
            return int(number), rest + text[5:]
    return -1, text


def _structured(text: str, priority: int, local: datetime) -> SyslogMessage | None:
    words = text.split(" ", 5)
    if len(words) < 6:
        return None
    stamp, host, program, process, message_id, rest = words
    time = _rfc3339(stamp, local)
    if time is None:
        return None
    data, rest = _elements(rest)
    return SyslogMessage(
        time=time,
        host=_nil(host),
        program=_nil(program),
        pid=int(process) if process.isascii() and process.isdecimal() and len(process) <= 10 else 0,
        message_id=_nil(message_id),
        data=data,
        text=rest.removeprefix("\ufeff"),
        priority=priority,
    )


def _elements(text: str) -> tuple[dict[str, str], str]:
    """STRUCTURED-DATA and what follows it; a broken element ends it and stays in the text."""
    if text.startswith("-"):
        return {}, text[1:].removeprefix(" ")
    data: dict[str, str] = {}
    for _ in range(ELEMENTS_MAX):
        if not text.startswith("["):
            break
        end = _element(text, data)
        if end < 0:
            return data, text
        text = text[end:]
    return data, text.removeprefix(" ")


def _element(text: str, data: dict[str, str]) -> int:
    """Read one ``[id name="value" …]`` into ``data``; where it ends, -1 where it does not."""
    at = 1
    while at < len(text) and text[at] not in ' ]="':
        at += 1
    name = text[1:at]
    while at < len(text) and text[at] == " ":
        equal = text.find('="', at)
        if equal < 0:
            return -1
        key, at, value = text[at + 1 : equal], equal + 2, []
        while at < len(text) and text[at] != '"':
            if text[at] == "\\" and text[at + 1 : at + 2] in ('"', "\\", "]"):
                at += 1
            value.append(text[at])
            at += 1
        if at >= len(text):
            return -1
        if len(data) < PARAMETERS_MAX:
            data[f"{name}.{key.strip()}"] = "".join(value)
        at += 1
    return at + 1 if text[at : at + 1] == "]" else -1


def _traditional(text: str, priority: int, local: datetime) -> SyslogMessage:
    line = parse_line(text, local)
    if line is None:
        time, rest = _leading_time(text, local)
        if time is None:
            return SyslogMessage(local.astimezone(UTC), "", "", 0, "", {}, rest.strip(), priority)
        line = parse_line(f"{_plain(time)} {rest}", time)
        if line is None:  # no tag: which word would be the host cannot be known, the text stays whole
            tag, colon, said = rest.partition(": ")
            tagged = bool(colon) and " " not in tag
            program, said = (tag, said) if tagged else ("", rest)
            return SyslogMessage(time.astimezone(UTC), "", program, 0, "", {}, said.strip(), priority)
        line = line._replace(time=time.astimezone(UTC))
    if line.host.endswith(":"):  # a device that leaves its name out
        said = f"{line.program}: {line.message}"
        line = line._replace(host="", program=line.host.rstrip(":"), message=said)
    return SyslogMessage(line.time, line.host, line.program, line.pid, "", {}, line.message, priority)


def _plain(time: datetime) -> str:
    return f"{_MONTHS[time.month - 1]} {time.day:>2} {time:%H:%M:%S}"


def _leading_time(text: str, local: datetime) -> tuple[datetime | None, str]:
    """A time before the rest, in the forms ``parse_line`` does not know: with a year, or with no host."""
    found = _WITH_YEAR.match(text)
    if found is None:
        words = text.split(None, 3)
        as_line = parse_line(f"{' '.join(words[:3])} - -: -", local) if len(words) > 3 else None
        return (as_line.time.astimezone(local.tzinfo), words[3]) if as_line else (None, text)
    try:
        hour, minute, second = (int(part) for part in found["clock"].split(":"))
        month = _MONTHS.index(found["month"]) + 1
        zone = _zone(found["zone"]) if found["zone"] else local.tzinfo
        time = datetime(int(found["year"]), month, int(found["day"]), hour, minute, second, tzinfo=zone)
        time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None, text
    return time, found["rest"]


def _zone(text: str) -> timezone:
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def _rfc3339(text: str, local: datetime) -> datetime | None:
    if text == "-":
        return local.astimezone(UTC)
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=local.tzinfo)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _nil(text: str) -> str:
    return "" if text == "-" else text
