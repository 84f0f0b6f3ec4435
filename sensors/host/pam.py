"""PAM configuration: the module lines of /etc/pam.d, and name=value options of PAM's own files."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sensors.host.probe import HostFiles

# The stacks every login passes through: Debian's common-*, Red Hat's system-auth and password-auth.
_STACKS: Final = (
    "/etc/pam.d/common-auth",
    "/etc/pam.d/common-account",
    "/etc/pam.d/common-password",
    "/etc/pam.d/common-session",
    "/etc/pam.d/system-auth",
    "/etc/pam.d/password-auth",
    "/etc/pam.d/login",
    "/etc/pam.d/sshd",
)


class ModuleLine(NamedTuple):
    """One line: ``auth required pam_faillock.so deny=5``; a flag without a value has the value ''."""

    kind: str
    module: str
    arguments: dict[str, str]
    text: str


def module_lines(files: HostFiles) -> list[ModuleLine]:
    """The module lines of the stacks that exist. Raises FileNotFoundError where there is none."""
    found = []
    present = [name for name in _STACKS if files.exists(name)]
    if not present:
        raise FileNotFoundError("/etc/pam.d")
    for name in present:
        for line in files.lines(name):
            parsed = parse_line(line)
            if parsed is not None:
                found.append(parsed)
    return found


def parse_line(line: str) -> ModuleLine | None:
    """A module line; None for includes and what is no module line. Brackets may hold spaces."""
    kind, rest = (*line.split(None, 1), "", "")[:2]
    rest = rest.strip()
    if rest.startswith("["):
        rest = rest.partition("]")[2].strip()
        words = rest.split()
    else:
        words = rest.split()[1:]
    if not words or ".so" not in words[0]:
        return None
    module = words[0].rpartition("/")[2]
    arguments = {name: value for name, _, value in (word.partition("=") for word in words[1:])}
    return ModuleLine(kind.strip().lstrip("-"), module, arguments, " ".join(line.split()))


def options(lines: Iterable[str]) -> dict[str, str]:
    """``name = value`` lines; a name alone has the value ''."""
    found = {}
    for line in lines:
        name, _, value = line.partition("=")
        found[name.strip()] = value.strip()
    return found
