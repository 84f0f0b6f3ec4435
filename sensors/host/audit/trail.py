"""The trail: records gathered into events by serial, handed on in order, with what is missing between them.

One event may come as several records, mixed with those of others. It is whole when its end record came
(EOE, or PROCTITLE, which the kernel writes last), when a program wrote it alone, or when enough younger
events have begun. A whole event waits for those before it that are still missing, for as many as several
processors may bring out of order. Serials run to 2^32 and begin anew.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sensors.host.audit.record import Record

IN_FLIGHT_MAX: Final = 64  # events that wait for more records; the oldest is then as whole as it will be
REORDER_MAX: Final = 16  # events that may come before an older one does
RECORDS_MAX: Final = 64  # of one event
_LAST: Final = ("EOE", "PROCTITLE")
# Written by the kernel about a system call, so that more may follow under the same serial.
_PARTS: Final = frozenset(
    [
        "SYSCALL",
        "PATH",
        "CWD",
        "EXECVE",
        "SOCKADDR",
        "IPC",
        "IPC_SET_PERM",
        "SOCKETCALL",
        "FD_PAIR",
        "OBJ_PID",
        "TTY",
        "CAPSET",
        "MMAP",
        "BPRM_FCAPS",
        "NETFILTER_CFG",
        "MQ_OPEN",
        "MQ_SENDRECV",
        "MQ_NOTIFY",
        "MQ_GETSETATTR",
        "KERN_MODULE",
        "FANOTIFY",
        "BPF",
        "OPENAT2",
        "URINGOP",
        "CONFIG_CHANGE",
        "AVC",
        "SELINUX_ERR",
        "SECCOMP",
        "INTEGRITY_DATA",
        "ANOM_PROMISCUOUS",
        "LOGIN",
        "MAC_STATUS",
        "MAC_POLICY_LOAD",
        "UNKNOWN[1327]",
        "UNKNOWN[1334]",
        "UNKNOWN[1335]",
        "UNKNOWN[1336]",
        "UNKNOWN[1337]",
    ]
)
_HALF: Final = 1 << 31


class AuditEvent(NamedTuple):
    """One event: its records in the order they came, and how many serials before it never came."""

    serial: int
    records: tuple[Record, ...]
    missing: int


class Trail:
    """One stream of records. ``put`` and ``flush`` give events as they are whole, oldest first."""

    def __init__(self, *, in_flight_max: int = IN_FLIGHT_MAX) -> None:
        self._in_flight_max = in_flight_max
        self._open: dict[int, list[Record]] = {}
        self._whole: set[int] = set()
        self._last: int | None = None

    def put(self, record: Record) -> Iterator[AuditEvent]:
        """Take a record; events that are whole now."""
        if (
            record.serial not in self._open
            and self._last is not None
            and told_before(self._last, record.serial)
        ):
            yield AuditEvent(record.serial, (record,), 0)  # later than its event: told alone, never dropped
            return
        found = self._open.setdefault(record.serial, [])
        if record.kind != "EOE" and len(found) < RECORDS_MAX:
            found.append(record)
        if record.kind in _LAST or record.kind not in _PARTS:
            self._whole.add(record.serial)
        while self._open:
            oldest = self._oldest()
            waits = len(self._open)
            next_one = self._last is not None and _after(self._last, oldest) == 1
            ready = oldest in self._whole and (next_one or waits > REORDER_MAX)
            if not ready and waits <= self._in_flight_max:
                return
            yield from self._take(oldest)

    def flush(self) -> Iterator[AuditEvent]:
        """Everything that waits: nothing more will come, or it has waited long enough."""
        while self._open:
            yield from self._take(self._oldest())

    @property
    def waiting(self) -> int:
        """Events that wait for more records."""
        return len(self._open)

    @property
    def serials(self) -> tuple[int, ...]:
        """Serials of the events that wait, as they began."""
        return tuple(self._open)

    @property
    def last(self) -> int | None:
        """The serial up to which everything that came was handed on."""
        return self._last

    def _oldest(self) -> int:
        if self._last is None:
            first = next(iter(self._open))
            return min(self._open, key=lambda serial: _after(first, serial))
        last = self._last
        return min(self._open, key=lambda serial: _after(last, serial))

    def _take(self, serial: int) -> Iterator[AuditEvent]:
        records = tuple(self._open.pop(serial))
        self._whole.discard(serial)
        missing = 0 if self._last is None else max(0, _after(self._last, serial) - 1)
        self._last = serial
        if records or missing:
            yield AuditEvent(serial, records, missing)


def told_before(last: int, serial: int) -> bool:
    """Whether a record was handed on by the time ``last`` was."""
    return _after(last, serial) <= 0


def _after(first: int, second: int) -> int:
    """How far ``second`` lies behind ``first`` on the circle of serials; negative before it."""
    distance = (second - first) & 0xFFFFFFFF
    return distance - (1 << 32) if distance >= _HALF else distance
