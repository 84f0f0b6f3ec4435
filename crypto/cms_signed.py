"""signedData of GB/T 35275-2017: writing it with one or more signers, and verifying it strictly.

Every signature must hold and every signer be trusted, not just one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from asn1crypto import core

from crypto import asn1, sm2_forms
from crypto import cms_asn1 as form
from crypto.cms_asn1 import Party, malformed
from crypto.keys import PublicKey
from crypto.sm2 import Sm2PublicKey
from crypto.sm3 import same_digest, sm3
from crypto.words import BadInput, Words

_SM3_ONLY: Final = frozenset((asn1.SM3,))
_DIGEST_OID: Final = core.ObjectIdentifier(form.MESSAGE_DIGEST).dump()
_ATTRIBUTES_BYTES_MAX: Final = 64 * 1024


class CmsKey(Protocol):
    """A key that signs: ``crypto.keys.SigningKey``, or one inside a cipher machine."""

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r then s, over ZA of the default identity and the data."""
        ...


class CmsTrust(Protocol):
    """Whether a signer's certificate is to be trusted for this message."""

    def __call__(self, certificate: bytes, others: Sequence[bytes]) -> None:
        """Return silently or raise Refused; ``others`` are the message's further certificates, in DER."""
        ...


@dataclass(frozen=True, slots=True)
class CmsSigner:
    """Who signs: the key, its certificate in DER, and the certificates above it that go along."""

    key: CmsKey
    certificate: bytes
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A message whose signatures all hold: its content and its signers' certificates."""

    content: bytes
    signers: tuple[bytes, ...]


def sign(
    content: bytes, signers: Sequence[CmsSigner], *, detached: bool, signature_oid: str
) -> form.ContentInfo:
    """The signed message; without the content where ``detached``."""
    if not 1 <= len(signers) <= form.SIGNERS_MAX or len(content) > form.CONTENT_BYTES_MAX:
        raise _not_signed(f"{len(signers)} signers of {len(content)} bytes")
    certificates: dict[bytes, core.Any] = {}
    for signer in signers:
        for der in (signer.certificate, *signer.chain):
            certificates[der] = core.Any.load(der)
    if detached:
        inner = form.ContentInfo({"content_type": asn1.CMS_DATA})
    else:
        inner = form.wrapped(asn1.CMS_DATA, core.OctetString, content)
    return form.wrapped(
        asn1.CMS_SIGNED,
        form.SignedData,
        {
            "version": form.VERSION,
            "digest_algorithms": [form.algorithm(asn1.SM3)],
            "content_info": inner,
            "certificates": list(certificates.values()),
            "signer_infos": [_signer_info(signer, content, signature_oid) for signer in signers],
        },
    )


def _signer_info(signer: CmsSigner, content: bytes, signature_oid: str) -> form.SignerInfo:
    party = Party.of(signer.certificate)
    signature = signer.key.sign(content)
    PublicKey.from_spki(party.spki).verify(content, signature)  # a key beside the wrong certificate
    return form.SignerInfo(
        {
            "version": form.VERSION,
            "sid": party.named(),
            "digest_algorithm": form.algorithm(asn1.SM3),
            "signature_algorithm": form.algorithm(signature_oid),
            "signature": sm2_forms.signature_to_der(signature),
        }
    )


def verify(value: Any, *, trust: CmsTrust, content: bytes | None, gmssl: bool) -> Signed:
    """Verify what a message of type signedData holds. Raises Refused."""
    with form.refusing():
        verified = _verify_content(value, content, gmssl=gmssl)
    return verified.accepted(trust)


def _verify_content(value: Any, content: bytes | None, *, gmssl: bool) -> "Verified":
    data = value.parse(form.SignedData)
    if data["version"].native != form.VERSION:
        raise malformed("its version is not 1")
    inner = data["content_info"]
    inner_type = inner["content_type"].dotted
    held = inner["content"]
    if inner_type != asn1.CMS_DATA:
        raise malformed(f"it signs content of type {inner_type}")
    if isinstance(held, core.Void):
        if content is None:
            raise malformed("its content is not in it: give the content")
        return verify_signers(data, content, inner_type)
    if content is not None:
        raise malformed("it holds its content: none may be given beside it")
    whole = inner.dump() if gmssl else None  # before it is parsed, which takes its tag off
    attached = form.octets(held.parse(core.OctetString), "its content")
    if len(attached) > form.CONTENT_BYTES_MAX:
        raise malformed(f"its content is longer than {form.CONTENT_BYTES_MAX} bytes")
    return verify_signers(data, attached, inner_type, gmssl=whole)


