"""Inventory of the machine itself: operating system, hardware, network interfaces."""

import os
import platform
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from crypto.sm3 import sm3_hex
from sensors.host.distribution import read_distribution
from sensors.host.inventory.kind import Kind
from sensors.host.probe import HostFiles
from sensors.host.proc_net import parse_address

_DMI: Final = {
    "vendor": "sys_vendor",
    "product": "product_name",
    "serial": "product_serial",
    "board": "board_name",
    "bios_vendor": "bios_vendor",
    "bios_version": "bios_version",
    "bios_date": "bios_date",
}
_SECTOR_BYTES: Final = 512
_VIRTUAL_DISKS: Final = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
_HYPERVISORS: Final = ("kvm", "qemu", "vmware", "virtualbox", "xen", "hyper-v", "bochs", "openstack", "ecs")
_INTERFACES_MAX: Final = 512


def system(files: HostFiles) -> Iterator[tuple[str, str]]:
    """Names and values of the operating system."""
    found = read_distribution(files)
    yield "id", found.id
    yield "version", found.version
    yield "name", found.name
    yield "family", found.family
    yield "domestic", found.domestic
    yield "kernel", platform.release()
    yield "architecture", platform.machine()
    yield "hostname", socket.gethostname()
    yield "machine", _machine(files)
    yield "timezone", _timezone(files)
    yield "package_manager", {"debian": "dpkg", "rhel": "rpm"}.get(found.family, "")
    yield "security_module", security_module(files)


def _machine(files: HostFiles) -> str:
    """A digest of the machine id, which is itself a secret of the host (machine-id(5))."""
    text = files.text_or_empty("/etc/machine-id").strip()
    return sm3_hex(b"liuhe machine " + text.encode())[:32] if text else ""


def _timezone(files: HostFiles) -> str:
    try:
        target = str(files.path("/etc/localtime").readlink())
    except OSError:
        return files.text_or_empty("/etc/timezone").strip()
    return target.partition("zoneinfo/")[2]


def security_module(files: HostFiles) -> str:
    """The mandatory access control at work: ``selinux:enforcing``, ``apparmor``, … or ''."""
    try:
        enforcing = files.text_or_empty("/sys/fs/selinux/enforce").strip()
    except OSError:
        enforcing = ""
    if enforcing:
        return "selinux:enforcing" if enforcing == "1" else "selinux:permissive"
    try:
        modules = files.text_or_empty("/sys/kernel/security/lsm").strip().split(",")
    except OSError:
        return ""
    return next((one for one in modules if one in ("apparmor", "smack", "tomoyo", "kysec")), "")


def hardware(files: HostFiles) -> Iterator[tuple[str, str]]:
    """Names and values of the machine, its processors, memory and disks."""
    for name, entry in _DMI.items():
        yield name, _word(files, f"/sys/class/dmi/id/{entry}")
    model = _word(files, "/sys/firmware/devicetree/base/model").rstrip("\0")
    if model:
        yield "device_tree", model
    processors = files.text_or_empty("/proc/cpuinfo").splitlines()
    said = [line.partition(":") for line in processors]
    names = {key.strip(): value.strip() for key, _, value in said if value}
    yield "cpu_model", names.get("model name") or names.get("Model Name") or names.get("cpu model", "")
    yield "cpu_count", str(os.cpu_count() or 0)
    for line in files.lines("/proc/meminfo"):
        if line.startswith("MemTotal:"):
            yield "memory_bytes", str(int(line.split()[1]) * 1024)
    yield "virtual", "yes" if _virtual(files, names) else "no"
    yield from _disks(files)


def _virtual(files: HostFiles, processor: dict[str, str]) -> bool:
    product = (
        f"{_word(files, '/sys/class/dmi/id/sys_vendor')} {_word(files, '/sys/class/dmi/id/product_name')}"
    )
    flags = processor.get("flags", "").split()
    return "hypervisor" in flags or any(one in product.lower() for one in _HYPERVISORS)


def _disks(files: HostFiles) -> Iterator[tuple[str, str]]:
    for name in _entries(files, "/sys/block"):
        if name.startswith(_VIRTUAL_DISKS):
            continue
        sectors = _word(files, f"/sys/block/{name}/size")
        size = int(sectors) * _SECTOR_BYTES if sectors.isdecimal() else 0
        if size:
            yield f"disk:{name}", f"{size} bytes {_word(files, f'/sys/block/{name}/device/model')}".strip()


def interfaces(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """Network interfaces with their addresses; those of containers come and go and are left out."""
    v4, v6 = _addresses_v4(files), _addresses_v6(files)
    for name in _entries(files, "/sys/class/net")[:_INTERFACES_MAX]:
        if name == "lo" or name.startswith(("veth", "cali", "lxc", "tap", "vnet")):
            continue
        below = f"/sys/class/net/{name}"
        yield (
            name,
            _word(files, f"{below}/address"),
            " ".join(sorted(v4.get(name, ()))),
            " ".join(sorted(v6.get(name, ()))),
            _word(files, f"{below}/operstate"),
            _word(files, f"{below}/speed").replace("-1", ""),
        )


def _addresses_v4(files: HostFiles) -> dict[str, set[str]]:
    """Own addresses by interface: local entries of the routing trie, placed by the interfaces' networks.

    /proc has no list of addresses by interface; an address that lies in no interface's network stays out.
    """
    routes: list[tuple[int, int, str]] = []
    for line in files.lines("/proc/net/route")[1:]:
        words = line.split()
        if len(words) >= 8 and int(words[7], 16):
            routes.append((_number(parse_address(words[1])), _number(parse_address(words[7])), words[0]))
    found: dict[str, set[str]] = {}
    for address in _local_addresses(files):
        number = _number(address)
        for network, mask, name in routes:
            if number & mask == network:
                found.setdefault(name, set()).add(address)
    return found


def _local_addresses(files: HostFiles) -> set[str]:
    found: set[str] = set()
    last = ""
    for line in files.lines("/proc/net/fib_trie"):
        if line.startswith("|-- "):
            last = line[4:].strip()
        elif line.startswith("/32 host LOCAL") and not last.startswith("127."):
            found.add(last)
    return found


def _addresses_v6(files: HostFiles) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in files.lines("/proc/net/if_inet6"):
        words = line.split()
        if len(words) == 6 and len(words[0]) == 32:
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[0]))
            found.setdefault(words[5], set()).add(address)
    return found


def _number(address: str) -> int:
    return int.from_bytes(socket.inet_aton(address), "big")


def _entries(files: HostFiles, folder: str) -> list[str]:
    try:
        return sorted(one.name for one in Path(files.path(folder)).iterdir())
    except OSError:
        return []


def _word(files: HostFiles, name: str) -> str:
    """A small file of /sys; '' where it is not there or not for us: serial numbers are root's."""
    try:
        return files.text(name).strip()
    except OSError:
        return ""


KINDS: Final = (
    Kind("os", ("name", "value"), system, "file:/etc/os-release, uname(2)"),
    Kind(
        "hardware",
        ("name", "value"),
        hardware,
        "file:/sys/class/dmi, /proc/cpuinfo, /proc/meminfo, /sys/block",
    ),
    Kind(
        "interfaces",
        ("name", "mac", "ipv4", "ipv6", "state", "speed"),
        interfaces,
        "file:/sys/class/net, /proc/net/fib_trie, /proc/net/if_inet6",
    ),
)
