"""The header of a log segment, in both versions of the format; pure functions, no files.

Version 2 (256)  magic 8s, version u16, header bytes u16, boot epoch u64, first sequence u64, last sequence of
                 the previous segment u64, salt u64, SM3 of the previous segment 32s, name 48s, sensor 64s,
                 key id 8s, first sequence and bytes of the previous segment u64 each, created (ms) u64,
                 packing u16, pack salt u64, zeros, CRC32C u32
Version 1 (128)  the first nine of these, CRC32C u32

In every version: magic, version and header bytes stand first, the CRC32C of the header stands last.
"""

import struct
from typing import Final, NamedTuple

import google_crc32c

from crypto.words import LiuheError, Words

MAGIC: Final = b"LIUHESEG"
VERSION: Final = 2
HEADER_BYTES: Final = {1: 128, 2: 256}
HEADER_BYTES_MAX: Final = 256
NAME_BYTES_MAX: Final = 48
SENSOR_BYTES_MAX: Final = 64
NO_KEY: Final = bytes(8)
NO_DIGEST: Final = bytes(32)

_FIRST: Final = struct.Struct("<8sHHQQQQ32s48s")
_SECOND: Final = struct.Struct("<64s8sQQQHQ")
_START: Final = struct.Struct("<8sHH")
_CRC: Final = struct.Struct("<I")
_NEWER_BYTES_MAX: Final = 4096


class Header(NamedTuple):
    """What a segment says of itself; ``salt`` seeds the checksums of its frames.

    The salt makes a frame copied into a payload invalid: after damage, a search for the next frame can never
    take the inside of a hostile payload for a frame. ``previous_bytes`` 0: not known (version 1).
    """

    name: str
    epoch: int
    first: int
    previous_last: int
    salt: int
    previous_sm3: bytes = NO_DIGEST
    version: int = 1
    sensor: str = ""
    key_id: bytes = NO_KEY
    previous_first: int = 0
    previous_bytes: int = 0
    created_ms: int = 0
    packing: int = 0  # 0: frames, 1: compressed blocks of frames
    pack_salt: int = 0

    @property
    def size(self) -> int:
        """Bytes of the header, where the frames start."""
        return HEADER_BYTES[self.version]

    @property
    def sealed(self) -> bool:
        """Whether the payloads are encrypted."""
        return self.key_id != NO_KEY


def pack_header(header: Header) -> bytes:
    """The bytes at the start of a segment file."""
    name, sensor = header.name.encode(), header.sensor.encode()
    assert len(name) <= NAME_BYTES_MAX
    assert len(sensor) <= SENSOR_BYTES_MAX
    body = _FIRST.pack(
        MAGIC,
        header.version,
        header.size,
        header.epoch,
        header.first,
        header.previous_last,
        header.salt,
        header.previous_sm3,
        name,
    )
    if header.version > 1:
        body += _SECOND.pack(
            sensor,
            header.key_id,
            header.previous_first,
            header.previous_bytes,
            header.created_ms,
            header.packing,
            header.pack_salt,
        )
    body = body.ljust(header.size - _CRC.size, b"\0")
    return body + _CRC.pack(google_crc32c.value(body))


def unpack_header(data: bytes) -> Header | None:
    """The header of some version, one flipped bit mended; None where it cannot be trusted."""
    for size in HEADER_BYTES.values():
        if _valid(data[:size], size):
            return _unpacked(data[: size - _CRC.size])
    for size in HEADER_BYTES.values():
        mended = _mended(data[:size], size)
        if mended is not None and (header := _unpacked(mended)) is not None and header.size == size:
            return header
    return None


def refuse_newer(data: bytes, path: object) -> None:
    """Raise LiuheError where the header is sound and of a version that this release does not know."""
    if len(data) < _START.size:
        return
    magic, version, size = _START.unpack_from(data)
    if magic != MAGIC or version in HEADER_BYTES or not _START.size + _CRC.size <= size <= _NEWER_BYTES_MAX:
        return
    if _valid(data[:size], size):
        raise LiuheError(
            "log-format-newer",
            Words(
                f"日志段的格式版本为 {version},本程序只认识到版本 {VERSION}",
                f"a log segment has format version {version}, this release knows up to {VERSION}",
            ),
            Words(
                "请用写它的新版本排空缓存,或用新版本执行 liuhe sensor spool --rewrite 后再降级",
                "drain it with the release that wrote it, or run its liuhe sensor spool --rewrite first",
            ),
            field=str(path),
        )


def _unpacked(body: bytes) -> Header | None:
    magic, version, size, epoch, first, previous_last, salt, sm3, name = _FIRST.unpack_from(body)
    if magic != MAGIC or HEADER_BYTES.get(version) != size or size != len(body) + _CRC.size:
        return None
    header = Header(_text(name), epoch, first, previous_last, salt, sm3, version)
    if version == 1:
        return header
    sensor, *rest = _SECOND.unpack_from(body, _FIRST.size)
    return Header(*header[:7], _text(sensor), *rest)


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("utf-8", "replace")


def _mended(data: bytes, size: int) -> bytes | None:
    """The body with one bit flipped back."""
    if len(data) < size:
        return None
    # CRC32C tells all single-bit errors of a header apart: at most one flip makes it valid.
    for bit in range(size * 8):
        candidate = bytearray(data)
        candidate[bit >> 3] ^= 1 << (bit & 7)
        if _valid(bytes(candidate), size):
            return bytes(candidate[: -_CRC.size])
    return None


def _valid(data: bytes, size: int) -> bool:
    return len(data) == size and _CRC.pack(google_crc32c.value(data[: -_CRC.size])) == data[-_CRC.size :]
