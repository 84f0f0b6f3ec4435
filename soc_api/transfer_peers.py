"""Certificates by which centers know each other while packages travel online, and both ends of SM TLS.

A folder ``transfer/tls`` of each center: ``link.pem``, its key and certificates for its door and its pushes
alike, and ``trust/``, the roots, issuers and revocation lists by which it judges the other. What is carried
is protected by the package's own SM2 signatures and encryption besides.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.link_peers import PeerJudge
from crypto.link_trust import LinkTrust
from crypto.sm_stream import Judge
from crypto.sm_tls import Context, client_context, server_context
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der

FOLDER: Final = "tls"
IDENTITY_NAME: Final = "link.pem"
TRUST_NAME: Final = "trust"


class PeerLink(NamedTuple):
    """One end of transfers online."""

    context: Context
    judge: Judge


def server_link(folder: Path, trust: Path | None = None, *, only_sm: bool = True) -> PeerLink:
    """The receiver's end. Raises LiuheError where keys or trust cannot be read."""
    return PeerLink(server_context(_identity(folder), only_sm=only_sm), _judge(folder, trust))


def client_link(folder: Path, trust: Path | None = None, *, only_sm: bool = True) -> PeerLink:
    """The sender's end. Raises LiuheError where keys or trust cannot be read."""
    return PeerLink(client_context(_identity(folder), only_sm=only_sm), _judge(folder, trust))


def issue_peer(authority_folder: Path, center: str, into: Path, now: datetime) -> None:
    """Key, certificates and trust of one center, from an authority that is made where there is none yet."""
    authority = LinkAuthority(authority_folder.parent, folder=authority_folder)
    authority.establish("transfer", now)
    key = SigningKey.generate()
    wish = request_der(key, "center-link", Subject(common_name=center, id=center))
    chain = authority.issue_center(pem.encode(wish, REQUEST), center=center, now=now)
    LinkIdentity(key=key, chain=chain).save(into / IDENTITY_NAME)
    LinkTrust(into / TRUST_NAME).pin(
        authority.bundle() + authority.lists(), authority.root().fingerprint, now
    )


def _identity(folder: Path) -> LinkIdentity:
    return LinkIdentity.load(folder / IDENTITY_NAME)


def _judge(folder: Path, trust: Path | None) -> Judge:
    trusted = LinkTrust(trust or folder / TRUST_NAME)
    trusted.store()
    return PeerJudge(trusted.store, _now).center


def _now() -> datetime:
    return datetime.now(UTC)
