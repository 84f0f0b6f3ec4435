"""Trust in signers by their certificates: what a package's signatures carry, held against a trust store.

    trust = CertifiedKeys(store, {"author": {"person"}, "approver": {"person"}}, at=now)
    package.open_(..., trust=trust)             asks ``public_key`` once for each signature
    trust.signers["author"].identity            who it was, for dual control and for the record

``recipient`` is the other direction: the key of a certificate that may be encrypted to. ``CertifiedSigner``
is a key with the chain that its signatures carry, ``signer_of`` takes both from a folder of keys.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from crypto.chain import CERTIFICATES_MAX, TrustStore, Verified
from crypto.key_files import KeyFolder
from crypto.keys import EncryptionKey, PublicKey
from crypto.profile import Kind
from crypto.words import Refused, Words
from crypto.x509 import Certificate

CHAIN_BYTES_MAX: Final = 8 * 1024  # as it travels, half of the largest receipt


class Signed(Protocol):
    """What is needed of a signature: ``crypto.package_format.Signature`` has it."""

    @property
    def role(self) -> str:
        """What the signer signed as."""
        ...

    @property
    def key_id(self) -> str:
        """The key that the signature names."""
        ...

    @property
    def certificates(self) -> Sequence[bytes]:
        """The chain in DER, leaf first."""
        ...


class Signs(Protocol):
    """A key that signs: ``crypto.keys.SigningKey``, or one inside a cipher machine."""

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r then s."""
        ...


class CertifiedSigner:
    """A key that signs, and the certificates to send along with what it signed."""

    def __init__(self, key: Signs, certificates: Sequence[Certificate]) -> None:
        """``certificates`` leaf first; roots are left out, since the other end believes only its own.

        Raises Refused where they are too many or too large to travel with every signature and receipt.
        """
        self._key: Final = key
        self.certificates: Final = tuple(one.der for one in certificates if not one.self_issued)
        if len(self.certificates) > CERTIFICATES_MAX or sum(map(len, self.certificates)) > CHAIN_BYTES_MAX:
            raise Refused(
                "key-certificate",
                Words("密钥所附证书过多或过大", "the key's certificates are too many or too large"),
                Words(
                    "请给出该密钥的证书及其签发机构证书", "give the certificate of one key and its issuers"
                ),
            )

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return self._key.public

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r then s."""
        return self._key.sign(data)


def signer_of(folder: KeyFolder, name: str, passphrase: bytearray | None) -> CertifiedSigner:
    """The current signing key of a name with the chain kept for it, if there is one. Raises Refused."""
    key = folder.signing_key(name, passphrase)
    return CertifiedSigner(key, folder.chain(folder.find(name)))


def certificates_of(signer: Signs) -> tuple[bytes, ...]:
    """What is sent along with this signer's signatures, in DER, leaf first."""
    return signer.certificates if isinstance(signer, CertifiedSigner) else ()


class CertifiedKeys:
    """Whose signature counts for which role: anybody of the right kind with a chain that holds."""

    def __init__(self, store: TrustStore, roles: Mapping[str, Collection[Kind]], *, at: datetime) -> None:
        self._store: Final = store
        self._roles: Final = dict(roles)
        self._at: Final = at
        self.signers: Final[dict[str, Verified]] = {}

    def public_key(self, signature: Signed, manifest: object) -> PublicKey:  # noqa: ARG002
        """The key of a signature's certificate. Raises Refused."""
        kinds = self._roles.get(signature.role)
        if kinds is None:
            raise _refused(
                "signer-role", f"不认可的签名角色 {signature.role}", f"{signature.role} is no role here"
            )
        held = self._store.verify_der(signature.certificates, at=self._at, usage="sign", kinds=kinds)
        if held.leaf.key_id != signature.key_id:
            raise _refused("signer-key", "签名所指密钥与证书不符", "the certificate is for another key")
        self.signers[signature.role] = held
        return held.key


def recipient(
    certificate: Certificate, store: TrustStore, *, at: datetime, extra: Sequence[Certificate] = ()
) -> EncryptionKey:
    """The key of a center to encrypt to, its certificate verified. Raises Refused."""
    held = store.verify(certificate, at=at, usage="encrypt", kinds={"center-encrypt"}, extra=extra)
    return held.encryption_key


def _refused(code: str, zh: str, en: str) -> Refused:
    return Refused(
        code,
        Words(f"不可信的签名者:{zh}", f"the signer is not trusted: {en}"),
        Words("请核对签名者的证书", "check the certificate of the signer"),
    )
