"""Packets that came, sealed on disk: ``DATA/packets/<request>.sealed``, 0600, bounded, oldest first out.

The 8 bytes ``LIUHEPF1`` and a salt of 16, then per part its sealed length (u32, big-endian) and the part
under SM4-GCM; the key is HKDF-SM3 of the center's packet key and the salt, the nonce the part's number. A
file is written as ``.part`` and renamed when whole: what has no other name is not there.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Final

from crypto import sm4
from crypto.kdf import hkdf
from crypto.words import LiuheError, Words
from sensors.messages import PACKET_PART_BYTES_MAX

MAGIC: Final = b"LIUHEPF1"
SALT_BYTES: Final = 16
BYTES_MAX: Final = 2 * 1024 * 1024 * 1024  # of all files together
_SUFFIX: Final = ".sealed"
_PURPOSE: Final = b"liuhe packets of a request"
_length: Final = Struct(">I")


class PacketFiles:
    """``append`` from one thread at a time per request; ``read`` from anywhere."""

    def __init__(self, folder: Path, key: bytes, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder = folder
        self._key = key
        self._bytes_max = bytes_max

    def append(self, request: str, part: int, body: bytes) -> None:
        """Add a part to the file that is being written; part 0 begins it anew. Raises OSError, LiuheError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{request}.part"
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if part == 0 else 0)
        with os.fdopen(os.open(path, flags, 0o600), "r+b") as file:
            if part == 0:
                salt = os.urandom(SALT_BYTES)
                file.write(MAGIC + salt)
            else:
                salt = file.read(len(MAGIC) + SALT_BYTES)[len(MAGIC) :]
            sealed = sm4.gcm_seal(_key(self._key, salt), _nonce(part), body)
            file.seek(0, os.SEEK_END)
            file.write(_length.pack(len(sealed)) + sealed)
            file.flush()
            os.fsync(file.fileno())

    def finish(self, request: str) -> None:
        """The file is whole. Raises OSError."""
        part = self._folder / f"{request}.part"
        self._make_room(part.stat().st_size)
        part.rename(self._folder / f"{request}{_SUFFIX}")

    def discard(self, request: str) -> None:
        """Nothing came of it."""
        (self._folder / f"{request}.part").unlink(missing_ok=True)

    def read(self, request: str) -> Iterator[bytes]:
        """The pcap file in parts. Raises LiuheError (packets-gone, packets-damaged)."""
        try:
            with (self._folder / f"{request}{_SUFFIX}").open("rb") as file:
                head = file.read(len(MAGIC) + SALT_BYTES)
                if not head.startswith(MAGIC):
                    raise _damaged(request)
                key = _key(self._key, head[len(MAGIC) :])
                part = 0
                while len(raw := file.read(_length.size)) == _length.size:
                    size = _length.unpack(raw)[0]
                    sealed = file.read(min(size, PACKET_PART_BYTES_MAX + sm4.TAG_BYTES))
                    if len(sealed) < max(size, sm4.TAG_BYTES):
                        raise _damaged(request)
                    try:
                        yield sm4.gcm_open(key, _nonce(part), sealed)
                    except LiuheError:
                        raise _damaged(request) from None
                    part += 1
        except FileNotFoundError:
            raise LiuheError(
                "packets-gone",
                Words("这些报文已不在中心保留", "these packets are not kept any more"),
                Words("请重新取包", "ask for them again"),
                field=request,
            ) from None

    def _make_room(self, size: int) -> None:
        kept = sorted(
            (one.stat().st_mtime, one.stat().st_size, one) for one in self._folder.glob(f"*{_SUFFIX}")
        )
        total = size + sum(one[1] for one in kept)
        for _, bytes_kept, path in kept:
            if total <= self._bytes_max:
                return
            path.unlink(missing_ok=True)
            total -= bytes_kept


def _key(key: bytes, salt: bytes) -> bytes:
    return bytes(hkdf(key, salt, _PURPOSE, sm4.KEY_BYTES))


def _nonce(part: int) -> bytes:
    return part.to_bytes(sm4.NONCE_BYTES)


def _damaged(request: str) -> LiuheError:
    return LiuheError(
        "packets-damaged",
        Words("保留的报文已损坏", "the packets kept are damaged"),
        Words("请重新取包", "ask for them again"),
        field=request,
    )
