"""Operation probes: needless software, shares, backups, redundancy, watching, load, software sources."""

import os
from typing import Any, Final

from sensors.event import Value
from sensors.host.inventory.packages import packages
from sensors.host.inventory.services import jobs, services
from sensors.host.probe import HostFiles, Probe, Reading, number, raw_of
from sensors.host.tables import table


def minimal(files: HostFiles) -> Reading:
    """Installed packages of the table unneeded_software.toml, by group."""
    installed = {row[0] for row in packages(files)}
    found: dict[str, list[str]] = {}
    for group, names in table("unneeded_software").items():
        found[group] = sorted(name for name in names if name in installed)
    values: dict[str, Value] = {
        "packages": len(installed),
        **{group: [*names] for group, names in found.items()},
        "unneeded_count": sum(len(names) for names in found.values()),
        "risky_count": sum(len(found.get(group, [])) for group in ("clear_text", "attack_tools", "remote")),
    }
    lines = [f"{group}: {' '.join(names)}" for group, names in found.items() if names]
    return Reading(values, raw_of(("packages", lines)))


def shares(files: HostFiles) -> Reading:
    """Exported folders: NFS and Samba, and whether anybody may have them."""
    nfs = [
        line
        for name in ["/etc/exports", *files.names("/etc/exports.d", ".exports")]
        for line in files.lines(name)
    ]
    smb = [line for line in files.lines("/etc/samba/smb.conf") if not line.startswith(";")]
    named = [line.strip("[]") for line in smb if line.startswith("[")]
    special = ("global", "homes", "printers", "print$")
    guests = [line for line in smb if line.replace(" ", "").lower() in ("guestok=yes", "public=yes")]
    wide = [line for line in nfs if len(line.split()) == 1 or "*(" in line or "no_root_squash" in line]
    run = files.running(("smbd", "nfsd", "rpc.nfsd", "rpcbind", "rpc.mountd", "vsftpd"))
    values: dict[str, Value] = {
        "nfs_exports": len(nfs),
        "nfs_wide": [line.split()[0] for line in wide],
        "samba_shares": [name for name in named if name.lower() not in special],
        "samba_guests": bool(guests),
        "services": [*run],
        "shared": bool(run) and bool(nfs or [name for name in named if name.lower() not in special]),
    }
    return Reading(values, raw_of(("/etc/exports", nfs), ("smb.conf", [*named, *guests])))


def _products(files: HostFiles, role: str) -> tuple[list[str], list[str], list[str]]:
    """(running processes, commands of timed jobs and services, folders) of a role of host_products.toml."""
    facts: dict[str, Any] = table("host_products")[role]
    running = files.running(facts["processes"])
    commands = [row[3] for row in jobs(files)] + [row[3] for row in services(files) if row[1] == "enabled"]
    named = [one for one in commands if any(word in one for word in facts["words"])]
    left = [folder for folder in facts["folders"] if files.exists(folder)]
    return running, named, left


def backups(files: HostFiles) -> Reading:
    """Backup programs that run, timed jobs that back up, and whether one of them leads off the host."""
    running, commands, left = _products(files, "backup")
    remote = table("host_products")["backup"]["remote"]
    off = [one for one in commands if any(word in one for word in remote)]
    values: dict[str, Value] = {
        "agents": [*running],
        "jobs": len(commands),
        "remote_jobs": len(off),
        "installed": [*left],
        "scheduled": bool(running or commands),
        "remote": bool(running or off),
    }
    return Reading(values, raw_of(("processes", running), ("jobs", commands)))


def redundancy(files: HostFiles) -> Reading:
    """Cluster software that runs, bonded interfaces with their states, disks in redundant arrays."""
    running, _, configured = _products(files, "cluster")
    bonds = files.names("/proc/net/bonding")
    states = [line for name in bonds for line in files.lines(name) if line.startswith("MII Status:")]
    arrays = [line for line in files.lines("/proc/mdstat") if line.startswith("md")]
    broken = [
        line for line in files.lines("/proc/mdstat") if "_" in line.rpartition("[")[2] and "blocks" in line
    ]
    values: dict[str, Value] = {
        "cluster": [*running],
        "configured": [*configured],
        "bonds": len(bonds),
        "bond_links_down": sum(line.endswith("down") for line in states),
        "arrays": len(arrays),
        "arrays_degraded": len(broken),
        "redundant": bool(running),
    }
    return Reading(values, raw_of(("cluster", running), ("bonding", states), ("mdstat", arrays)))


