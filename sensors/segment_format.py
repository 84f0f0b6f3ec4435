"""The bytes of a log segment: one header (``segment_header``), then frames; pure functions, no files.

Documented byte by byte in docs/reference/formats/segment-log.md; little-endian throughout.

frame (18+n)  payload length u32, CRC32C u32, sequence u64, flags u16, payload
"""

import re
import struct
from enum import Enum
from typing import Final, NamedTuple

import google_crc32c

from sensors.segment_header import Header

FRAME_HEADER_BYTES: Final = 18
PAYLOAD_BYTES_MAX: Final = 16 * 1024 * 1024  # one frame; a longer length field is damage
RESYNC_BYTES_MAX: Final = 32 * 1024 * 1024  # checksum work for one damaged place, against hostile payloads

_FRAME: Final = struct.Struct("<IIQH")
_SUMMED: Final = struct.Struct("<IQH")
_SEQUENCE: Final = struct.Struct("<Q")


class Frame(NamedTuple):
    """One record of the log; ``epoch`` is the boot of the writer that appended it."""

    sequence: int
    flags: int
    payload: bytes
    epoch: int = 0


class Damage(NamedTuple):
    """Sequences first..last that were written and can no longer be read."""

    first: int
    last: int
    reason: str


class End(Enum):
    """Why a scan stopped."""

    CLEAN = "at the end of the data"
    LIMIT = "enough was read"
    SHORT = "needs more bytes of the file"
    INVALID = "no valid frame follows"


class Scan(NamedTuple):
    """Frames found, where the next one starts, which sequence it should carry, and the losses met."""

    frames: list[Frame]
    offset: int
    expected: int
    damages: list[Damage]
    end: End


def seed_of(salt: int) -> int:
    """The CRC32C state every frame of a segment starts from."""
    return int(google_crc32c.value(_SEQUENCE.pack(salt)))


def pack_frame(seed: int, sequence: int, flags: int, payload: bytes) -> bytes:
    """One frame, ready to be written."""
    length = len(payload)
    crc = google_crc32c.extend(google_crc32c.extend(seed, _SUMMED.pack(length, sequence, flags)), payload)
    return _FRAME.pack(length, crc, sequence, flags) + payload


def frame_fits(data: bytes, offset: int) -> bool:
    """Whether a whole frame, by its own length field, lies at ``offset``; its checksum may be wrong."""
    if len(data) - offset < FRAME_HEADER_BYTES:
        return False
    length: int = _FRAME.unpack_from(data, offset)[0]
    return length <= PAYLOAD_BYTES_MAX and offset + FRAME_HEADER_BYTES + length <= len(data)


def _frame_at(data: bytes, offset: int, seed: int) -> tuple[int, int, bytes] | None:
    """(sequence, flags, payload) of a whole and valid frame at ``offset``."""
    length, crc, sequence, flags = _FRAME.unpack_from(data, offset)
    start = offset + FRAME_HEADER_BYTES
    if length > PAYLOAD_BYTES_MAX or start + length > len(data):
        return None
    payload = data[start : start + length]
    summed = google_crc32c.extend(seed, _SUMMED.pack(length, sequence, flags))
    return (sequence, flags, payload) if google_crc32c.extend(summed, payload) == crc else None


def scan(
    data: bytes,
    offset: int,
    header: Header,
    *,
    expected: int,
    before: int | None,
    whole: bool,
    after: int = 0,
    limit_bytes: int = 1 << 62,
) -> Scan:
    """Read valid frames of ``data`` from ``offset``; never returns bytes whose checksum is wrong.

    ``whole`` says that ``data`` reaches the end of the file; ``before`` ends the segment's range (the next
    segment's first sequence); frames up to ``after`` are checked and left out.
    """
    seed = seed_of(header.salt)
    frames: list[Frame] = []
    damages: list[Damage] = []
    taken = 0
    while taken < limit_bytes:
        left = len(data) - offset
        if left < FRAME_HEADER_BYTES:
            end = (End.CLEAN if left == 0 else End.INVALID) if whole else End.SHORT
            return Scan(frames, offset, expected, damages, end)
        found = _frame_at(data, offset, seed)
        if found is None or found[0] < expected:
            if not whole:
                return Scan(frames, offset, expected, damages, End.SHORT)
            position = _resync(data, offset, seed, expected)
            if position is None:
                return Scan(frames, offset, expected, damages, End.INVALID)
            offset = position
            continue
        sequence, flags, payload = found
        if before is not None and sequence >= before:
            return Scan(frames, offset, expected, damages, End.INVALID)
        if sequence > expected:
            damages.append(Damage(expected, sequence - 1, "a frame fails its checksum"))
        offset += FRAME_HEADER_BYTES + len(payload)
        expected = sequence + 1
        if sequence > after:
            frames.append(Frame(sequence, flags, payload, header.epoch))
            taken += len(payload) + FRAME_HEADER_BYTES
    return Scan(frames, offset, expected, damages, End.LIMIT)


def _resync(data: bytes, offset: int, seed: int, expected: int) -> int | None:
    """Where the next valid frame after a damaged one starts, or None."""
    length: int = _FRAME.unpack_from(data, offset)[0]
    beyond = offset + FRAME_HEADER_BYTES + length
    if beyond + FRAME_HEADER_BYTES <= len(data):
        found = _frame_at(data, beyond, seed)
        if found is not None and found[0] == expected + 1:
            return beyond
    # The length itself is damaged: look for the upper bytes of the sequences that may follow here.
    work = RESYNC_BYTES_MAX
    sequence_max = expected + (len(data) - offset) // FRAME_HEADER_BYTES + 1
    uppers = {_SEQUENCE.pack(sequence)[3:] for sequence in (expected, sequence_max)}
    pattern = re.compile(b"(?=" + b"|".join(re.escape(upper) for upper in sorted(uppers)) + b")")
    for match in pattern.finditer(data, offset + 1):
        start = match.start() - 11  # the upper five bytes of a sequence lie 11 bytes into a frame
        if start <= offset or start + FRAME_HEADER_BYTES > len(data):
            continue
        work -= FRAME_HEADER_BYTES
        length, _, sequence, _ = _FRAME.unpack_from(data, start)
        if expected <= sequence <= sequence_max and start + FRAME_HEADER_BYTES + length <= len(data):
            work -= length
            if _frame_at(data, start, seed) is not None:
                return start
        if work < 0:
            return None
    return None
