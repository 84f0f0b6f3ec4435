"""Listening sockets read from /proc/net, and the process that owns each.

A line of /proc/net/{tcp,tcp6,udp,udp6}: ``sl local_address rem_address st tx:rx tr:when retrnsmt uid
timeout inode …``; addresses are hexadecimal 32-bit words in host byte order, ports are plain hexadecimal.
Listening is state 0A for TCP and 07 (unconnected) for UDP; a UDP socket on an ephemeral port is a client,
not a service.
"""

import os
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final, NamedTuple

from sensors.host.procfs import PROC, pids

_TABLE_BYTES_MAX: Final = 16 * 1024 * 1024  # ~100,000 sockets
_TABLES: Final = (("tcp", "tcp", "0A"), ("tcp6", "tcp", "0A"), ("udp", "udp", "07"), ("udp6", "udp", "07"))
_EPHEMERAL: Final = (32768, 60999)  # the kernel's default range


class Endpoint(NamedTuple):
    """What can be connected to."""

    transport: str
    address: str
    port: int


class Socket(NamedTuple):
    """One line of a table that listens."""

    endpoint: Endpoint
    user: int
    inode: int


def listening(proc: Path = PROC) -> list[Socket]:
    """Every listening TCP socket and every bound, unconnected UDP socket on a service port."""
    low, high = ephemeral_ports(proc)
    found = []
    for table, transport, state in _TABLES:
        try:
            with (proc / "net" / table).open("rb") as lines:
                raw = lines.read(_TABLE_BYTES_MAX)
        except OSError:
            continue  # IPv6 may be switched off
        for line in raw.splitlines()[1:]:
            one = parse_line(line, transport, state)
            if one is None or (transport == "udp" and low <= one.endpoint.port <= high):
                continue
            found.append(one)
    return found


def parse_line(line: bytes, transport: str, state: str) -> Socket | None:
    """The socket of a table's line if it is in ``state`` with no peer; None for every other line."""
    words = line.split()
    try:
        if words[3].decode("ascii") != state or int(words[2].rpartition(b":")[2], 16) != 0:
            return None
        address, _, port = words[1].rpartition(b":")
        endpoint = Endpoint(transport, parse_address(address.decode("ascii")), int(port, 16))
        return Socket(endpoint, int(words[7]), int(words[9]))
    except (IndexError, ValueError):
        return None


def parse_address(text: str) -> str:
    """The address of 8 or 32 hexadecimal digits; IPv4 mapped into IPv6 is given as IPv4."""
    words = [int(text[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(text), 8)]
    packed = b"".join(words)
    if len(packed) == 4:
        return str(IPv4Address(packed))
    address = IPv6Address(packed)
    return str(address.ipv4_mapped or address)


def ephemeral_ports(proc: Path = PROC) -> tuple[int, int]:
    """The kernel's range of client ports."""
    try:
        low, high = (proc / "sys/net/ipv4/ip_local_port_range").read_text("ascii").split()
        return int(low), int(high)
    except (OSError, ValueError):
        return _EPHEMERAL


def owners(inodes: set[int], proc: Path = PROC) -> dict[int, int]:
    """inode -> pid of the sockets asked for; unreadable processes stay out. Walks every descriptor."""
    found: dict[int, int] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    for pid in pids(proc):
        folder = f"{proc}/{pid}/fd"
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    inode = wanted.get(_target(entry.path))
                    if inode is not None:
                        found.setdefault(inode, pid)
        except OSError:
            continue
        if len(found) == len(wanted):
            break
    return found


def _target(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 (every descriptor of every process)
    except OSError:
        return ""
