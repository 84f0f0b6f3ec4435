"""Names of files inside a package: relative, plain, the same on every system, never able to leave a folder.

A name is text in NFC, parts joined by ``/``. What Windows, a shell or a screen would read differently from
what was signed is refused: back-slashes, colons, control and direction characters, device names, dots and
spaces at the edges, and two names that differ only in case.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

NAME_BYTES_MAX: Final = 1024
PART_BYTES_MAX: Final = 240  # file systems stop at 255; a quarantine may add a suffix
PARTS_MAX: Final = 16
_FORBIDDEN: Final = frozenset('\\:*?"<>|')
# Control, format (direction overrides, zero width), surrogates, private use, line and paragraph separators.
_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
_DEVICES: Final = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789"))
)


def has_hidden(text: str) -> bool:
    """Whether a reader could not see every character of the text."""
    return any(unicodedata.category(character) in _HIDDEN for character in text)


def flaw_of_name(name: str) -> str:
    """Why this name may not stand in a package; empty where it may."""
    if not name or len(name) > NAME_BYTES_MAX or has_hidden(name):
        return "a file name is empty, too long or holds a hidden character"
    if len(name.encode()) > NAME_BYTES_MAX or not unicodedata.is_normalized("NFC", name):
        return f"a file name is longer than {NAME_BYTES_MAX} bytes or not NFC"
    parts = name.split("/")
    if len(parts) > PARTS_MAX:
        return f"a file name has more than {PARTS_MAX} parts"
    return next((flaw for flaw in map(_flaw_of_part, parts) if flaw), "")


def _flaw_of_part(part: str) -> str:
    if not part or part in {".", ".."}:
        return "a file name is absolute, or has an empty part or a dot part"
    if part != part.strip() or part.endswith("."):
        return "a part of a file name begins or ends with a space, or ends with a dot"
    if len(part.encode()) > PART_BYTES_MAX:
        return f"a part of a file name is longer than {PART_BYTES_MAX} bytes"
    if _FORBIDDEN.intersection(part):
        return "a file name holds a character that some system reads as something else"
    if part.split(".", 1)[0].rstrip().casefold() in _DEVICES:
        return "a part of a file name is a device name"
    return ""


def flaw_of_names(names: Iterable[str]) -> str:
    """Why these names may not stand together; empty where they may."""
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        flaw = flaw_of_name(name)
        if flaw:
            return flaw
        folded = unicodedata.normalize("NFC", name.casefold())
        if folded in files:
            return "two files have the same name"
        files.add(folded)
        above = folded
        while "/" in above:
            above = above.rpartition("/")[0]
            folders.add(above)
    return "a name is both a file and a folder" if files & folders else ""
