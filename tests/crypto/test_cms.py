"""GB/T 35275 messages: signed, enveloped and both, opened by whom they are for and by nobody else."""

from collections.abc import Sequence
from typing import Any

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import cms, cms_asn1, sm2_forms
from crypto.words import BadInput, Refused, Words

form = cms_asn1
Parties = Any
TEXT = "季度安全报告 report\n".encode() * 30


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
