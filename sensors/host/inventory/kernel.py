"""Inventory of what the kernel runs with: modules, mounts, USB devices, parameters, its clock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sensors.host.inventory.kind import Kind
from sensors.host.probe import HostFiles
from sensors.host.probe_time import time_sync
from sensors.host.tables import table

_PASSING: Final = (  # mounts that come and go with containers and sessions
    "/var/lib/docker/",
    "/var/lib/containers/",
    "/var/lib/kubelet/",
    "/run/docker/",
    "/run/containerd/",
    "/run/user/",
    "/run/netns/",
    "/run/credentials/",
)
_SECRET_OPTIONS: Final = ("password", "pass", "passwd", "secret", "key", "credentials", "username", "user")
_CLASSES: Final = {
    "01": "audio",
    "02": "communications",
    "03": "input",
    "06": "image",
    "07": "printer",
    "08": "storage",
    "09": "hub",
    "0b": "smart card",
    "0e": "video",
    "e0": "wireless",
}
_DEVICES_MAX: Final = 512
_CLOCK: Final = ("configured", "servers", "daemon", "running", "synchronised")


def modules(files: HostFiles) -> Iterator[tuple[str, str]]:
    """Loaded modules and the taints they carry: O out of tree, E unsigned, P proprietary, F forced."""
    for line in files.lines("/proc/modules"):
        words = line.split()
        taints = words[6].strip("()") if len(words) > 6 else ""
        yield words[0], taints


def mounts(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """Mounted file systems; secrets among their options are left out."""
    for line in files.lines("/proc/self/mounts"):
        words = [_unescaped(word) for word in line.split()]
        if len(words) >= 4 and not words[1].startswith(_PASSING):
            source, target, kind, options = words[:4]
            yield target, source, kind, ",".join(_masked(one) for one in options.split(","))


def _unescaped(word: str) -> str:
    """Blanks and backslashes stand in the table as \\040 and the like."""
    for code, letter in (("\\040", " "), ("\\011", " "), ("\\012", " "), ("\\134", "\\")):
        word = word.replace(code, letter)
    return word


def _masked(option: str) -> str:
    name, equals, _ = option.partition("=")
    return f"{name}=***" if equals and name.lower() in _SECRET_OPTIONS else option


def usb(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """USB devices by the place they are plugged in, hubs left out."""
    folder = files.path("/sys/bus/usb/devices")
    try:
        found = sorted(folder.iterdir())[:_DEVICES_MAX]
    except FileNotFoundError:
        return
    for device in found:
        if ":" in device.name or device.name.startswith("usb"):
            continue
        classes = _usb_classes(device, found)
        if classes != {"09"}:
            named = " ".join(f"{_word(device / 'manufacturer')} {_word(device / 'product')}".split())
            what = " ".join(sorted(_CLASSES.get(one, one) for one in classes))
            vendor, product = _word(device / "idVendor"), _word(device / "idProduct")
            yield device.name, vendor, product, _word(device / "serial"), named, what


def _usb_classes(device: Path, among: list[Path]) -> set[str]:
    """The device's class, or those of its interfaces where it leaves the word to them (00)."""
    own = _word(device / "bDeviceClass")
    if own not in ("", "00", "ef"):
        return {own}
    below = [one for one in among if one.name.startswith(f"{device.name}:")]
    return {found for one in below if (found := _word(one / "bInterfaceClass"))}


def _word(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def parameters(files: HostFiles) -> Iterator[tuple[str, str]]:
    """Kernel parameters that bear on security, where the kernel has them."""
    for name in table("kernel_hardening")["parameters"]:
        path = f"/proc/sys/{name.replace('.', '/')}"
        if files.exists(path):
            try:
                yield name, files.text(path).strip()
            except PermissionError:
                yield name, ""


def clock(files: HostFiles) -> Iterator[tuple[str, str]]:
    """Who keeps the clock, from where."""
    values = time_sync(files).values
    for name in _CLOCK:
        value = values[name]
        yield name, " ".join(str(one) for one in value) if isinstance(value, list) else str(value).lower()


KINDS: Final = (
    Kind("modules", ("name", "taints"), modules, "file:/proc/modules"),
    Kind("mounts", ("target", "source", "type", "options"), mounts, "file:/proc/self/mounts", keys=2),
    Kind(
        "usb",
        ("place", "vendor", "product", "serial", "name", "class"),
        usb,
        "file:/sys/bus/usb/devices",
        keys=4,
    ),
    Kind("sysctl", ("name", "value"), parameters, "file:/proc/sys"),
    Kind("time", ("name", "value"), clock, "file, process list, adjtimex(2)"),
)
