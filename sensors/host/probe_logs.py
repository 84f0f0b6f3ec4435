"""Log probes: whether auditing runs, and how long logs are kept."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sensors.event import Value
from sensors.host.observe import decoded
from sensors.host.probe import HostFiles, Probe, Reading, number, raw_of
from sensors.host.syslog_line import parse_line
from sensors.host.utmp import layout, parse_record

_SYSLOG: Final = ("rsyslogd", "syslog-ng", "syslogd")
_LOGS: Final = ("auth.log", "secure", "syslog", "messages", "wtmp", "btmp", "audit/audit.log")
_PERIOD_DAYS: Final = {"hourly": 1, "daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}
_SPAN_DAYS: Final = {"day": 1, "week": 7, "month": 30, "year": 365, "d": 1, "w": 7, "M": 30, "y": 365}


def audit_state(files: HostFiles) -> Reading:
    """auditd and its rules; the syslog daemon and whether it forwards."""
    rules = [
        line
        for name in ["/etc/audit/audit.rules", *files.names("/etc/audit/rules.d", ".rules")]
        for line in files.lines(name)
        if line.startswith(("-a ", "-w ", "-A "))
    ]
    syslog = files.running(_SYSLOG)
    names = ["/etc/rsyslog.conf", *files.names("/etc/rsyslog.d", ".conf")]
    forward = [line for name in names for line in files.lines(name) if "omfwd" in line or _forwards(line)]
    values: dict[str, Value] = {
        "auditd_installed": files.installed("auditd"),
        "auditd_running": bool(files.running(("auditd",))),
        "audit_rules": len(rules),
        "syslog_running": bool(syslog),
        "syslog_daemon": syslog[0] if syslog else "none",
        "journald_running": bool(files.running(("systemd-journald",))),
        "remote_forward": bool(forward),
    }
    return Reading(values, raw_of(("audit rules", rules), ("forwarding", forward)))


def _forwards(line: str) -> bool:
    """``*.* @@host:514`` (TCP) or ``*.* @host`` (UDP)."""
    words = line.split()
    return len(words) >= 2 and "." in words[0] and words[1].startswith("@")


def retention(files: HostFiles) -> Reading:
    """logrotate's and journald's settings, and the oldest log that is really there."""
    days, used = _rotation_days(files)
    journal = _journal(files)
    oldest, where = _oldest(files)
    now = datetime.now(UTC)
    space = os.statvfs(files.path("/var/log"))
    values: dict[str, Value] = {
        "logrotate_configured": days > 0,
        "logrotate_days": days,
        "journald_persistent": journal["persistent"],
        "journald_days": journal["days"],
        "configured_days": max(days, int(str(journal["days"]))),
        "oldest_log": where,
        "oldest_log_days": (now - oldest).days if oldest else 0,
        "log_disk_free_percent": round(100 * space.f_bavail / space.f_blocks) if space.f_blocks else 0,
    }
    found = [f"{where}: {oldest.isoformat()}"] if oldest else []
    return Reading(values, raw_of(("logrotate", used), ("oldest log", found)))


def _rotation_days(files: HostFiles) -> tuple[int, list[str]]:
    """The shortest time a security log is kept: rotate x period, of its own block or the global values."""
    default_rotate, default_period = 0, 7
    kept: list[int] = []
    used: list[str] = []
    for name in ["/etc/logrotate.conf", *files.names("/etc/logrotate.d")]:
        rotate, period, of_logs, depth = default_rotate, default_period, False, 0
        for line in files.lines(name):
            word, _, value = line.partition(" ")
            if "{" in line:
                depth, rotate, period = 1, default_rotate, default_period
            if depth < 2 and line.startswith("/"):
                of_logs = of_logs or any(line.rstrip("{ ").endswith(f"/var/log/{log}") for log in _LOGS)
            if word == "rotate":
                rotate = number(value, rotate)
                used.append(f"{name}: {line}")
            elif word in _PERIOD_DAYS:
                period = _PERIOD_DAYS[word]
                used.append(f"{name}: {line}")
            elif word == "maxage":
                rotate, period = min(rotate * period, number(value, rotate * period)), 1
            if depth == 0:
                default_rotate, default_period = rotate, period
            if line.endswith("}"):
                if of_logs:
                    kept.append(rotate * period)
                depth, of_logs = 0, False
    return min(kept, default=default_rotate * default_period), used


def _journal(files: HostFiles) -> dict[str, Value]:
    said: dict[str, str] = {}
    for name in ["/etc/systemd/journald.conf", *files.names("/etc/systemd/journald.conf.d", ".conf")]:
        said |= {key: value for key, _, value in (line.partition("=") for line in files.lines(name))}
    storage = said.get("Storage", "auto").lower()
    folder = files.exists("/var/log/journal")
    return {
        "persistent": storage == "persistent" or (storage == "auto" and folder),
        "days": span_days(said.get("MaxRetentionSec", "0")),
    }


def span_days(text: str) -> int:
    """Days of systemd's time form for ``MaxRetentionSec`` (6month, 180day, 1y, seconds); 0: no limit."""
    digits = "".join(letter for letter in text if letter.isascii() and letter.isdecimal())[:9]
    unit = text.strip().lstrip("0123456789").strip()
    if not digits:
        return 0
    if unit in _SPAN_DAYS:
        return int(digits) * _SPAN_DAYS[unit]
    return (
        int(digits) * _SPAN_DAYS.get(unit.removesuffix("s"), 0)
        if unit not in ("", "s")
        else (int(digits) // 86400)
    )


def _oldest(files: HostFiles) -> tuple[datetime | None, str]:
    """The earliest entry of the security logs: first line or record, else the time of a rotated file."""
    found: list[tuple[datetime, str]] = []
    for log in _LOGS:
        base = files.path(f"/var/log/{log}")
        for path in _rotated(base):
            time = _first_time(path, base.name)
            if time is not None:
                found.append((time, f"/var/log/{path.relative_to(files.path('/var/log'))}"))
    return min(found) if found else (None, "")


def _rotated(base: Path) -> Iterable[Path]:
    try:
        return [one for one in sorted(base.parent.iterdir()) if one.name.startswith(base.name)]
    except OSError:
        return []


def _first_time(path: Path, log: str) -> datetime | None:
    try:
        if path.stat().st_size == 0:
            return None
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if path.suffix in (".gz", ".xz", ".zst", ".bz2"):
            return written
        with path.open("rb") as file:
            if log in ("wtmp", "btmp"):
                form = layout()
                raw = file.read(form.size)
                record = parse_record(raw, form) if len(raw) == form.size else None
                return record.time if record else None
            line = parse_line(decoded(file.readline(4096)), written.astimezone())
            return line.time if line else written
    except OSError:
        return None


PROBES: Final = (
    Probe("audit.state", "file, process list", audit_state),
    Probe("logs.retention", "file", retention),
)
