"""Account probes: password policy, local accounts, sudo rules."""

from collections import defaultdict
from typing import Final, NamedTuple

from sensors.event import Value
from sensors.host.pam import ModuleLine, module_lines, options
from sensors.host.probe import HostFiles, Probe, Reading, number, raw_of

_NO_SHELL: Final = ("nologin", "false", "sync", "shutdown", "halt")
_DEFAULT_NAMES: Final = (
    "guest",
    "test",
    "user",
    "admin",
    "ubuntu",
    "debian",
    "pi",
    "vagrant",
    "oracle",
    "ftp",
)
_ADMINISTRATOR_GROUPS: Final = ("sudo", "wheel", "admin")
_CREDITS: Final = ("dcredit", "ucredit", "lcredit", "ocredit")
_FIRST_PERSON: Final = 1000  # UID_MIN of every Linux in use


class Account(NamedTuple):
    """A line of /etc/passwd with what its password field says; the hash itself is never kept."""

    name: str
    user: int
    shell: str
    credential: str  # "none" (empty), "locked", "weak" (DES, MD5), "set", "" (unknown)
    days_max: int  # -1: never expires or unknown

    @property
    def logs_in(self) -> bool:
        """Whether the shell lets a person in."""
        return self.shell.rpartition("/")[2] not in _NO_SHELL and bool(self.shell)


def password_policy(files: HostFiles) -> Reading:
    """login.defs for ageing; pwquality.conf and pam_pwquality/cracklib arguments for length and classes."""
    aging = dict(
        line.split(None, 1) for line in files.lines("/etc/login.defs") if len(line.split(None, 1)) == 2
    )
    if not aging:
        raise FileNotFoundError("/etc/login.defs")
    quality = options(files.lines("/etc/security/pwquality.conf"))
    for name in files.names("/etc/security/pwquality.conf.d", ".conf"):
        quality |= options(files.lines(name))
    stack = module_lines(files)
    checker = _first(stack, "pam_pwquality.so", "pam_cracklib.so", "pam_passwdqc.so")
    quality |= checker.arguments if checker else {}
    unix = _first(stack, "pam_unix.so", control_type="password")
    history = _first(stack, "pam_pwhistory.so") or unix
    length = quality.get("minlen", "") if checker else (unix.arguments.get("minlen", "") if unix else "")
    classes = number(quality.get("minclass", ""), 0)
    classes = max(classes, sum(number(quality.get(name, ""), 0) < 0 for name in _CREDITS))
    values: dict[str, Value] = {
        "max_days": number(aging.get("PASS_MAX_DAYS", ""), 99999),
        "min_days": number(aging.get("PASS_MIN_DAYS", ""), 0),
        "warn_days": number(aging.get("PASS_WARN_AGE", ""), 0),
        "min_length": number(length, 8 if checker else 0),  # 8: the default of libpwquality
        "min_classes": classes if checker else 0,
        "complexity_module": checker.module.removesuffix(".so") if checker else "none",
        "history": number(history.arguments.get("remember", ""), 0) if history else 0,
        "encrypt_method": aging.get("ENCRYPT_METHOD", "").strip().upper(),
    }
    aging_lines = [
        f"{name} {value}" for name, value in aging.items() if name.startswith(("PASS_", "ENCRYPT"))
    ]
    quality_lines = [f"{name} = {value}" for name, value in quality.items()]
    pam_lines = [line.text for line in stack if line.kind == "password"]
    return Reading(
        values,
        raw_of(
            ("/etc/login.defs", aging_lines), ("pwquality", quality_lines), ("/etc/pam.d password", pam_lines)
        ),
    )


def _first(stack: list[ModuleLine], *modules: str, control_type: str = "") -> ModuleLine | None:
    for line in stack:
        if line.module in modules and control_type in ("", line.kind):
            return line
    return None


