"""What is reported of a certificate in a handshake: ECS x509 fields and Zeek's x509.log names."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sensors.event import Value
from sensors.network.certificate import Certificate
from sensors.network.dialect import Message

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_MAX: Final = 253_402_300_799.0


def certificate_message(
    certificate: Certificate, position: int, server_name: str, time: float, *, reply: bool
) -> Message:
    """net.x509: ``position`` in what that side sent (TLCP: 0 signs, 1 encrypts); judged at ``time``."""
    side = "server" if reply else "client"
    x509 = f"tls.{side}.x509"
    at = _EPOCH + timedelta(seconds=min(max(time, 0.0), _SECONDS_MAX))
    fields: dict[str, Value] = {
        f"{x509}.version_number": str(certificate.version),
        f"{x509}.serial_number": certificate.serial,
        f"{x509}.subject.distinguished_name": certificate.subject,
        f"{x509}.subject.common_name": certificate.common_name,
        f"{x509}.issuer.distinguished_name": certificate.issuer,
        f"{x509}.public_key_algorithm": certificate.key_kind or certificate.key_algorithm,
        f"{x509}.public_key_size": certificate.key_bits,
        f"{x509}.signature_algorithm": certificate.signature_algorithm,
        f"{x509}.alternative_names": [*certificate.names, *certificate.addresses],
        f"tls.{side}.hash.sha256": certificate.sha256,
        "gov.x509.hash.sm3": certificate.sm3,
        "gov.x509.side": side,
        "gov.x509.position": position,
        "gov.x509.self_issued": certificate.self_issued,
        "gov.x509.sm": certificate.is_sm,
    }
    native: dict[str, Value] = {
        "fingerprint": certificate.sha256,
        "certificate.version": certificate.version,
        "certificate.serial": certificate.serial,
        "certificate.subject": certificate.subject,
        "certificate.issuer": certificate.issuer,
        "certificate.key_alg": certificate.key_algorithm,
        "certificate.sig_alg": certificate.signature_algorithm,
        "certificate.key_type": certificate.key_kind,
        "certificate.key_length": certificate.key_bits,
        "san.dns": [*certificate.names],
        "san.ip": [*certificate.addresses],
        "host_cert": position == 0,
        "client_cert": not reply,
    }
    if certificate.curve:
        fields[f"{x509}.public_key_curve"] = native["certificate.curve"] = certificate.curve
    if certificate.exponent:
        fields[f"{x509}.public_key_exponent"] = certificate.exponent
        native["certificate.exponent"] = str(certificate.exponent)
    if certificate.is_authority is not None:
        fields["gov.x509.authority"] = native["basic_constraints.ca"] = certificate.is_authority
    if server_name:
        fields["tls.client.server_name"] = server_name
    if certificate.not_before is not None:
        fields[f"{x509}.not_before"] = certificate.not_before.isoformat()
        native["certificate.not_valid_before"] = certificate.not_before.timestamp()
    if certificate.not_after is not None:
        fields[f"{x509}.not_after"] = certificate.not_after.isoformat()
        fields["gov.x509.days_left"] = (certificate.not_after - at).days
        native["certificate.not_valid_after"] = certificate.not_after.timestamp()
    fields["gov.x509.validity"] = _validity(certificate, at)
    return Message(
        "net.x509", "tls", fields, native, reply=reply, log="x509", category="tls", once=certificate.sha256
    )


def _validity(certificate: Certificate, at: datetime) -> str:
    if certificate.not_before is None or certificate.not_after is None:
        return "unreadable"
    if at > certificate.not_after:
        return "expired"
    return "future" if at < certificate.not_before else "valid"
