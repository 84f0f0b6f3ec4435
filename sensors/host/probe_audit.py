"""Audit probes: what the rules cover, whether auditing can be stopped, who may touch the logs."""

import os
import stat
from typing import Final

from sensors.event import Value
from sensors.host.audit_status import audit_status
from sensors.host.observe import decoded
from sensors.host.probe import HostFiles, Probe, Reading, number, raw_of
from sensors.host.procfs import user_name

# What audit rules should cover, and words of rules that do.
_COVERED: Final = {
    "execution": ("execve",),
    "identity": ("/etc/passwd", "/etc/shadow", "/etc/group"),
    "privilege": ("/etc/sudoers", "setuid", "euid=0"),
    "time": ("settimeofday", "adjtimex", "clock_settime", "/etc/localtime"),
    "network": ("sethostname", "/etc/hosts", "/etc/sysconfig/network"),
    "sessions": ("/var/run/utmp", "/run/utmp", "/var/log/wtmp", "/var/log/btmp", "/var/log/lastlog"),
    "permissions": ("chmod", "chown", "setxattr"),
    "deletion": ("unlink", "rename"),
    "modules": ("init_module", "delete_module", "insmod", "modprobe"),
    "mounts": ("mount",),
}
_LOGS: Final = (
    "auth.log",
    "secure",
    "messages",
    "syslog",
    "audit/audit.log",
    "wtmp",
    "btmp",
    "lastlog",
    "cron",
)
_LOG_MODE_MAX: Final = 0o640
_RECORDS_MODE_MAX: Final = 0o664  # wtmp and lastlog are read by everybody's tools
_TAIL_BYTES: Final = 64 * 1024
_SAMPLE_LINES: Final = 200
_UNITS: Final = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def coverage(files: HostFiles) -> Reading:
    """The rules of /etc/audit, by what they watch."""
    names = ["/etc/audit/audit.rules", *files.names("/etc/audit/rules.d", ".rules")]
    rules = sorted({line for name in names for line in files.lines(name) if line.startswith("-")})
    watching = [line for line in rules if line.startswith(("-a ", "-A ", "-w "))]
    covered = [
        topic for topic, words in _COVERED.items() if any(w in line for line in watching for w in words)
    ]
    every = [line for line in watching if "execve" in line]
    values: dict[str, Value] = {
        "rules": len(watching),
        "covered": list(covered),
        "uncovered": [topic for topic in _COVERED if topic not in covered],
        "all_users": any("auid>=1000" in line or "auid!=" in line or "auid" not in line for line in every),
        "locked": any(line.split()[:2] == ["-e", "2"] for line in rules),
        "failure": next((number(line.split()[1], 1) for line in rules if line.startswith("-f ")), 1),
    }
    return Reading(values, raw_of(("audit rules", rules)))


def protection(files: HostFiles) -> Reading:
    """Whether the kernel's auditing runs and is locked, and whether the service refuses to be stopped."""
    rules = ["/etc/audit/audit.rules", *files.names("/etc/audit/rules.d", ".rules")]
    locked = any(line.split()[:2] == ["-e", "2"] for name in rules for line in files.lines(name))
    unit = [
        line
        for folder in _UNITS
        for line in files.lines(f"{folder}/auditd.service")
        if line.startswith(("RefuseManualStop", "Restart="))
    ]
    try:
        kernel = audit_status() if str(files.root) == "/" else None
        why = "" if kernel is not None else "not asked"
    except OSError as error:
        kernel, why = None, f"{error}"
    values: dict[str, Value] = {
        "auditd_running": bool(files.running(("auditd",))),
        "locked_by_rule": locked,
        "refuse_stop": any(line.replace(" ", "").lower() == "refusemanualstop=yes" for line in unit),
        "kernel_told": kernel is not None,
        "kernel_enabled": kernel.enabled if kernel else 0,
        "kernel_locked": kernel is not None and kernel.enabled == 2,
        "kernel_daemon": kernel.daemon if kernel else 0,
        "lost": kernel.lost if kernel else 0,
        "protected": locked or (kernel is not None and kernel.enabled == 2),
    }
    said = [f"enabled={kernel.enabled} pid={kernel.daemon} lost={kernel.lost}"] if kernel else [why]
    return Reading(values, raw_of(("auditd.service", unit), ("kernel", said)))


def log_protection(files: HostFiles) -> Reading:
    """Modes and owners of the security logs, append-only marks left aside: they need an ioctl per file."""
    weak: list[str] = []
    lines: list[str] = []
    for log in _LOGS:
        name = f"/var/log/{log}"
        try:
            found = files.path(name).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        mode = stat.S_IMODE(found.st_mode)
        limit = _RECORDS_MODE_MAX if log in ("wtmp", "lastlog", "btmp") else _LOG_MODE_MAX
        lines.append(f"{name} {mode:04o} {user_name(found.st_uid)}")
        if mode & ~limit:
            weak.append(name)
    remote = [
        line
        for name in [
            "/etc/rsyslog.conf",
            *files.names("/etc/rsyslog.d", ".conf"),
            "/etc/audit/plugins.d/syslog.conf",
        ]
        for line in files.lines(name)
        if "omfwd" in line
        or (line.startswith("*.*") and "@" in line)
        or line.replace(" ", "") == "active=yes"
    ]
    if not lines:
        raise FileNotFoundError("/var/log: none of the security logs")
    values: dict[str, Value] = {
        "checked": len(lines),
        "weak": list(weak),
        "weak_count": len(weak),
        "remote_copy": bool(remote),
    }
    return Reading(values, raw_of(("modes", lines), ("forwarding", remote)))


def record_fields(files: HostFiles) -> Reading:
    """The newest lines of a security log: how many hold time, who, what and result; no line is sent."""
    for log in ("/var/log/audit/audit.log", "/var/log/secure", "/var/log/auth.log"):
        if files.exists(log):
            sample = tail(files, log)
            break
    else:
        raise FileNotFoundError("no audit or authentication log")
    audit = log.endswith("audit.log")
    said = [line for line in sample if not audit or line.startswith("type=")]
    timed = sum(("msg=audit(" in line) if audit else line[:1].isalnum() and ":" in line[:24] for line in said)
    who = [line for line in said if "uid=" in line or "acct=" in line or "user" in line.lower()]
    result = [line for line in who if any(word in line for word in _RESULTS)]
    values: dict[str, Value] = {
        "log": log,
        "lines": len(said),
        "with_time": timed,
        "with_user": len(who),
        "with_result": len(result),
        "with_type": sum("type=" in line or "[" in line or ":" in line[24:] for line in said),
        "complete": bool(said) and timed == len(said) and bool(result),
    }
    return Reading(values, raw_of((log, [f"{len(said)} lines sampled, contents are not sent"])))


_RESULTS: Final = ("res=", "success=", "Accepted", "Failed", "failure", "session opened", "COMMAND=")


def tail(files: HostFiles, name: str) -> list[str]:
    """The last lines of a file, at most 200."""
    with files.path(name).open("rb") as log:
        size = os.fstat(log.fileno()).st_size
        log.seek(max(0, size - _TAIL_BYTES))
        lines = log.read(_TAIL_BYTES).splitlines()
    return [decoded(line) for line in lines[1 if size > _TAIL_BYTES else 0 :][-_SAMPLE_LINES:] if line]


PROBES: Final = (
    Probe("audit.rules", "file", coverage),
    Probe("audit.protection", "file, process list, netlink AUDIT_GET", protection),
    Probe("logs.protection", "file", log_protection),
    Probe("audit.records", "file (counts only)", record_fields),
)
