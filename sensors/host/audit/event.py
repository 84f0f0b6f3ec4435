"""Facts of an audit event in ECS: who did what to what, with the trail's own names beside them.

An execve that succeeded is a ``process.start`` like those of the other process sources; everything else is an
``audit`` event of log source ``linux``/``auditd``. Its native fields are those of all records together, so
that rules written for single records match: ``type`` is the list of their kinds, ``name`` the list of paths.
"""

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from sensors.event import LogSource, Observation, Value
from sensors.host.audit.record import Record
from sensors.host.audit.trail import AuditEvent
from sensors.host.observe import LINUX, observe
from sensors.host.procfs import ARGUMENTS_MAX, mask_secrets, user_name, user_number
from sensors.host.tables import table

AUDITD: Final = LogSource(product=LINUX, service="auditd")
PROCESS_CREATION: Final = LogSource(product=LINUX, category="process_creation")
_EXEC: Final = ("execve", "execveat")
_PATHS_MAX: Final = 32
_IDS: Final = {
    "uid": "user.id",
    "auid": "user.audit.id",
    "euid": "user.effective.id",
    "suid": "user.saved.id",
    "fsuid": "user.filesystem.id",
    "gid": "group.id",
    "egid": "user.effective.group.id",
    "sgid": "user.saved.group.id",
    "fsgid": "user.filesystem.group.id",
}
_UNKNOWN: Final = ("unset", "4294967295", "-1")
# Kinds in which a program names the account it acted on or for.
_ACCOUNT: Final = ("ADD_USER", "DEL_USER", "USER_MGMT", "USER_CHAUTHTOK", "ACCT_LOCK", "ACCT_UNLOCK")
_GROUPS: Final = ("ADD_GROUP", "DEL_GROUP", "GRP_MGMT")


class Accounts(NamedTuple):
    """How accounts are looked up: by number, by name (-1: no such account)."""

    name: Callable[[int], str]
    number: Callable[[str], int]


LOCAL: Final = Accounts(user_name, user_number)


def describe(event: AuditEvent, accounts: Accounts = LOCAL, *, started: bool = True) -> Observation | None:
    """The observation of an event; None where it has no record.

    ``started`` false: another source tells of started processes, an execve is an audit event like others.
    """
    if not event.records:
        return None
    telling = _telling(event.records)
    said = telling.fields
    if started and said.get("syscall") in _EXEC and said.get("result") == "success":
        return _started(event.records, said, accounts)
    return _other(event.records, telling, accounts)


def _telling(records: Sequence[Record]) -> Record:
    """The record that says what happened: a program's own, else the system call's, else the first."""
    for kind in (
        "AVC",
        "SECCOMP",
        "KERN_MODULE",
        "CONFIG_CHANGE",
        "ANOM_PROMISCUOUS",
        "NETFILTER_CFG",
        "SYSCALL",
    ):
        for record in records:
            if record.kind == kind and (kind == "SYSCALL" or len(records) == 1 or kind != "CONFIG_CHANGE"):
                return record
    return records[0]


def arguments(records: Sequence[Record]) -> tuple[str, ...]:
    """The arguments of the EXECVE records; long ones come in pieces ``a1[0] a1[1]``."""
    found: dict[int, str] = {}
    for record in records:
        if record.kind != "EXECVE":
            continue
        for name, value in record.fields.items():
            place, bracket, _ = name[1:].partition("[")
            if name[0] == "a" and place.isdecimal() and int(place) < ARGUMENTS_MAX:
                found[int(place)] = found.get(int(place), "") + value if bracket else value
    return tuple(found.get(place, "") for place in range(max(found, default=-1) + 1))


def _started(records: Sequence[Record], said: dict[str, str], accounts: Accounts) -> Observation:
    words = mask_secrets(arguments(records))
    titles = [masked(record.fields["proctitle"]) for record in records if "proctitle" in record.fields]
    line = " ".join(words) or (titles[0] if titles else "")
    folder = next((r.fields["cwd"] for r in records if r.kind == "CWD" and "cwd" in r.fields), "")
    image = said.get("exe", "")
    fields: dict[str, Value] = {
        "event.category": "process",
        "event.type": "start",
        "event.action": "exec",
        "process.executable": image or None,
        "process.name": said.get("comm") or image.rpartition("/")[2],
        "process.command_line": line or None,
        "process.args": [*words] or None,
        "process.working_directory": folder or None,
        **_common(records[0], said, accounts),
    }
    user = fields.get("user.name")
    native: dict[str, Value] = {
        "Image": image or None,
        "CommandLine": line or None,
        "User": user,
        "CurrentDirectory": folder or None,
        "ProcessId": fields.get("process.pid"),
        "ParentProcessId": fields.get("process.parent.pid"),
    }
    return observe(
        "process.start",
        PROCESS_CREATION,
        fields,
        native=native,
        time=records[0].time,
        host=records[0].node,
    )