def watching(files: HostFiles) -> Reading:
    """Monitoring agents, intrusion detection and central management; this sensor is one itself."""
    monitoring, _, _ = _products(files, "monitoring")
    intrusion, scheduled, left = _products(files, "intrusion")
    central, pulled, _ = _products(files, "central_management")
    values: dict[str, Value] = {
        "monitoring": [*monitoring],
        "intrusion": [*intrusion],
        "intrusion_jobs": len(scheduled),
        "intrusion_installed": [*left],
        "central_management": [*central, *(["ansible-pull"] if pulled else [])],
        "liuhe": True,
        "watched": bool(intrusion or scheduled),
    }
    return Reading(values, raw_of(("monitoring", monitoring), ("intrusion", intrusion), ("central", central)))


def load(files: HostFiles) -> Reading:
    """Load, memory and disks now: whether the host carries what it is given."""
    said = files.text("/proc/loadavg").split()
    memory = {
        name.rstrip(":"): number(value.split()[0], 0)
        for name, _, value in (line.partition(" ") for line in files.lines("/proc/meminfo"))
        if value.split()
    }
    total, free = memory.get("MemTotal", 0), memory.get("MemAvailable", 0)
    processors = os.cpu_count() or 1
    disks: dict[str, int] = {}
    for line in files.lines("/proc/self/mounts"):
        words = line.split()
        if len(words) > 2 and words[0].startswith("/dev/") and len(disks) < 64:
            try:
                space = os.statvfs(files.path(words[1]))
            except OSError:
                continue
            if space.f_blocks:
                disks[words[1]] = round(100 * (1 - space.f_bavail / space.f_blocks))
    fullest = max(disks.values(), default=0)
    values: dict[str, Value] = {
        "processors": processors,
        "load_percent": round(100 * float(said[2]) / processors),  # of 15 minutes
        "memory_percent": round(100 * (1 - free / total)) if total else 0,
        "disk_percent": fullest,
        "disks_full": [name for name, percent in disks.items() if percent >= 90],
        "uptime_days": int(float(files.text("/proc/uptime").split()[0])) // 86400,
    }
    return Reading(
        values, raw_of(("load", [" ".join(said)]), ("disks", [f"{n} {p}%" for n, p in disks.items()]))
    )


def software_sources(files: HostFiles) -> Reading:
    """Package repositories: how many, whether signatures are checked, whether fetched in the clear."""
    apt = [
        line
        for name in ["/etc/apt/sources.list", *files.names("/etc/apt/sources.list.d", ".list")]
        for line in files.lines(name)
        if line.startswith("deb")
    ]
    apt += [
        line.partition(":")[2].strip()
        for name in files.names("/etc/apt/sources.list.d", ".sources")
        for line in files.lines(name)
        if line.startswith("URIs:")
    ]
    rpm = [
        line
        for name in ["/etc/yum.conf", "/etc/dnf/dnf.conf", *files.names("/etc/yum.repos.d", ".repo")]
        for line in files.lines(name)
        if line.replace(" ", "").startswith(("baseurl=", "gpgcheck=", "mirrorlist=", "metalink="))
    ]
    unchecked = [line for line in apt if "trusted=yes" in line.replace(" ", "")]
    unchecked += [line for line in rpm if line.replace(" ", "") == "gpgcheck=0"]
    places = [line for line in (*apt, *rpm) if "://" in line]
    values: dict[str, Value] = {
        "repositories": len(places),
        "unchecked": len(unchecked),
        "clear_text": sum("http://" in line for line in places),
        "signatures_checked": bool(places) and not unchecked,
    }
    return Reading(
        values, raw_of(("repositories", [masked_url(line) for line in places]), ("unchecked", unchecked))
    )


def masked_url(line: str) -> str:
    """A repository line without the password a URL may carry."""
    head, mark, rest = line.partition("://")
    user, at, host = rest.partition("@")
    return f"{head}{mark}***@{host}" if at and "/" not in user else line


PROBES: Final = (
    Probe("software.minimal", "package database", minimal),
    Probe("shares.state", "file, process list", shares),
    Probe("backup.jobs", "process list, cron, services", backups),
    Probe("redundancy.state", "process list, /proc/net/bonding, /proc/mdstat", redundancy),
    Probe("watching.agents", "process list, cron", watching),
    Probe("load.state", "/proc, statvfs(2)", load),
    Probe("software.sources", "file", software_sources),
)
