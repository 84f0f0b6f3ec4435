"""The structures of GB/T 35275-2017 (messages signed and enveloped with SM2) and the limits on reading them.

They are those of PKCS #7 1.5 with object identifiers of their own: recipients and signers are named by
issuer and serial number, the version is 1, a signature's OCTET STRING holds the DER of r and s.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, NamedTuple

from asn1crypto import core, x509

from crypto import asn1
from crypto.words import BadInput, Refused, Words

CONTENT_BYTES_MAX: Final = 64 * 1024 * 1024
# Around the content: certificates, recipients and signatures; each is bounded below.
MESSAGE_BYTES_MAX: Final = CONTENT_BYTES_MAX + 4 * 1024 * 1024
ENVELOPED_BYTES_MAX: Final = CONTENT_BYTES_MAX + 2 * 1024 * 1024  # a signed message of the longest content
CERTIFICATE_BYTES_MAX: Final = 64 * 1024
CERTIFICATES_MAX: Final = 32
SIGNERS_MAX: Final = 16
RECIPIENTS_MAX: Final = 64
VERSION: Final = 1

SIGNATURE_OIDS: Final = frozenset((asn1.SM2_SIGN, asn1.SM2_WITH_SM3))
WRAPPING_OIDS: Final = frozenset((asn1.SM2_CURVE, asn1.SM2_SIGN, asn1.SM2_EXCHANGE, asn1.SM2_ENCRYPT))
SM4_ECB: Final = "1.2.156.10197.1.104.1"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"


class Algorithm(core.Sequence):  # type: ignore[misc]
    """AlgorithmIdentifier whose parameters stay undecoded."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("algorithm", core.ObjectIdentifier),
        ("parameters", core.Any, {"optional": True}),
    ]


class Algorithms(core.SetOf):  # type: ignore[misc]
    """DigestAlgorithmIdentifiers."""

    _child_spec = Algorithm


class IssuerAndSerial(core.Sequence):  # type: ignore[misc]
    """Which certificate; the issuer stays as the bytes it has there."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [("issuer", core.Any), ("serial", core.Integer)]


class Values(core.SetOf):  # type: ignore[misc]
    """The values of an attribute."""

    _child_spec = core.Any


class Attribute(core.Sequence):  # type: ignore[misc]
    """One attribute."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [("type", core.ObjectIdentifier), ("values", Values)]


class Attributes(core.SetOf):  # type: ignore[misc]
    """Attributes of a signer."""

    _child_spec = Attribute


class SignerInfo(core.Sequence):  # type: ignore[misc]
    """One signature."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("version", core.Integer),
        ("sid", IssuerAndSerial),
        ("digest_algorithm", Algorithm),
        ("signed_attributes", Attributes, {"implicit": 0, "optional": True}),
        ("signature_algorithm", Algorithm),
        ("signature", core.OctetString),
        ("unsigned_attributes", Attributes, {"implicit": 1, "optional": True}),
    ]


class SignerInfos(core.SetOf):  # type: ignore[misc]
    """All signatures."""

    _child_spec = SignerInfo


class Certificates(core.SetOf):  # type: ignore[misc]
    """Certificates, or revocation lists, as they are."""

    _child_spec = core.Any


class ContentInfo(core.Sequence):  # type: ignore[misc]
    """A type and what is of that type."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("content_type", core.ObjectIdentifier),
        ("content", core.Any, {"explicit": 0, "optional": True}),
    ]


class SignedData(core.Sequence):  # type: ignore[misc]
    """Content and its signatures."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("version", core.Integer),
        ("digest_algorithms", Algorithms),
        ("content_info", ContentInfo),
        ("certificates", Certificates, {"implicit": 0, "optional": True}),
        ("crls", Certificates, {"implicit": 1, "optional": True}),
        ("signer_infos", SignerInfos),
    ]


class RecipientInfo(core.Sequence):  # type: ignore[misc]
    """The content key for one recipient."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("version", core.Integer),
        ("rid", IssuerAndSerial),
        ("key_algorithm", Algorithm),
        ("encrypted_key", core.OctetString),
    ]


class RecipientInfos(core.SetOf):  # type: ignore[misc]
    """All recipients."""

    _child_spec = RecipientInfo


