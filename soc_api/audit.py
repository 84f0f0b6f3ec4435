"""One line of the audit log and the SM3 chain that binds each line to the one before it.

Digest of line n = SM3(digest of line n-1 as hex || canonical JSON of line n with its sequence). The chain
starts from 64 zeros. Canonical JSON: sorted keys, no spaces, UTF-8, times as microseconds. Format 1 has the
keys sequence, time, actor, source, action, object, result; format 2 adds format, before and after. A log goes
from format 1 to 2 once and never back, so that no line can be told without its new fields.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from crypto.sm3 import sm3_hex
from detection.store.tables import micros

GENESIS: Final = "0" * 64
FORMAT: Final = 2  # of the lines written now
OK: Final = "ok"
SYSTEM_SOURCE: Final = "local"

_LENGTHS_MAX: Final = {
    "actor": 128,
    "source": 64,
    "action": 64,
    "object": 512,
    "result": 128,
    "before": 64,
    "after": 64,
}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to which object, from where, with which result."""

    time: datetime
    actor: str  # "user:<name>" or "system:<process>"
    source: str  # network address, or "local"
    action: str  # "<area>.<verb>", listed in docs/reference/permissions.md
    object: str
    result: str
    before: str = ""  # SM3 of what was changed as it was, hex; "" where nothing was or nothing is told
    after: str = ""  # and as it is since


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in its place in the chain."""

    sequence: int
    entry: Entry
    digest: str
    format: int = FORMAT


def entry(
    *,
    time: datetime,
    actor: str,
    source: str,
    action: str,
    about: str,
    result: str = OK,
    before: str = "",
    after: str = "",
) -> Entry:
    """An entry whose texts are one line each and bounded, whatever a request put into them."""
    return Entry(
        time=time,
        actor=_plain("actor", actor),
        source=_plain("source", source),
        action=_plain("action", action),
        object=_plain("object", about),
        result=_plain("result", result),
        before=_plain("before", before),
        after=_plain("after", after),
    )


def state_digest(value: Any) -> str:
    """What an audit line keeps of an object's state: the SM3 of its canonical JSON, '' for None."""
    if value is None:
        return ""
    plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
    return sm3_hex(msgspec.json.encode(plain, order="deterministic", enc_hook=str))


def follows(previous: Line | None, line: Line) -> bool:
    """Whether a line stands right after the one before it (None: it is the first)."""
    sequence, digest, written = (0, GENESIS, 1) if previous is None else previous_of(previous)
    fits = line.sequence == sequence + 1 and line.format in range(written, FORMAT + 1)
    return fits and line.digest == chained(digest, line.sequence, line.entry, line.format)


def previous_of(line: Line) -> tuple[int, str, int]:
    """What the next line is checked against: sequence, digest, format."""
    return line.sequence, line.digest, line.format


def chained(previous: str, sequence: int, said: Entry, written: int = FORMAT) -> str:
    """The digest of ``said`` as line ``sequence`` after a line with digest ``previous``."""
    row: dict[str, str | int] = {
        "sequence": sequence,
        "time": micros(said.time),
        "actor": said.actor,
        "source": said.source,
        "action": said.action,
        "object": said.object,
        "result": said.result,
    }
    if written >= 2:
        row |= {"format": written, "before": said.before, "after": said.after}
    return sm3_hex(previous.encode() + msgspec.json.encode(row, order="sorted"))


def _plain(name: str, text: str) -> str:
    cleaned = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return cleaned[: _LENGTHS_MAX[name]]
