"""The authority of a center's links: it certifies the center itself and its sensors, and says who is revoked.

    authority/             an AuthorityFolder: the issuer with its key, its register and its crl.pem
    authority/root/        an AuthorityFolder: the root of a small center, which made its own
    authority/trust/       the roots, issuers and lists by which the center judges its peers
    link.pem               a LinkIdentity: key and certificates of the center's end of every link

A center below a province has the very key of its issuer certified there (``liuhe cert request``, ``install``
and ``trust``): what was issued before then stands under both roots.
"""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from crypto import x509_issue
from crypto.authority_files import KEY_NAME, AuthorityFolder
from crypto.chain import TrustStore
from crypto.crl import Reason, read_crls
from crypto.keys import SigningKey
from crypto.link_identity import LinkIdentity
from crypto.link_trust import LinkTrust
from crypto.profile import PROFILES, Kind
from crypto.words import BadInput, LiuheError, Refused, Words
from crypto.x509 import Certificate, read_request
from crypto.x509_issue import Subject, request_der

SENSOR_DAYS: Final = PROFILES["sensor"].days_max
LINK_DAYS: Final = PROFILES["center-link"].days_max
LIST_EVERY: Final = timedelta(hours=12)  # a list lasts seven days
REQUEST_BYTES_MAX: Final = 16_384
CHAIN_MAX: Final = 4  # certificates sent along with a leaf


