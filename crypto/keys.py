"""Keys: what somebody can do with one, and the one file a private key lies in.

    key = SigningKey.create(path, passphrase)       once
    key = SigningKey.load(path, passphrase)         later; key.sign(data), key.public
    PublicKey.load(path).verify(data, signature)    on the other side

Signing and encrypting are different keys and different types, and never meet: ``SigningKey`` and
``PublicKey`` sign and verify, ``DecryptionKey`` and ``EncryptionKey`` open and wrap. What a key was made for
stands inside its file; a file made for the other use is refused. (A signing key of an old file may say
nothing; a decryption key must say it.) A key is named by its ``key_id``, the SM3 of its SubjectPublicKeyInfo.

Files are PEM with mode 0600: ``ENCRYPTED PRIVATE KEY`` (PBES2, see ``crypto.pkcs8``) with a passphrase,
``PRIVATE KEY`` without one, for services whose host guards the file.
"""

import os
import secrets
from pathlib import Path
from typing import Final, Self

from crypto import pem, pkcs8, sm2
from crypto.sm2 import DEFAULT_ID, Sm2PrivateKey, Sm2PublicKey
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused, Words

PEM_BYTES_MAX: Final = 16 * 1024
_PRIVATE: Final = "PRIVATE KEY"
_ENCRYPTED: Final = "ENCRYPTED PRIVATE KEY"
_EC_PRIVATE: Final = ("EC PRIVATE KEY", "SM2 PRIVATE KEY")
_PUBLIC: Final = "PUBLIC KEY"
_OTHERS: Final = 0o077


class _Public:
    """The public half of a pair, whatever it is for."""

    __slots__ = ("_key", "key_id")

    def __init__(self, key: Sm2PublicKey) -> None:
        self._key: Final = key
        self.key_id: Final = sm3_hex(key.spki())

    @classmethod
    def from_spki(cls, der: bytes) -> Self:
        """Read a SubjectPublicKeyInfo. Raises BadInput where it is not that of an SM2 key."""
        return cls(Sm2PublicKey.from_spki(der))

    @classmethod
    def from_pem(cls, data: bytes) -> Self:
        """Read SPKI PEM, strictly. Raises BadInput."""
        return cls.from_spki(pem.decode(data, _PUBLIC))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read an SPKI PEM file."""
        return cls.from_pem(read_key_file(path))

    @property
    def point(self) -> bytes:
        """The uncompressed point, 65 bytes."""
        return self._key.point

    def spki(self) -> bytes:
        """SubjectPublicKeyInfo DER."""
        return self._key.spki()

    def pem(self) -> bytes:
        """SPKI PEM."""
        return pem.encode(self.spki(), _PUBLIC)

    def save(self, path: Path) -> None:
        """Write the PEM; a file already there stays if it holds the same key, else it is refused."""
        try:
            create_durably(path, self.pem(), 0o644)
        except FileExistsError:
            if read_key_file(path) != self.pem():
                raise _exists(path) from None


class PublicKey(_Public):
    """Somebody's SM2 key for verifying."""

    __slots__ = ()

    def verify(self, data: bytes, signature: bytes, *, user_id: bytes = DEFAULT_ID) -> None:
        """Return silently or raise Refused."""
        self._key.verify(data, signature, user_id=user_id)


class EncryptionKey(_Public):
    """Somebody's SM2 key for sending them something short, such as a content key."""

    __slots__ = ()

    def encrypt(self, data: bytes) -> bytes:
        """The SM2 ciphertext, 04 C1 C3 C2: what their ``DecryptionKey`` alone can open."""
        return sm2.encrypt(self._key, data)