def local_accounts(files: HostFiles) -> Reading:
    """Who exists, who may log in, and what is wrong with it. Hashes stay where they are."""
    accounts = read_accounts(files)
    by_user: dict[int, list[str]] = defaultdict(list)
    for one in accounts:
        by_user[one.user].append(one.name)
    open_ones = [one for one in accounts if one.logs_in]
    usable = ("set", "weak", "none")
    values: dict[str, Value] = {
        "accounts": len(accounts),
        "login_accounts": [one.name for one in open_ones],
        "uid0_accounts": list(by_user.get(0, [])),
        "duplicate_uids": [f"{user}:{','.join(names)}" for user, names in by_user.items() if len(names) > 1],
        "empty_passwords": [one.name for one in accounts if one.credential == "none"],
        "password_accounts": [one.name for one in accounts if one.credential in usable],
        "weak_hash_accounts": [one.name for one in accounts if one.credential == "weak"],
        "never_expiring": [
            one.name for one in open_ones if one.credential in usable and not 0 < one.days_max < 99999
        ],
        "system_login_shells": [one.name for one in open_ones if 0 < one.user < _FIRST_PERSON],
        "default_accounts": [
            one.name for one in open_ones if one.name in _DEFAULT_NAMES and one.credential in usable
        ],
    }
    raw = [f"{one.name} uid={one.user} shell={one.shell} password={one.credential}" for one in accounts]
    return Reading(values, raw_of(("/etc/passwd, /etc/shadow (states only)", raw)))


def read_accounts(files: HostFiles) -> list[Account]:
    """The accounts of /etc/passwd with the state of their password. Raises OSError without rights."""
    shadow = {}
    for line in files.lines("/etc/shadow"):
        fields = line.split(":")
        if len(fields) >= 5:
            shadow[fields[0]] = (password_state(fields[1]), number(fields[4], -1))
    found = []
    for line in files.text("/etc/passwd").splitlines():
        fields = line.split(":")
        if len(fields) < 7 or not fields[2].isdecimal():
            continue
        own = password_state(fields[1]) if fields[1] != "x" else ""
        state, days = shadow.get(fields[0], (own, -1))
        found.append(Account(fields[0], int(fields[2]), fields[6].strip(), own or state, days))
    return found


def password_state(field: str) -> str:
    """What a password field says: ``none`` (empty), ``locked``, ``weak`` (DES, MD5) or ``set``."""
    if field == "":
        return "none"
    if field.startswith(("!", "*")):
        return "locked"
    return "set" if field.startswith("$") and not field.startswith("$1$") else "weak"


def sudo_rules(files: HostFiles) -> Reading:
    """Who may become root: sudoers with its folder, and the administrators' groups."""
    lines = [line for name in sudoers_files(files) for line in files.lines(name)]
    grants = [line for line in lines if "=" in line and not line.startswith(("Defaults", "@", "User_Alias"))]
    grants = [line for line in grants if not line.split(None, 1)[0].endswith("_Alias")]
    people: set[str] = set()
    for line in files.lines("/etc/group"):
        fields = line.split(":")
        if len(fields) == 4 and fields[0] in _ADMINISTRATOR_GROUPS:
            people.update(name for name in fields[3].split(",") if name)
    values: dict[str, Value] = {
        "installed": files.installed("sudo"),
        "grants": len(grants),
        "nopasswd_grants": [line.split(None, 1)[0] for line in grants if "NOPASSWD" in line],
        "all_grants": [line.split(None, 1)[0] for line in grants if line.endswith("ALL")],
        "administrators": [*sorted(people)],
        "log_configured": any("logfile" in line or "syslog" in line for line in lines if "Defaults" in line),
    }
    return Reading(values, raw_of(("/etc/sudoers, /etc/sudoers.d", grants)))


def sudoers_files(files: HostFiles) -> list[str]:
    """The files sudo reads: names with a dot or ending in ~ are passed over."""
    below = [one for one in files.names("/etc/sudoers.d") if "." not in one.rpartition("/")[2]]
    return ["/etc/sudoers", *(one for one in below if not one.endswith("~"))]


PROBES: Final = (
    Probe("accounts.password_policy", "file", password_policy),
    Probe("accounts.local", "file", local_accounts),
    Probe("sudo.rules", "file", sudo_rules),
)