def _other(records: Sequence[Record], telling: Record, accounts: Accounts) -> Observation:
    said = telling.fields
    kinds, calls = table("audit_kinds")["kinds"], table("audit_kinds")["calls"]
    known = calls.get(said.get("syscall", "")) if telling.kind == "SYSCALL" else kinds.get(telling.kind)
    category, kind, action = known or ("configuration", "info", telling.kind.lower())
    executable = said.get("exe", "")
    paths = [r.fields["name"] for r in records if r.kind == "PATH" and "name" in r.fields][:_PATHS_MAX]
    fields: dict[str, Value] = {
        "event.category": category,
        "event.type": kind,
        "event.action": action,
        "event.outcome": {"success": "success", "fail": "failure"}.get(said.get("result", "")),
        "process.executable": executable or None,
        "process.name": said.get("comm") or executable.rpartition("/")[2] or None,
        "process.title": next(
            (masked(r.fields["proctitle"]) for r in records if "proctitle" in r.fields), None
        ),
        "process.working_directory": next((r.fields["cwd"] for r in records if "cwd" in r.fields), None),
        "file.path": paths[-1] if paths else None,
        "service.name": said.get("unit") if telling.kind.startswith("SERVICE_") else None,
        **_common(telling, said, accounts),
        **_parties(telling, records, accounts),
    }
    fields.update(_actor(telling, fields, accounts))
    if telling.kind == "USER_CMD":
        fields["process.command_line"] = masked(said.get("cmd", "")) or None
    return observe(
        "audit", AUDITD, fields, native=_native(records, paths), time=telling.time, host=telling.node
    )


def _common(record: Record, said: dict[str, str], accounts: Accounts) -> dict[str, Value]:
    """Process ids, the accounts by number and name, and where the event stands in the trail."""
    fields: dict[str, Value] = {
        "process.pid": _number(said.get("pid", "")),
        "process.parent.pid": _number(said.get("ppid", "")),
        "event.sequence": record.serial,
        "gov.audit.kind": record.kind,
        "gov.audit.key": said.get("key"),
        "gov.audit.session": said["ses"] if said.get("ses", "unset") not in _UNKNOWN else None,
        "gov.audit.terminal": said.get("terminal") or said.get("tty"),
    }
    for name, field in _IDS.items():
        value = said.get(name, "")
        if not value.isdecimal() or value in _UNKNOWN:
            continue
        fields[field] = value
        if field.startswith("user.") and not field.endswith("group.id"):
            fields[field.removesuffix(".id") + ".name"] = accounts.name(int(value))
    return fields


def _actor(telling: Record, fields: Mapping[str, Value], accounts: Accounts) -> dict[str, Value]:
    """Who acted: the account the person logged in with; as whom: the one the process runs as.

    A system call tells it all itself.
    """
    said = telling.fields
    if telling.kind == "SYSCALL":
        return {}
    before, now = said.get("auid", ""), said.get("euid") or said.get("uid", "")
    if telling.kind == "LOGIN":
        before, now = (
            said.get("old-auid") or said.get("old_auid", ""),
            said.get("auid") or said.get("new_auid", ""),
        )
    known = before.isdecimal() and before not in _UNKNOWN
    actor = before if known else "" if telling.kind == "LOGIN" else said.get("uid", "")
    found: dict[str, Value] = {"user.id": None, "user.name": None}
    if actor.isdecimal():
        found |= {"user.id": actor, "user.name": accounts.name(int(actor))}
    if now.isdecimal() and "user.effective.name" not in fields:
        found |= {"user.effective.id": now, "user.effective.name": accounts.name(int(now))}
    return found


def _parties(telling: Record, records: Sequence[Record], accounts: Accounts) -> dict[str, Value]:
    """The account, group or address an event is about."""
    said = telling.fields
    found: dict[str, Value] = {}
    account = said.get("acct", "")
    if telling.kind in _ACCOUNT:
        found["user.target.name"] = account or None
        number = said.get("id", "")
        looked = accounts.number(account) if account and not number else -1
        found["user.target.id"] = number or (str(looked) if looked >= 0 else None)
        if not account and number.isdecimal():
            found["user.target.name"] = accounts.name(int(number))
    elif telling.kind in _GROUPS:
        found["group.name"] = said.get("grp") or said.get("acct")
        found["user.target.id"] = said.get("id") if telling.kind == "ADD_GROUP" else None
    elif account:
        found["user.effective.name"] = account
        owner = accounts.number(account)
        found["user.effective.id"] = str(owner) if owner >= 0 else None
    addresses = [r.fields for r in records if r.kind == "SOCKADDR" and r.fields.get("port")]
    if telling.kind == "SYSCALL" and addresses:
        side = "source" if said.get("syscall", "").startswith("accept") else "destination"
        found[f"{side}.ip"] = addresses[0]["addr"]
        found[f"{side}.port"] = _number(addresses[0]["port"])
    elif said.get("addr"):
        found["source.ip"] = _address(said["addr"])
    if said.get("hostname") and said.get("hostname") != said.get("addr"):
        found["source.domain"] = said["hostname"]
    return found


def _native(records: Sequence[Record], paths: list[str]) -> dict[str, Value]:
    """The fields of all records, a later one's before an earlier one's; secrets among arguments masked."""
    found: dict[str, Value] = {}
    for record in records:
        found.update(record.fields)
    for place, word in enumerate(mask_secrets(arguments(records))):
        found[f"a{place}"] = word
    for name in ("proctitle", "cmd"):
        if isinstance(text := found.get(name), str):
            found[name] = masked(text)
    found["type"] = [*dict.fromkeys(record.kind for record in records)]
    if paths:
        found["name"] = [*paths]
    return found


def masked(line: str) -> str:
    """A command line with the secrets on it replaced."""
    return " ".join(mask_secrets(tuple(line.split(" "))))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= 10 else None


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
