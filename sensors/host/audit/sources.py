"""Audit sources: the kernel's multicast group where it may be joined, else the log that auditd writes.

The multicast group (AUDIT_NLGRP_READLOG) is a copy for readers: auditd keeps its place beside us. The sensor
neither sets nor changes an audit rule; what is recorded is the operator's choice.
"""

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from crypto.words import Words
from sensors.event import Observation
from sensors.host.audit.event import describe
from sensors.host.audit.record import Record, parse_record
from sensors.host.audit.trail import AuditEvent, Trail, told_before
from sensors.host.audit_status import NETLINK_AUDIT, audit_status
from sensors.host.cursor import Cursor
from sensors.host.follow import FollowedFile, Position, whole_lines
from sensors.host.observe import decoded, gap
from sensors.host.outbox import Outbox
from sensors.host.tables import table

Emit = Callable[[Sequence[Observation]], None]

AUDIT_LOG: Final = Path("/var/log/audit/audit.log")
_GROUP: Final = 1  # AUDIT_NLGRP_READLOG
_SOL_NETLINK: Final = 270
_ADD_MEMBERSHIP: Final = 1
_BUFFER_BYTES: Final = 8 * 1024 * 1024
_SO_RCVBUFFORCE: Final = 33
_MESSAGE_BYTES_MAX: Final = 16 * 1024
_HEADER: Final = struct.Struct("=IHHII")
_BATCH_MAX: Final = 512
_WAIT_SECONDS: Final = 0.5
QUIET_SECONDS: Final = 2.0  # after this an event that waits is as whole as it will be
_OWN: Final = range(1100, 3000)  # message types that are records


class Gathering:
    """Records to observations: a trail, what is missing in it, and who else tells of started processes."""

    def __init__(self, name: str, started: Callable[[], bool], quiet_seconds: float) -> None:
        self._name = name
        self._quiet_seconds = quiet_seconds
        self._started = started
        self.trail = Trail()
        self._quiet_since = time.monotonic()

    def take(self, records: Iterable[Record]) -> list[Observation]:
        """Observations of the events that are whole now."""
        events: list[AuditEvent] = []
        for record in records:
            events += self.trail.put(record)
        if events or not self.trail.waiting:
            self._quiet_since = time.monotonic()
        elif time.monotonic() - self._quiet_since >= self._quiet_seconds:
            events += self.trail.flush()
        return self._observations(events)

    def rest(self) -> list[Observation]:
        """What still waits: the source stops."""
        return self._observations(list(self.trail.flush()))

    def _observations(self, events: Sequence[AuditEvent]) -> list[Observation]:
        started = self._started()
        seen = [one for event in events if (one := describe(event, started=started)) is not None]
        missing = sum(event.missing for event in events)
        if missing:
            seen.append(gap(self._name, "audit events are missing by their serials", count=missing))
        return seen


