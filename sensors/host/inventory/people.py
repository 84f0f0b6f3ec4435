"""Inventory of who may use the host: accounts, their last logins, groups, sudo rules and keys for ssh."""

import base64
import binascii
import hashlib
import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sensors.host.inventory.kind import Kind
from sensors.host.observe import decoded
from sensors.host.probe import HostFiles, number
from sensors.host.probe_accounts import password_state, sudoers_files

_ACCOUNTS: Final = ("/etc/passwd", "/etc/shadow", "/etc/group")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LASTLOG: Final = "/var/log/lastlog"
_LASTLOG2: Final = "/var/lib/lastlog/lastlog2.db"
_RECORD: Final = struct.Struct("=i32s256s")
_RECORD_LONG: Final = struct.Struct("=q32s256s")  # machines whose time in utmp has 64 bits
_KEY_FILES: Final = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_KEY_TYPES: Final = ("ssh-", "ecdsa-", "sk-", "sm2")
_KEYS_MAX: Final = 1_000  # of one file
_DAYS_MAX: Final = 100_000


class Person(NamedTuple):
    """An account with what /etc/passwd says of it."""

    name: str
    user: str
    group: str
    gecos: str
    home: str
    shell: str
    field: str  # the password field


def people(files: HostFiles) -> list[Person]:
    """The accounts of /etc/passwd. Raises OSError where it cannot be read."""
    found = []
    for line in files.text("/etc/passwd").splitlines():
        parts = line.split(":")
        if len(parts) >= 7 and parts[2].isdecimal():
            name, field, user, group, gecos, home, shell = parts[:7]
            found.append(Person(name, user, group, gecos, home, shell.strip(), field))
    return found


def accounts(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """Accounts with the state of their password, never with its hash; without root that state is ''."""
    shadow = _shadow(files)
    member: dict[str, list[str]] = {}
    for name, _, members in groups(files):
        for who in members.split():
            member.setdefault(who, []).append(name)
    for one in people(files):
        state, expires = shadow.get(one.name, ("", ""))
        if one.field != "x":
            state = password_state(one.field)
        yield (
            one.name,
            one.user,
            one.group,
            one.home,
            one.shell,
            state,
            expires,
            " ".join(sorted(member.get(one.name, ()))),
            _masked(one.gecos.split(",")[0]),
        )


def _shadow(files: HostFiles) -> dict[str, tuple[str, str]]:
    try:
        lines = files.lines("/etc/shadow")
    except PermissionError:
        return {}
    found = {}
    for line in lines:
        fields = line.split(":")
        if len(fields) >= 8:
            days = number(fields[7], -1)
            day = str((_EPOCH + timedelta(days=days)).date()) if 0 <= days < _DAYS_MAX else ""
            found[fields[0]] = password_state(fields[1]), day
    return found


def _masked(text: str) -> str:
    """A person's name as its first character and stars; the text of system accounts stays as it is."""
    if not text or text.isascii():
        return text if " " not in text or text.islower() else text[:1] + "**"
    return text[:1] + "**"


def groups(files: HostFiles) -> Iterator[tuple[str, str, str]]:
    """Groups with their members, sorted."""
    for line in files.text_or_empty("/etc/group").splitlines():
        parts = line.split(":")
        if len(parts) >= 4 and not line.startswith("#"):
            yield parts[0], parts[2], " ".join(sorted(one for one in parts[3].split(",") if one))


def sudoers(files: HostFiles) -> Iterator[tuple[str, str]]:
    """Every line that says something, with its file."""
    for name in sudoers_files(files):
        for line in files.lines(name):
            yield name, " ".join(line.split())


def last_logins(files: HostFiles) -> Iterator[tuple[str, str, str, str]]:
    """(name, time, terminal, source) by account, '' where it never logged in. LookupError without a log."""
    if files.exists(_LASTLOG2):
        yield from _lastlog2(files)
        return
    if not files.exists(_LASTLOG):
        raise LookupError(f"neither {_LASTLOG} nor {_LASTLOG2}")
    form = _RECORD_LONG if os.uname().machine in ("aarch64", "loongarch64", "riscv64") else _RECORD
    with files.path(_LASTLOG).open("rb", buffering=0) as log:
        for one in people(files):
            log.seek(int(one.user) * form.size)  # the file is sparse: one record at its account's place
            raw = log.read(form.size)
            if len(raw) < form.size:
                yield one.name, "", "", ""
                continue
            seconds, terminal, source = form.unpack(raw)
            yield one.name, _time(seconds), _text(terminal), _text(source)


def _lastlog2(files: HostFiles) -> Iterator[tuple[str, str, str, str]]:
    import sqlite3  # only hosts with such a log pay its memory

    try:
        base = sqlite3.connect(f"file:{files.path(_LASTLOG2)}?mode=ro&immutable=1", uri=True)
        try:
            rows = base.execute("SELECT Name, Time, TTY, RemoteHost FROM Lastlog2").fetchall()
        finally:
            base.close()
    except sqlite3.Error as error:
        raise OSError(f"{_LASTLOG2}: {error}") from error
    seen = {str(name): (_time(when), str(line or ""), str(source or "")) for name, when, line, source in rows}
    for one in people(files):
        yield (one.name, *seen.get(one.name, ("", "", "")))


def _time(seconds: object) -> str:
    if not isinstance(seconds, int) or not 0 < seconds < 1 << 36:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _text(raw: bytes) -> str:
    return decoded(raw.split(b"\0", 1)[0])


def authorized_keys(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """(user, fingerprint, type, comment, file) of every key that opens an account, as far as readable."""
    for one in people(files):
        if not one.home.startswith("/") or one.home == "/":
            continue
        for place in _KEY_FILES:
            name = f"{one.home}/{place}"
            try:
                lines = files.lines(name)[:_KEYS_MAX]
            except OSError:
                continue
            for line in lines:
                if (found := parse_key(line)) is not None:
                    yield (one.name, *found, name)


def parse_key(line: str) -> tuple[str, str, str] | None:
    """(fingerprint, type, comment) of a line of authorized_keys; options before the type are passed over."""
    words = line.split()
    place = next((at for at, word in enumerate(words) if word.startswith(_KEY_TYPES)), None)
    if place is None or place + 1 >= len(words):
        return None
    try:
        blob = base64.b64decode(words[place + 1], validate=True)
    except (binascii.Error, ValueError):
        return None
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}", words[place], " ".join(words[place + 2 :])


KINDS: Final = (
    Kind(
        "accounts",
        ("name", "uid", "gid", "home", "shell", "credential", "expires", "groups", "gecos_masked"),
        accounts,
        "file:/etc/passwd, /etc/shadow (states only), /etc/group",
        watch=_ACCOUNTS,
    ),
    Kind(
        "lastlog",
        ("name", "time", "terminal", "source"),
        last_logins,
        "file:/var/log/lastlog or /var/lib/lastlog/lastlog2.db",
        diffed=False,
        watch=(_LASTLOG, _LASTLOG2, "/etc/passwd"),
    ),
    Kind("groups", ("name", "gid", "members"), groups, "file:/etc/group", watch=("/etc/group",)),
    Kind(
        "sudoers",
        ("file", "line"),
        sudoers,
        "file:/etc/sudoers, /etc/sudoers.d",
        keys=2,
        watch=("/etc/sudoers", "/etc/sudoers.d"),
    ),
    Kind(
        "authorized_keys",
        ("user", "fingerprint", "type", "comment", "file"),
        authorized_keys,
        "file:~/.ssh/authorized_keys of every account",
        keys=2,
    ),
)
