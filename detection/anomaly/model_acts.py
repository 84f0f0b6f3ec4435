"""What was done with versions of models: one line for each act, of which the center makes a ledger leaf."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

ACTS_NAME: Final = "acts.ndjson"

ActKind = Literal["made", "trial", "promoted", "rejected", "rolled-back", "refused"]


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that was done with a version, for the ledger."""

    act: ActKind
    kind: str
    version: int
    manifest_sm3: str  # "" where there was no manifest to read
    time: datetime
    why: str = ""
    actor: str = ""  # who asked for it; "" for the pipeline itself


def tell(folder: Path, act: Act) -> None:
    """Add a line, durable on return. Raises OSError."""
    with (folder / ACTS_NAME).open("ab") as file:
        file.write(msgspec.json.encode(act) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def acts_in(folder: Path, after: int, most: int = 100) -> list[Act]:
    """Acts behind the first ``after`` of a folder of models; a damaged line ends them. Raises OSError."""
    return _acts(_lines(folder)[after : after + most])


def last_acts(folder: Path, most: int) -> tuple[int, list[Act]]:
    """The newest acts, the oldest of them first, and how many came before. Raises OSError."""
    lines = _lines(folder)
    before = max(len(lines) - most, 0)
    return before, _acts(lines[before:])


def _lines(folder: Path) -> list[bytes]:
    try:
        return (folder / ACTS_NAME).read_bytes().splitlines()
    except FileNotFoundError:
        return []


def _acts(lines: list[bytes]) -> list[Act]:
    found: list[Act] = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Act))
        except msgspec.MsgspecError:
            break
    return found
