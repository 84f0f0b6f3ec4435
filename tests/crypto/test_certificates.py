"""Only P-256 requests signed by their own key become certificates."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from crypto import certificates
from crypto.words import BadInput

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=10)


def issue(request: bytes, ends: datetime = LATER) -> bytes:
    key, authority = certificates.authority("c", NOW, LATER)
    return certificates.issue(
        authority,
        key,
        request,
        common_name="a",
        uris=["urn:a"],
        names=[],
        addresses=[],
        server=False,
        begins=NOW,
        ends=ends,
    )


def test_a_certificate_never_outlives_its_authority() -> None:
    _, request = certificates.request("a")
    assert certificates.expires(issue(request, LATER + timedelta(days=900))) == LATER


def test_the_same_key_gives_the_same_digest() -> None:
    key, request = certificates.request("a")
    assert certificates.public_key_digest(request) == certificates.public_key_digest(
        certificates.request_for(key, "another name")
    )


def _other_curve() -> bytes:
    key = ec.generate_private_key(ec.SECP384R1())
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _altered() -> bytes:
    der = bytearray(
        x509.load_pem_x509_csr(certificates.request("a")[1]).public_bytes(serialization.Encoding.DER)
    )
    der[-1] ^= 1
    return x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("request_pem", [b"", b"-----BEGIN X-----", _other_curve(), _altered()])
def test_other_requests_are_refused(request_pem: bytes) -> None:
    with pytest.raises(BadInput):
        issue(request_pem)


def test_other_keys_and_certificates_are_refused() -> None:
    with pytest.raises(BadInput):
        certificates.request_for(b"no key", "a")
    with pytest.raises(BadInput):
        certificates.expires(b"no certificate")
