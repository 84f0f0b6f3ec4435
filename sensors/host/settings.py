"""What an operator may set of the host sensor."""

import os
from pathlib import Path
from typing import Final

import msgspec

# Files and folders that decide who may do what on a Linux host.
WATCHED: Final = (
    "/etc/passwd",
    "/etc/shadow",
    "/etc/group",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssh",
    "/etc/pam.d",
    "/etc/security",
    "/etc/login.defs",
    "/etc/crontab",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/var/spool/cron",
    "/etc/systemd/system",
    "/etc/init.d",
    "/etc/rc.local",
    "/etc/profile",
    "/etc/profile.d",
    "/etc/ld.so.preload",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/audit",
    "/etc/rsyslog.conf",
    "/etc/rsyslog.d",
    "/root/.ssh",
    "/root/.bashrc",
    "/root/.profile",
)
# Event logs of a Windows host; those that do not exist there are named in the heartbeat.
WINDOWS_CHANNELS: Final = (
    "Security",
    "System",
    "Application",
    "Windows PowerShell",
    "Microsoft-Windows-PowerShell/Operational",
    "Microsoft-Windows-Sysmon/Operational",
    "Microsoft-Windows-Windows Defender/Operational",
    "Microsoft-Windows-TaskScheduler/Operational",
    "Microsoft-Windows-WMI-Activity/Operational",
)
_KEYS_OF_PEOPLE: Final = ".ssh"


def default_watch_paths() -> list[str]:
    """WATCHED, and the key folder of everybody with a home under /home, where the path can be watched.

    A path that does not exist yet is kept where its folder exists: that it appears is what must be seen.
    """
    paths = [Path(one) for one in WATCHED]
    home = Path("/home")
    if home.is_dir() and os.access(home, os.R_OK):
        paths += [one / _KEYS_OF_PEOPLE for one in sorted(home.iterdir()) if one.is_dir()]
    return [str(path) for path in paths if path.parent.is_dir()]


class HostSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``[host]`` table of sensor.toml."""

    processes: bool = True
    process_poll_seconds: float = 1.0  # only where the kernel's process events cannot be read
    executables: bool = True  # digests of what is started
    audit: bool = True
    audit_log: str = "/var/log/audit/audit.log"
    listeners: bool = True
    listener_poll_seconds: float = 2.0
    logins: bool = True
    wtmp_path: str = "/var/log/wtmp"
    btmp_path: str = "/var/log/btmp"
    auth_logs: list[str] = msgspec.field(
        default_factory=lambda: ["/var/log/auth.log", "/var/log/secure"]  # Debian's name, Red Hat's name
    )
    journal: bool = True  # read only where none of ``auth_logs`` exists: they say the same
    file_integrity: bool = True
    watch_paths: list[str] = msgspec.field(default_factory=default_watch_paths)
    watch_extra: list[str] = msgspec.field(default_factory=list)  # watched besides ``watch_paths``
    probes: bool = True
    probe_interval_seconds: float = 300.0
    inventory: bool = True
    inventory_interval_seconds: float = 60.0
    windows_channels: list[str] = msgspec.field(default_factory=lambda: list(WINDOWS_CHANNELS))