class AuditLogSource:
    """Source ``audit``, from audit.log: continues after a restart where it stopped."""

    name = "audit"

    def __init__(
        self,
        path: Path,
        cursor: Cursor,
        *,
        started: Callable[[], bool] = lambda: True,
        poll_seconds: float = 1.0,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._quiet_seconds = quiet_seconds
        self._path = path
        self._cursor = cursor
        self._started = started
        self._poll_seconds = poll_seconds
        self._followed: FollowedFile | None = None

    def missing(self) -> Words | None:
        """The log must exist and be readable."""
        if not self._path.exists():
            return Words(
                f"内核审计未开启或不可订阅,也没有 {self._path}(未启用 auditd)",
                f"the kernel's audit is off or cannot be joined, and there is no {self._path} (no auditd)",
            )
        if not os.access(self._path, os.R_OK):
            return Words(f"无权读取 {self._path}", f"no permission to read {self._path}")
        return None

    def pressing(self) -> bool:
        """A rotated file is not left waiting: it may be deleted."""
        return self._followed is not None and self._followed.left_behind()

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit audit events until ``stop``."""
        followed = self._followed = FollowedFile(self._path, self._cursor)
        gathering = Gathering(self.name, self._started, self._quiet_seconds)
        reading = LogReading(followed, gathering)
        try:
            while True:
                more = reading.next(emit)
                if stop.wait(0 if more else self._poll_seconds):
                    break
            if rest := gathering.rest():
                emit(rest)
            followed.keep(None)
        finally:
            followed.close()


class LogReading:
    """Records out of the log, with the place where each event that waits began.

    What is durable is the oldest of these places: killed, the source reads again from there, and passes over
    what it had told, up to where it had read.
    """

    def __init__(self, followed: FollowedFile, gathering: Gathering) -> None:
        self._followed = followed
        self._gathering = gathering
        self._began: dict[int, Position] = {}  # serial -> where its first record stands
        self._region = followed.position  # what was read before the restart, part of it told
        self._passed = False

    def next(self, emit: Emit) -> bool:
        """Read on, emit what is whole, and save the place; False where there was nothing to read."""
        data = self._followed.read()
        end = whole_lines(data)
        seen = self._gathering.take(self._records(data[:end]))
        if seen:
            emit(seen)
        began, self._began = self._began, {}
        for serial in self._gathering.trail.serials:
            self._began[serial] = began[serial]
        if end:
            self._followed.advance(end, kept=self._kept(end))
        elif seen:
            self._followed.keep(self._kept(0))
        return end > 0

    def _records(self, data: bytes) -> Iterator[Record]:
        position = self._followed.position
        offset = position.offset if position is not None else 0
        for line in data.split(b"\n"):
            record = parse_record(decoded(line)) if line else None
            if record is not None and not self._was_told(record.serial, offset):
                if record.serial not in self._began:
                    self._began[record.serial] = self._followed.place(offset)
                yield record
            offset += len(line) + 1

    def _was_told(self, serial: int, offset: int) -> bool:
        """Whether the record was told before the restart."""
        region, here = self._region, self._followed.position
        if region is None or here is None or self._passed:
            return False
        if not _inside(region, replace(here, offset=offset)):
            self._passed = True
            return False
        return told_before(region.told, serial)

    def _kept(self, consumed: int) -> Position | None:
        """The place of the oldest event that waits, None where none does."""
        oldest = next(iter(self._began.values()), None)
        here = self._followed.position
        if oldest is None or here is None:
            return None
        last = self._gathering.trail.last
        if last is not None:
            return replace(oldest, told=last, until=(here.device, here.inode, here.offset + consumed))
        if self._region is not None and _inside(self._region, oldest):  # nothing was told since
            return replace(oldest, told=self._region.told, until=self._region.until)
        return oldest


def _inside(region: Position, place: Position) -> bool:
    """Whether a place lies between where a region begins and how far had been read."""
    if region.told < 0 or region.until is None:
        return False
    file = (place.device, place.inode)
    if file == region.until[:2]:
        return place.offset < region.until[2]
    return file == (region.device, region.inode) and place.offset >= region.offset


class AuditMulticastSource:
    """Source ``audit``, from the kernel: at once, but only from now on."""

    name = "audit"

    def __init__(
        self,
        *,
        started: Callable[[], bool] = lambda: True,
        open_channel: Callable[[], socket.socket] | None = None,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._quiet_seconds = quiet_seconds
        self._started = started
        self._open = open_channel or open_multicast

    def missing(self) -> Words | None:
        """The group must be there to join (CAP_AUDIT_READ)."""
        try:
            self._open().close()
        except OSError as error:
            return Words(f"不能订阅内核审计:{error}", f"the kernel's audit cannot be joined: {error}")
        return None

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit audit events until ``stop``."""
        channel = self._open()
        poll = select.poll()
        poll.register(channel, select.POLLIN)
        gathering = Gathering(self.name, self._started, self._quiet_seconds)
        try:
            with Outbox(self.name, emit) as outbox:
                while not stop.is_set():
                    found: list[Record] = []
                    if poll.poll(int(_WAIT_SECONDS * 1000)):
                        try:
                            found = receive(channel)
                        except OSError:  # ENOBUFS: the queue overflowed
                            outbox.put(
                                gap(self.name, "kernel dropped audit records: the sensor was too slow")
                            )
                    for one in gathering.take(found):
                        outbox.put(one)
                    outbox.check()
                for one in gathering.rest():
                    outbox.put(one)
        finally:
            channel.close()


def open_multicast() -> socket.socket:
    """A socket in the readers' group. Raises OSError where it is not granted."""
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_AUDIT)
    try:
        channel.bind((0, 0))
        channel.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP)
        try:
            channel.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        except OSError:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        channel.setblocking(False)
    except OSError:
        channel.close()
        raise
    return channel


def receive(channel: socket.socket) -> list[Record]:
    """The records that wait, at most 512. Raises OSError where the kernel lost some."""
    found: list[Record] = []
    for _ in range(_BATCH_MAX):
        try:
            data, sender = channel.recvfrom(_MESSAGE_BYTES_MAX)
        except BlockingIOError:
            break
        if sender[0] != 0:
            continue  # only the kernel is believed
        record = parse_message(data)
        if record is not None:
            found.append(record)
    return found


def parse_message(data: bytes) -> Record | None:
    """The record of a netlink message: a header that names the kind, then ``audit(…): key=value …``."""
    if len(data) < _HEADER.size:
        return None
    kind = _HEADER.unpack_from(data)[1]
    if kind not in _OWN:
        return None
    name = _kinds().get(str(kind), f"UNKNOWN[{kind}]")
    body = decoded(data[_HEADER.size :].rstrip(b"\0\n"))
    return parse_record(f"type={name} msg={body}")


def _kinds() -> dict[str, str]:
    numbers: dict[str, str] = table("audit_kinds")["numbers"]
    return numbers


def audit_source(
    path: Path, cursor: Cursor, started: Callable[[], bool]
) -> "AuditLogSource | AuditMulticastSource":
    """The kernel's group where auditing is on and there is no log to continue in; else the log.

    The log goes first: it has a place to continue at after a restart.
    """
    if path.exists() and os.access(path, os.R_OK):
        return AuditLogSource(path, cursor, started=started)
    try:
        on = audit_status().enabled > 0
    except OSError:
        on = False
    source = AuditMulticastSource(started=started)
    return source if on and source.missing() is None else AuditLogSource(path, cursor, started=started)
