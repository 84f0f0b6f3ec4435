"""Kernel probes: hardening parameters, removable storage, modes of the most sensitive files."""

import stat
from typing import Final

from sensors.event import Value
from sensors.host.probe import HostFiles, Probe, Reading, number, raw_of
from sensors.host.procfs import user_name
from sensors.host.tables import table

_NEVER: Final = ("/bin/true", "/bin/false", "/usr/bin/true", "/usr/bin/false")


def hardening(files: HostFiles) -> Reading:
    """Parameters under /proc/sys against the table of recommended values; an absent one is left out."""
    values: dict[str, Value] = {}
    weak: list[str] = []
    lines: list[str] = []
    for name, wanted in table("kernel_hardening")["parameters"].items():
        path = f"/proc/sys/{name.replace('.', '/')}"
        if not files.exists(path):
            continue
        found = number(files.text(path), -1)
        values[name.rpartition(".")[2] if name.startswith(("kernel.", "fs.")) else name] = found
        lines.append(f"{name} = {found}")
        if found not in wanted:
            weak.append(name)
    if not values:
        raise FileNotFoundError("/proc/sys")
    values["weak"] = list(weak)
    values["weak_count"] = len(weak)
    return Reading(values, raw_of(("/proc/sys", lines)))


def removable_storage(files: HostFiles) -> Reading:
    """The usb-storage module (loaded, barred by modprobe.d), USB disks now present, USBGuard."""
    folders = ("/etc/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d", "/run/modprobe.d")
    lines = [
        line for folder in folders for name in files.names(folder, ".conf") for line in files.lines(name)
    ]
    ours = [line for line in lines if any(word in ("usb-storage", "usb_storage") for word in line.split())]
    barred = [line for line in ours if line.split()[0] == "install" and line.split()[-1] in _NEVER]
    listed = [line for line in ours if line.split()[0] == "blacklist"]
    kernel = files.exists("/sys/module/usb_storage")
    block = files.path("/sys/block")
    disks = sorted(block.iterdir()) if block.exists() else []
    devices = [one.name for one in disks if "/usb" in str(one.resolve())]
    guard = bool(files.running(("usbguard-daemon", "usbguard-daemo")))
    values: dict[str, Value] = {
        "module_loaded": kernel,
        "module_barred": bool(barred),
        "module_blacklisted": bool(listed),
        "usb_disks": list(devices),
        "usbguard_running": guard,
        "controlled": bool(barred) or guard or not files.exists("/sys/bus/usb"),
    }
    return Reading(values, raw_of(("modprobe.d", ours), ("disks", devices)))


def file_modes(files: HostFiles) -> Reading:
    """Mode and owner of files whose loosening gives away the host."""
    weak: list[str] = []
    lines: list[str] = []
    for name, mode_max in table("file_modes")["files"].items():
        try:
            found = files.path(name).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        mode = stat.S_IMODE(found.st_mode)
        lines.append(f"{name} {mode:04o} {user_name(found.st_uid)}")
        if mode & ~int(mode_max, 8) or found.st_uid != 0:
            weak.append(name)
    values: dict[str, Value] = {"checked": len(lines), "weak": list(weak), "weak_count": len(weak)}
    return Reading(values, raw_of(("modes", lines)))


PROBES: Final = (
    Probe("kernel.hardening", "/proc/sys", hardening),
    Probe("removable.storage", "file, /sys", removable_storage),
    Probe("files.modes", "file", file_modes),
)