@dataclass(frozen=True, slots=True)
class Verified:
    """Signatures that hold, by certificates that nobody has trusted yet."""

    content: bytes
    signers: list[tuple[bytes, list[bytes]]]

    def accepted(self, trust: CmsTrust) -> Signed:
        """The message, where every signer is trusted. Raises Refused."""
        for certificate, others in self.signers:
            trust(certificate, others)
        return Signed(content=self.content, signers=tuple(certificate for certificate, _ in self.signers))


def verify_signers(data: Any, content: bytes, content_type: str, gmssl: bytes | None = None) -> Verified:
    """Verify every SignerInfo of signedData or signedAndEnvelopedData over the content. Raises Refused."""
    for algorithm in data["digest_algorithms"]:
        form.bare(algorithm, _SM3_ONLY, "a digest")
    signers = data["signer_infos"]
    if not 1 <= len(signers) <= form.SIGNERS_MAX:
        raise malformed(f"it has {len(signers)} signers")
    parties = _parties(data)
    found: list[tuple[bytes, list[bytes]]] = []
    for signer in signers:
        named = [party for party in parties if party.is_named(signer["sid"])]
        if len(named) != 1:
            raise malformed("it holds no certificate, or several, for one of its signers")
        _verify_signer(signer, named[0], content, content_type, gmssl)
        others = [party.certificate for party in parties if party is not named[0]]
        found.append((named[0].certificate, others))
    if len({certificate for certificate, _ in found}) < len(found):
        raise malformed("one signer stands twice")
    return Verified(content, found)


def _parties(data: Any) -> list[Party]:
    certificates = data["certificates"]
    if isinstance(certificates, core.Void):
        return []
    if len(certificates) > form.CERTIFICATES_MAX:
        raise malformed("it holds too many certificates")
    return [Party.of(certificate.dump()) for certificate in certificates]


def _verify_signer(signer: Any, party: Party, content: bytes, content_type: str, gmssl: bytes | None) -> None:
    if signer["version"].native != form.VERSION:
        raise malformed("a signer's version is not 1")
    form.bare(signer["digest_algorithm"], _SM3_ONLY, "a digest")
    form.bare(signer["signature_algorithm"], form.SIGNATURE_OIDS, "a signature")
    signature = sm2_forms.signature_from_der(form.octets(signer["signature"], "a signature"))
    attributes = signer["signed_attributes"]
    if gmssl is not None and isinstance(attributes, core.Void):
        # GmSSL leaves ZA out and signs the digest of the whole ContentInfo.
        Sm2PublicKey.from_spki(party.spki).verify_digest(sm3(gmssl), signature)
        return
    text = content
    if not isinstance(attributes, core.Void):
        _check_attributes(attributes, content, content_type)
        text = attributes.untag().dump()
    elif content[:1] == b"\x31" and _DIGEST_OID in content[:_ATTRIBUTES_BYTES_MAX]:
        # A signature over attributes, passed off as one over a content that is those attributes.
        raise malformed("its content is the signed attributes of another message")
    PublicKey.from_spki(party.spki).verify(text, signature)


def _check_attributes(attributes: Any, content: bytes, content_type: str) -> None:
    """What is signed instead of the content must name its type and digest, each once."""
    values: dict[str, Any] = {}
    for attribute in attributes:
        kind = attribute["type"].dotted
        if kind in values or len(attribute["values"]) != 1:
            raise malformed("a signed attribute stands twice or has not one value")
        values[kind] = attribute["values"][0]
    if not {form.CONTENT_TYPE, form.MESSAGE_DIGEST} <= values.keys():
        raise malformed("its signed attributes do not name type and digest of the content")
    kind = values[form.CONTENT_TYPE].parse(core.ObjectIdentifier).dotted
    digest = form.octets(values[form.MESSAGE_DIGEST].parse(core.OctetString), "a digest")
    if kind != content_type or not same_digest(digest, sm3(content)):
        raise malformed("its signed attributes are those of another content")


def _not_signed(reason: str) -> BadInput:
    return BadInput(
        "cms-not-written",
        Words(f"不能生成 CMS 报文:{reason}", f"cannot write a CMS message: {reason}"),
        Words(
            f"内容不超过 {form.CONTENT_BYTES_MAX} 字节,签名者与接收方各在限额内",
            f"at most {form.CONTENT_BYTES_MAX} bytes, signers and recipients within their limits",
        ),
        field="content",
    )
