"""Keys on disk: a signing key as PKCS#8 PEM with mode 0600, its public half as SPKI PEM.

Usage: ``key = SigningKey.create(path)`` once, ``SigningKey.load(path)`` later, ``key.sign(data)``;
``PublicKey.load(path).verify(data, signature)`` on the other side. A key is named by its ``key_id``, the
SM3 of its SPKI.

The private key is written as unencrypted PEM for now; ``_wrap`` and ``_unwrap`` are the seam where the
PBES2 form (PBKDF2-HMAC-SM3, SM4-CBC) takes its place. An encrypted file is recognised and refused with
words until then, never mistaken for damage.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Final, Self

from crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused, Words

PEM_BYTES_MAX: Final = 16 * 1024
_PRIVATE: Final = "PRIVATE KEY"
_ENCRYPTED: Final = "ENCRYPTED PRIVATE KEY"
_PUBLIC: Final = "PUBLIC KEY"
_OTHERS: Final = 0o077


class PublicKey:
    """Somebody's SM2 public key."""

    __slots__ = ("_key", "key_id")

    def __init__(self, key: Sm2PublicKey) -> None:
        self._key: Final = key
        self.key_id: Final = sm3_hex(key.spki())

    @classmethod
    def from_pem(cls, data: bytes) -> Self:
        """Read SPKI PEM, strictly. Raises BadInput."""
        return cls(Sm2PublicKey.from_spki(_from_pem(data, _PUBLIC)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an SPKI PEM file."""
        return cls.from_pem(_read(path))

    @property
    def point(self) -> bytes:
        """The uncompressed point, 65 bytes."""
        return self._key.point

    def spki(self) -> bytes:
        """SubjectPublicKeyInfo DER."""
        return self._key.spki()

    def pem(self) -> bytes:
        """SPKI PEM."""
        return _to_pem(self.spki(), _PUBLIC)

    def save(self, path: Path) -> None:
        """Write the PEM; a file already there stays if it holds the same key, else it is refused."""
        try:
            _create(path, self.pem(), 0o644)
        except FileExistsError:
            if _read(path) != self.pem():
                raise _exists(path) from None

    def verify(self, data: bytes, signature: bytes) -> None:
        """Return silently or raise Refused."""
        self._key.verify(data, signature)


class SigningKey:
    """Our own SM2 key pair, kept in one file."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Sm2PrivateKey) -> None:
        self._key: Final = key
        self.public: Final = PublicKey(key.public)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Generate and write durably; never over a file that is already there."""
        key = cls(Sm2PrivateKey.generate())
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _create(path, _wrap(key._key.pkcs8()), 0o600)
        except FileExistsError:
            raise _exists(path) from None
        return key

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a key file. Raises LiuheError where it is missing or readable by others."""
        data = _read(path)
        mode = path.stat().st_mode
        if mode & _OTHERS:
            raise LiuheError(
                "key-exposed",
                Words(
                    f"私钥文件权限为 {mode & 0o777:04o},他人可读",
                    f"the private key file has mode {mode & 0o777:04o}",
                ),
                Words("请执行 chmod 600 并考虑更换密钥", "run chmod 600 and consider a new key"),
                field=str(path),
            )
        return cls(Sm2PrivateKey.from_pkcs8(_unwrap(data)))

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r then s."""
        return self._key.sign(data)


def _wrap(der: bytes) -> bytes:
    """The stored form of a private key; encryption comes here."""
    return _to_pem(der, _PRIVATE)


def _unwrap(data: bytes) -> bytes:
    """The PKCS#8 inside the stored form; decryption comes here."""
    if f"-----BEGIN {_ENCRYPTED}-----".encode() in data[:200]:
        raise BadInput(
            "key-encrypted",
            Words(
                "私钥文件已加密,本版本尚不能解密", "the key file is encrypted; this version cannot open it"
            ),
            Words("请提供未加密的 PKCS#8 文件", "give an unencrypted PKCS#8 file"),
            field="key",
        )
    return _from_pem(data, _PRIVATE)


def _to_pem(der: bytes, label: str) -> bytes:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")


def _from_pem(data: bytes, label: str) -> bytes:
    """The DER inside; every byte of the file must be as ``_to_pem`` writes it, or nearly (CRLF, no end)."""
    lines = data.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    try:
        der = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error:
        der = b""
    if not der or b"\n".join(lines) + b"\n" != _to_pem(der, label):
        raise BadInput(
            "key-malformed",
            Words(f"不是 PEM 格式的 {label}", f"not a PEM file of a {label}"),
            Words("请换用未损坏的密钥文件", "use an undamaged key file"),
            field="key",
        )
    return der


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PEM_BYTES_MAX)
    except OSError as error:
        raise LiuheError(
            "key-unreadable",
            Words(f"读不到密钥文件:{error.strerror}", f"cannot read the key file: {error.strerror}"),
            Words("请检查路径与权限", "check the path and the permissions"),
            field=str(path),
        ) from error


def _create(path: Path, data: bytes, mode: int) -> None:
    """Write a new file and its directory entry durably. Raises FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _exists(path: Path) -> Refused:
    return Refused(
        "key-exists",
        Words("密钥文件已存在,不予覆盖", "a key file is already there and is not overwritten"),
        Words("请换一个路径,或先移走原文件", "choose another path or move the file away"),
        field=str(path),
    )
