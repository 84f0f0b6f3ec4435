"""Signed notes with Ed25519, the one signature every C2SP tool knows; for the SHA-256 twin of a ledger only.

What this product itself believes is signed with SM2 (``crypto.note``). The key lies in a PKCS#8 PEM file of
mode 0600 like any other.
"""

import base64
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from crypto.keys import create_key_file, read_key_file
from crypto.note import Note, SignatureLine, key_name
from crypto.words import BadInput, Refused, Words

ED25519_TYPE: Final = b"\x01"
_KEY_ID_BYTES: Final = 4


class Ed25519Key:
    """A key pair for notes."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.point: Final = key.public_key().public_bytes_raw()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Generate and write durably; never over a file that is already there."""
        key = Ed25519PrivateKey.generate()
        create_key_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file. Raises BadInput where it holds no such key."""
        try:
            key = load_pem_private_key(read_key_file(path), None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _malformed(path) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _malformed(path)
        return cls(key)

    def key_id(self, name: str) -> bytes:
        """The four bytes that find this key in a note."""
        return ed25519_key_id(name, self.point)

    def verifier_line(self, name: str) -> str:
        """The one-line form of the public key that C2SP tools take."""
        encoded = base64.b64encode(ED25519_TYPE + self.point).decode("ascii")
        return f"{key_name(name)}+{self.key_id(name).hex()}+{encoded}"

    def sign_note(self, text: str, name: str) -> Note:
        """The text signed."""
        return Note(text, (SignatureLine(key_name(name), self.key_id(name), self._key.sign(text.encode())),))


def ed25519_key_id(name: str, point: bytes) -> bytes:
    """The four bytes that find a key in a note."""
    return sha256(name.encode() + b"\n" + ED25519_TYPE + point).digest()[:_KEY_ID_BYTES]


def verify_ed25519(note: Note, name: str, point: bytes) -> None:
    """Return silently where this key signed the text, else raise Refused."""
    key_id, key = ed25519_key_id(name, point), Ed25519PublicKey.from_public_bytes(point)
    ours = [line for line in note.signatures if (line.name, line.key_id) == (name, key_id)]
    try:
        for line in ours:
            key.verify(line.value, note.text.encode())
    except InvalidSignature:
        ours = []
    if not ours:
        raise Refused(
            "note-unsigned",
            Words(f"没有 {name} 用该公钥作的签名", f"no signature of {name} with this key"),
            Words("请核对公钥与名称", "check the public key and the name"),
            field=name,
        )


def _malformed(path: Path) -> BadInput:
    return BadInput(
        "key-malformed",
        Words("不是 Ed25519 私钥文件", "not a file of an Ed25519 private key"),
        Words("请换用正确的文件", "use the right file"),
        field=str(path),
    )
