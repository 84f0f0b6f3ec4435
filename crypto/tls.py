"""The center's certificate authority and the TLS 1.3 contexts of center and sensors.

One private ECDSA P-256 CA per center. It signs the center's server certificate and, by CSR, each sensor's
client certificate; who a peer is stands in URI names of its certificate (RFC 5280 4.2.1.6):

    urn:liuhe:center:<name>      the center (extended key usage serverAuth)
    urn:liuhe:sensor:<id>        a sensor (clientAuth), together with
    urn:liuhe:unit:<name>        the unit that it belongs to, percent-encoded

A sensor trusts this CA alone and looks for the center's URI, not for a host name: addresses may change.
The seam for RFC 8998 (TLS_SM4_GCM_SM3 with SM2 certificates) is this file: ``create_authority``,
``issue_server``, ``issue_sensor``, ``create_request``, ``server_context`` and ``client_context`` are all that
callers know, keys and certificates travel as PEM, and contexts are the only ssl objects handed out.
"""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from crypto.words import BadInput, LiuheError, Refused, Words

CENTER_URI: Final = "urn:liuhe:center:"
SENSOR_URI: Final = "urn:liuhe:sensor:"
UNIT_URI: Final = "urn:liuhe:unit:"
AUTHORITY_DAYS: Final = 3_650
SERVER_DAYS: Final = 825
SENSOR_DAYS: Final = 1_095
CLOCK_SLACK: Final = timedelta(days=1)  # machines without NTP still see a certificate as begun
REQUEST_BYTES_MAX: Final = 16_384


class Authority(NamedTuple):
    """Where a center's CA and its server certificate lie; keys are 0600."""

    certificate: Path
    key: Path
    server_certificate: Path
    server_key: Path

    @staticmethod
    def of(folder: Path) -> "Authority":
        """The paths inside a keys folder, whether or not the files exist yet."""
        return Authority(folder / "ca.pem", folder / "ca.key", folder / "server.pem", folder / "server.key")


class PeerName(NamedTuple):
    """Who a verified client certificate says it is."""

    sensor: str
    unit: str


def create_authority(folder: Path, center: str, now: datetime) -> Authority:
    """Make the CA of a center; keeps an existing one. ``folder`` is created 0700."""
    from crypto import certificates

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = Authority.of(folder)
    if authority.certificate.exists() and authority.key.exists():
        return authority
    key, certificate = certificates.authority(center, now - CLOCK_SLACK, now + _days(AUTHORITY_DAYS))
    write_private(authority.key, key)
    authority.certificate.write_bytes(certificate)
    return authority


def issue_server(authority: Authority, center: str, hosts: list[str], now: datetime) -> None:
    """Make the center's server key and certificate anew, for the host names and addresses given."""
    from crypto import certificates

    names: list[str] = []
    addresses: list[str] = []
    for host in hosts:
        with suppress(ValueError):
            addresses.append(str(ip_address(host)))
            continue
        names.append(host)
    key, request = certificates.request(center)
    certificate = certificates.issue(
        authority.certificate.read_bytes(),
        authority.key.read_bytes(),
        request,
        common_name=center,
        uris=[CENTER_URI + quote(center, safe="")],
        names=names,
        addresses=addresses,
        server=True,
        begins=now - CLOCK_SLACK,
        ends=now + _days(SERVER_DAYS),
    )
    write_private(authority.server_key, key)
    authority.server_certificate.write_bytes(certificate)


def issue_sensor(authority: Authority, request_pem: bytes, *, sensor: str, unit: str, now: datetime) -> bytes:
    """A client certificate (PEM) for the key of a CSR; its own wishes for names are ignored.

    Raises BadInput where the CSR is malformed, not signed by its key, or of another kind of key.
    """
    from crypto import certificates

    if len(request_pem) > REQUEST_BYTES_MAX:
        raise bad_request("too long")
    return certificates.issue(
        authority.certificate.read_bytes(),
        authority.key.read_bytes(),
        request_pem,
        common_name=sensor,
        uris=[SENSOR_URI + sensor, UNIT_URI + quote(unit, safe="")],
        names=[],
        addresses=[],
        server=False,
        begins=now - CLOCK_SLACK,
        ends=now + _days(SENSOR_DAYS),
    )


