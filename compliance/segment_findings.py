"""Sealed files of events against the digests that the ledger holds of them; what does not fit is named.

The catalogue in the state database is not asked: whoever changes a file might change its row as well. A file
that retention took has a leaf of its own.
"""

from pathlib import Path
from typing import Final

import msgspec

from compliance.ledger_reader import LedgerView
from crypto.sm3 import new as new_sm3
from crypto.words import LiuheError, Words

_SUBJECT: Final = "segment:"
_BLOCK_BYTES: Final = 1024 * 1024


class _Told(msgspec.Struct, frozen=True):
    """What the leaf of a sealed file says of it."""

    name: str
    sm3: str


def segment_findings(reader: LedgerView, events: Path) -> list[Words]:
    """One finding for each file that is missing or changed; none where ``events`` is not there to compare."""
    if not events.is_dir():
        return []
    sealed: dict[str, tuple[int, str]] = {}
    try:
        size = reader.size
    except LiuheError:
        size = 0  # no checkpoint that holds: nothing can be compared, and that is a finding already
    for index in range(size):
        try:
            record = reader.record(index)
            if record.kind == "deletion":
                sealed.pop(record.subject.removeprefix(_SUBJECT), None)
            elif record.kind == "segment":
                told = msgspec.json.decode(reader.payload_of(record), type=_Told)
                sealed[Path(told.name).name] = (index, told.sm3)
        except (LiuheError, msgspec.DecodeError):
            continue  # the ledger's own verification has located it
    return [one for name, (index, sm3) in sealed.items() if (one := _finding(events / name, index, sm3))]


def _finding(path: Path, index: int, sm3: str) -> Words | None:
    try:
        digest = new_sm3()
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        why = error.strerror
        return Words(f"第 {index} 条:文件 {path.name} 读不出:{why}", f"leaf {index}: file {path.name}: {why}")
    if digest.hexdigest() == sm3:
        return None
    return Words(
        f"第 {index} 条:文件 {path.name} 的 SM3 与记录不符",
        f"leaf {index}: file {path.name}: its SM3 does not match the record",
    )
