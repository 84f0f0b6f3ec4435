"""GB/T 35275-2017 messages: signed, enveloped, and signed inside enveloped, for up to 64 MiB.

Usage::

    message = sign(content, [CmsSigner(key, certificate)])          # detached=True leaves the content out
    signed = verify(message, trust=trust)                           # signed.content, signed.signers
    message = seal(content, signers, recipients=[their_certificate])
    signed = open_(message, key=our_decryption_key, certificate=our_certificate, trust=trust)

Written is the standard form: SM2 with ZA over the content octets. Read are the object identifiers that
products in the field use for it, and DER only. An enveloped message proves nothing about who wrote it:
``decrypt`` is for what is verified otherwise, ``seal`` and ``open_`` are for everything else.
"""

from collections.abc import Callable, Sequence
from secrets import token_bytes
from typing import Any, Final, NamedTuple

from crypto import asn1, cms_enveloped, cms_signed
from crypto.cms_asn1 import CONTENT_BYTES_MAX, SignedAndEnvelopedData, malformed, refusing, unwrapped
from crypto.cms_enveloped import CmsRecipientKey, Decrypted
from crypto.cms_signed import CmsSigner, CmsTrust, Signed

__all__ = [
    "CONTENT_BYTES_MAX",
    "GMSSL",
    "STANDARD",
    "CmsRecipientKey",
    "CmsSigner",
    "CmsTrust",
    "Decrypted",
    "Profile",
    "Signed",
    "decrypt",
    "encrypt",
    "open_",
    "seal",
    "sign",
    "verify",
]


class Profile(NamedTuple):
    """Which object identifiers are written for signing and for wrapping keys."""

    signature_oid: str
    wrapping_oid: str


STANDARD: Final = Profile(asn1.SM2_SIGN, asn1.SM2_ENCRYPT)
GMSSL: Final = Profile(asn1.SM2_WITH_SM3, asn1.SM2_EXCHANGE)


def sign(
    content: bytes, signers: Sequence[CmsSigner], *, detached: bool = False, profile: Profile = STANDARD
) -> bytes:
    """signedData in DER. Raises BadInput where a key is not that of its certificate, or limits are passed."""
    message = cms_signed.sign(content, signers, detached=detached, signature_oid=profile.signature_oid)
    return _der(message)


def verify(der: bytes, *, trust: CmsTrust, content: bytes | None = None, gmssl: bool = False) -> Signed:
    """Verify signedData: every signature holds and ``trust`` accepts every signer. Raises Refused.

    A detached message is verified over ``content``. ``gmssl`` also takes attached messages of the GmSSL
    command, whose signatures leave ZA out and so are bound to no identity: only for what is known to come
    from there.
    """
    value = _typed(der, asn1.CMS_SIGNED)
    return cms_signed.verify(value, trust=trust, content=content, gmssl=gmssl)


def encrypt(
    content: bytes,
    recipients: Sequence[bytes],
    *,
    profile: Profile = STANDARD,
    random: Callable[[int], bytes] = token_bytes,
) -> bytes:
    """envelopedData in DER for the holders of these certificates."""
    return _der(cms_enveloped.encrypt(content, recipients, wrapping_oid=profile.wrapping_oid, random=random))


def decrypt(der: bytes, *, key: CmsRecipientKey, certificate: bytes | None = None) -> Decrypted:
    """Open envelopedData; without ``certificate`` it must have one recipient. Raises Refused.

    Nothing about the content is proven: use ``open_`` where it was signed.
    """
    return cms_enveloped.decrypt(_typed(der, asn1.CMS_ENVELOPED), key=key, certificate=certificate)


def seal(
    content: bytes, signers: Sequence[CmsSigner], recipients: Sequence[bytes], *, profile: Profile = STANDARD
) -> bytes:
    """The content signed, and the signed message enveloped."""
    return encrypt(sign(content, signers, profile=profile), recipients, profile=profile)


def open_(der: bytes, *, key: CmsRecipientKey, certificate: bytes | None = None, trust: CmsTrust) -> Signed:
    """Open and verify what ``seal`` wrote, or a signedAndEnvelopedData of another product. Raises Refused."""
    kind, value = unwrapped(der)
    if kind == asn1.CMS_SIGNED_ENVELOPED:
        with refusing():
            data = value.parse(SignedAndEnvelopedData)
            inner = cms_enveloped.decrypt_content(data, key=key, certificate=certificate)
            verified = cms_signed.verify_signers(data, inner.content, inner.content_type)
        return verified.accepted(trust)
    if kind != asn1.CMS_ENVELOPED:
        raise malformed(f"it is of type {kind}")
    outer = cms_enveloped.decrypt(value, key=key, certificate=certificate)
    return verify(outer.content, trust=trust)


def _typed(der: bytes, expected: str) -> Any:
    kind, value = unwrapped(der)
    if kind != expected:
        raise malformed(f"it is of type {kind}, not {expected}")
    return value


def _der(message: Any) -> bytes:
    encoded: bytes = message.dump()
    return encoded
