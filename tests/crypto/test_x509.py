"""Certificates and requests as they stand: what is read, what is malformed, what a name may do."""

import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import asn1, x509_issue
from crypto import x509_forms as forms
from crypto.keys import SigningKey
from crypto.words import BadInput, Refused
from crypto.x509 import Certificate, read_certificate, read_certificates, read_request
from crypto.x509_issue import Subject, request_der, verify_request


def openssl(*arguments: str | Path) -> None:
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    assert done.returncode == 0, done.stderr.decode()


def test_our_own_is_read_back(house: Any) -> None:
    leaf = house.leaf
    assert read_certificate(leaf.der) == leaf
    assert read_certificates(leaf.pem() + house.issuer.pem()) == [leaf, house.issuer]
    assert leaf.version == 3
    assert leaf.key_id == house.key.public.key_id
    assert str(leaf.identity) == "center:one@city"
    assert leaf.extensions.usage == {"digital_signature", "content_commitment"}
    assert leaf.extensions.authority_key == house.issuer.extensions.subject_key
    assert house.issuer.extensions.basic == (True, 0)
    assert house.root.self_issued
    assert not leaf.self_issued
    assert (leaf.subject.get("CN"), leaf.subject.get("O")) == ("center-sign 一号", "")


def test_openssl_s_certificates_and_requests_are_read(tmp_path: Path) -> None:
    key, request, cert = (tmp_path / name for name in ("k.pem", "r.pem", "c.pem"))
    distid = ("-sigopt", "distid:1234567812345678")
    subject = "/C=CN/O=某省/CN=某人/emailAddress=a@b.cn"
    openssl("genpkey", "-algorithm", "SM2", "-out", key)
    config = tmp_path / "x.cnf"
    config.write_text(
        "[req]\ndistinguished_name=dn\n[dn]\n[ext]\nsubjectAltName=URI:urn:liuhe:person:wang,DNS:a.cn\n"
        "keyUsage=critical,digitalSignature\n",
        "utf-8",
    )
    common = ("-new", "-utf8", "-key", key, "-sm3", *distid, "-subj", subject, "-config", config)
    openssl("req", *common, "-reqexts", "ext", "-out", request)
    openssl("req", *common, "-x509", "-extensions", "ext", "-days", "30", "-out", cert)
    asked = read_request(request.read_bytes())
    verify_request(asked)
    with pytest.raises(Refused, match="signature-invalid"):
        verify_request(asked, user_id=b"ALICE123@YAHOO.COM")
    found = read_certificates(cert.read_bytes())[0]
    for one in (asked, found):
        assert str(one.subject) == "C=CN, O=某省, CN=某人, email=a@b.cn"
        assert one.extensions.identity[:2] == ("person", "wang")
        assert (one.extensions.uris, one.extensions.other_names) == (("urn:liuhe:person:wang",), 1)
        assert one.extensions.usage == {"digital_signature"}
    assert found.spki == asked.spki
    found.public_key()


def test_an_identity_that_is_ambiguous_is_none(house: Any) -> None:
    def identity(*uris: str) -> tuple[str, ...]:
        value = bytes(x509_issue._names(uris)["value"].native)
        return house.forge(house.leaf, house.issuer_key, extensions={asn1.ALTERNATIVE_NAME: value}).identity

    assert identity("urn:liuhe:sensor:a", "urn:liuhe:zone:z") == ("sensor", "a", "z", "")
    assert identity("urn:liuhe:sensor:a", "urn:liuhe:sensor:b")[0] == ""
    assert identity("urn:liuhe:sensor:a", "urn:liuhe:center:a")[0] == ""
    assert identity("urn:liuhe:sensor:a", "urn:liuhe:zone:y", "urn:liuhe:zone:z") == ("sensor", "a", "", "")
    assert identity("https://example.org/") == ("", "", "", "")
    assert identity("urn:liuhe:sensor:a%1b%0Ab")[1] == "a\\u001b\\u000ab"


def test_names_cannot_play_with_the_terminal() -> None:
    der = forms.Names(
        [
            forms.NameParts(
                [forms.NamePart({"type": "2.5.4.3", "value": forms.core.UTF8String("a\x1b[2J\u202eb\n")})]
            )
        ]
    ).dump()
    assert str(forms.read_name(der)) == "CN=a\\u001b[2J\\u202eb\\u000a"


@pytest.mark.parametrize(
    ("raw", "time"),
    [
        (b"\x17\r261122080000Z", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        (b"\x17\r500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (b"\x17\r491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (b"\x18\x0f20500101000000Z", datetime(2050, 1, 1, tzinfo=UTC)),
    ],
)
def test_times(raw: bytes, time: datetime) -> None:
    assert forms.read_time(raw) == time
    assert forms.write_time(time).dump() == raw or time.year < 2000


@pytest.mark.parametrize(
    "raw",
    [
        b"\x17\x0b2611220800Z",
        b"\x17\x11261122080000+0800",
        b"\x17\r261332080000Z",
        b"\x18\x0f20260101000000Z",
        b"\x18\x1120500101000000.0Z",
        b"\x04\r261122080000Z",
    ],
)
def test_other_forms_of_time_are_malformed(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        forms.read_time(raw)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_certificates_are_read_or_bad_input(house: Any, data: st.DataObject) -> None:
    der = bytearray(house.leaf.der)
    for _ in range(data.draw(st.integers(1, 6))):
        kind = data.draw(st.sampled_from(["flip", "cut", "double"]))
        at = data.draw(st.integers(0, max(0, len(der) - 2)))
        if kind == "flip":
            der[at] ^= data.draw(st.integers(1, 255))
        elif kind == "cut":
            del der[at : at + data.draw(st.integers(1, 20))]
        else:
            der[at:at] = der[at : at + data.draw(st.integers(1, 20))]
        if not der:
            return
    try:
        found = read_certificate(bytes(der))
    except BadInput:
        return
    assert isinstance(found, Certificate)
    assert found.identity is not None
    str(found.subject)


@cache
def request_of(house: Any) -> bytes:
    return request_der(house.key, "person", Subject(common_name="王", id="wang"))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_requests_are_refused(house: Any, data: st.DataObject) -> None:
    der = bytearray(request_of(house))
    der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((BadInput, Refused)):
        verify_request(read_request(bytes(der)))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_bad_input(data: bytes) -> None:
    for read in (read_certificate, read_request, read_certificates):
        with pytest.raises(BadInput):
            read(data)


def test_limits(house: Any) -> None:
    with pytest.raises(BadInput):
        read_certificate(house.leaf.der + b"\0")
    many = tuple((f"1.2.3.{n}", b"\x05\x00", False) for n in range(40))
    with pytest.raises(BadInput, match="too many extensions"):
        house.forge(house.leaf, house.issuer_key, more=many)
    uris = tuple(f"urn:x:{n}" for n in range(65))
    names = bytes(x509_issue._names(uris)["value"].native)
    with pytest.raises(BadInput, match="number of names"):
        house.forge(house.leaf, house.issuer_key, extensions={asn1.ALTERNATIVE_NAME: names})
    with pytest.raises(BadInput):
        house.forge(house.leaf, house.issuer_key, more=(("1.2.3.4", b"not DER", False),))
    assert SigningKey.generate().public.key_id != house.key.public.key_id
