"""The folder of a certificate authority: its key, its certificate, what it issued and revoked.

    keys/             the authority's key (``crypto.key_files``, name ``authority``)
    authority.pem     its certificate; for an issuer it arrives later, by ``install``
    register.json     every certificate issued, revocations, the number of the last CRL
    issued/<serial>.pem, crl.pem

The register is written before anything signed leaves, so that nothing exists that it does not know.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from crypto import keys, profile, x509_issue
from crypto.crl import NEXT_UPDATE_MAX, Crl, Reason, Revoked, make_crl
from crypto.key_files import KeyFolder
from crypto.profile import PROFILES, Kind, kind_of
from crypto.words import BadInput, LiuheError, Refused, Words
from crypto.x509 import Certificate, Request, read_certificates
from crypto.x509_issue import Subject

KEY_NAME: Final = "authority"
REGISTER_BYTES_MAX: Final = 64 * 1024 * 1024
KEPT_ON_CRL: Final = timedelta(days=31)  # after the end of a revoked certificate


class Issued(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One certificate that was issued."""

    serial: str
    """Lower-case hex."""
    kind: Kind
    subject: str
    identity: str
    key_id: str
    issued: datetime
    ends: datetime
    revoked: datetime | None = None
    reason: Reason = "unspecified"


class _Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: int = 1
    crl_number: int = 0
    issued: tuple[Issued, ...] = ()


class AuthorityFolder:
    """A certificate authority in one folder."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self.keys: Final = KeyFolder(path / "keys")

    def create_root(
        self, subject: Subject, passphrase: bytearray | None, now: datetime, days: int
    ) -> Certificate:
        """Make the key and the certificate of a province. Raises Refused where the folder has a key."""
        subject.name()  # refuses a bad name before there is a key
        profile.check_days("root", days)
        self.keys.new(KEY_NAME, "sign", passphrase, now)
        key = self.keys.signing_key(KEY_NAME, passphrase)
        root = x509_issue.issue_root(key, subject, serial=x509_issue.new_serial(), now=now, days=days)
        self._write("authority.pem", root.pem())
        return root

    def install(self, certificate: Certificate) -> None:
        """Take the certificate that the root issued for the key in here. Raises Refused where it is not."""
        if certificate.key_id != self.keys.find(KEY_NAME).id:
            raise _not_ours("证书的公钥不是本机构的", "the certificate is for another key")
        if kind_of(certificate) not in ("root", "issuer"):
            raise _not_ours("不是签发机构的证书", "not the certificate of an authority")
        self._write("authority.pem", certificate.pem())

    def certificate(self) -> Certificate:
        """The authority's own certificate. Raises LiuheError where there is none yet."""
        try:
            return read_certificates((self.path / "authority.pem").read_bytes())[0]
        except FileNotFoundError as error:
            raise LiuheError(
                "authority-absent",
                Words("目录中没有签发机构的证书", "there is no certificate of an authority in this folder"),
                Words(
                    "先 liuhe cert root,或 liuhe cert install",
                    "first liuhe cert root, or liuhe cert install",
                ),
                field=str(self.path),
            ) from error

    def issued(self) -> tuple[Issued, ...]:
        """Everything issued, oldest first."""
        return self._register().issued

    def issue(
        self,
        kind: Kind,
        request: Request,
        subject: Subject,
        passphrase: bytearray | None,
        *,
        now: datetime,
        days: int,
    ) -> Certificate:
        """A certificate for the key that signed a request; ``subject`` is the issuer's word.

        Raises Refused where the key has a certificate for the other use: signing and encrypting differ.
        """
        x509_issue.verify_request(request)
        key = self.keys.signing_key(KEY_NAME, passphrase)
        with self._locked():
            register = self._register()
            certificate = x509_issue.issue(
                kind,
                subject,
                request.spki,
                issuer=self.certificate(),
                key=key,
                serial=x509_issue.new_serial(),
                now=now,
                days=days,
            )
            for one in register.issued:
                if one.key_id == certificate.key_id and PROFILES[one.kind].use != PROFILES[kind].use:
                    raise _not_ours("该公钥已有另一用途的证书", "the key has a certificate for the other use")
            entry = Issued(
                serial=f"{certificate.serial:x}",
                kind=kind,
                subject=str(certificate.subject),
                identity=str(certificate.identity) if certificate.identity.id else "",
                key_id=certificate.key_id,
                issued=now,
                ends=certificate.not_after,
            )
            self._save(msgspec.structs.replace(register, issued=(*register.issued, entry)))
            folder = self.path / "issued"
            folder.mkdir(mode=0o700, exist_ok=True)
            keys.create_durably(folder / f"{entry.serial}.pem", certificate.pem(), 0o644)
        return certificate

    def revoke(self, serial: str, reason: Reason, now: datetime) -> Issued:
        """Mark a certificate revoked; the next CRL says so. Raises Refused where it is unknown or was."""
        wanted = serial.lower().replace(":", "").removeprefix("0x").lstrip("0")
        with self._locked():
            register = self._register()
            every = list(register.issued)
            found = next((at for at, one in enumerate(every) if one.serial == wanted), None)
            if found is None or every[found].revoked is not None:
                raise Refused(
                    "serial-unknown",
                    Words("没有这个序列号的有效证书", "no certificate of this serial is in force here"),
                    Words("用 liuhe cert show 查看序列号", "see the serial with liuhe cert show"),
                    field=serial,
                )
            every[found] = msgspec.structs.replace(every[found], revoked=now, reason=reason)
            self._save(msgspec.structs.replace(register, issued=tuple(every)))
        return every[found]

    def make_crl(
        self, passphrase: bytearray | None, *, now: datetime, lasts: timedelta = NEXT_UPDATE_MAX
    ) -> Crl:
        """The next revocation list, also written to ``crl.pem``."""
        key = self.keys.signing_key(KEY_NAME, passphrase)
        with self._locked():
            register = self._register()
            number = register.crl_number + 1
            entries = [
                Revoked(int(one.serial, 16), one.revoked, one.reason)
                for one in register.issued
                if one.revoked is not None and now <= one.ends + KEPT_ON_CRL
            ]
            crl = make_crl(self.certificate(), key, entries, number=number, now=now, lasts=lasts)
            self._save(msgspec.structs.replace(register, crl_number=number))
            self._write("crl.pem", crl.pem())
        return crl

    def _register(self) -> _Register:
        path = self.path / "register.json"
        try:
            with path.open("rb") as file:
                read = msgspec.json.decode(file.read(REGISTER_BYTES_MAX), type=_Register)
        except FileNotFoundError:
            return _Register()
        except msgspec.MsgspecError as error:
            raise BadInput(
                "authority-register",
                Words(f"签发登记已损坏:{error}", f"the register of certificates is damaged: {error}"),
                Words("请从备份恢复", "restore it from a backup"),
                field=str(path),
            ) from error
        return read

    def _save(self, register: _Register) -> None:
        data = msgspec.json.format(msgspec.json.encode(register)) + b"\n"
        keys.replace_durably(self.path / "register.json", data, 0o600)

    def _write(self, name: str, data: bytes) -> None:
        keys.make_private_folder(self.path)
        keys.replace_durably(self.path / name, data, 0o644)

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


def _not_ours(zh: str, en: str) -> Refused:
    return Refused(
        "issue-refused",
        Words(f"不予签发:{zh}", f"not issued: {en}"),
        Words("请核对签发机构与申请", "check the authority and the request"),
    )
