"""sshd_config as sshd reads it: the first value of a keyword counts, Include in place, Match ends the rest.

Only the global part is read: what a Match block changes for some users is counted, not evaluated.
"""

from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from sensors.host.probe import HostFiles

DEPTH_MAX: Final = 16  # sshd's own limit of nested Include
LINES_MAX: Final = 20_000
# OpenSSH's defaults of the keywords we tell (sshd_config(5)).
DEFAULTS: Final = {
    "permitrootlogin": "prohibit-password",
    "passwordauthentication": "yes",
    "permitemptypasswords": "no",
    "pubkeyauthentication": "yes",
    "kbdinteractiveauthentication": "yes",
    "maxauthtries": "6",
    "logingracetime": "120",
    "clientaliveinterval": "0",
    "clientalivecountmax": "3",
    "x11forwarding": "no",
    "allowtcpforwarding": "yes",
    "usepam": "no",
    "loglevel": "INFO",
    "strictmodes": "yes",
    "ciphers": "",
    "macs": "",
    "kexalgorithms": "",
    "allowusers": "",
    "allowgroups": "",
}
_ALIASES: Final = {"challengeresponseauthentication": "kbdinteractiveauthentication"}
_ADDING: Final = ("port", "listenaddress")  # every occurrence counts


class SshdConfig(NamedTuple):
    """Effective global values, in lower-case keywords, and the lines that set them."""

    values: dict[str, str]
    ports: list[int]
    addresses: list[str]
    match_blocks: int
    lines: list[str]


def read_config(files: HostFiles, name: str = "/etc/ssh/sshd_config") -> SshdConfig:
    """The effective configuration. Raises OSError where a file that must be read cannot."""
    found: dict[str, str] = {}
    added: dict[str, list[str]] = {keyword: [] for keyword in _ADDING}
    lines: list[str] = []
    blocks = 0
    in_match = False
    for line in _lines(files, name, 0):
        if len(lines) >= LINES_MAX:
            raise ValueError(f"{name}: more than {LINES_MAX} lines")
        keyword, value = split_line(line)
        if keyword == "match":
            # A Match of an included file ends with that file: _lines marks it by an empty keyword.
            blocks += 1
            in_match = value.lower() != "all"
            continue
        if keyword == "":
            in_match = False
            continue
        if in_match:
            continue
        lines.append(line)
        keyword = _ALIASES.get(keyword, keyword)
        if keyword in added:
            added[keyword].append(value)
        else:
            found.setdefault(keyword, value)
    ports = [int(one) for one in added["port"] if one.isdecimal() and len(one) < 6] or [22]
    return SshdConfig(DEFAULTS | found, ports, added["listenaddress"], blocks, lines)


def split_line(line: str) -> tuple[str, str]:
    """(lower-case keyword, value) of ``Keyword value``, ``Keyword=value`` or ``Keyword "value"``."""
    text = line.strip()
    place = next((at for at, letter in enumerate(text) if letter in " \t="), len(text))
    value = text[place:].lstrip(" \t").removeprefix("=").strip()
    quoted = value.startswith('"') and value.count('"') >= 2
    return text[:place].lower(), value.split('"')[1] if quoted else value


def _lines(files: HostFiles, name: str, depth: int) -> list[str]:
    if depth > DEPTH_MAX:
        raise ValueError(f"{name}: Include nested deeper than {DEPTH_MAX}")
    found = []
    text = files.text(name)
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        keyword, value = split_line(stripped)
        if keyword != "include":
            found.append(stripped)
            continue
        for pattern in value.split():
            for included in _matching(files, pattern):
                inner = _lines(files, included, depth + 1)
                found += inner
                if any(split_line(one)[0] == "match" for one in inner):
                    found.append("=")  # ends a Match that the included file left open
        if len(found) > LINES_MAX:
            raise ValueError(f"{name}: more than {LINES_MAX} lines")
    return found


def _matching(files: HostFiles, pattern: str) -> list[str]:
    """Files an Include names, in sshd's order; a relative one lies in /etc/ssh."""
    absolute = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
    folder, _, last = absolute.rpartition("/")
    return [one for one in files.names(folder) if fnmatchcase(one.rpartition("/")[2], last)]
