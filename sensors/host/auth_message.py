"""Authentication messages of sshd, sudo, su, PAM and the account tools, as ECS fields.

Each reader takes the message after the tag and returns fields, or {} where it is none of its own sentences.
A user name is the attacker's text: it is taken from places counted from the end where one can be forged.
One failed login may log several lines; only the one that closes it has ``event.outcome``, so that a count of
failures counts logins.
"""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from sensors.event import Value

Fields = dict[str, Value]

_NAME_CHARS_MAX: Final = 256
_OLD_PAM: Final = "(pam_unix)"  # Linux-PAM before 0.99 put the module into the program's name
_CLOSES_ITSELF: Final = ("sshd", "su", "su-l", "sudo")  # services that log the failure after PAM did


def read_message(program: str, message: str) -> Fields:
    """Fields of a message of ``program``; {} where nothing is recognised."""
    text = _unrepeated(message)
    if program.endswith(_OLD_PAM):
        text = f"pam_unix({program.removesuffix(_OLD_PAM)}:auth): {text}"
    if text.startswith("pam_"):
        return _pam(text)
    reader = _READERS.get(program)
    return reader(text) if reader else {}


def _unrepeated(message: str) -> str:
    if message.startswith("message repeated ") and message.endswith("]"):
        return message.partition("[")[2][:-1].strip()
    return message


def _outcome(succeeded: bool, user: str, **more: Value) -> Fields:
    fields: Fields = {
        "event.category": "authentication",
        "event.type": "start",
        "event.action": "logged-in" if succeeded else "login-failed",
        "event.outcome": "success" if succeeded else "failure",
    }
    if user:
        fields["user.name"] = user[:_NAME_CHARS_MAX]
    fields.update({name.replace("__", "."): value for name, value in more.items()})
    return fields


def _attempt(user: str, reason: str) -> Fields:
    """A line that announces a failure which a later line closes: no outcome of its own."""
    fields = _outcome(False, user, event__action="login-attempt", event__reason=reason)
    del fields["event.outcome"]
    return fields


def _source(address: str, port: str = "") -> Fields:
    fields: Fields = {}
    try:
        fields["source.ip"] = str(ip_address(address))
    except ValueError:
        if address:
            fields["source.domain"] = address[:_NAME_CHARS_MAX]
    if port.isascii() and port.isdecimal() and len(port) <= 5:
        fields["source.port"] = int(port)
    return fields


def _sshd(text: str) -> Fields:
    for start, succeeded in (("Failed ", False), ("Accepted ", True)):
        if text.startswith(start):
            return _sshd_outcome(text[len(start) :], succeeded)
    for start in ("Invalid user ", "Illegal user "):
        if text.startswith(start):
            user, address, port = _from(text[len(start) :])
            return _attempt(user, "invalid user") | _source(address, port)
    if "maximum authentication attempts exceeded for " in text:
        rest = text.partition("exceeded for ")[2]
        user, address, port = _from(rest.removeprefix("invalid user "))
        return _outcome(False, user, event__reason="too many attempts") | _source(address, port)
    if text.startswith(("Connection closed by ", "Disconnected from ", "Received disconnect from ")):
        words = [word for word in text.split() if _is_address(word)]
        fields: Fields = {"event.category": "network", "event.type": "end"}
        return fields | (_source(words[-1]) if words else {})
    return {}


def _sshd_outcome(rest: str, succeeded: bool) -> Fields:
    method, _, rest = rest.partition(" for ")
    invalid = rest.startswith(("invalid user ", "illegal user "))
    if invalid:
        rest = rest.split(" ", 2)[2]
    user, address, port = _from(rest)
    fields = _outcome(succeeded, user, gov__login__method=method[:64])
    if invalid:
        fields["event.reason"] = "invalid user"
    return fields | _source(address, port)


