"""Software probes: distribution and patches, malware protection."""

import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sensors.event import Value
from sensors.host.pam import options
from sensors.host.probe import HostFiles, Probe, Reading, raw_of
from sensors.host.tables import table

_DPKG: Final = "/var/lib/dpkg/status"
_RPM: Final = "/var/lib/rpm/rpmdb.sqlite"
_CHANGES: Final = (" install ", " upgrade ", " remove ")


def patch_state(files: HostFiles) -> Reading:
    """Distribution, package count, day of the last package change, pending restart."""
    release = options(files.text("/etc/os-release").splitlines())
    manager, packages = _packages(files)
    changed, source = _last_change(files, manager)
    now = datetime.now(UTC)
    automatic = [
        line
        for name in files.names("/etc/apt/apt.conf.d")
        for line in files.lines(name)
        if "Unattended-Upgrade" in line and '"1"' in line
    ]
    lists = _newest(files, "/var/lib/apt/lists") or _newest(files, "/var/cache/dnf")
    values: dict[str, Value] = {
        "distribution": release.get("ID", "").strip('"'),
        "version": release.get("VERSION_ID", "").strip('"'),
        "name": release.get("PRETTY_NAME", "").strip('"'),
        "kernel": platform.release(),
        "manager": manager,
        "packages": packages,
        "last_change": changed.isoformat() if changed else "",
        "days_since_change": (now - changed).days if changed else -1,
        "days_since_lists": (now - lists).days if lists else -1,
        "reboot_required": files.exists("/run/reboot-required") or files.exists("/var/run/reboot-required"),
        "automatic_updates": bool(automatic) or bool(files.running(("dnf-automatic",))),
        "end_of_life": "unknown",  # no vendor's calendar is at hand on an isolated network
    }
    shown = [f"{key}={value}" for key, value in release.items()]
    return Reading(values, raw_of(("/etc/os-release", shown), ("last change", [source])))


def _packages(files: HostFiles) -> tuple[str, int]:
    if files.exists(_DPKG):
        return "dpkg", files.text(_DPKG).count("\nStatus: install ok installed")
    if files.exists(_RPM):
        import sqlite3  # only hosts with rpm pay its memory

        where = f"file:{files.path(_RPM)}?mode=ro&immutable=1"
        try:
            base = sqlite3.connect(where, uri=True)
            try:
                return "rpm", int(base.execute("SELECT COUNT(*) FROM Packages").fetchone()[0])
            finally:
                base.close()
        except sqlite3.Error as error:
            raise OSError(f"{_RPM}: {error}") from error
    return "none", 0


def _last_change(files: HostFiles, manager: str) -> tuple[datetime | None, str]:
    """The last installation, upgrade or removal: dpkg's log, else the age of the package database."""
    if manager == "none":
        return None, "no package database"
    for line in reversed(files.lines("/var/log/dpkg.log")):
        if any(word in line for word in _CHANGES):
            try:
                return datetime.fromisoformat(line[:19]).astimezone(UTC), line
            except ValueError:
                break
    name = _DPKG if manager == "dpkg" else _RPM
    written = datetime.fromtimestamp(files.path(name).stat().st_mtime, UTC)
    return written, f"{name} was written"


def _newest(files: HostFiles, folder: str) -> datetime | None:
    times = [Path(files.path(name)).stat().st_mtime for name in files.names(folder)]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def antimalware(files: HostFiles) -> Reading:
    """Known products by their processes and folders; ClamAV's signatures by their day."""
    products = table("host_agents")["products"]
    running: list[str] = []
    installed: list[str] = []
    seen: list[str] = []
    for name, facts in products.items():
        found = files.running(facts["processes"])
        if found:
            running.append(name)
            seen.append(f"{name}: {' '.join(found)}")
        if found or any(files.exists(folder) for folder in facts["folders"]):
            installed.append(name)
    base = [files.path(name) for name in files.names("/var/lib/clamav") if name.endswith((".cvd", ".cld"))]
    times = [one.stat().st_mtime for one in base]
    age = (datetime.now(UTC) - datetime.fromtimestamp(max(times), UTC)).days if times else -1
    values: dict[str, Value] = {
        "installed": list(installed),
        "running": list(running),
        "protected": bool(running),
        "signature_days": age,
    }
    return Reading(values, raw_of(("processes", seen)))


PROBES: Final = (
    Probe("patch.state", "file", patch_state),
    Probe("antimalware.state", "process list, file", antimalware),
)
