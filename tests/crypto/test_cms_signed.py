"""Signed messages of other products: attributes, GmSSL's own form, and everything that must be refused."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from asn1crypto import core

from crypto import asn1, cms, cms_asn1, cms_signed, sm2_forms
from crypto.keys import SigningKey
from crypto.sm2 import Sm2PrivateKey
from crypto.sm3 import sm3
from crypto.words import Refused

form = cms_asn1
Parties = Any
TEXT = "季度安全报告 report\n".encode() * 30


def anyone(certificate: bytes, others: Sequence[bytes]) -> None:
    """Trust that looks at nothing."""


def signer_info(parties: Parties, signature: bytes, **changes: Any) -> Any:
    party = form.Party.of(parties.signers[0].certificate)
    members: dict[str, Any] = {
        "version": 1,
        "sid": party.named(),
        "digest_algorithm": form.algorithm(asn1.SM3),
        "signature_algorithm": form.algorithm(asn1.SM2_SIGN),
        "signature": sm2_forms.signature_to_der(signature),
    }
    return form.SignerInfo({**members, **changes})


def signed(parties: Parties, infos: list[Any], content: bytes | None = TEXT, **changes: Any) -> bytes:
    """A signed message of another product."""
    inner = (
        form.ContentInfo({"content_type": asn1.CMS_DATA})
        if content is None
        else form.wrapped(asn1.CMS_DATA, core.OctetString, content)
    )
    members: dict[str, Any] = {
        "version": 1,
        "digest_algorithms": [form.algorithm(asn1.SM3)],
        "content_info": inner,
        "certificates": [core.Any.load(signer.certificate) for signer in parties.signers],
        "signer_infos": infos,
    }
    encoded: bytes = form.wrapped(asn1.CMS_SIGNED, form.SignedData, {**members, **changes}).dump()
    return encoded


def attributes(content: bytes, *kinds: str) -> Any:
    values = {
        form.CONTENT_TYPE: core.ObjectIdentifier(asn1.CMS_DATA),
        form.MESSAGE_DIGEST: core.OctetString(sm3(content)),
    }
    return form.Attributes(
        [form.Attribute({"type": kind, "values": [core.Any(values[kind])]}) for kind in kinds]
    )


def test_read_signed_attributes(parties: Parties) -> None:
    named = attributes(TEXT, form.CONTENT_TYPE, form.MESSAGE_DIGEST)
    signature = parties.signers[0].key.sign(named.dump())
    info = signer_info(parties, signature, signed_attributes=named)
    assert cms.verify(signed(parties, [info]), trust=anyone).content == TEXT
    for wrong in (TEXT + b".", b""):
        with pytest.raises(Refused):
            cms.verify(signed(parties, [info], content=wrong), trust=anyone)
    # The attributes themselves, passed off as the content that was signed.
    with pytest.raises(Refused, match="attributes of another"):
        cms.verify(signed(parties, [signer_info(parties, signature)], content=named.dump()), trust=anyone)


@pytest.mark.parametrize(
    "kinds",
    [(), (form.CONTENT_TYPE,), (form.MESSAGE_DIGEST,), (form.CONTENT_TYPE, *(form.MESSAGE_DIGEST,) * 2)],
)
def test_signed_attributes_must_name_type_and_digest_once(parties: Parties, kinds: tuple[str, ...]) -> None:
    named = attributes(TEXT, *kinds)
    info = signer_info(parties, parties.signers[0].key.sign(named.dump()), signed_attributes=named)
    with pytest.raises(Refused):
        cms.verify(signed(parties, [info]), trust=anyone)


def test_gmssl_signatures_only_where_asked_for(parties: Parties) -> None:
    key = parties.signers[0].key
    assert isinstance(key, SigningKey)
    whole = form.wrapped(asn1.CMS_DATA, core.OctetString, TEXT).dump()
    private = Sm2PrivateKey.from_pkcs8(_pkcs8(key))
    message = signed(parties, [signer_info(parties, private.sign_digest(sm3(whole)))])
    assert cms.verify(message, trust=anyone, gmssl=True).content == TEXT
    with pytest.raises(Refused):
        cms.verify(message, trust=anyone)
    with pytest.raises(Refused):
        cms.verify(message.replace("季度".encode(), "年度".encode()), trust=anyone, gmssl=True)


def _pkcs8(key: SigningKey) -> bytes:
    return key._key.pkcs8()


@pytest.mark.parametrize(
    "make",
    [
        lambda p, good: signed(p, []),
        lambda p, good: signed(p, [good, good]),
        lambda p, good: signed(p, [good], version=3),
        lambda p, good: signed(p, [good], certificates=[]),
        lambda p, good: signed(p, [good], certificates=[core.Any.load(p.signers[0].certificate)] * 2),
        lambda p, good: signed(p, [good], digest_algorithms=[form.algorithm("2.16.840.1.101.3.4.2.1")]),
        lambda p, good: signed(p, [signer_info(p, bytes(64))]),
        lambda p, good: signed(p, [signer_info(p, p.signers[0].key.sign(TEXT), version=3)]),
        lambda p, good: signed(
            p, [signer_info(p, p.signers[0].key.sign(TEXT), signature_algorithm=form.algorithm("1.2.3"))]
        ),
        lambda p, good: signed(p, [good], content=TEXT + b"."),
        lambda p, good: cms.encrypt(TEXT, p.certificates),
        lambda p, good: form.ContentInfo({"content_type": asn1.CMS_SIGNED}).dump(),
    ],
)
def test_what_breaks_a_rule_is_refused(parties: Parties, make: Callable[..., bytes]) -> None:
    good = signer_info(parties, parties.signers[0].key.sign(TEXT))
    assert cms.verify(signed(parties, [good]), trust=anyone).content == TEXT
    with pytest.raises(Refused):
        cms.verify(make(parties, good), trust=anyone)


def test_one_bad_signature_among_good_ones_refuses_all(parties: Parties) -> None:
    good = signer_info(parties, parties.signers[0].key.sign(TEXT))
    bad = signer_info(parties, bytes(63) + b"\1", sid=form.Party.of(parties.signers[1].certificate).named())
    with pytest.raises(Refused):
        cms.verify(signed(parties, [good, bad]), trust=anyone)


def test_signatures_hold_before_anybody_is_trusted(parties: Parties) -> None:
    value = form.unwrapped(cms.sign(TEXT, parties.signers))[1]
    verified = cms_signed.verify_signers(value.parse(form.SignedData), TEXT, asn1.CMS_DATA)
    assert len(verified.signers) == 2
    for certificate, others in verified.signers:
        assert certificate not in others
        assert len(others) == 2  # the other signer and the issuer
