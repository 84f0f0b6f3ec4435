"""The evidence locker of incidents: ``DATA/incidents/<SM3>.sealed``, SM4-GCM at rest, never rewritten.

A file begins with the 8 bytes ``LIUHECF1``; the rest is sealed under a key of its own: HKDF-SM3 of the
center's key with the SM3 of the content as salt. Equal content is one file, and no key is ever used for two
contents.
"""

import os
from pathlib import Path
from typing import Final

from crypto import sm4
from crypto.kdf import hkdf
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Words
from sensors.segment_checkpoint import write_durably

MAGIC: Final = b"LIUHECF1"
FILE_BYTES_MAX: Final = 32 * 1024 * 1024
LOCKER_BYTES_MAX: Final = 20 * 1024 * 1024 * 1024  # of all files together: a full disk stops the center
_PURPOSE: Final = b"liuhe files of an incident"
_NONCE: Final = bytes(sm4.NONCE_BYTES)  # one key, one message


class IncidentFiles:
    """Safe to call from several threads."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key

    def put(self, data: bytes) -> str:
        """Seal a file; durable on return; its SM3. Raises BadInput (incident-file), LiuheError."""
        if not 0 < len(data) <= FILE_BYTES_MAX:
            raise BadInput(
                "incident-file",
                Words(f"文件为 {len(data)} 字节", f"the file has {len(data)} bytes"),
                Words(f"须为 1-{FILE_BYTES_MAX} 字节", f"1 to {FILE_BYTES_MAX} bytes are taken"),
                field="file",
            )
        digest = sm3_hex(data)
        path = self._path(digest)
        try:
            if not path.exists():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._need_room(len(data))
                sealed = sm4.gcm_seal(self._key_of(digest), _NONCE, data, digest.encode())
                write_durably(path, MAGIC + sealed)
                path.chmod(0o600)
        except OSError as error:
            raise LiuheError(
                "incident-locker",
                Words(f"证据柜不可写:{error.strerror}", f"the locker can't be written: {error.strerror}"),
                Words("请检查磁盘空间与权限", "check disk space and permissions"),
                field=str(error.filename or self._folder),
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        """A file's bytes, checked against their SM3. Raises LiuheError (incident-file-damaged)."""
        try:
            sealed = self._path(digest).read_bytes()
            if not sealed.startswith(MAGIC):
                raise _damaged(digest)
            data = sm4.gcm_open(self._key_of(digest), _NONCE, sealed[len(MAGIC) :], digest.encode())
        except (OSError, LiuheError):
            raise _damaged(digest) from None
        if sm3_hex(data) != digest:
            raise _damaged(digest)
        return bytes(data)

    def _need_room(self, size: int) -> None:
        with os.scandir(self._folder) as found:
            kept = sum(one.stat().st_size for one in found)
        if kept + size > LOCKER_BYTES_MAX:
            raise LiuheError(
                "incident-locker",
                Words("证据柜已满", "the locker is full"),
                Words("请由管理员归档旧案卷", "have old cases archived"),
                field=str(self._folder),
            )

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.sealed"

    def _key_of(self, digest: str) -> bytes:
        return bytes(hkdf(self._key, bytes.fromhex(digest), _PURPOSE, sm4.KEY_BYTES))


def _damaged(digest: str) -> LiuheError:
    return LiuheError(
        "incident-file-damaged",
        Words("证据文件缺失或已被改动", "the file is missing or has been changed"),
        Words("请从备份恢复;存证中的 SM3 不变", "restore it from a backup; its SM3 in the ledger stands"),
        field=digest,
    )
