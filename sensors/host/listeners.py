"""Listener source: services that can be connected to, and every change of them.

/proc/net is compared every two seconds; a listener that lives shorter is not seen. The first look emits
``listener-present``, later ones ``listener-added`` and ``listener-removed``.
"""

import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from crypto.words import Words
from sensors.event import LogSource, Observation, Value
from sensors.host.observe import LINUX, observe
from sensors.host.proc_net import Endpoint, listening, owners
from sensors.host.procfs import PROC, Process, read_process, user_name

Emit = Callable[[Sequence[Observation]], None]

LISTENER: Final = LogSource(product=LINUX, category="listener")


class Service(NamedTuple):
    """An endpoint with the sockets behind it (several workers may share one) and the owner first seen."""

    endpoint: Endpoint
    inodes: frozenset[int]
    user: int
    process: Process | None


class ListenerSource:
    """Source ``listeners``."""

    name = "listeners"

    def __init__(self, *, interval_seconds: float = 2.0, proc: Path = PROC) -> None:
        self._interval_seconds = interval_seconds
        self._proc = proc

    def missing(self) -> Words | None:
        """/proc/net must be readable."""
        if (self._proc / "net" / "tcp").exists():
            return None
        return Words("读不到 /proc/net/tcp", "/proc/net/tcp cannot be read")

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit the services present, then every change, until ``stop``."""
        known = scan({}, self._proc)
        if known:
            emit([describe(one, "listener-present") for one in known.values()])
        while not stop.wait(self._interval_seconds):
            now = scan(known, self._proc)
            changed = changes(known, now)
            if changed:
                emit([describe(one, action) for one, action in changed])
            known = now


def scan(known: dict[Endpoint, Service], proc: Path = PROC) -> dict[Endpoint, Service]:
    """The services now. Owners are searched only for sockets not in ``known``: the walk is dear."""
    grouped: dict[Endpoint, set[int]] = {}
    users: dict[Endpoint, int] = {}
    for socket in listening(proc):
        grouped.setdefault(socket.endpoint, set()).add(socket.inode)
        users.setdefault(socket.endpoint, socket.user)
    kept = {
        endpoint: known[endpoint]._replace(inodes=frozenset(inodes))
        for endpoint, inodes in grouped.items()
        if endpoint in known and known[endpoint].inodes & inodes
    }
    fresh = {endpoint: inodes for endpoint, inodes in grouped.items() if endpoint not in kept}
    wanted = {inode for inodes in fresh.values() for inode in inodes}
    owner = owners(wanted, proc) if wanted else {}
    for endpoint, inodes in fresh.items():
        found = [owner[inode] for inode in inodes if inode in owner]
        process = read_process(min(found), proc) if found else None
        kept[endpoint] = Service(endpoint, frozenset(inodes), users[endpoint], process)
    return kept


def changes(before: dict[Endpoint, Service], now: dict[Endpoint, Service]) -> list[tuple[Service, str]]:
    """What went and what came; an endpoint taken over by other sockets is both."""
    gone = [
        (one, "listener-removed")
        for endpoint, one in before.items()
        if endpoint not in now or not (now[endpoint].inodes & one.inodes)
    ]
    come = [
        (one, "listener-added")
        for endpoint, one in now.items()
        if endpoint not in before or not (before[endpoint].inodes & one.inodes)
    ]
    return gone + come


def describe(service: Service, action: str) -> Observation:
    """The listener.change event of a service."""
    endpoint, process = service.endpoint, service.process
    user = user_name(service.user)
    fields: dict[str, Value] = {
        "event.category": "network",
        "event.action": action,
        "server.ip": endpoint.address,
        "server.port": endpoint.port,
        "network.transport": endpoint.transport,
        "gov.listener.scope": scope(endpoint.address),
        "user.name": user,
        "user.id": str(service.user),
    }
    native: dict[str, Value] = {
        "LocalAddress": endpoint.address,
        "LocalPort": endpoint.port,
        "Protocol": endpoint.transport,
        "User": user,
    }
    if process is not None:
        fields["process.pid"] = process.pid
        fields["process.name"] = process.executable.rpartition("/")[2] or process.name
        fields["process.executable"] = process.executable or None
        fields["process.command_line"] = process.command_line or None
        native["Image"] = process.executable or None
    return observe("listener.change", LISTENER, fields, native=native)


def scope(address: str) -> str:
    """Who can reach an address: ``loopback``, ``any`` interface, or one ``address``."""
    parsed = ip_address(address)
    if parsed.is_loopback:
        return "loopback"
    return "any" if parsed.is_unspecified else "address"
