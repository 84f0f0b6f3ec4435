"""GB/T 35275 messages: written in the standard form, read strictly in the spread found in the field."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import asn1, cms, sm2_forms, sm4
from crypto import cms_asn1 as form
from crypto.keys import DecryptionKey, EncryptionKey, SigningKey
from crypto.sm2 import Sm2PrivateKey
from crypto.sm3 import sm3
from crypto.words import BadInput, Refused, Words
from crypto.x509_issue import Subject, issue, issue_root, new_serial

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = "季度安全报告 report\n".encode() * 30


class Parties(NamedTuple):
    signers: list[cms.CmsSigner]
    keys: list[DecryptionKey]
    certificates: list[bytes]


@pytest.fixture(name="parties", scope="module")
def _parties() -> Parties:
    root_key, issuer_key = SigningKey.generate(), SigningKey.generate()
    root = issue_root(root_key, Subject(common_name="省根"), serial=new_serial(), now=NOW, days=3000)
    issuer = issue(
        "issuer",
        Subject(common_name="市"),
        issuer_key.public.spki(),
        issuer=root,
        key=root_key,
        serial=new_serial(),
        now=NOW,
        days=1000,
    )

    def leaf(kind: Any, key: SigningKey | DecryptionKey, name: str) -> bytes:
        subject = Subject(common_name=name, id=name, zone="z1")
        spki = key.public.spki()
        return issue(
            kind, subject, spki, issuer=issuer, key=issuer_key, serial=new_serial(), now=NOW, days=300
        ).der

    signing = [(f"p{place}", SigningKey.generate()) for place in range(2)]
    keys = [DecryptionKey.generate() for _ in range(2)]
    return Parties(
        [cms.CmsSigner(key, leaf("person", key, name), (issuer.der,)) for name, key in signing],
        keys,
        [leaf("center-encrypt", key, f"c{place}") for place, key in enumerate(keys)],
    )


@pytest.fixture(name="sealed", scope="module")
def _sealed(parties: Parties) -> bytes:
    return cms.seal(TEXT, parties.signers[:1], parties.certificates)


@pytest.fixture(name="attached", scope="module")
def _attached(parties: Parties) -> bytes:
    return cms.sign(TEXT, parties.signers)


def anyone(certificate: bytes, others: Sequence[bytes]) -> None:
    """Trust that looks at nothing."""


def nobody(certificate: bytes, others: Sequence[bytes]) -> None:
    """Trust that has seen enough."""
    raise Refused("untrusted", Words("否", "no"), Words("否", "no"))


@pytest.mark.parametrize("profile", [cms.STANDARD, cms.GMSSL])
@pytest.mark.parametrize("count", [1, 2])
def test_signed_attached_and_detached(parties: Parties, count: int, profile: cms.Profile) -> None:
    signers = parties.signers[:count]
    signed = cms.verify(cms.sign(TEXT, signers, profile=profile), trust=anyone)
    assert signed.content == TEXT
    assert set(signed.signers) == {signer.certificate for signer in signers}
    detached = cms.sign(TEXT, signers, detached=True, profile=profile)
    assert TEXT not in detached
    assert cms.verify(detached, trust=anyone, content=TEXT).content == TEXT
    with pytest.raises(Refused, match="signature-invalid"):
        cms.verify(detached, trust=anyone, content=TEXT + b".")
    with pytest.raises(Refused):
        cms.verify(detached, trust=anyone)
    with pytest.raises(Refused):
        cms.verify(cms.sign(TEXT, signers), trust=anyone, content=TEXT)


@pytest.mark.parametrize("profile", [cms.STANDARD, cms.GMSSL])
@pytest.mark.parametrize("text", [b"", b"x" * 15, b"x" * 16, TEXT])
def test_signed_inside_enveloped(parties: Parties, profile: cms.Profile, text: bytes) -> None:
    message = cms.seal(text, parties.signers, parties.certificates, profile=profile)
    for key, certificate in zip(parties.keys, parties.certificates, strict=True):
        opened = cms.open_(message, key=key, certificate=certificate, trust=anyone)
        assert opened.content == text
        with pytest.raises(Refused, match="untrusted"):
            cms.open_(message, key=key, certificate=certificate, trust=nobody)
    with pytest.raises(Refused):
        cms.open_(message, key=parties.keys[0], certificate=parties.certificates[1], trust=anyone)
    with pytest.raises(Refused):
        cms.open_(message, key=parties.keys[0], trust=anyone)  # which of the two?


def test_written_form_is_the_standard_one(parties: Parties) -> None:
    message = cms.encrypt(TEXT, parties.certificates[:1])
    data = form.ContentInfo.load(message)["content"].parse(form.EnvelopedData)
    (info,) = data["recipient_infos"]
    assert info["key_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.301.3"
    algorithm = data["encrypted_content_info"]["algorithm"]
    assert algorithm["algorithm"].dotted == "1.2.156.10197.1.104.2"
    signed = form.ContentInfo.load(cms.sign(TEXT, parties.signers[:1]))
    (signer,) = signed["content"].parse(form.SignedData)["signer_infos"]
    assert signer["signature_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.301.1"
    signature = sm2_forms.signature_from_der(signer["signature"].native)
    parties.signers[0].key.public.verify(TEXT, signature)  # type: ignore[attr-defined]  # ZA over the octets
    assert cms.decrypt(message, key=parties.keys[0]).content == TEXT


def test_key_beside_a_foreign_certificate_does_not_sign(parties: Parties) -> None:
    one, other = parties.signers
    with pytest.raises(Refused):
        cms.sign(TEXT, [cms.CmsSigner(one.key, other.certificate)])
    for signers in ([], parties.signers * 9):
        with pytest.raises(BadInput):
            cms.sign(TEXT, signers)
    for certificates in ([], parties.certificates[:1] * 2, parties.certificates * 40):
        with pytest.raises(BadInput):
            cms.encrypt(TEXT, certificates)


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


def test_read_signed_and_enveloped(parties: Parties) -> None:
    signature = parties.signers[0].key.sign(TEXT)
    envelope = form.ContentInfo.load(cms.encrypt(TEXT, parties.certificates[:1]))["content"]
    data = envelope.parse(form.EnvelopedData)

    def message(content_signature: bytes) -> bytes:
        members = {
            "version": 1,
            "recipient_infos": data["recipient_infos"].copy(),
            "digest_algorithms": [form.algorithm(asn1.SM3)],
            "encrypted_content_info": data["encrypted_content_info"].copy(),
            "certificates": [core.Any.load(parties.signers[0].certificate)],
            "signer_infos": [signer_info(parties, content_signature)],
        }
        encoded: bytes = form.wrapped(asn1.CMS_SIGNED_ENVELOPED, form.SignedAndEnvelopedData, members).dump()
        return encoded

    assert cms.open_(message(signature), key=parties.keys[0], trust=anyone).content == TEXT
    with pytest.raises(Refused, match="untrusted"):
        cms.open_(message(signature), key=parties.keys[0], trust=nobody)
    with pytest.raises(Refused, match="signature-invalid"):
        cms.open_(message(parties.signers[1].key.sign(TEXT)), key=parties.keys[0], trust=anyone)


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


def test_errors_of_a_trust_are_not_taken_for_the_message_s(parties: Parties) -> None:
    def broken(certificate: bytes, others: Sequence[bytes]) -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        cms.verify(cms.sign(TEXT, parties.signers), trust=broken)


def test_content_beyond_the_limit(parties: Parties) -> None:
    with pytest.raises(BadInput):
        cms.sign(bytes(cms.CONTENT_BYTES_MAX + 1), parties.signers)
    with pytest.raises(BadInput):
        cms.encrypt(bytes(cms.CONTENT_BYTES_MAX * 2), parties.certificates)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_messages_are_refused_or_say_the_same(
    parties: Parties, sealed: bytes, data: st.DataObject
) -> None:
    message = bytearray(sealed)
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] ^= data.draw(st.integers(1, 255))
    message = message[: data.draw(st.sampled_from((len(message), len(message) // 2)))]
    try:
        opened = cms.open_(
            bytes(message), key=parties.keys[0], certificate=parties.certificates[0], trust=anyone
        )
    except Refused:
        return
    assert opened.content == TEXT  # the damage hit the other recipient or an unread part


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_signatures_are_refused_or_say_the_same(attached: bytes, data: st.DataObject) -> None:
    message = bytearray(attached)
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert cms.verify(bytes(message), trust=anyone).content == TEXT
    except Refused:
        pass


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(parties: Parties, data: bytes) -> None:
    for attempt in (
        lambda: cms.verify(data, trust=anyone),
        lambda: cms.decrypt(data, key=parties.keys[0]),
        lambda: cms.open_(data, key=parties.keys[0], trust=anyone),
    ):
        with pytest.raises(Refused):
            attempt()


@pytest.mark.parametrize("depth", [30, 20_000])
def test_depth_is_limited(depth: int) -> None:
    data = b""
    for _ in range(depth):
        data = core.Sequence(contents=data).dump()
    with pytest.raises(Refused):
        cms.verify(data, trust=anyone)
