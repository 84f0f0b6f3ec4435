"""X.509 for ``crypto.tls``: keys, requests and certificates as PEM bytes; ECDSA P-256 with SHA-256."""

from datetime import datetime
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.words import BadInput, Words

_NAME_CHARS_MAX: Final = 64  # X.520 upper bound of a common name


def authority(center: str, begins: datetime, ends: datetime) -> tuple[bytes, bytes]:
    """(key PEM, certificate PEM) of a new CA that may sign end certificates only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Liuhe CA {center}")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _key_pem(key), certificate.public_bytes(serialization.Encoding.PEM)


def request(common_name: str) -> tuple[bytes, bytes]:
    """(key PEM, CSR PEM) of a new key."""
    key_pem = _key_pem(ec.generate_private_key(ec.SECP256R1()))
    return key_pem, request_for(key_pem, common_name)


def request_for(key_pem: bytes, common_name: str) -> bytes:
    """A CSR for an existing key. Raises BadInput where the key is unusable."""
    key = _key(key_pem)
    built = x509.CertificateSigningRequestBuilder().subject_name(_name(common_name))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def public_key_digest(pem: bytes) -> str:
    """SHA-256 of the public key in a CSR or certificate: the same key gives the same digits."""
    key = _parsed_request(pem).public_key()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return digest.finalize().hex()


def issue(
    authority_pem: bytes,
    authority_key: bytes,
    request_pem: bytes,
    *,
    common_name: str,
    uris: list[str],
    names: list[str],
    addresses: list[str],
    server: bool,
    begins: datetime,
    ends: datetime,
) -> bytes:
    """Sign a certificate for the key of a CSR. Raises BadInput where the CSR cannot be used."""
    signer = _key(authority_key)
    ca = x509.load_pem_x509_certificate(authority_pem)
    key = _parsed_request(request_pem).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _bad("the key is not ECDSA P-256")
    alternatives: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
    alternatives += [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ip_address(address)) for address in addresses]
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(ca.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(min(ends, ca.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def expires(certificate_pem: bytes) -> datetime:
    """When a certificate ends, UTC. Raises BadInput where it is not one."""
    try:
        return x509.load_pem_x509_certificate(certificate_pem).not_valid_after_utc
    except ValueError as error:
        raise _bad("not a PEM certificate") from error


def _parsed_request(pem: bytes) -> x509.CertificateSigningRequest:
    try:
        parsed = x509.load_pem_x509_csr(pem)
        valid = parsed.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _bad("not a PEM certificate request") from error
    if not valid:
        raise _bad("not signed by its own key")
    return parsed


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad("the private key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _bad("the private key is not ECDSA")
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_NAME_CHARS_MAX])])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _bad(reason: str) -> BadInput:
    return BadInput(
        "certificate-malformed",
        Words(f"证书或证书请求不可用:{reason}", f"unusable certificate or request: {reason}"),
        Words("请重新生成密钥并重新注册", "make a new key and enrol again"),
    )
