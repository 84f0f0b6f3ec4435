"""A folder of named keys with their history: which key is current, which it replaced, what each is for.

    keys.json                 the register: id, name, use, created, replaced, replaced_by; written atomically
    <name>-<id>.key.pem       the private key, 0600
    <name>-<id>.pub.pem       its public half
    <name>-<id>.chain.pem     its certificate and those of its issuers, once there are some

Rotation makes a new key and marks the old one replaced; nothing is deleted, because what was encrypted to an
old key must still open. A key file without an entry is one whose making was cut short: it is never used.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from crypto import keys, pkcs8
from crypto.keys import DecryptionKey, EncryptionKey, PublicKey, SigningKey
from crypto.pkcs8 import Use
from crypto.words import BadInput, LiuheError, Refused, Words
from crypto.x509 import Certificate, read_certificates

NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
REGISTER: Final = "keys.json"
REGISTER_BYTES_MAX: Final = 4 * 1024 * 1024
_ID_CHARS: Final = 16  # of the key id, in file names
Key = TypeVar("Key", SigningKey, DecryptionKey)


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key of a folder."""

    id: str
    name: str
    use: Use
    created: datetime
    origin: str = "generated"
    """``generated`` here or ``imported``."""
    replaced: datetime | None = None
    replaced_by: str = ""


class _Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: int
    keys: tuple[KeyRecord, ...] = ()


