"""One record of the Linux audit trail: ``type=SYSCALL msg=audit(SECONDS.MS:SERIAL): key=value …``.

What a field may hold depends on who wrote it: the kernel quotes text it trusts and writes everything else as
hexadecimal; programs put their own fields into ``msg='…'``. Values stay text; '?' and ``(null)`` say nothing
and are left out; an id of 4294967295 is ``unset``. Bounded, and lenient: a record cut in the middle gives
what is whole.
"""

import errno
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from sensors.host.observe import decoded
from sensors.host.tables import table

RECORD_CHARS_MAX: Final = 32 * 1024
FIELDS_MAX: Final = 512
_START: Final = "audit("
_UNSET: Final = ("4294967295", "-1")
_IDS: Final = ("auid", "ses", "old-auid")
_HEX: Final = (
    "exe",
    "cwd",
    "name",
    "cmd",
    "proctitle",
    "comm",
    "key",
    "acct",
    "data",
    "dir",
    "path",
    "ocomm",
    "watch",
    "file",
)
_SAYS_NOTHING: Final = ("", "?", "(null)")
_GOOD: Final = ("yes", "1", "success")
_BAD: Final = ("no", "0", "failed", "fail")
_CONTEXTS: Final = ("subj", "obj")  # an access decision's own two contexts stay whole
_PARTS: Final = ("user", "role", "domain", "level", "category")
_SEPARATOR: Final = "\x1d"  # behind it auditd repeats ids as names (log_format ENRICHED)


class Record(NamedTuple):
    """A record; ``fields`` are as in the log, decoded; ``raw`` is the line behind ``msg=``."""

    kind: str  # SYSCALL, EXECVE, USER_LOGIN, …
    time: datetime
    serial: int
    fields: dict[str, str]
    node: str
    raw: str


def parse_record(line: str) -> Record | None:
    """The record of a line of audit.log, or of a netlink message with its type put before; else None."""
    text = line[:RECORD_CHARS_MAX].strip()
    node = ""
    if text.startswith("node="):
        node, _, text = text[5:].partition(" ")
    if not text.startswith("type="):
        return None
    kind, _, rest = text[5:].partition(" ")
    at = rest.find(_START)
    end = rest.find(")", at)
    if not rest.startswith("msg=") or at != 4 or end < 0 or not kind:
        return None
    moment, _, number = rest[at + len(_START) : end].partition(":")
    try:
        seconds, _, thousandths = moment.partition(".")
        whole = datetime.fromtimestamp(int(seconds), UTC)
        time = whole.replace(microsecond=int(thousandths or 0) % 1000 * 1000)
        serial = int(number)
    except (ValueError, OverflowError, OSError):
        return None
    raw = rest[4:]
    body = rest[end + 1 :].lstrip(": ")
    return Record(kind, time, serial & 0xFFFFFFFF, meaning(kind, body), node, raw)


def meaning(kind: str, body: str) -> dict[str, str]:
    """The fields of a record's body with their values decoded."""
    plain, _, _ = body.partition(_SEPARATOR)
    found: dict[str, str] = {}
    for name, value, quoted in _pairs(kind, plain):
        if len(found) >= FIELDS_MAX:
            break
        if value in _SAYS_NOTHING and not (quoted and value == ""):
            continue
        found[name] = value if quoted else _unhexed(kind, name, value)
    _results(found)
    for name in _IDS:
        if found.get(name) in _UNSET:
            found[name] = "unset"
    for name in _CONTEXTS:
        if ":" in found.get(name, "") and kind != "USER_SELINUX_ERR":
            found.update(_context(name, found.pop(name)))
    if "arch" in found:
        _call(found)
    if kind == "SOCKADDR" and "saddr" in found:
        found.update(_address(found.pop("saddr")))
    if kind in ("SYSCALL", "SECCOMP") and "exit" in found:
        found["exit"] = _exit(found["exit"])
    if found.get("sig", "").isdecimal():
        found["sig"] = _signal(int(found["sig"]))
    return found


