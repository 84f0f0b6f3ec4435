"""What a log's writer learnt from its frames, kept durably so that those frames may be released.

File ``checkpoint`` beside the segments: a line ``liuhe-checkpoint 1 <position> <SM3 of state>``, then state.
"""

import os
from pathlib import Path
from typing import Final, NamedTuple

from crypto import sm3
from sensors.disk import REAL, Disk, read_file, replace_file

_NAME: Final = "checkpoint"
_MAGIC: Final = b"liuhe-checkpoint 1"


class Checkpoint(NamedTuple):
    """State as of the frame ``position``; frames above it are still needed."""

    position: int
    state: bytes


def write_checkpoint(folder: Path, position: int, state: bytes, disk: Disk = REAL) -> None:
    """Replace the checkpoint; durable on return."""
    line = b"%s %d %s\n" % (_MAGIC, position, _sm3(state))
    replace_file(disk, folder / _NAME, line + state)


def read_checkpoint(folder: Path, disk: Disk = REAL) -> Checkpoint | None:
    """The checkpoint; None where there is none. A damaged one counts as position 0: nothing is released."""
    try:
        line, _, state = read_file(disk, folder / _NAME).partition(b"\n")
    except FileNotFoundError:
        return None
    words = line.removeprefix(_MAGIC).split()
    if not line.startswith(_MAGIC) or len(words) != 2 or not words[0].isdigit() or words[1] != _sm3(state):
        return Checkpoint(0, b"")
    return Checkpoint(int(words[0]), state)


def write_durably(path: Path, data: bytes, mode: int = 0o600, *, sync: bool = True) -> None:
    """Write a whole file so that after a crash it is either the old one or the new one.

    Without ``sync`` that holds for a crash of the process only: for what is written often and worth little.
    """
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    partial.replace(path)
    if sync:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make created, renamed and unlinked names durable."""
    REAL.sync_folder(folder)


def _sm3(state: bytes) -> bytes:
    return sm3.new(state).hexdigest().encode()