class KeyFolder:
    """The keys in one folder; it is made 0700 where it is missing."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key ever, oldest first. Raises BadInput where the register is damaged."""
        register = self.path / REGISTER
        try:
            if register.stat().st_size > REGISTER_BYTES_MAX:
                raise _damaged(register, "too large")
            read = msgspec.json.decode(register.read_bytes(), type=_Register)
        except FileNotFoundError:
            return ()
        except msgspec.MsgspecError as error:
            raise _damaged(register, str(error)) from error
        if read.schema != 1:
            raise _damaged(register, f"schema {read.schema}")
        return read.keys

    def find(self, name: str) -> KeyRecord:
        """The current key of a name, or the key whose id begins so (8 digits or more). Raises Refused."""
        every = self.records()
        current = [one for one in every if one.name == name and not one.replaced_by]
        by_id = [one for one in every if len(name) >= 8 and one.id.startswith(name)]
        found = current or by_id
        if len(found) != 1:
            raise Refused(
                "key-unknown",
                Words("没有这个密钥", "there is no such key"),
                Words("用 liuhe keys show 查看", "see liuhe keys show"),
                field=name,
            )
        return found[0]

    def new(self, name: str, use: Use, passphrase: bytearray | None, now: datetime) -> KeyRecord:
        """Make the first key of a name. Raises Refused where the name has one."""
        return self._add(name, _generated(use), passphrase, now, origin="generated", rotate=False)

    def rotate(self, name: str, passphrase: bytearray | None, now: datetime) -> KeyRecord:
        """Make the next key of a name, for the same use; the one before stays for opening and verifying."""
        use = self.find(name).use
        return self._add(name, _generated(use), passphrase, now, origin="generated", rotate=True)

    def add(
        self, name: str, key: SigningKey | DecryptionKey, passphrase: bytearray | None, now: datetime
    ) -> KeyRecord:
        """Keep a key from elsewhere; where the name has a key of that use, this replaces it."""
        return self._add(name, key, passphrase, now, origin="imported", rotate=True)

    def private_path(self, record: KeyRecord) -> Path:
        """Where the private key lies."""
        return self.path / f"{record.name}-{record.id[:_ID_CHARS]}.key.pem"

    def public_path(self, record: KeyRecord) -> Path:
        """Where its public half lies."""
        return self.path / f"{record.name}-{record.id[:_ID_CHARS]}.pub.pem"

    def needs_passphrase(self, record: KeyRecord) -> bool:
        """Whether the private key is encrypted."""
        return keys.is_encrypted(keys.read_key_file(self.private_path(record)))

    def private_key(self, record: KeyRecord, passphrase: bytearray | None) -> SigningKey | DecryptionKey:
        """The private key of a record, whatever it is for: to write it elsewhere."""
        path = self.private_path(record)
        if record.use == "sign":
            return _same(SigningKey.load(path, passphrase), record)
        return _same(DecryptionKey.load(path, passphrase), record)

    def signing_key(self, name: str, passphrase: bytearray | None) -> SigningKey:
        """The current signing key of a name. Raises Refused where it is for encryption."""
        record = self.find(name)
        return _same(SigningKey.load(self.private_path(record), passphrase), record)

    def decryption_key(self, name: str, passphrase: bytearray | None) -> DecryptionKey:
        """The current decryption key of a name. Raises Refused where it is for signing."""
        record = self.find(name)
        return _same(DecryptionKey.load(self.private_path(record), passphrase), record)

    def decryption_keys(self, name: str, passphrase: bytearray | None) -> dict[str, DecryptionKey]:
        """Every decryption key the name ever had, by id, newest first: old packages must still open.

        All must have the same passphrase, or none.
        """
        records = [one for one in self.records() if one.name == name and one.use == "encrypt"]
        return {
            one.id: _same(DecryptionKey.load(self.private_path(one), passphrase), one)
            for one in reversed(records)
        }

    def public(self, record: KeyRecord) -> PublicKey | EncryptionKey:
        """The public half."""
        kind = PublicKey if record.use == "sign" else EncryptionKey
        return kind.load(self.public_path(record))

    def keep_chain(self, certificates: Sequence[Certificate]) -> KeyRecord:
        """Keep the certificates of one of the keys here, leaf first in the file. Raises Refused.

        They are not verified: that is the receiver's duty, with roots of its own.
        """
        by_key = {one.id: one for one in self.records()}
        leaves = [one for one in certificates if one.key_id in by_key]
        if len(leaves) != 1:
            raise Refused(
                "key-certificate",
                Words("这些证书不恰好对应此处的一个密钥", "not the certificate of exactly one key in here"),
                Words(
                    "请给出该密钥的证书及其签发机构证书", "give the certificate of one key and its issuers"
                ),
                field=str(self.path),
            )
        record = by_key[leaves[0].key_id]
        ordered = [leaves[0], *(one for one in certificates if one is not leaves[0])]
        with self._locked():
            data = b"".join(one.pem() for one in ordered)
            keys.replace_durably(self.chain_path(record), data, 0o644)
        return record

    def chain(self, record: KeyRecord) -> tuple[Certificate, ...]:
        """The certificates kept for a key, leaf first; none where there are none."""
        try:
            return tuple(read_certificates(self.chain_path(record).read_bytes()))
        except FileNotFoundError:
            return ()

    def chain_path(self, record: KeyRecord) -> Path:
        """Where the certificates of a key lie."""
        return self.path / f"{record.name}-{record.id[:_ID_CHARS]}.chain.pem"

    def _add(
        self,
        name: str,
        key: SigningKey | DecryptionKey,
        passphrase: bytearray | None,
        now: datetime,
        *,
        origin: str,
        rotate: bool,
    ) -> KeyRecord:
        if not NAME.fullmatch(name):
            raise BadInput(
                "key-name",
                Words("密钥名不合格式", "a malformed key name"),
                Words("用小写字母、数字与连字符,至多 63 个", "lower case, digits and hyphens, at most 63"),
                field=name,
            )
        use: Use = "sign" if isinstance(key, SigningKey) else "encrypt"
        record = KeyRecord(id=key.public.key_id, name=name, use=use, created=now, origin=origin)
        with self._locked():
            every = list(self.records())
            before = [at for at, one in enumerate(every) if one.name == name and not one.replaced_by]
            if any(one.id == record.id for one in every):
                raise _taken(name, "这个密钥已在其中", "this very key is there already")
            if before and (not rotate or every[before[0]].use != use):
                raise _taken(name, "该名称已有密钥", "the name has a key")
            for at in before:
                every[at] = msgspec.structs.replace(every[at], replaced=now, replaced_by=record.id)
            keys.create_key_file(self.private_path(record), key.private_pem(passphrase))
            key.public.save(self.public_path(record))
            register = msgspec.json.encode(_Register(schema=1, keys=(*every, record)))
            keys.replace_durably(self.path / REGISTER, msgspec.json.format(register) + b"\n", 0o600)
        return record

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time."""
        keys.make_private_folder(self.path)
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _generated(use: Use) -> SigningKey | DecryptionKey:
    return SigningKey.generate() if use == "sign" else DecryptionKey.generate()


def _same(key: Key, record: KeyRecord) -> Key:
    """The key, if it is the one the register names."""
    if key.public.key_id != record.id:
        raise LiuheError(
            "key-swapped",
            Words("密钥文件与登记的不是同一个密钥", "the key file holds another key than registered"),
            Words("请从备份恢复密钥目录", "restore the key folder from a backup"),
            field=record.name,
        )
    return key


def imported(data: bytes, passphrase: bytearray | None, use: Use) -> SigningKey | DecryptionKey:
    """A key of another program for ``KeyFolder.add``. Raises BadInput, Refused.

    Weaker encryption than ours is read here, and only here, since the key is encrypted anew. Where the file
    says what the key is for, that stands.
    """
    info = keys.read_private(data, passphrase, rounds_min=pkcs8.ROUNDS_IMPORT_MIN)
    if info.use not in (None, use):
        raise Refused(
            "key-use",
            Words(
                "密钥的用途不符:签名与加密不共用密钥",
                "the key is not for this: signing and encrypting differ",
            ),
            Words("请按其本来的用途导入", "import it for what it was made"),
        )
    return keys.as_use(info.plain, use)


def _taken(name: str, zh: str, en: str) -> Refused:
    return Refused(
        "key-taken",
        Words(zh, en),
        Words("更换密钥用 liuhe keys rotate,或另取名称", "use liuhe keys rotate, or another name"),
        field=name,
    )


def _damaged(path: Path, reason: str) -> BadInput:
    return BadInput(
        "key-register",
        Words(f"密钥登记文件已损坏:{reason}", f"the register of keys is damaged: {reason}"),
        Words("请从备份恢复", "restore it from a backup"),
        field=str(path),
    )
