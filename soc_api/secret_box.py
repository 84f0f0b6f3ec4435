"""Secrets the center must be able to read again, sealed in the state database by a key outside of it.

``keys/center.key``: 32 random bytes in hexadecimal, mode 0600, made at first use. A sealed text is the
hexadecimal of a nonce of 12 bytes and the secret under SM4-GCM; the key is HKDF-SM3 of the file's key for
the purpose. What the secret belongs to is bound in: a row copied to another account opens nothing.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from crypto import sm4
from crypto.kdf import hkdf
from crypto.words import BadInput, LiuheError, Words
from sensors.disk import REAL, read_file, replace_file

KEY_FILE: Final = "center.key"
KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SM4_KEY_BYTES: Final = 16


class SecretBox:
    """Seals and opens small secrets for one ``purpose``."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._key = bytes(hkdf(key, b"", f"liuhe {purpose}".encode(), _SM4_KEY_BYTES))

    def seal(self, secret: bytes, about: str) -> str:
        """The sealed text of a secret that belongs to ``about``."""
        nonce = os.urandom(_NONCE_BYTES)
        return (nonce + sm4.gcm_seal(self._key, nonce, secret, about.encode())).hex()

    def open(self, sealed: str, about: str) -> bytes:
        """The secret. Raises LiuheError (secret-sealed) where the key or the owner is another."""
        try:
            raw = bytes.fromhex(sealed)
            return sm4.gcm_open(self._key, raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode())
        except (LiuheError, ValueError) as error:
            raise LiuheError(
                "secret-sealed",
                Words("密封的秘密打不开", "a sealed secret cannot be opened"),
                Words(
                    f"请从备份恢复 keys/{KEY_FILE},或重新绑定",
                    f"restore keys/{KEY_FILE} from the backup, or bind anew",
                ),
                field=about,
            ) from error


def center_key(folder: Path) -> bytes:
    """The key in ``folder``; made where there is none. Raises BadInput (center-key) where it is damaged."""
    path = folder / KEY_FILE
    try:
        text = read_file(REAL, path).strip()
    except FileNotFoundError:
        text = secrets.token_bytes(KEY_BYTES).hex().encode()
        replace_file(REAL, path, text + b"\n")
    try:
        key = bytes.fromhex(text.decode("ascii", "replace"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadInput(
            "center-key",
            Words("中心的密封密钥文件损坏", "the center's sealing key is damaged"),
            Words(
                "请从备份恢复;若删除,所有动态口令须重新绑定",
                "restore it; once deleted, every second factor must be bound anew",
            ),
            field=str(path),
        )
    return key