class LinkAuthority:
    """The authority in a center's folder of keys. Blocking calls, safe from any thread and process."""

    def __init__(self, keys: Path, *, folder: Path | None = None) -> None:
        """``folder``: of an authority that lies elsewhere than in ``authority/``."""
        at = folder or keys / "authority"
        self.folder: Final = AuthorityFolder(at)
        self.root_folder: Final = AuthorityFolder(at / "root")
        self.trust: Final = LinkTrust(at / "trust")
        self.identity_path: Final = keys / "link.pem"

    def create(self, center: str, now: datetime) -> None:
        """Make root, issuer, lists and the center's own identity; whatever is there already stays."""
        self.establish(center, now)
        if not self.identity_path.exists():
            self.renew_identity(center, now)

    def establish(self, name: str, now: datetime) -> None:
        """Make the authority alone; whatever is there already stays."""
        if not _has_certificate(self.folder):
            self._create_issuer(name, now)
        self._trust_own(now)
        self.refresh_lists(now)

    def identity(self) -> LinkIdentity:
        """The center's end of its links. Raises LiuheError where it cannot be read."""
        return LinkIdentity.load(self.identity_path)

    def renew_identity(self, center: str, now: datetime) -> LinkIdentity:
        """A new key and certificate of the center, in place at once; the certificate before stays good."""
        key = SigningKey.generate()
        request = request_der(key, "center-link", Subject(common_name=center, id=center))
        chain = self._issue("center-link", request, Subject(common_name=center, id=center), now, LINK_DAYS)
        made = LinkIdentity(key=key, chain=chain)
        made.save(self.identity_path)
        return made

    def issue_sensor(
        self, request: bytes, *, sensor: str, unit: str, now: datetime, days: int = SENSOR_DAYS
    ) -> tuple[Certificate, ...]:
        """The chain, leaf first, for the key of a request (PEM); its wishes for names are ignored.

        Raises BadInput (certificate-malformed, certificate-profile), Refused where its key did not sign it.
        """
        subject = Subject(common_name=sensor, id=sensor, unit=unit)
        return self._issue("sensor", request, subject, now, days)

    def issue_center(self, request: bytes, *, center: str, now: datetime) -> tuple[Certificate, ...]:
        """The same for another center: its end of transfers between centers of this authority."""
        subject = Subject(common_name=center, id=center)
        return self._issue("center-link", request, subject, now, LINK_DAYS)

    def issue_signer(self, request: bytes, *, center: str, now: datetime) -> tuple[Certificate, ...]:
        """The same for the key by which this center signs what it sends to sensors."""
        subject = Subject(common_name=center, id=center)
        return self._issue("center-sign", request, subject, now, PROFILES["center-sign"].days_max)

    def revoke(self, serial: str, now: datetime, *, reason: Reason = "unspecified") -> None:
        """Revoke and publish at once. Raises Refused (serial-unknown)."""
        self.folder.revoke(serial, reason, now)
        self.refresh_lists(now, force=True)

    def refresh_lists(self, now: datetime, *, force: bool = False) -> None:
        """Make the lists of the authorities here anew where they are old or lack a revocation."""
        for folder in (self.root_folder, self.folder):
            if not _has_certificate(folder) or not _has_key(folder):
                continue  # a root whose key was taken away, for safety: its owner brings the list
            if force or self._list_is_old(folder, now):
                made = folder.make_crl(None, now=now)
                try:
                    self.trust.folder.add_crl(made)
                except Refused as error:
                    if error.code != "crl-rollback":  # another process made a newer one meanwhile
                        raise

    def store(self) -> TrustStore:
        """By what peers are judged."""
        return self.trust.store()

    def root(self) -> Certificate:
        """The root that sensors pin. Raises LiuheError."""
        issuer = self.folder.certificate()
        roots, _, _ = self.trust.folder.contents()
        for root in roots:
            if root.subject.der == issuer.issuer.der:
                return root
        raise LiuheError(
            "link-trust-absent",
            Words(
                "信任目录中没有本机构之上的根证书", "the root above this authority is not in its trust folder"
            ),
            Words("请用 liuhe cert trust 加入", "add it with liuhe cert trust"),
            field=str(self.trust.folder.path),
        )

    def bundle(self) -> bytes:
        """What a sensor needs to judge this center: the root that it pins, and the issuers. PEM."""
        return b"".join(one.pem() for one in (self.root(), *self._above()))

    def lists(self) -> bytes:
        """The newest revocation lists, PEM."""
        return b"".join(crl.pem() for crl in self.trust.folder.contents().crls)

    def _create_issuer(self, center: str, now: datetime) -> None:
        if not _has_certificate(self.root_folder):
            if self.root_folder.keys.records():
                shutil.rmtree(self.root_folder.path)  # an attempt that died before it had certified anything
            name = Subject(common_name=f"Liuhe Root {center}"[: x509_issue.NAME_CHARS_MAX])
            self.root_folder.create_root(name, None, now, PROFILES["root"].days_max)
        if not self.folder.keys.records():
            self.folder.keys.new(KEY_NAME, "sign", None, now)
        subject = Subject(common_name=f"Liuhe Authority {center}"[: x509_issue.NAME_CHARS_MAX])
        request = read_request(request_der(self.folder.keys.signing_key(KEY_NAME, None), "issuer", subject))
        days = PROFILES["issuer"].days_max
        self.folder.install(self.root_folder.issue("issuer", request, subject, None, now=now, days=days))

    def _trust_own(self, now: datetime) -> None:
        if _has_certificate(self.root_folder):
            root = self.root_folder.certificate()
            self.trust.folder.add_root(root, root.fingerprint, now)
        self.trust.add_issuers((self.folder.certificate(),), now)

    def _above(self) -> tuple[Certificate, ...]:
        """The certificates of the issuing key, the present one first: a province's, and the own root's."""
        own = self.folder.certificate()
        others = [
            one
            for one in self.trust.folder.contents().issuers
            if one.spki == own.spki and one.subject.der == own.subject.der and one.der != own.der
        ]
        return (own, *others)[:CHAIN_MAX]

    def _issue(
        self, kind: Kind, request: bytes, subject: Subject, now: datetime, days: int
    ) -> tuple[Certificate, ...]:
        if len(request) > REQUEST_BYTES_MAX:
            raise _bad_request("too long")
        zones = self.folder.certificate().extensions.named("zone")
        named = Subject(
            common_name=subject.common_name,
            id=subject.id,
            unit=subject.unit,
            zone=zones[0] if zones else "",
        )
        leaf = self.folder.issue(kind, read_request(request), named, None, now=now, days=days)
        return (leaf, *self._above())

    def _list_is_old(self, folder: AuthorityFolder, now: datetime) -> bool:
        try:
            crl = read_crls((folder.path / "crl.pem").read_bytes())[0]
        except FileNotFoundError:
            return True
        known = {one.der for one in self.trust.store().crls}
        if crl.der not in known or not timedelta(0) <= now - crl.this_update < LIST_EVERY:
            return True
        return any(
            one.revoked is not None and now <= one.ends and int(one.serial, 16) not in crl.revoked
            for one in folder.issued()
        )


def _has_certificate(folder: AuthorityFolder) -> bool:
    return (folder.path / "authority.pem").exists()


def _has_key(folder: AuthorityFolder) -> bool:
    return any(folder.keys.private_path(one).exists() for one in folder.keys.records())


def _bad_request(reason: str) -> BadInput:
    return BadInput(
        "certificate-malformed",
        Words(f"证书或证书请求不可用:{reason}", f"unusable certificate or request: {reason}"),
        Words("请重新生成密钥并重新注册", "make a new key and enrol again"),
    )
