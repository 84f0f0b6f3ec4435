"""Certificates as seen on the wire: SM2 and others, against the cryptography package, and hostile bytes."""

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.certificate import Certificate, parse_certificate
from sensors.network.certificate_message import certificate_message

BEGINS, ENDS = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2051, 6, 7, 8, 9, 10, tzinfo=UTC)


def make(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "示例, 单位"),
            x509.NameAttribute(NameOID.COMMON_NAME, "portal.example.gov.cn"),
        ]
    )
    names = [x509.DNSName("a.example.gov.cn"), x509.IPAddress(ip_address("2001:db8::1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0xABCDEF)
        .not_valid_before(BEGINS)
        .not_valid_after(ENDS)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def read(der: bytes) -> Certificate:
    found = parse_certificate(der)
    assert found is not None
    return found


EC = make(ec.generate_private_key(ec.SECP384R1()))


@pytest.mark.parametrize(
    ("der", "kind", "bits", "curve", "signature"),
    [
        (make(rsa.generate_private_key(65537, 2048)), "rsa", 2048, "", "sha256WithRSAEncryption"),
        (EC, "ecdsa", 384, "secp384r1", "ecdsa-with-SHA256"),
        (make(ed25519.Ed25519PrivateKey.generate()), "ed25519", 256, "", "ED25519"),
    ],
)
def test_kinds_of_keys(der: bytes, kind: str, bits: int, curve: str, signature: str) -> None:
    found = read(der)
    assert (found.key_kind, found.key_bits, found.curve) == (kind, bits, curve)
    assert found.signature_algorithm == signature
    assert not found.is_sm


def test_the_facts() -> None:
    found = read(EC)
    assert found.subject == "CN=portal.example.gov.cn,O=示例\\, 单位,C=CN"
    assert found.self_issued
    assert found.common_name == "portal.example.gov.cn"
    assert (found.not_before, found.not_after) == (BEGINS, ENDS)
    assert (found.version, found.serial, found.is_authority) == (3, "ABCDEF", True)
    assert (found.names, found.addresses) == (["a.example.gov.cn"], ["2001:db8::1"])
    assert found.sha256 == x509.load_der_x509_certificate(EC).fingerprint(hashes.SHA256()).hex()


def test_the_message_names_side_and_validity() -> None:
    told = certificate_message(read(EC), 0, "a.cn", BEGINS.timestamp() + 86_400 * 10, reply=False)
    assert told.dataset == "net.x509"
    assert told.fields["tls.client.x509.public_key_curve"] == "secp384r1"
    assert told.fields["gov.x509.validity"] == "valid"
    assert told.native["client_cert"] is True


def test_what_is_no_certificate() -> None:
    for raw in (b"", b"\x30\x00", b"\x30\x80\x00\x00", EC[:200], b"\x00" * 40, b"\x30" * 20_000):
        assert parse_certificate(raw) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(EC) - 1), st.integers(0, 255), st.integers(0, len(EC)))
def test_broken_certificates_are_answered(place: int, value: int, cut: int) -> None:
    raw = bytearray(EC)
    raw[place] = value
    for whole in (bytes(raw), bytes(raw[:cut])):
        found = parse_certificate(whole)
        if found is not None:
            certificate_message(found, 0, "", 0.0, reply=True)