def create_request(sensor: str) -> tuple[bytes, bytes]:
    """(private key PEM, CSR PEM) of a new sensor key."""
    from crypto import certificates

    return certificates.request(sensor)


def renew_request(key_pem: bytes, sensor: str) -> bytes:
    """A CSR (PEM) for a key that exists."""
    from crypto import certificates

    return certificates.request_for(key_pem, sensor)


def fingerprint(certificate_pem: str | bytes) -> str:
    """SHA-256 of the certificate's DER, 64 hex digits. Raises BadInput where it is no PEM."""
    text = (
        certificate_pem.decode("ascii", "replace") if isinstance(certificate_pem, bytes) else certificate_pem
    )
    try:
        return sha256(ssl.PEM_cert_to_DER_cert(text.strip() + "\n")).hexdigest()
    except ValueError as error:
        raise bad_request("not a PEM certificate") from error


def der_fingerprint(certificate: bytes) -> str:
    """The same of a certificate in DER, as ``getpeercert(binary_form=True)`` gives it."""
    return sha256(certificate).hexdigest()


def server_context(authority: Authority) -> ssl.SSLContext:
    """The center's side: TLS 1.3; a client certificate is verified where one is shown.

    Whoever shows none may only enrol: that is the listener's duty.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_OPTIONAL
    _load(context, authority.certificate, authority.server_certificate, authority.server_key)
    return context


def client_context(
    authority: Path, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """The sensor's side: TLS 1.3, the center's CA alone; with its own certificate once it has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the center's URI is checked instead, see check_center
    context.verify_mode = ssl.CERT_REQUIRED
    _load(context, authority, certificate, key)
    return context


def unverified_context() -> ssl.SSLContext:
    """Only for fetching a CA certificate that is then compared with a token's fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def check_center(peer: Mapping[str, Any] | None) -> str:
    """The center's name out of ``SSLSocket.getpeercert()``. Raises Refused where it is no center's."""
    for uri in _uris(peer):
        if uri.startswith(CENTER_URI):
            return unquote(uri.removeprefix(CENTER_URI))
    raise Refused(
        "not-a-center",
        Words("对端证书不是监管中心的证书", "the peer's certificate is not a center's"),
        Words("请核对中心地址", "check the center's address"),
    )


def peer_name(peer: Mapping[str, Any] | None) -> PeerName | None:
    """Sensor and unit out of ``getpeercert()`` of a verified client; None where it is not a sensor's."""
    uris = _uris(peer)
    sensors = [uri.removeprefix(SENSOR_URI) for uri in uris if uri.startswith(SENSOR_URI)]
    units = [unquote(uri.removeprefix(UNIT_URI)) for uri in uris if uri.startswith(UNIT_URI)]
    return PeerName(sensors[0], units[0]) if len(sensors) == len(units) == 1 else None


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read; it is never readable by others, not even for a moment."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600, exist_ok=False)
    partial.write_bytes(data)
    partial.replace(path)


def _load(context: ssl.SSLContext, authority: Path, certificate: Path | None, key: Path | None) -> None:
    try:
        context.load_verify_locations(cafile=str(authority))
        if certificate is not None:
            context.load_cert_chain(str(certificate), str(key) if key is not None else None)
    except (OSError, ssl.SSLError) as error:
        raise LiuheError(
            "keys-unreadable",
            Words(f"证书或私钥读不出:{error}", f"certificate or key cannot be read: {error}"),
            Words("请重新注册(sensor enroll)或恢复 keys 目录", "enrol again or restore the keys folder"),
            field=str(certificate or authority),
        ) from error


def _uris(peer: Mapping[str, Any] | None) -> list[str]:
    names = peer.get("subjectAltName", ()) if peer else ()
    return [value for kind, value in names if kind == "URI"]


def _days(count: int) -> timedelta:
    return timedelta(days=count)


def bad_request(reason: str) -> BadInput:
    """What is said of a CSR or certificate that cannot be used."""
    return BadInput(
        "certificate-malformed",
        Words(f"证书或证书请求不可用:{reason}", f"unusable certificate or request: {reason}"),
        Words("请重新生成密钥并重新注册", "make a new key and enrol again"),
    )
