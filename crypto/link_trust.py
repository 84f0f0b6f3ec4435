"""By what one end of a link judges the other: a folder of trust that is read again when its files change.

The sensor's lies in ``keys/trust``, the center's in ``keys/authority/trust``. Revocation is ``known``: every
list that is here is honoured, and the center sends its newest lists over the link itself.
"""

import threading
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from crypto.chain import TrustStore
from crypto.crl import read_crls
from crypto.trust_files import TrustFolder
from crypto.words import LiuheError, Refused, Words
from crypto.x509 import Certificate, read_certificates

_PARTS: Final = ("roots", "issuers", "crls")
_CRL_HEAD: Final = b"-----BEGIN X509 CRL-----"


class LinkTrust:
    """The roots, issuers and lists of one end; safe from any thread."""

    def __init__(self, path: Path) -> None:
        self.folder: Final = TrustFolder(path, revocation="known")
        self._lock: Final = threading.Lock()
        self._seen: tuple[tuple[str, int, int], ...] | None = None
        self._store: TrustStore

    def store(self) -> TrustStore:
        """The verifier over what lies there now; the same object while no file has changed.

        Raises LiuheError (link-trust-absent), BadInput where a file is damaged.
        """
        with self._lock:
            seen = tuple(self._files())
            if seen != self._seen:
                store = self.folder.store(revocation="known")
                if not store.roots:
                    raise LiuheError(
                        "link-trust-absent",
                        Words("没有受信任的根证书", "there is no root to trust"),
                        Words("请重新注册传感器,或恢复 keys 目录", "enrol again, or restore the keys folder"),
                        field=str(self.folder.path),
                    )
                self._store, self._seen = store, seen
            return self._store

    def pin(self, bundle: bytes, root_sm3: str, at: datetime) -> None:
        """Trust the root of this fingerprint out of a bundle, with the issuers and lists below it.

        Raises Refused where no root of that fingerprint is in it, BadInput where it is malformed.
        """
        certificates = read_certificates(bundle)
        root = next((one for one in certificates if one.fingerprint == root_sm3), None)
        if root is None:
            raise Refused(
                "root-fingerprint",
                Words("根证书的指纹与所给的不一致", "the root has another fingerprint than was given"),
                Words("请向省级中心核对指纹", "ask the province for the fingerprint"),
                field=root_sm3,
            )
        self.folder.add_root(root, root_sm3, at)
        self.add_issuers((one for one in certificates if not one.self_issued), at)
        if _CRL_HEAD in bundle:
            self.take_lists(bundle)

    def add_issuers(self, issuers: Iterable[Certificate], at: datetime) -> None:
        """Keep the issuers that one of the roots certified; those of other roots are left out."""
        for one in issuers:
            with suppress(Refused):
                self.folder.add_issuer(one, at)

    def take_lists(self, pem: bytes) -> int:
        """Keep the revocation lists that are newer than those here; how many were.

        Lists of strangers and older lists are left out. Raises BadInput where they are malformed.
        """
        here = {crl.der for crl in self.folder.contents().crls}
        taken = 0
        for crl in read_crls(pem):
            if crl.der in here:
                continue
            with suppress(Refused):
                self.folder.add_crl(crl)
                taken += 1
        return taken

    def _files(self) -> list[tuple[str, int, int]]:
        found = []
        for part in _PARTS:
            for path in sorted((self.folder.path / part).glob("*.pem")):
                with suppress(FileNotFoundError):
                    seen = path.stat()
                    found.append((f"{part}/{path.name}", seen.st_mtime_ns, seen.st_ino))
        return found
