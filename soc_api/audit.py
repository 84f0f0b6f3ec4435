"""One line of the audit log and the SM3 chain that binds each line to the one before it.

Digest of line n = SM3(digest of line n-1 as hex || canonical JSON of line n with its sequence). The chain
starts from 64 zeros. Canonical JSON: sorted keys, no spaces, UTF-8, times as microseconds.
"""

from datetime import datetime
from typing import Final

import msgspec

from crypto.sm3 import sm3_hex
from detection.store.tables import micros

GENESIS: Final = "0" * 64
OK: Final = "ok"
SYSTEM_SOURCE: Final = "local"

_LENGTHS_MAX: Final = {"actor": 128, "source": 64, "action": 64, "object": 512, "result": 128}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to which object, from where, with which result."""

    time: datetime
    actor: str  # "user:<name>" or "system:<process>"
    source: str  # network address, or "local"
    action: str  # "<area>.<verb>", listed in docs/reference/permissions.md
    object: str
    result: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An entry in its place in the chain."""

    sequence: int
    entry: Entry
    digest: str


def entry(*, time: datetime, actor: str, source: str, action: str, about: str, result: str = OK) -> Entry:
    """An entry whose texts are one line each and bounded, whatever a request put into them."""
    return Entry(
        time=time,
        actor=_plain("actor", actor),
        source=_plain("source", source),
        action=_plain("action", action),
        object=_plain("object", about),
        result=_plain("result", result),
    )


def chained(previous: str, sequence: int, said: Entry) -> str:
    """The digest of ``said`` as line ``sequence`` after a line with digest ``previous``."""
    row = {
        "sequence": sequence,
        "time": micros(said.time),
        "actor": said.actor,
        "source": said.source,
        "action": said.action,
        "object": said.object,
        "result": said.result,
    }
    return sm3_hex(previous.encode() + msgspec.json.encode(row, order="sorted"))


def _plain(name: str, text: str) -> str:
    cleaned = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return cleaned[: _LENGTHS_MAX[name]]
