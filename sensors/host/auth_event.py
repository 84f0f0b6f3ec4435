"""Authentication event: one syslog line or journal entry in the product's names."""

from datetime import datetime
from typing import Final

from sensors.event import LogSource, Observation, Value
from sensors.host.auth_message import read_message
from sensors.host.observe import LINUX, decoded, observe
from sensors.host.syslog_line import parse_line

_SERVICES: Final = {  # program -> Sigma's service for it; every other program is "auth"
    "sshd": "sshd",
    "sshd-session": "sshd",
    "sudo": "sudo",
    "su": "su",
    "CRON": "cron",
    "cron": "cron",
    "crond": "cron",
}


def describe_line(raw: bytes, now: datetime) -> Observation | None:
    """The event of a log line; None where it is not a syslog line. ``now`` is aware, in the log's zone."""
    line = parse_line(decoded(raw).rstrip("\r\n"), now)
    if line is None:
        return None
    return describe(line.program, line.pid, line.message, line.time, host=line.host)


def describe(program: str, pid: int, message: str, time: datetime, *, host: str = "") -> Observation:
    """The event of a message that ``program`` logged at ``time`` (aware)."""
    found = read_message(program, message)
    category = "authentication" if found.get("event.category") == "authentication" else ""
    fields: dict[str, Value] = {
        "message": message,
        "process.name": program,
        "process.pid": pid or None,
        "event.provider": program,
    }
    fields.update(found)
    return observe(
        "auth.log",
        LogSource(product=LINUX, category=category, service=_SERVICES.get(program.partition("(")[0], "auth")),
        fields,
        native={"message": message, "Program": program},
        time=time,
        host=host,
    )
