"""Room for gap records that is there when the disk is full: a preallocated file of fixed slots.

A gap record is written here before the events it speaks of are dropped, and stays until the center has the
record (or, where slots run short, until it is durable in its lane). So none is lost by a crash, by a full
disk, or by damage to the lane it travels in.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final

import google_crc32c
import msgspec

from sensors.disk import REAL, Disk, opened, read_file, write_all
from sensors.event import Value

NAME: Final = "gaps.reserve"
SLOT_BYTES: Final = 1024
SLOTS: Final = 512
_HEAD: Final = Struct("<IH")  # CRC32C of the rest, bytes of JSON
_EMPTY: Final = bytes(SLOT_BYTES)


class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """One gap record: its fields, its sequence in the alerts lane, and what is dropped once it is here."""

    fields: dict[str, Value]
    sequence: int
    lane: str = ""
    last: int = 0  # segments of ``lane`` up to here go; 0: none


_decoder: Final = msgspec.json.Decoder(Reserved)


class GapReserve:
    """Used under the spool's lock."""

    def __init__(self, folder: Path, disk: Disk = REAL) -> None:
        """Open or create the file; where there is no room for it now, slots are allocated when written."""
        self._path = folder / NAME
        self._disk = disk
        try:
            data = read_file(disk, self._path)
        except FileNotFoundError:
            data = b""
        self._held = held_in(data)
        if len(data) < SLOTS * SLOT_BYTES:
            with suppress(OSError), opened(disk, self._path, "edit" if data else "create") as handle:
                disk.allocate(handle, SLOTS * SLOT_BYTES)
                disk.sync(handle)
                disk.sync_folder(folder)

    @property
    def free(self) -> int:
        """Slots that are empty."""
        return SLOTS - len(self._held)

    def held(self) -> dict[int, Reserved]:
        """The records by slot."""
        return dict(self._held)

    def put(self, records: Sequence[Reserved]) -> None:
        """Durable on return. Raises OSError; ``holds`` then tells whether they may come back all the same."""
        slots = [slot for slot in range(SLOTS) if slot not in self._held][: len(records)]
        try:
            with opened(self._disk, self._path, "edit") as handle:
                for slot, record in zip(slots, records, strict=True):
                    self._held[slot] = record
                    write_all(self._disk, handle, _packed(record), slot * SLOT_BYTES)
                self._disk.sync(handle)
        except OSError:
            self._take_back([slot for slot in slots if slot in self._held])
            raise

    def holds(self, record: Reserved) -> bool:
        """Whether the record is here, or may be found here after a crash."""
        return any(one is record for one in self._held.values())

    def change(self, slot: int, record: Reserved) -> None:
        """Another sequence for a record. Raises OSError."""
        if self.free:  # never over the only copy: a power cut may tear what is being written
            self.put([record])
            self.clear([slot])
            return
        with opened(self._disk, self._path, "edit") as handle:
            write_all(self._disk, handle, _packed(record), slot * SLOT_BYTES)
            self._disk.sync(handle)
        self._held[slot] = record

    def _take_back(self, slots: Sequence[int]) -> None:
        """Empty slots for certain; where the disk does not let us, they count as held."""
        with suppress(OSError), opened(self._disk, self._path, "edit") as handle:
            for slot in slots:
                write_all(self._disk, handle, _EMPTY, slot * SLOT_BYTES)
            self._disk.sync(handle)
            for slot in slots:
                del self._held[slot]

    def clear(self, slots: Sequence[int]) -> None:
        """Empty slots, without a sync: one that comes back is known to be delivered. Raises OSError."""
        if slots:
            with opened(self._disk, self._path, "edit") as handle:
                for slot in slots:
                    write_all(self._disk, handle, _EMPTY, slot * SLOT_BYTES)
                    self._held.pop(slot, None)


def held_in(data: bytes) -> dict[int, Reserved]:
    """The records by slot in the bytes of a reserve file."""
    held = {}
    for slot in range(min(SLOTS, len(data) // SLOT_BYTES)):
        found = _unpacked(data[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES])
        if found is not None:
            held[slot] = found
    return held


def fits(record: Reserved) -> bool:
    """Whether a record is small enough for a slot."""
    return len(msgspec.json.encode(record)) <= SLOT_BYTES - _HEAD.size


def _packed(record: Reserved) -> bytes:
    text = msgspec.json.encode(record)
    body = (len(text).to_bytes(2, "little") + text).ljust(SLOT_BYTES - 4, b"\0")
    assert len(body) == SLOT_BYTES - 4
    return int(google_crc32c.value(body)).to_bytes(4, "little") + body


def _unpacked(data: bytes) -> Reserved | None:
    crc, size = _HEAD.unpack_from(data)
    if not size or google_crc32c.value(data[4:]) != crc:
        return None
    try:
        return _decoder.decode(data[_HEAD.size : _HEAD.size + size])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
