"""The network sensor's own key, ``keys/network.key``: it marks secrets seen in clear and seals kept packets.

32 random bytes in hexadecimal, mode 0600, made at first use and never leaving the sensor.
"""

import secrets
from pathlib import Path
from typing import Final

from crypto.kdf import hkdf
from crypto.words import BadInput, Words
from sensors.disk import REAL, Disk, read_file, replace_file

KEY_FILE: Final = "network.key"
KEY_BYTES: Final = 32


def load_key(folder: Path, disk: Disk = REAL) -> bytes:
    """The key in ``folder``; made where there is none. Raises BadInput where the file is damaged."""
    path = folder / KEY_FILE
    try:
        text = read_file(disk, path).strip()
    except FileNotFoundError:
        text = secrets.token_bytes(KEY_BYTES).hex().encode()
        disk.make_folder(folder)
        replace_file(disk, path, text + b"\n")
    try:
        key = bytes.fromhex(text.decode("ascii", "replace"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadInput(
            "network-key-malformed",
            Words("网络传感器的密钥文件损坏", "the network sensor's key file is damaged"),
            Words(
                "请从备份恢复;若删除,已保留的报文无法再打开",
                "restore it; once deleted, packets kept so far cannot be opened",
            ),
            field=str(path),
        )
    return key


def mark_key(key: bytes) -> bytes:
    """The key of the marks by which the same secret is recognised again without being kept."""
    return bytes(hkdf(key, b"", b"liuhe network marks", KEY_BYTES))