class EncryptedContentInfo(core.Sequence):  # type: ignore[misc]
    """The ciphertext, its type and its algorithm."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("content_type", core.ObjectIdentifier),
        ("algorithm", Algorithm),
        ("encrypted_content", core.OctetString, {"implicit": 0}),
    ]


class EnvelopedData(core.Sequence):  # type: ignore[misc]
    """Ciphertext for recipients."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("version", core.Integer),
        ("recipient_infos", RecipientInfos),
        ("encrypted_content_info", EncryptedContentInfo),
    ]


class SignedAndEnvelopedData(core.Sequence):  # type: ignore[misc]
    """Ciphertext for recipients, with signatures over the plaintext: read, never written."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("version", core.Integer),
        ("recipient_infos", RecipientInfos),
        ("digest_algorithms", Algorithms),
        ("encrypted_content_info", EncryptedContentInfo),
        ("certificates", Certificates, {"implicit": 0, "optional": True}),
        ("crls", Certificates, {"implicit": 1, "optional": True}),
        ("signer_infos", SignerInfos),
    ]


class Party(NamedTuple):
    """What a message says of, or takes from, a certificate."""

    certificate: bytes
    issuer: bytes  # DER of the name
    serial: int
    spki: bytes

    @classmethod
    def of(cls, certificate: bytes) -> "Party":
        """Read a certificate's issuer, serial number and key. Raises BadInput."""
        loaded = asn1.load(x509.Certificate, certificate, bytes_max=CERTIFICATE_BYTES_MAX, what="certificate")
        with asn1.reading("certificate"):
            facts = loaded["tbs_certificate"]
            return cls(
                bytes(certificate),
                facts["issuer"].dump(),
                facts["serial_number"].native,
                facts["subject_public_key_info"].dump(),
            )

    def named(self) -> IssuerAndSerial:
        """The reference to this certificate."""
        return IssuerAndSerial({"issuer": core.Any.load(self.issuer), "serial": self.serial})

    def is_named(self, reference: Any) -> bool:
        """Whether the reference is to this certificate."""
        named: bool = reference["issuer"].dump() == self.issuer and reference["serial"].native == self.serial
        return named


def algorithm(oid: str, parameters: core.Asn1Value | None = None) -> Algorithm:
    """An AlgorithmIdentifier; the SM algorithms have no parameters but SM4's initial value."""
    fields: dict[str, Any] = {"algorithm": oid}
    if parameters is not None:
        fields["parameters"] = core.Any(parameters)
    return Algorithm(fields)


def wrapped(content_type: str, content: type[core.Asn1Value], value: Any) -> ContentInfo:
    """A ContentInfo holding the value as this class."""
    return ContentInfo({"content_type": content_type, "content": core.Any(content(value, explicit=0))})


def unwrapped(der: bytes) -> tuple[str, Any]:
    """The type of a message, and what it holds, to be parsed by a class from here. Raises Refused."""
    with refusing():
        info = asn1.load(ContentInfo, der, bytes_max=MESSAGE_BYTES_MAX, what="CMS")
        if isinstance(info["content"], core.Void):
            raise malformed("it holds nothing")
        return info["content_type"].dotted, info["content"]


def bare(algorithm_identifier: Any, allowed: frozenset[str], what: str) -> None:
    """Raise Refused unless it is one of these without parameters, or with NULL."""
    oid = algorithm_identifier["algorithm"].dotted
    if oid not in allowed:
        raise malformed(f"{what} by {oid}, which is not taken")
    if algorithm_identifier["parameters"].dump() not in (b"", b"\x05\x00"):
        raise malformed(f"{what} with parameters")


def octets(value: Any, what: str) -> bytes:
    """The bytes of an OCTET STRING in one piece."""
    if value.method != 0:
        raise malformed(f"{what} in pieces")
    content: bytes = value.contents
    return content


@contextmanager
def refusing() -> Iterator[None]:
    """What is malformed in here is a refusal of the message."""
    try:
        with asn1.reading("CMS"):
            yield
    except BadInput as error:
        raise malformed(error.what.en) from error


def malformed(reason: str) -> Refused:
    """The refusal of a message that breaks the format or the limits."""
    return Refused(
        "cms-malformed",
        Words(f"不是可接受的 CMS 报文:{reason}", f"not an acceptable CMS message: {reason}"),
        Words("请让发送方按 GB/T 35275 重新生成", "ask the sender for one after GB/T 35275"),
        field="cms",
    )
