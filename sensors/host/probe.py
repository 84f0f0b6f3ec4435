"""Configuration probe: one read-only look at the host, its parsed values and what they were read from.

A probe never changes the host and never reads a secret into its raw text. What cannot be read is an error of
the probe, told as ``gov.probe.error``: an unknown is never given as a value.
"""

import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from sensors.event import LogSource, Observation, Value
from sensors.host.observe import LINUX, decoded, observe

RAW_CHARS_MAX: Final = 4 * 1024
LIST_MAX: Final = 200  # items of one list value
FILE_BYTES_MAX: Final = 8 * 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024


class Reading(NamedTuple):
    """What a probe found: values by name, and the lines they came from."""

    values: Mapping[str, Value]
    raw: str


class Probe(NamedTuple):
    """One probe; which items its values bear on stands in rules/mappings/probe_items.toml."""

    id: str
    method: str
    read: Callable[["HostFiles"], Reading]


class HostFiles:
    """The host's files under ``root`` ('/' but in tests), read with bounds."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """The absolute ``name`` under the root."""
        return self.root / name.lstrip("/")

    def exists(self, name: str) -> bool:
        """Whether there is a file or folder of that name."""
        return self.path(name).exists()

    def text(self, name: str) -> str:
        """A file's text. Raises OSError where it cannot be read or is no regular file."""
        path = self.path(name)
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(f"{name} is not a regular file")
        data = b""
        with path.open("rb", buffering=0) as file:
            # In pieces: some files of /proc refuse a read of megabytes at once.
            while len(data) < FILE_BYTES_MAX and (piece := file.read(_PIECE_BYTES)):
                data += piece
        return decoded(data[:FILE_BYTES_MAX])

    def text_or_empty(self, name: str) -> str:
        """A file's text, '' where there is no such file. Raises OSError where it is there but unreadable."""
        try:
            return self.text(name)
        except (FileNotFoundError, NotADirectoryError):
            return ""

    def lines(self, name: str) -> list[str]:
        """The lines that say something: comments and blanks left out, ends stripped. [] without the file."""
        found = (line.strip() for line in self.text_or_empty(name).splitlines())
        return [line for line in found if line and not line.startswith("#")]

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """Absolute names of the files in a folder, sorted; [] where there is no folder."""
        try:
            entries = sorted(self.path(folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [f"{folder}/{one.name}" for one in entries if one.name.endswith(suffix) and one.is_file()]

    def running(self, wanted: Iterable[str]) -> list[str]:
        """Which of the process names run now, in the order asked; names are cut as the kernel does."""
        now = set()
        for folder in self.path("/proc").iterdir():
            if folder.name.isdecimal():
                try:
                    now.add((folder / "comm").read_text("utf-8", "replace").strip())
                except OSError:
                    continue  # it ended meanwhile
        return [name for name in wanted if name[:15] in now]  # 15: TASK_COMM_LEN without the NUL

    def installed(self, *names: str) -> bool:
        """Whether a program of one of these names lies in a system folder."""
        folders = ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin")
        return any(self.exists(f"{folder}/{name}") for name in names for folder in folders)


def run_probe(probe: Probe, files: HostFiles) -> Observation:
    """The probe's event: values, or the error that kept it from having any."""
    fields: dict[str, Value] = {
        "event.category": "configuration",
        "event.type": "info",
        "gov.probe.id": probe.id,
        "gov.probe.method": probe.method,
    }
    try:
        reading = probe.read(files)
    except (OSError, ValueError, LookupError) as error:
        fields["gov.probe.error"] = f"{type(error).__name__}: {error}"[:512]
    else:
        fields["gov.probe.raw"] = reading.raw[:RAW_CHARS_MAX]
        for name, value in reading.values.items():
            fields[f"gov.probe.value.{name}"] = value[:LIST_MAX] if isinstance(value, list) else value
    source = LogSource(product=LINUX, category="configuration", service=probe.id)
    return observe("probe", source, fields)


def raw_of(*parts: tuple[str, Iterable[str]]) -> str:
    """Raw text of the lines used, file by file."""
    return "\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in parts if lines)


def number(text: str, default: int) -> int:
    """A decimal number, else the default."""
    try:
        return int(text.strip())
    except ValueError:
        return default
