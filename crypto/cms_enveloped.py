"""envelopedData of GB/T 35275-2017: SM4-CBC content under a fresh key that SM2 wraps for each recipient.

CBC proves nothing about the content: what was opened here is to be believed only after a signature inside
it was verified, and the refusals of a wrong key, padding or length are one and the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from asn1crypto import core

from crypto import asn1, sm2_forms, sm4
from crypto import cms_asn1 as form
from crypto.cms_asn1 import Party, malformed
from crypto.keys import EncryptionKey
from crypto.words import BadInput, Refused, Words

_CONTENT_TYPES: Final = frozenset((asn1.CMS_DATA, asn1.CMS_SIGNED))


class CmsRecipientKey(Protocol):
    """A key that decrypts: ``crypto.keys.DecryptionKey``, or one inside a cipher machine."""

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext of an SM2 ciphertext, 04 C1 C3 C2. Raises Refused."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Decrypted:
    """What an envelope held, and the type it said that is; nothing about it is proven."""

    content: bytes
    content_type: str


def encrypt(
    content: bytes, recipients: Sequence[bytes], *, wrapping_oid: str, random: Callable[[int], bytes]
) -> form.ContentInfo:
    """The content for the holders of these certificates."""
    if not 1 <= len(recipients) <= form.RECIPIENTS_MAX or len(content) > form.ENVELOPED_BYTES_MAX:
        raise _not_enveloped(f"{len(recipients)} recipients of {len(content)} bytes")
    key, initial = random(sm4.KEY_BYTES), random(sm4.BLOCK_BYTES)
    parties = [Party.of(certificate) for certificate in recipients]
    if len({(party.issuer, party.serial) for party in parties}) < len(parties):
        raise _not_enveloped("a recipient stands twice")
    return form.wrapped(
        asn1.CMS_ENVELOPED,
        form.EnvelopedData,
        {
            "version": form.VERSION,
            "recipient_infos": [
                form.RecipientInfo(
                    {
                        "version": form.VERSION,
                        "rid": party.named(),
                        "key_algorithm": form.algorithm(wrapping_oid),
                        "encrypted_key": sm2_forms.to_der(EncryptionKey.from_spki(party.spki).encrypt(key)),
                    }
                )
                for party in parties
            ],
            "encrypted_content_info": form.EncryptedContentInfo(
                {
                    "content_type": asn1.CMS_DATA,
                    "algorithm": form.algorithm(asn1.SM4_CBC, core.OctetString(initial)),
                    "encrypted_content": sm4.cbc_encrypt(key, initial, content),
                }
            ),
        },
    )


def decrypt(value: Any, *, key: CmsRecipientKey, certificate: bytes | None) -> Decrypted:
    """Open what a message of type envelopedData holds. Raises Refused."""
    with form.refusing():
        data = value.parse(form.EnvelopedData)
        return decrypt_content(data, key=key, certificate=certificate)


def decrypt_content(data: Any, *, key: CmsRecipientKey, certificate: bytes | None) -> Decrypted:
    """Open the ciphertext of envelopedData or signedAndEnvelopedData; call inside ``refusing``."""
    if data["version"].native != form.VERSION:
        raise malformed("its version is not 1")
    info = _recipient_info(data["recipient_infos"], certificate)
    if info["version"].native != form.VERSION:
        raise malformed("a recipient's version is not 1")
    form.bare(info["key_algorithm"], form.WRAPPING_OIDS, "a wrapped key")
    encrypted = data["encrypted_content_info"]
    content_type = encrypted["content_type"].dotted
    if content_type not in _CONTENT_TYPES:
        raise malformed(f"it encrypts content of type {content_type}")
    ciphertext = form.octets(encrypted["encrypted_content"], "its ciphertext")
    wrapped = sm2_forms.from_der(form.octets(info["encrypted_key"], "a wrapped key"))
    content_key = key.decrypt(wrapped)
    if len(content_key) != sm4.KEY_BYTES:
        raise malformed("its content key is not 16 bytes")
    return Decrypted(
        content=_plain(encrypted["algorithm"], content_key, ciphertext), content_type=content_type
    )


def _recipient_info(infos: Any, certificate: bytes | None) -> Any:
    """Ours by certificate; where we have none it must be the only one."""
    if not 1 <= len(infos) <= form.RECIPIENTS_MAX:
        raise malformed(f"it has {len(infos)} recipients")
    if certificate is None:
        if len(infos) != 1:
            raise malformed("it has several recipients: give the certificate of yours")
        return infos[0]
    party = Party.of(certificate)
    ours = [info for info in infos if party.is_named(info["rid"])]
    if len(ours) != 1:
        raise Refused(
            "cms-not-for-us",
            Words("报文不是发给该证书的", "the message is not addressed to this certificate"),
            Words("请核对接收证书", "check the recipient's certificate"),
            field="certificate",
        )
    return ours[0]


def _plain(algorithm: Any, key: bytes, ciphertext: bytes) -> bytes:
    """CBC by 104.2, or by 104 where it has an initial value; else 104 and 104.1 are ECB without padding."""
    oid = algorithm["algorithm"].dotted
    parameters = algorithm["parameters"].dump()
    if parameters in (b"", b"\x05\x00"):
        if oid not in (asn1.SM4, form.SM4_ECB):
            raise malformed(f"content by {oid} without an initial value")
        return sm4.ecb_decrypt(key, ciphertext)
    if oid not in (asn1.SM4, asn1.SM4_CBC) or parameters[:2] != b"\x04\x10":
        raise malformed(f"content by {oid}, which is not taken, or with other parameters")
    return sm4.cbc_decrypt(key, parameters[2:], ciphertext)


def _not_enveloped(reason: str) -> BadInput:
    return BadInput(
        "cms-not-written",
        Words(f"不能生成 CMS 报文:{reason}", f"cannot write a CMS message: {reason}"),
        Words(f"请给出 1 至 {form.RECIPIENTS_MAX} 个接收方", f"name 1 to {form.RECIPIENTS_MAX} recipients"),
        field="recipients",
    )