def _pairs(kind: str, body: str) -> Iterator[tuple[str, str, bool]]:
    """(name, value, whether it stood in quotes) one after the other; msg='…' is read through."""
    if kind == "AVC" and (opened := body.find("{")) >= 0:
        yield from _decision(body, opened)
        body = body[body.find("}") + 1 :]
    at, size = 0, len(body)
    while at < size:
        equals = body.find("=", at)
        if equals < 0:
            return
        name = body[at:equals].rpartition(" ")[2].lstrip("'(,").strip()
        before = body[at:equals].strip().split(" ")
        if len(before) > 1 and before[-2] in ("old", "new"):  # RHEL 5 and 6: "old auid=", "new ses="
            name = f"{before[-2]}_{name}"
        at = equals + 1
        mark = body[at : at + 1]
        if name == "msg" and mark == "'":
            at += 1
            continue
        if mark == '"':
            end = body.find('"', at + 1)
            end = size if end < 0 else end
            yield name, body[at + 1 : end], True
            at = end + 1
            continue
        end = body.find(" ", at)
        end = size if end < 0 else end
        value = body[at:end].removesuffix("'").rstrip(",")
        value = value if "(" in value else value.rstrip(")")
        yield name, value, False
        at = end + 1


def _decision(body: str, opened: int) -> Iterator[tuple[str, str, bool]]:
    """``avc:  denied  { read } for …``: the verdict and the permissions, which are no key=value."""
    words = body[:opened].split()
    if words:
        yield "seresult", words[-1], True
    yield "seperms", ",".join(body[opened + 1 : body.find("}")].split()), True


def _unhexed(kind: str, name: str, value: str) -> str:
    argument = kind == "EXECVE" and name[:1] == "a" and name[1:2].isdecimal()
    if not (name in _HEX or argument) or len(value) % 2 or len(value) < 2:
        return value
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        return value
    if name == "proctitle":
        raw = raw.replace(b"\0", b" ")
    return decoded(raw.rstrip(b"\0"))


def _results(found: dict[str, str]) -> None:
    """``success=yes``, ``res=1`` and ``result=…`` are one fact under three names."""
    for name in ("res", "success"):
        if name in found:
            value = found.pop(name)
            known = value.lower()
            found["result"] = "success" if known in _GOOD else "fail" if known in _BAD else value
            return


def _context(name: str, value: str) -> dict[str, str]:
    parts = value.split(":", 4)
    return {f"{name}_{part}": text for part, text in zip(_PARTS, parts, strict=False)}


def _call(found: dict[str, str]) -> None:
    """Architecture and system call by name."""
    machines, tables = table("system_calls")["machines"], table("system_calls")["tables"]
    machine = machines.get(found["arch"].lower())
    if machine is None:
        return
    found["arch"] = machine
    number = found.get("syscall", "")
    if number.isdecimal() and machine in tables:
        found["syscall"] = _names(tables[machine]).get(number, number)


@cache
def _names(key: str) -> dict[str, str]:
    words = table("system_calls")["calls"][key].split()
    return dict(word.split("=", 1) for word in words)


def _exit(value: str) -> str:
    """The name of an error; other values as they are."""
    if value.startswith("-") and value[1:].isdecimal():
        return errno.errorcode.get(int(value[1:]), value)
    return value


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _address(text: str) -> dict[str, str]:
    """The family, address and port, or path, of a socket address given as the bytes of struct sockaddr."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return {"saddr": text}
    family = int.from_bytes(raw[:2], "little")
    if family == 1:
        return {"family": "unix", "path": decoded(raw[2:].lstrip(b"\0").split(b"\0")[0])}
    if family == 2 and len(raw) >= 8:
        return {
            "family": "ipv4",
            "addr": str(IPv4Address(raw[4:8])),
            "port": str(int.from_bytes(raw[2:4], "big")),
        }
    if family == 10 and len(raw) >= 24:
        port = str(int.from_bytes(raw[2:4], "big"))
        return {"family": "ipv6", "addr": str(IPv6Address(raw[8:24])), "port": port}
    if family == 16:
        return {"family": "netlink", "saddr": text}
    return {"family": str(family), "saddr": text}
