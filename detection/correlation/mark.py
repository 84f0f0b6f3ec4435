"""Marks: event time and identity of an event in 28 bytes that sort by both.

State is kept as marks because a million of them fit where a hundred thousand event objects would not, and
comparing two is one comparison of bytes.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

_OFFSET: Final = 1 << 63  # so that times before 1970 sort too
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_BYTES: Final = 8
_ID_BYTES: Final = 20
MARK_BYTES: Final = _TIME_BYTES + _ID_BYTES


def micros_of(time: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return round(time.timestamp() * 1_000_000)


def time_of(micros: int) -> datetime:
    """The time of ``micros``, UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def mark_of(micros: int, identifier: str) -> bytes:
    """The mark of an event: its time, then its id."""
    try:
        name = bytes.fromhex(identifier)
    except ValueError:  # an id of a foreign source
        name = b""
    if len(name) != _ID_BYTES:
        name = sha256(identifier.encode()).digest()[:_ID_BYTES]
    return (micros + _OFFSET).to_bytes(_TIME_BYTES, "big") + name


def edge(micros: int) -> bytes:
    """What every mark of this time or later is not less than."""
    return max(micros + _OFFSET, 0).to_bytes(_TIME_BYTES, "big")


def micros_in(mark: bytes) -> int:
    """The time of a mark."""
    return int.from_bytes(mark[:_TIME_BYTES], "big") - _OFFSET


def id_in(mark: bytes) -> str:
    """The event id of a mark."""
    return mark[_TIME_BYTES:MARK_BYTES].hex()
