"""Who one end of a link is: its SM2 signing key and its certificates, in one file of mode 0600.

The file is PEM: the private key, then the certificate, then those of its issuers. Key and certificate are
replaced together by one rename, so that a renewal that dies midway leaves the old pair or the new one.
"""

from dataclasses import dataclass
from pathlib import Path

from crypto import keys
from crypto.keys import SigningKey
from crypto.words import BadInput, Refused, Words
from crypto.x509 import Certificate, read_certificates


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkIdentity:
    """A signing key with the chain of its certificate, leaf first, the root left out."""

    key: SigningKey
    chain: tuple[Certificate, ...]

    def __post_init__(self) -> None:
        if not self.chain or self.chain[0].key_id != self.key.public.key_id:
            raise Refused(
                "link-identity",
                Words("证书与私钥不是一对", "certificate and private key are no pair"),
                Words("请重新注册或恢复 keys 目录", "enrol again or restore the keys folder"),
            )

    @property
    def certificate(self) -> Certificate:
        """The certificate itself."""
        return self.chain[0]

    @staticmethod
    def load(path: Path) -> "LinkIdentity":
        """Read the file. Raises LiuheError (key-unreadable, key-exposed, link-identity), BadInput."""
        key = SigningKey.load(path)
        return LinkIdentity(key=key, chain=tuple(read_certificates(keys.read_key_file(path))))

    def save(self, path: Path) -> None:
        """Write the file durably, over the one that is there."""
        keys.make_private_folder(path.parent)
        data = self.key.private_pem(None) + b"".join(one.pem() for one in self.chain)
        if len(data) > keys.PEM_BYTES_MAX:
            raise _too_long(path)
        keys.replace_durably(path, data, 0o600)


def _too_long(path: Path) -> BadInput:
    return BadInput(
        "link-identity",
        Words("证书链过长", "the chain of certificates is too long"),
        Words("请核对签发机构的证书", "check the certificates of the issuers"),
        field=str(path),
    )
