"""Certificates by which centers know each other while packages travel online, and the TLS contexts of both.

A folder ``transfer/tls`` of each center: ``ca.pem`` (whom to trust), ``server.pem`` and ``server.key`` (its
door), ``client.pem`` and ``client.key`` (its own pushes). ECDSA P-256 and TLS 1.3 as for sensors; all of the
protection of what is carried lies in the package's own SM2 signatures and encryption.
"""

import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from crypto import certificates, tls
from crypto.tls import Authority

DAYS: Final = 825
FOLDER: Final = "tls"


def server_context(folder: Path, authority: Path | None = None) -> ssl.SSLContext:
    """The receiver's side: nobody without a certificate of the authority. Raises LiuheError."""
    context = tls.server_context(_paths(folder, authority))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(folder: Path, authority: Path | None = None) -> ssl.SSLContext:
    """The sender's side. Raises LiuheError."""
    trusted = _paths(folder, authority).certificate
    return tls.client_context(trusted, folder / "client.pem", folder / "client.key")


def issue_peer(authority_folder: Path, center: str, hosts: list[str], into: Path, now: datetime) -> None:
    """Keys and certificates of one center, from an authority that is made where there is none yet."""
    authority = tls.create_authority(authority_folder, "transfer", now)
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = _paths(into, None)
    target.certificate.write_bytes(authority.certificate.read_bytes())
    issuer = authority._replace(server_certificate=target.server_certificate, server_key=target.server_key)
    tls.issue_server(issuer, center, hosts, now)
    key, request = certificates.request(center[:64])
    certificate = certificates.issue(
        authority.certificate.read_bytes(),
        authority.key.read_bytes(),
        request,
        common_name=center,
        uris=[tls.CENTER_URI + quote(center, safe="")],
        names=[],
        addresses=[],
        server=False,
        begins=now - tls.CLOCK_SLACK,
        ends=now + timedelta(days=DAYS),
    )
    tls.write_private(into / "client.key", key)
    (into / "client.pem").write_bytes(certificate)


def _paths(folder: Path, authority: Path | None) -> Authority:
    own = Authority.of(folder)
    return own if authority is None else own._replace(certificate=authority)
