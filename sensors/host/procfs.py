"""Process facts read from /proc: what runs, by whom, started by whom.

Fields read of /proc/<pid> (see proc(5)): ``cmdline`` (arguments, NUL-separated), ``exe`` (link to the
executable), ``cwd``, ``stat`` (2 name, 4 parent, 22 start time in clock ticks after boot), ``status`` (Uid).
Everything may vanish between two reads: absent facts are '' or -1, never an error.
"""

import os
import pwd
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from sensors.host.observe import decoded

PROC: Final = Path("/proc")
COMMAND_LINE_BYTES_MAX: Final = 16 * 1024
ARGUMENTS_MAX: Final = 512
_DELETED: Final = " (deleted)"
_SECRET_OPTIONS: Final = ("--password", "--passwd", "--token", "--secret", "--api-key", "--apikey")
_MASK: Final = "***"
_MASK_NEXT_OF: Final = {"sshpass": "-p"}  # program whose option's next word is a secret
_MASK_JOINED_OF: Final = ("mysql", "mysqldump", "mysqladmin", "mariadb")  # -pSECRET


class Process(NamedTuple):
    """One process as /proc shows it at one moment."""

    pid: int
    parent: int
    start_ticks: int
    name: str
    executable: str
    arguments: tuple[str, ...]
    working_directory: str
    user: int  # real UID, -1 unknown
    effective_user: int
    deleted: bool  # the executable's file is gone
    truncated: bool  # the command line was longer than COMMAND_LINE_BYTES_MAX

    @property
    def command_line(self) -> str:
        """Arguments joined by one space, as Sigma's CommandLine for Linux has them."""
        return " ".join(self.arguments)


def read_process(pid: int, proc: Path = PROC) -> Process | None:
    """The process, or None where it is gone. The command line is read first: it dies first."""
    folder = f"{proc}/{pid}"
    raw = read_bounded(f"{folder}/cmdline", COMMAND_LINE_BYTES_MAX + 1)
    executable = _link(f"{folder}/exe")
    stat = parse_stat(read_bounded(f"{folder}/stat", 4096))
    if stat is None:
        return None
    name, parent, start_ticks = stat
    user, effective = parse_uids(read_bounded(f"{folder}/status", 4096))
    deleted = executable.endswith(_DELETED)
    executable = executable.removesuffix(_DELETED)
    return Process(
        pid=pid,
        parent=parent,
        start_ticks=start_ticks,
        name=name,
        executable=executable,
        arguments=mask_secrets(parse_arguments(raw)),
        working_directory=_link(f"{folder}/cwd").removesuffix(_DELETED),
        user=user,
        effective_user=effective,
        deleted=deleted,
        truncated=len(raw) > COMMAND_LINE_BYTES_MAX,
    )


def pids(proc: Path = PROC) -> list[int]:
    """Every process id now."""
    try:
        with os.scandir(proc) as entries:
            return [int(entry.name) for entry in entries if entry.name.isdecimal()]
    except OSError:
        return []


def parse_stat(raw: bytes) -> tuple[str, int, int] | None:
    """(name, parent, start ticks); the name is in brackets and may itself hold brackets and spaces."""
    start, end = raw.find(b"("), raw.rfind(b")")
    if start < 0 or end < start:
        return None
    rest = raw[end + 1 :].split()
    try:
        return decoded(raw[start + 1 : end]), int(rest[1]), int(rest[19])
    except (IndexError, ValueError):
        return None


def parse_uids(raw: bytes) -> tuple[int, int]:
    """(real, effective) UID of a status file; -1 where it does not say."""
    start = raw.find(b"\nUid:")
    if start < 0:
        return -1, -1
    words = raw[start + 5 :].split(b"\n", 1)[0].split()
    try:
        return int(words[0]), int(words[1])
    except (IndexError, ValueError):
        return -1, -1


def parse_arguments(raw: bytes) -> tuple[str, ...]:
    """The arguments of a cmdline file, bounded in bytes and number."""
    words = raw[:COMMAND_LINE_BYTES_MAX].rstrip(b"\0").split(b"\0") if raw else []
    return tuple(decoded(word) for word in words[:ARGUMENTS_MAX])


def mask_secrets(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The same arguments with passwords given on the command line replaced by ``***``."""
    if not arguments:
        return arguments
    program = arguments[0].rpartition("/")[2]
    masked = list(arguments)
    for place, word in enumerate(arguments[1:], start=1):
        option, equals, _ = word.partition("=")
        before = arguments[place - 1]
        if equals and option.lower() in _SECRET_OPTIONS:
            masked[place] = f"{option}={_MASK}"
        elif before.lower() in _SECRET_OPTIONS or before == _MASK_NEXT_OF.get(program):
            masked[place] = _MASK
        elif program in _MASK_JOINED_OF and word.startswith("-p") and len(word) > 2:
            masked[place] = f"-p{_MASK}"
        elif "://" in word:
            masked[place] = _mask_url(word)
    return tuple(masked)


def _mask_url(word: str) -> str:
    scheme, _, rest = word.partition("://")
    authority, slash, path = rest.partition("/")
    user_info, at, host = authority.rpartition("@")
    if not at or ":" not in user_info:
        return word
    return f"{scheme}://{user_info.partition(':')[0]}:{_MASK}@{host}{slash}{path}"


@lru_cache(maxsize=4096)
def user_name(number: int) -> str:
    """The account's name, else its number as text; '' where unknown (-1)."""
    if number < 0:
        return ""
    try:
        return pwd.getpwuid(number).pw_name
    except (KeyError, OSError):
        return str(number)


@lru_cache(maxsize=1024)
def user_number(name: str) -> int:
    """The account's number; -1 where there is no such account."""
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, OSError):
        return -1


def read_bounded(path: str, size_max: int) -> bytes:
    """At most ``size_max`` bytes of a small file; b'' where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return os.read(descriptor, size_max)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _link(path: str) -> str:
    try:
        return decoded(os.fsencode(os.readlink(path)))  # noqa: PTH115 (hot path: no Path object per process)
    except OSError:
        return ""
