"""Envelopes of other products: the spread of identifiers in the field, and nothing beside it."""

from collections.abc import Sequence
from typing import Any

import pytest
from asn1crypto import core

from crypto import asn1, cms, cms_asn1, cms_enveloped, sm2_forms, sm4
from crypto.keys import EncryptionKey
from crypto.words import Refused, Words

form = cms_asn1
Parties = Any
TEXT = "季度安全报告 report\n".encode() * 30


def anyone(certificate: bytes, others: Sequence[bytes]) -> None:
    """Trust that looks at nothing."""


def nobody(certificate: bytes, others: Sequence[bytes]) -> None:
    """Trust that has seen enough."""
    raise Refused("untrusted", Words("否", "no"), Words("否", "no"))


def enveloped(parties: Parties, wrapping: Any, algorithm: Any, ciphertext: bytes, key: bytes) -> bytes:
    """An envelope of another product."""
    party = form.Party.of(parties.certificates[0])
    wrapped = sm2_forms.to_der(EncryptionKey.from_spki(party.spki).encrypt(key))
    info = form.RecipientInfo(
        {"version": 1, "rid": party.named(), "key_algorithm": wrapping, "encrypted_key": wrapped}
    )
    content = form.EncryptedContentInfo(
        {"content_type": asn1.CMS_DATA, "algorithm": algorithm, "encrypted_content": ciphertext}
    )
    message = {"version": 1, "recipient_infos": [info], "encrypted_content_info": content}
    return form.wrapped(asn1.CMS_ENVELOPED, form.EnvelopedData, message).dump()  # type: ignore[no-any-return]


KEY, IV = bytes(range(16)), bytes(range(16, 32))


@pytest.mark.parametrize("wrapping", ["301", "301.1", "301.2", "301.3"])
@pytest.mark.parametrize("content", ["104.2", "104"])
def test_read_spread_of_identifiers_in_cbc(parties: Parties, wrapping: str, content: str) -> None:
    prefix = "1.2.156.10197.1."
    message = enveloped(
        parties,
        form.algorithm(prefix + wrapping, core.Null() if wrapping == "301" else None),
        form.algorithm(prefix + content, core.OctetString(IV)),
        sm4.cbc_encrypt(KEY, IV, TEXT),
        KEY,
    )
    assert cms.decrypt(message, key=parties.keys[0], certificate=parties.certificates[0]).content == TEXT


@pytest.mark.parametrize("content", ["104", "104.1"])
def test_read_ecb_without_padding(parties: Parties, content: str) -> None:
    plain = bytes(range(64))
    for parameters in (None, core.Null()):
        message = enveloped(
            parties,
            form.algorithm(asn1.SM2_ENCRYPT),
            form.algorithm(f"1.2.156.10197.1.{content}", parameters),
            sm4.ecb_encrypt(KEY, plain),
            KEY,
        )
        assert cms.decrypt(message, key=parties.keys[0]).content == plain


@pytest.mark.parametrize(
    ("wrapping", "algorithm", "key"),
    [
        (form.algorithm("1.2.156.10197.1.501"), form.algorithm(asn1.SM4_CBC, core.OctetString(IV)), KEY),
        (
            form.algorithm(asn1.SM2_ENCRYPT, core.Integer(1)),
            form.algorithm(asn1.SM4_CBC, core.OctetString(IV)),
            KEY,
        ),
        (form.algorithm(asn1.SM2_ENCRYPT), form.algorithm(asn1.SM4_CBC), KEY),
        (form.algorithm(asn1.SM2_ENCRYPT), form.algorithm(asn1.SM4_CBC, core.OctetString(IV[:8])), KEY),
        (form.algorithm(asn1.SM2_ENCRYPT), form.algorithm(asn1.SM4_GCM, core.OctetString(IV)), KEY),
        (form.algorithm(asn1.SM2_ENCRYPT), form.algorithm(asn1.SM4_CBC, core.OctetString(IV)), KEY[:8]),
        (form.algorithm(asn1.SM2_ENCRYPT), form.algorithm(asn1.SM4_CBC, core.OctetString(IV)), bytes(16)),
    ],
)
def test_other_algorithms_and_keys_are_refused(
    parties: Parties, wrapping: Any, algorithm: Any, key: bytes
) -> None:
    message = enveloped(parties, wrapping, algorithm, sm4.cbc_encrypt(KEY, IV, TEXT), key)
    with pytest.raises(Refused):
        cms.decrypt(message, key=parties.keys[0])


def signed_and_enveloped(parties: Parties, signature: bytes) -> bytes:
    """A message of another product: signed content inside, signatures outside."""
    data = form.ContentInfo.load(cms.encrypt(TEXT, parties.certificates[:1]))["content"].parse(
        form.EnvelopedData
    )
    party = form.Party.of(parties.signers[0].certificate)
    info = form.SignerInfo(
        {
            "version": 1,
            "sid": party.named(),
            "digest_algorithm": form.algorithm(asn1.SM3),
            "signature_algorithm": form.algorithm(asn1.SM2_SIGN),
            "signature": sm2_forms.signature_to_der(signature),
        }
    )
    members = {
        "version": 1,
        "recipient_infos": data["recipient_infos"].copy(),
        "digest_algorithms": [form.algorithm(asn1.SM3)],
        "encrypted_content_info": data["encrypted_content_info"].copy(),
        "certificates": [core.Any.load(party.certificate)],
        "signer_infos": [info],
    }
    encoded: bytes = form.wrapped(asn1.CMS_SIGNED_ENVELOPED, form.SignedAndEnvelopedData, members).dump()
    return encoded


def test_read_signed_and_enveloped(parties: Parties) -> None:
    good = signed_and_enveloped(parties, parties.signers[0].key.sign(TEXT))
    assert cms.open_(good, key=parties.keys[0], trust=anyone).content == TEXT
    with pytest.raises(Refused, match="untrusted"):
        cms.open_(good, key=parties.keys[0], trust=nobody)
    forged = signed_and_enveloped(parties, parties.signers[1].key.sign(TEXT))
    with pytest.raises(Refused, match="signature-invalid"):
        cms.open_(forged, key=parties.keys[0], trust=anyone)


def test_key_and_initial_value_are_fresh(parties: Parties) -> None:
    asked: list[int] = []

    def random(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    message = cms_enveloped.encrypt(
        TEXT, parties.certificates[:1], wrapping_oid=asn1.SM2_ENCRYPT, random=random
    ).dump()
    assert asked == [16, 16]
    assert cms.decrypt(message, key=parties.keys[0]).content == TEXT
    first, second = (cms.encrypt(TEXT, parties.certificates[:1])[-64:] for _ in range(2))
    assert first != second
