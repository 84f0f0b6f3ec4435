"""Login records: the fixed-size structures of wtmp and btmp (utmp(5)), and their ECS form.

struct utmp, host byte order: type i16 · pid i32 @4 · line 32 bytes @8 · id 4 @40 · user 32 @44 ·
host 256 @76 · exit i16 x2 @332 · session @336 · seconds · microseconds · address 16, in two layouts:
- 384 bytes (x86-64, ppc64, s390x): session i32, seconds i32 @340, microseconds i32 @344, address @348
- 400 bytes (aarch64, loongarch64): session i64, seconds i64 @344, microseconds i64 @352, address @360
"""

import platform
import struct
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from sensors.event import LogSource, Observation, Value
from sensors.host.observe import LINUX, decoded, observe

LOGIN: Final = LogSource(product=LINUX, service="login", category="authentication")
TYPES: Final = {
    0: "EMPTY",
    1: "RUN_LVL",
    2: "BOOT_TIME",
    3: "NEW_TIME",
    4: "OLD_TIME",
    5: "INIT_PROCESS",
    6: "LOGIN_PROCESS",
    7: "USER_PROCESS",
    8: "DEAD_PROCESS",
    9: "ACCOUNTING",
}
_SHORT: Final = struct.Struct("=h2xi32s4s32s256shhiii16s20x")
_LONG: Final = struct.Struct("=h2xi32s4s32s256shhqqq16s20x4x")
_COMPATIBLE: Final = ("x86_64", "i686", "i386", "ppc64", "ppc64le", "s390x", "mips64", "armv7l")
_ACTIONS: Final = {"USER_PROCESS": "logged-in", "DEAD_PROCESS": "logged-out", "BOOT_TIME": "system-started"}


class Record(NamedTuple):
    """One record; ``host`` is a name or address, or '' for a local login."""

    kind: str
    pid: int
    terminal: str
    user: str
    host: str
    address: str
    time: datetime


def layout(machine: str = "") -> struct.Struct:
    """The record's layout on this or the named machine."""
    return _SHORT if (machine or platform.machine()) in _COMPATIBLE else _LONG


def parse_record(raw: bytes, form: struct.Struct) -> Record | None:
    """The record of exactly ``form.size`` bytes; None where it is empty or not a login record."""
    kind, pid, line, _, user, host, _, _, _, seconds, microseconds, address = form.unpack(raw)
    name = TYPES.get(kind)
    if name is None or name == "EMPTY":
        return None
    try:
        time = datetime.fromtimestamp(seconds & 0xFFFFFFFF if form is _SHORT else seconds, UTC)
        time = time.replace(microsecond=microseconds if 0 <= microseconds < 1_000_000 else 0)
    except (OverflowError, ValueError, OSError):
        return None
    return Record(name, pid, _text(line), _text(user), _text(host), _address(address), time)


def describe(record: Record, *, failed: bool) -> Observation | None:
    """The login event; ``failed`` for a record of btmp. None for bookkeeping records."""
    action = "login-failed" if failed else _ACTIONS.get(record.kind)
    if action is None:
        return None
    outcome = "failure" if failed else "success" if action == "logged-in" else None
    source = record.address or _as_address(record.host)
    fields: dict[str, Value] = {
        "event.category": "authentication" if outcome else "session" if record.pid else "host",
        "event.type": "start" if outcome else "end" if action == "logged-out" else "info",
        "event.action": action,
        "event.outcome": outcome,
        "user.name": record.user or None,
        "source.ip": source or None,
        "source.domain": record.host if record.host and record.host != source else None,
        "process.pid": record.pid or None,
        "process.name": _program(record) if outcome else None,
        "gov.login.terminal": record.terminal or None,
    }
    native: dict[str, Value] = {
        "Type": record.kind,
        "User": record.user,
        "Terminal": record.terminal,
        "SourceHost": record.host or source,
        "Outcome": outcome,
    }
    return observe("login", LOGIN, fields, native=native, time=record.time)


def _program(record: Record) -> str | None:
    """sshd writes "ssh:notty" where there is no terminal; other programs do not say who they are."""
    return "sshd" if record.terminal.startswith("ssh") or record.host else None


def _text(raw: bytes) -> str:
    return decoded(raw.split(b"\0", 1)[0]).strip()


def _address(raw: bytes) -> str:
    if not any(raw):
        return ""
    return str(IPv6Address(raw)) if any(raw[4:]) else str(IPv4Address(raw[:4]))


def _as_address(host: str) -> str:
    try:
        return str(ip_address(host))
    except ValueError:
        return ""
