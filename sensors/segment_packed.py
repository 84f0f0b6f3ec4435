"""Packed segments: the frames of a finished segment in compressed blocks; pure functions, no files.

block (32+n)  stored bytes u32, CRC32C of what is stored u32, first sequence u64, frames u32, flags u16,
              0 u16, raw bytes u32, CRC32C of these 28 bytes u32; then zstd (with its checksum) of the
              payloads' lengths (u32 each) and the payloads. Where the segment has a key, that is sealed.

Checksums start from the pack salt. One flipped bit of a block, head or body, is mended: CRC32C names it, the
checksum of zstd (or the tag of SM4-GCM) confirms it.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Final

import google_crc32c
import zstandard

from crypto.words import Refused
from sensors.segment_format import PAYLOAD_BYTES_MAX, Damage, End, Frame, Scan, pack_frame, seed_of
from sensors.segment_header import Header, pack_header
from sensors.segment_seal import Seal

PACKED: Final = 1  # Header.packing
BLOCK_BYTES: Final = 512 * 1024  # raw, about; the compressor takes ten times that
LEVEL: Final = 9
_HEAD: Final = struct.Struct("<IIQIHHI")
_CRC: Final = struct.Struct("<I")
HEAD_BYTES: Final = _HEAD.size + _CRC.size
_RAW_BYTES_MAX: Final = BLOCK_BYTES + PAYLOAD_BYTES_MAX + 8
_FRAMES_MAX: Final = 1 << 20


def pack(header: Header, frames: Sequence[Frame], pack_salt: int, seal: Seal | None) -> bytes:
    """The packed file of a segment whose frames are whole; ``seal`` is of the packed header."""
    packed = header._replace(packing=PACKED, pack_salt=pack_salt)
    return pack_header(packed) + pack_blocks(packed, frames, seal)


def pack_blocks(packed: Header, frames: Sequence[Frame], seal: Seal | None) -> bytes:
    """Some frames of a segment as blocks of its packed file."""
    out = []
    seed = seed_of(packed.pack_salt)
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
    for run in _runs(frames):
        lengths = struct.pack(f"<{len(run)}I", *(len(frame.payload) for frame in run))
        raw = b"".join((lengths, *(frame.payload for frame in run)))
        stored = compressor.compress(raw)
        first = run[0]
        if seal is not None:
            stored = seal.seal(first.sequence, first.flags, stored)
        crc = google_crc32c.extend(seed, stored)
        head = _HEAD.pack(len(stored), crc, first.sequence, len(run), first.flags, 0, len(raw))
        out += [head, _CRC.pack(google_crc32c.extend(seed, head)), stored]
    return b"".join(out)


def frame_bytes(header: Header, frames: Sequence[Frame], seal: Seal | None) -> bytes:
    """The frames as the segment held them before it was packed (or as another header wants them)."""
    seed = seed_of(header.salt)
    return b"".join(
        pack_frame(
            seed,
            frame.sequence,
            frame.flags,
            seal.seal(frame.sequence, frame.flags, frame.payload) if seal is not None else frame.payload,
        )
        for frame in frames
    )


def _runs(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    run: list[Frame] = []
    size = 0
    for frame in frames:
        follows = run and frame.sequence == run[-1].sequence + 1 and frame.flags == run[-1].flags
        if run and (not follows or size >= BLOCK_BYTES):
            yield run
            run, size = [], 0
        run.append(frame)
        size += len(frame.payload) + 4
    if run:
        yield run


def scan_packed(
    data: bytes,
    offset: int,
    header: Header,
    seal: Seal | None,
    *,
    expected: int,
    before: int | None,
    after: int = 0,
    limit_bytes: int = 1 << 62,
) -> Scan:
    """Read the whole file ``data`` from a block at ``offset`` on, as ``segment_format.scan`` does frames."""
    seed = seed_of(header.pack_salt)
    frames: list[Frame] = []
    damages: list[Damage] = []
    taken = 0
    while offset < len(data):
        if taken >= limit_bytes:
            return Scan(frames, offset, expected, damages, End.LIMIT)
        head = _head_at(data, offset, seed)
        if head is None:
            return Scan(frames, offset, expected, damages, End.INVALID)
        stored_bytes, crc, first, count, flags, raw_bytes = head
        start = offset + HEAD_BYTES
        if first < expected or (before is not None and first + count > before):
            return Scan(frames, offset, expected, damages, End.INVALID)
        if first > expected:
            damages.append(Damage(expected, first - 1, "a block is missing"))
        offset = start + stored_bytes
        expected = first + count
        if expected - 1 <= after:
            continue
        payloads = _opened(data[start:offset], crc, seed, seal, first, flags, count, raw_bytes)
        if payloads is None:
            damages.append(Damage(first, expected - 1, "a block fails its checksum"))
            continue
        for sequence, payload in enumerate(payloads, start=first):
            if sequence > after:
                frames.append(Frame(sequence, flags, payload, header.epoch))
                taken += len(payload)
    return Scan(frames, offset, expected, damages, End.CLEAN)


def _head_at(data: bytes, offset: int, seed: int) -> tuple[int, int, int, int, int, int] | None:
    head = data[offset : offset + HEAD_BYTES]
    if len(head) < HEAD_BYTES:
        return None
    body, crc = head[: _HEAD.size], int(_CRC.unpack(head[_HEAD.size :])[0])
    if google_crc32c.extend(seed, body) != crc:
        mended = mend(body, crc, seed)
        if mended is None:
            return None
        body = mended
    stored_bytes, stored_crc, first, count, flags, zero, raw_bytes = _HEAD.unpack(body)
    sound = not zero and 0 < count <= _FRAMES_MAX and first and 4 * count <= raw_bytes <= _RAW_BYTES_MAX
    if not sound or offset + HEAD_BYTES + stored_bytes > len(data):
        return None
    return stored_bytes, stored_crc, first, count, flags, raw_bytes


def _opened(
    stored: bytes,
    crc: int,
    seed: int,
    seal: Seal | None,
    first: int,
    flags: int,
    count: int,
    raw_bytes: int,
) -> list[bytes] | None:
    if google_crc32c.extend(seed, stored) != crc:
        mended = mend(stored, crc, seed)
        if mended is None:
            return None
        stored = mended
    try:
        if seal is not None:
            stored = seal.open(first, flags, stored)
        if zstandard.get_frame_parameters(stored).content_size != raw_bytes:
            return None
        raw = zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)
    except (Refused, zstandard.ZstdError):
        return None
    lengths = struct.unpack_from(f"<{count}I", raw)
    if 4 * count + sum(lengths) != len(raw):
        return None
    payloads, at = [], 4 * count
    for length in lengths:
        payloads.append(raw[at : at + length])
        at += length
    return payloads


def mend(data: bytes, crc: int, seed: int) -> bytes | None:
    """``data`` with the one bit flipped back that makes its CRC32C ``crc``; None where no one bit does.

    The checksum of an error does not depend on the data: the syndrome is walked back byte by byte through the
    register until it is that of a single bit. A bit flipped in the stored checksum itself leaves data as is.
    """
    syndrome = google_crc32c.extend(seed, data) ^ crc
    if syndrome & (syndrome - 1) == 0:
        return data
    for index in range(len(data) - 1, -1, -1):
        syndrome = _step_back(syndrome)
        if syndrome < 256 and syndrome & (syndrome - 1) == 0:
            out = bytearray(data)
            out[index] ^= syndrome
            return bytes(out)
    return None


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE: Final = _table()
_BY_TOP: Final = {value >> 24: (byte, value) for byte, value in enumerate(_TABLE)}


def _step_back(register: int) -> int:
    """The register before one zero byte went through it (reflected CRC32C)."""
    byte, value = _BY_TOP[register >> 24]
    return ((register ^ value) << 8 & 0xFFFFFFFF) | byte
