"""The folder of what is trusted: roots, issuers and the newest revocation list of each.

    roots/<fingerprint>.pem    put there by a person who compared the fingerprint
    issuers/<fingerprint>.pem  certificates of issuers, each below one of the roots
    crls/<issuer key>.pem      one list per issuer; an older one never replaces a newer

Fingerprints are SM3 of the DER; the first 16 digits name a file.
"""

from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from crypto import keys
from crypto.chain import Revocation, TrustStore, flaws
from crypto.crl import CRL_BYTES_MAX, Crl, read_crls, verify_crl
from crypto.sm2 import DEFAULT_ID
from crypto.words import LiuheError, Refused, Words
from crypto.x509 import Certificate, read_certificates, verify_signature

FILES_MAX: Final = 1_024
_NAME_CHARS: Final = 16


class Contents(NamedTuple):
    """Everything in the folder."""

    roots: tuple[Certificate, ...]
    issuers: tuple[Certificate, ...]
    crls: tuple[Crl, ...]


class TrustFolder:
    """What is trusted, in one folder."""

    def __init__(self, path: Path, *, revocation: Revocation = "required") -> None:
        """``revocation`` is for those who judge certificates of issuers by what is here."""
        self.path: Final = path
        self._revocation: Final = revocation

    def contents(self) -> Contents:
        """All of it. Raises BadInput where a file is damaged."""
        roots = [one for data in self._files("roots") for one in read_certificates(data)]
        issuers = [one for data in self._files("issuers") for one in read_certificates(data)]
        crls = [one for data in self._files("crls") for one in read_crls(data)]
        return Contents(tuple(roots), tuple(issuers), tuple(crls))

    def store(self, *, revocation: Revocation = "required") -> TrustStore:
        """The verifier over all of it."""
        roots, issuers, crls = self.contents()
        return TrustStore(roots, intermediates=issuers, crls=crls, revocation=revocation)

    def add_root(self, root: Certificate, fingerprint: str, at: datetime) -> None:
        """Trust a root; ``fingerprint`` is what a person was told by another way, else Refused."""
        if fingerprint.replace(":", "").replace(" ", "").lower() != root.fingerprint:
            raise Refused(
                "root-fingerprint",
                Words("根证书的指纹与所给的不一致", "the root has another fingerprint than was given"),
                Words("请向省级中心核对指纹", "ask the province for the fingerprint"),
                field=root.fingerprint,
            )
        TrustStore((root,))  # refuses what is no root
        for flaw in flaws(root, at):
            raise flaw
        verify_signature(root.public_key(), root.tbs, root.algorithm, root.signature, user_id=DEFAULT_ID)
        self._put("roots", root.fingerprint, root.pem())

    def add_issuer(self, issuer: Certificate, at: datetime) -> None:
        """Keep the certificate of an issuer that one of the roots issued. Raises Refused."""
        roots, issuers, crls = self.contents()
        store = TrustStore(roots, intermediates=issuers, crls=crls, revocation=self._revocation)
        store.verify_issuer(issuer, at=at)
        self._put("issuers", issuer.fingerprint, issuer.pem())

    def add_crl(self, crl: Crl) -> Certificate:
        """Keep a list of one of the authorities here, say whose. Raises Refused where a newer one is here."""
        roots, issuers, crls = self.contents()
        for issuer in (*roots, *issuers):
            try:
                verify_crl(crl, issuer)
            except Refused:
                continue
            kept = [one for one in crls if one.issuer.der == crl.issuer.der and _is_by(one, issuer)]
            if any(one.number > crl.number for one in kept):
                raise Refused(
                    "crl-rollback",
                    Words("已有更新的吊销列表", "a newer revocation list is here already"),
                    Words("请取得最新的吊销列表", "get the latest list"),
                    field=str(crl.number),
                )
            self._put("crls", issuer.key_id, crl.pem())
            return issuer
        raise Refused(
            "crl-issuer",
            Words("吊销列表不是受信任机构签发的", "the CRL is by none of the trusted authorities"),
            Words("先加入其签发机构的证书", "first add the certificate of its issuer"),
        )

    def _files(self, kind: str) -> list[bytes]:
        paths = sorted((self.path / kind).glob("*.pem"))[:FILES_MAX]
        return [read_file(path) for path in paths]

    def _put(self, kind: str, name: str, data: bytes) -> None:
        folder = self.path / kind
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        keys.replace_durably(folder / f"{name[:_NAME_CHARS]}.pem", data, 0o644)


def _is_by(crl: Crl, issuer: Certificate) -> bool:
    try:
        verify_crl(crl, issuer)
    except Refused:
        return False
    return True


def read_file(path: Path) -> bytes:
    """The bytes of a certificate, request or list. Raises LiuheError."""
    try:
        with path.open("rb") as file:
            data = file.read(2 * CRL_BYTES_MAX + 1)
    except OSError as error:
        raise LiuheError(
            "certificate-unreadable",
            Words(f"文件读不出:{error.strerror}", f"the file cannot be read: {error.strerror}"),
            Words("请检查路径与权限", "check the path and the permissions"),
            field=str(path),
        ) from error
    return data[: 2 * CRL_BYTES_MAX]


def fingerprint_words(digest: str) -> str:
    """A fingerprint in groups of four, as people compare it."""
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))
