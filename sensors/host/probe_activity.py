"""Activity probes: accounts nobody uses or several share, how fine rights are, what sessions leave."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from sensors.event import Value
from sensors.host.inventory.people import accounts, last_logins
from sensors.host.probe import HostFiles, Probe, Reading, number, raw_of
from sensors.host.utmp import layout, parse_record

_DORMANT_DAYS: Final = 90
_USABLE: Final = ("set", "weak", "none")
_RECORDS_MAX: Final = 4_096
_PROGRAM_FOLDERS: Final = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin")
_FILES_MAX: Final = 20_000
# Programs whose set-user-id bit belongs to them on the distributions in use.
_EXPECTED: Final = frozenset(
    [
        "chage",
        "chfn",
        "chsh",
        "crontab",
        "doas",
        "expiry",
        "fusermount",
        "fusermount3",
        "gpasswd",
        "mount",
        "mount.cifs",
        "mount.nfs",
        "newgidmap",
        "newgrp",
        "newuidmap",
        "pam_timestamp_check",
        "passwd",
        "pkexec",
        "ping",
        "ping6",
        "polkit-agent-helper-1",
        "su",
        "sudo",
        "ssh-agent",
        "ssh-keysign",
        "umount",
        "unix_chkpwd",
        "usernetctl",
        "wall",
        "write",
        "bsd-write",
        "dotlockfile",
        "at",
        "dbus-daemon-launch-helper",
        "mount.fuse3",
        "locate",
    ]
)
_GREETERS: Final = (
    "/etc/lightdm/lightdm.conf",
    "/etc/gdm3/greeter.dconf-defaults",
    "/etc/dconf/db/gdm.d/00-login-screen",
)


def dormant(files: HostFiles) -> Reading:
    """Accounts with a usable password: idle for 90 days, never used, expired, used from several places."""
    now = datetime.now(UTC)
    rows = {row[0]: row for row in accounts(files)}
    usable = [name for name, row in rows.items() if row[5] in _USABLE]
    last = {name: time for name, time, _, _ in last_logins(files)}
    old = now - timedelta(days=_DORMANT_DAYS)
    idle = [name for name in usable if last.get(name) and datetime.fromisoformat(last[name]) < old]
    never = [name for name in usable if not last.get(name)]
    gone = [name for name in usable if rows[name][6] and rows[name][6] < str(now.date())]
    shared, lines = _shared(files)
    values: dict[str, Value] = {
        "usable": len(usable),
        "dormant": [*idle],
        "never_used": [*never],
        "expired": [*gone],
        "several_sources": [*shared],
        "count": len({*idle, *never, *gone}),
    }
    told = [f"{name} {last.get(name) or 'never'}" for name in usable]
    return Reading(values, raw_of(("last logins", told), ("sessions now", lines)))


def _shared(files: HostFiles) -> tuple[list[str], list[str]]:
    """Accounts logged in from several addresses now, by /run/utmp; addresses stay here, counts are told."""
    form = layout()
    found: dict[str, set[str]] = defaultdict(set)
    for name in ("/run/utmp", "/var/run/utmp"):
        if files.exists(name):
            data = files.path(name).read_bytes()[: form.size * _RECORDS_MAX]
            for at in range(0, len(data) - form.size + 1, form.size):
                record = parse_record(data[at : at + form.size], form)
                if record is not None and record.kind == "USER_PROCESS":
                    found[record.user].add(record.address or record.host)
            break
    lines = [f"{user}: {len(places)} sources" for user, places in sorted(found.items())]
    return sorted(user for user, places in found.items() if len(places) > 1), lines


def granularity(files: HostFiles) -> Reading:
    """umask, files anybody may write, programs that run as their owner."""
    masks: list[str] = []
    for name in ("/etc/login.defs", "/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", "/etc/csh.cshrc"):
        for line in files.lines(name):
            words = line.split()
            if words[0].lower() == "umask" and len(words) > 1 and words[1].isdecimal():
                masks.append(words[1])
    raised: list[str] = []
    writable: list[str] = []
    looked: set[tuple[int, int]] = set()
    for path, found in _programs(files):
        if (found.st_dev, found.st_ino) in looked or not stat.S_ISREG(found.st_mode):
            continue
        looked.add((found.st_dev, found.st_ino))
        if found.st_mode & stat.S_ISUID and path.rpartition("/")[2] not in _EXPECTED:
            raised.append(path)
        if found.st_mode & stat.S_IWOTH:
            writable.append(path)
    weakest = min((int(one, 8) for one in masks), default=-1)
    values: dict[str, Value] = {
        "umasks": [*sorted(set(masks))],
        "umask_ok": weakest >= 0 and weakest & 0o022 == 0o022,
        "unexpected_suid": [*raised],
        "writable_programs": [*writable],
        "weak_count": len(raised) + len(writable),
    }
    return Reading(values, raw_of(("umask", masks), ("set-user-id", raised), ("writable", writable)))


def _programs(files: HostFiles) -> Iterator[tuple[str, os.stat_result]]:
    left = _FILES_MAX
    for folder in _PROGRAM_FOLDERS:
        try:
            entries = sorted(files.path(folder).iterdir())
        except OSError:
            continue
        for one in entries[:left]:
            left -= 1
            try:
                yield f"{folder}/{one.name}", one.lstat()
            except OSError:
                continue


def residue(files: HostFiles) -> Reading:
    """What a session leaves: last user on the screen, shell history, core dumps, memory not cleared."""
    greeter = [line for name in _GREETERS for line in files.lines(name)]
    hidden = any("hide-users=true" in line or "disable-user-list=true" in line for line in greeter)
    profile = ["/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", *files.names("/etc/profile.d", ".sh")]
    history = [
        line
        for name in profile
        for line in files.lines(name)
        if "HISTSIZE=" in line or "HISTFILESIZE=" in line
    ]
    size = min((number(line.rpartition("=")[2].strip("\"'"), 1000) for line in history), default=1000)
    limits = ["/etc/security/limits.conf", *files.names("/etc/security/limits.d", ".conf")]
    cores = [line for name in limits for line in files.lines(name) if line.split()[2:3] == ["core"]]
    pattern = files.text_or_empty("/proc/sys/kernel/core_pattern").strip()
    dumpable = files.text_or_empty("/proc/sys/fs/suid_dumpable").strip()
    command = files.text_or_empty("/proc/cmdline").split()
    mounts = [line.split() for line in files.lines("/proc/self/mounts")]
    in_memory = any(len(words) > 2 and words[1] == "/tmp" and words[2] == "tmpfs" for words in mounts)  # noqa: S108
    swapped = len(files.lines("/proc/swaps")) > 1
    values: dict[str, Value] = {
        "screen": bool(greeter),
        "last_user_hidden": hidden or not greeter,
        "history_lines": size,
        "core_limited": any(line.split()[3:4] == ["0"] for line in cores),
        "core_pattern": pattern[:64],
        "suid_dumpable": number(dumpable, -1),
        "memory_cleared": any(word in ("init_on_free=1", "page_poison=1") for word in command),
        "temporary_in_memory": in_memory,
        "swap": swapped,
    }
    return Reading(values, raw_of(("greeter", greeter), ("history", history), ("core limits", cores)))


PROBES: Final = (
    Probe("accounts.activity", "file (lastlog, utmp)", dormant),
    Probe("access.granularity", "file", granularity),
    Probe("session.residue", "file, /proc", residue),
)
