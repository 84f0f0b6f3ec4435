"""The structures of messages: certificates by name and number, limits, one spelling."""

from typing import Any

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import asn1, cms_asn1
from crypto.cms_asn1 import ContentInfo, Party, algorithm, bare, octets, unwrapped, wrapped
from crypto.words import BadInput, Refused

Parties = Any


def test_a_party_is_named_by_issuer_and_serial(parties: Parties) -> None:
    one, other = (Party.of(certificate) for certificate in parties.certificates)
    assert one.issuer == other.issuer
    assert one.is_named(cms_asn1.IssuerAndSerial.load(one.named().dump()))
    assert not other.is_named(cms_asn1.IssuerAndSerial.load(one.named().dump()))
    assert one.spki == parties.keys[0].public.spki()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_certificates_are_bad_input_or_read(parties: Parties, data: st.DataObject) -> None:
    der = bytearray(parties.certificates[0])
    der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        Party.of(bytes(der))
    except BadInput:
        pass


def test_a_message_is_wrapped_and_unwrapped() -> None:
    der = wrapped(asn1.CMS_DATA, core.OctetString, b"abc").dump()
    kind, value = unwrapped(der)
    assert kind == asn1.CMS_DATA
    assert octets(value.parse(core.OctetString), "content") == b"abc"
    for other in (b"", der + b"\0", der[:-1], ContentInfo({"content_type": asn1.CMS_DATA}).dump(), b"\x05\0"):
        with pytest.raises(Refused):
            unwrapped(other)


def test_strings_in_pieces_are_refused() -> None:
    pieces = bytes.fromhex("2406040161040162")  # "ab" as a constructed OCTET STRING, which BER allows
    whole = wrapped(asn1.CMS_DATA, core.OctetString, b"123456").dump()
    assert unwrapped(whole)
    with pytest.raises(Refused):
        unwrapped(whole.replace(b"\x04\x06123456", pieces))


def test_parameters_are_absent_or_null() -> None:
    allowed = frozenset((asn1.SM3,))
    bare(algorithm(asn1.SM3), allowed, "a digest")
    bare(algorithm(asn1.SM3, core.Null()), allowed, "a digest")
    for other in (algorithm(asn1.SM3, core.Integer(0)), algorithm(asn1.SM4)):
        with pytest.raises(Refused):
            bare(other, allowed, "a digest")
