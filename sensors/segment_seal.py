"""SM4-GCM at rest: the keys of a log, and what seals and opens the payloads of one segment.

A segment's own key is HKDF-SM3 of the log's key and the segment's salt; the nonce is the sequence, which a
segment uses once: after any failed write its segment is left. Key id = first 8 bytes of the key's SM3.
"""

import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final

from crypto import sm3, sm4
from crypto.kdf import hkdf
from crypto.words import BadInput, LiuheError, Words
from sensors.disk import REAL, Disk, read_file, replace_file
from sensors.segment_header import NO_KEY, Header

KEY_FILE: Final = "spool.key"
_FRAMES: Final = b"liuhe segment frames"
_BLOCKS: Final = b"liuhe segment blocks"
_NONCE: Final = Struct("<QI")
_BOUND: Final = Struct("<QH")
_KEYS_MAX: Final = 1_000


class Seal:
    """Seals and opens the payloads of one segment."""

    def __init__(self, key: bytes, salt: int, purpose: bytes) -> None:
        self._key = bytes(hkdf(key, salt.to_bytes(8, "little"), purpose, sm4.KEY_BYTES))

    def seal(self, sequence: int, flags: int, payload: bytes) -> bytes:
        """Ciphertext and tag, bound to the frame's place."""
        nonce = _NONCE.pack(sequence, 0)
        return sm4.gcm_seal(self._key, nonce, payload, _BOUND.pack(sequence, flags))

    def open(self, sequence: int, flags: int, sealed: bytes) -> bytes:
        """The payload, proven. Raises Refused."""
        nonce = _NONCE.pack(sequence, 0)
        return sm4.gcm_open(self._key, nonce, sealed, _BOUND.pack(sequence, flags))


class Keys:
    """The keys of a log: the last one seals (where ``sealing``), all of them open."""

    def __init__(self, keys: Sequence[bytes] = (), *, sealing: bool = False) -> None:
        self._keys = {key_id(key): key for key in keys}
        self.current = key_id(keys[-1]) if sealing and keys else NO_KEY

    def frames(self, header: Header) -> Seal | None:
        """For the frames of a segment; None where they are in clear. Raises LiuheError: no such key."""
        return Seal(self._key(header), header.salt, _FRAMES) if header.sealed else None

    def blocks(self, header: Header) -> Seal | None:
        """For the blocks of a packed segment, likewise."""
        return Seal(self._key(header), header.pack_salt, _BLOCKS) if header.sealed else None

    def _key(self, header: Header) -> bytes:
        found = self._keys.get(header.key_id)
        if found is None:
            raise LiuheError(
                "log-key-missing",
                Words(
                    f"缺少打开日志段的密钥 {header.key_id.hex()}",
                    f"the key {header.key_id.hex()} that opens a log segment is missing",
                ),
                Words("请恢复 keys/spool.key", "restore keys/spool.key"),
                field=f"{header.first:020d}",
            )
        return found


NO_KEYS: Final = Keys()


def key_id(key: bytes) -> bytes:
    """Which key it is, without saying the key."""
    return sm3.sm3(b"liuhe spool key" + key)[:8]


def load_keys(folder: Path, *, sealing: bool, disk: Disk = REAL) -> Keys:
    """The keys in ``folder/spool.key`` (one a line, hex, the last is current); made where sealing wants one.

    Raises BadInput where the file is damaged.
    """
    path = folder / KEY_FILE
    try:
        lines = read_file(disk, path).split()
    except FileNotFoundError:
        if not sealing:
            return NO_KEYS
        lines = [secrets.token_bytes(sm4.KEY_BYTES).hex().encode()]
        disk.make_folder(folder)
        replace_file(disk, path, lines[0] + b"\n")
    keys = []
    for line in lines:
        with suppress(ValueError):
            keys.append(bytes.fromhex(line.decode("ascii", "replace")))
    if len(lines) > _KEYS_MAX or len(keys) != len(lines) or any(len(key) != sm4.KEY_BYTES for key in keys):
        raise BadInput(
            "spool-key-malformed",
            Words("缓存密钥文件损坏", "the spool's key file is damaged"),
            Words("每行应为 32 个十六进制数字,请从备份恢复", "each line is 32 hex digits; restore it"),
            field=str(path),
        )
    return Keys(keys, sealing=sealing)