class SigningKey:
    """Our own SM2 key pair for signing, kept in one file."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Sm2PrivateKey) -> None:
        self._key: Final = key
        self.public: Final = PublicKey(key.public)

    @classmethod
    def generate(cls) -> Self:
        """A fresh pair, in memory only."""
        return cls(Sm2PrivateKey.generate())

    @classmethod
    def create(cls, path: Path, passphrase: bytearray | None = None) -> Self:
        """Generate and write durably; never over a file that is already there."""
        key = cls.generate()
        create_key_file(path, key.private_pem(passphrase))
        return key

    @classmethod
    def load(cls, path: Path, passphrase: bytearray | None = None) -> Self:
        """Read a key file. Raises LiuheError where it is missing or readable by others, Refused where the
        passphrase is wrong or the key is for encryption, BadInput where it needs a passphrase.
        """
        return cls(_load(path, passphrase, "sign"))

    def private_pem(self, passphrase: bytearray | None, *, form: pkcs8.Form = "gmssl") -> bytes:
        """What a key file holds."""
        return _private_pem(self._key, "sign", passphrase, form)

    def sign(self, data: bytes, *, user_id: bytes = DEFAULT_ID) -> bytes:
        """64 bytes, r then s."""
        return self._key.sign(data, user_id=user_id)


class DecryptionKey:
    """Our own SM2 key pair for opening what others encrypted to us."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Sm2PrivateKey) -> None:
        self._key: Final = key
        self.public: Final = EncryptionKey(key.public)

    @classmethod
    def generate(cls) -> Self:
        """A fresh pair, in memory only."""
        return cls(Sm2PrivateKey.generate())

    @classmethod
    def create(cls, path: Path, passphrase: bytearray | None = None) -> Self:
        """Generate and write durably; never over a file that is already there."""
        key = cls.generate()
        create_key_file(path, key.private_pem(passphrase))
        return key

    @classmethod
    def load(cls, path: Path, passphrase: bytearray | None = None) -> Self:
        """Read a key file; errors as ``SigningKey.load``, and Refused where it does not say its use."""
        return cls(_load(path, passphrase, "encrypt"))

    def private_pem(self, passphrase: bytearray | None, *, form: pkcs8.Form = "gmssl") -> bytes:
        """What a key file holds."""
        return _private_pem(self._key, "encrypt", passphrase, form)

    def prove(self, request: bytes) -> bytes:
        """Sign a certificate request: the one signature such a key makes, to show that its owner has it."""
        return self._key.sign(request)

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext of 04 C1 C3 C2. Raises Refused where it is not for this key."""
        return sm2.decrypt(self._key, data)


def read_private(
    data: bytes, passphrase: bytearray | None, *, rounds_min: int = pkcs8.ROUNDS_MIN
) -> pkcs8.PrivateInfo:
    """A private key in any PEM form that is taken: PBES2, PKCS#8, SEC 1. Raises BadInput, Refused."""
    for label in _EC_PRIVATE:
        if f"-----BEGIN {label}-----".encode() in data:
            blocks = pem.decode_all(data, label)
            return pkcs8.PrivateInfo(pkcs8.read_sec1(blocks[0]), None)
    if f"-----BEGIN {_ENCRYPTED}-----".encode() not in data:
        return pkcs8.read(pem.decode_all(data, _PRIVATE)[0])
    if passphrase is None:
        raise BadInput(
            "key-encrypted",
            Words("私钥文件已加密,需要口令", "the key file is encrypted and needs its passphrase"),
            Words("请给出口令", "give the passphrase"),
            field="key",
        )
    return pkcs8.open_(pem.decode_all(data, _ENCRYPTED)[0], passphrase, rounds_min=rounds_min)


def is_encrypted(data: bytes) -> bool:
    """Whether a key file needs a passphrase."""
    return f"-----BEGIN {_ENCRYPTED}-----".encode() in data


def as_use(plain: bytes, use: pkcs8.Use) -> SigningKey | DecryptionKey:
    """A key just imported, bound to its use from now on."""
    key = Sm2PrivateKey.from_pkcs8(plain)
    return SigningKey(key) if use == "sign" else DecryptionKey(key)


def _load(path: Path, passphrase: bytearray | None, use: pkcs8.Use) -> Sm2PrivateKey:
    data = read_key_file(path)
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
    info = read_private(data, passphrase)
    if info.use != use and not (use == "sign" and info.use is None):
        raise Refused(
            "key-use",
            Words(
                "密钥的用途不符:签名与加密不共用密钥",
                "the key is not for this: signing and encrypting differ",
            ),
            Words("请给出该用途的密钥", "give the key made for it"),
            field=str(path),
        )
    return Sm2PrivateKey.from_pkcs8(info.plain)


def _private_pem(key: Sm2PrivateKey, use: pkcs8.Use, passphrase: bytearray | None, form: pkcs8.Form) -> bytes:
    info = pkcs8.with_use(key.pkcs8(), use)
    if passphrase is None:
        return pem.encode(info, _PRIVATE)
    return pem.encode(pkcs8.seal(info, passphrase, form=form), _ENCRYPTED)


def read_key_file(path: Path) -> bytes:
    """The bytes of a small file. Raises LiuheError."""
    try:
        with path.open("rb") as file:
            data = file.read(PEM_BYTES_MAX + 1)
    except OSError as error:
        raise LiuheError(
            "key-unreadable",
            Words(f"读不到密钥文件:{error.strerror}", f"cannot read the key file: {error.strerror}"),
            Words("请检查路径与权限", "check the path and the permissions"),
            field=str(path),
        ) from error
    if len(data) > PEM_BYTES_MAX:
        raise BadInput(
            "key-malformed",
            Words("密钥文件过大", "the key file is too large"),
            Words("请给出 PEM 密钥文件", "give a PEM key file"),
            field=str(path),
        )
    return data


def create_key_file(path: Path, data: bytes) -> None:
    """Write a new private file, 0600, in a folder made 0700. Raises Refused where something is there."""
    make_private_folder(path.parent)
    try:
        create_durably(path, data, 0o600)
    except FileExistsError:
        raise _exists(path) from None


def make_private_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, each for its owner alone."""
    for folder in (*reversed(path.parents), path):
        folder.mkdir(mode=0o700, exist_ok=True)


def create_durably(path: Path, data: bytes, mode: int) -> None:
    """Write a new file whole or not at all, and its directory entry. Raises FileExistsError."""
    partial = _write_beside(path, data, mode)
    try:
        os.link(partial, path)  # unlike a rename, it never replaces
    except PermissionError:  # a file system without links, such as that of a memory stick
        if path.exists():
            raise FileExistsError(path) from None
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    _sync_folder(path.parent)


def replace_durably(path: Path, data: bytes, mode: int) -> None:
    """Write a file anew, whole or not at all."""
    _write_beside(path, data, mode).replace(path)
    _sync_folder(path.parent)


def _write_beside(path: Path, data: bytes, mode: int) -> Path:
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    return partial


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _exists(path: Path) -> Refused:
    return Refused(
        "key-exists",
        Words("文件已存在,不予覆盖", "a file is already there and is not overwritten"),
        Words("请换一个路径,或先移走原文件", "choose another path or move the file away"),
        field=str(path),
    )