def _from(rest: str) -> tuple[str, str, str]:
    """(user, address, port) of ``NAME from ADDRESS [port N ...]``; the last " from " counts."""
    user, _, where = rest.rpartition(" from ")
    words = where.split()
    port = words[2] if len(words) > 2 and words[1] == "port" else ""
    return user, words[0] if words else "", port


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _sudo(text: str) -> Fields:
    user, colon, rest = text.partition(" : ")
    if not colon:
        return {}
    parts = rest.split(" ; ")
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    command = rest.partition("COMMAND=")[2]
    first = parts[0]
    denied = "=" not in first
    fields: Fields = {
        "event.category": "process",
        "event.type": "denied" if denied else "start",
        "event.action": "sudo",
        "event.outcome": "failure" if denied else "success",
        "user.name": user.strip()[:_NAME_CHARS_MAX],
    }
    if denied:
        fields["event.reason"] = first.strip()[:_NAME_CHARS_MAX]
    if "USER" in named:
        fields["user.effective.name"] = named["USER"].strip()[:_NAME_CHARS_MAX]
    if "PWD" in named:
        fields["process.working_directory"] = named["PWD"].strip()
    if command:
        fields["process.command_line"] = command
    return fields


def _su(text: str) -> Fields:
    for start, succeeded in (("FAILED SU (to ", False), ("(to ", True)):
        if text.startswith(start):
            target, _, rest = text[len(start) :].partition(") ")
            user = rest.partition(" on ")[0]
            return _outcome(succeeded, target, user__effective__name=target, gov__login__by=user)
    for start, succeeded in (("FAILED su for ", False), ("Successful su for ", True)):
        if text.startswith(start):
            target, _, user = text[len(start) :].partition(" by ")
            return _outcome(succeeded, target, user__effective__name=target, gov__login__by=user)
    return {}


def _pam(text: str) -> Fields:
    module, _, rest = text.partition("): ")
    service = module.partition("(")[2].partition(":")[0]
    if rest.startswith("authentication failure"):
        named = dict(word.split("=", 1) for word in rest.split() if "=" in word)
        user = named.get("user", "")
        closes = service in _CLOSES_ITSELF
        fields = _attempt(user, "pam failure") if closes else _outcome(False, user)
        fields["gov.login.service"] = service
        return fields | _source(named.get("rhost", ""))
    for phrase, kind in (("session opened for user ", "start"), ("session closed for user ", "end")):
        if rest.startswith(phrase):
            name = rest[len(phrase) :].partition(" ")[0].partition("(")[0]
            return {
                "event.category": "session",
                "event.type": kind,
                "user.name": name,
                "gov.login.service": service,
            }
    return {}


def _account(text: str) -> Fields:
    named = dict(part.strip().split("=", 1) for part in text.partition(": ")[2].split(",") if "=" in part)
    if text.startswith("new user: "):
        return _account_change("user-created", named.get("name", ""), named.get("UID", ""))
    if text.startswith("new group: "):
        return {"event.category": "iam", "event.action": "group-created", "group.name": named.get("name", "")}
    if text.startswith("delete user "):
        return _account_change("user-deleted", _quoted(text))
    if text.startswith("add ") and " to group " in text:
        fields = _account_change("group-member-added", _quoted(text))
        return fields | {"group.name": _quoted(text.partition(" to group ")[2])}
    if text.startswith("password changed for "):
        return _account_change("password-changed", text.rpartition(" ")[2])
    return {}


def _account_change(action: str, name: str, number: str = "") -> Fields:
    fields: Fields = {"event.category": "iam", "event.type": "change", "event.action": action}
    fields["user.target.name"] = name[:_NAME_CHARS_MAX]
    if number:
        fields["user.target.id"] = number[:16]
    return fields


def _quoted(text: str) -> str:
    return text.partition("'")[2].partition("'")[0]


_READERS: Final[dict[str, Callable[[str], Fields]]] = {
    "sshd": _sshd,
    "sshd-session": _sshd,
    "sudo": _sudo,
    "su": _su,
    "useradd": _account,
    "userdel": _account,
    "usermod": _account,
    "groupadd": _account,
    "passwd": _account,
    "chpasswd": _account,
}
