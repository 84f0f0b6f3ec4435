"""A sensor's end of its link: connecting with its certificate to the center it trusts, over SM TLS.

keys/sensor.pem      a LinkIdentity: the sensor's key, its certificate, its issuers
keys/trust/          the center's root, pinned at enrolment, with issuers and revocation lists
keys/pending.key     a key whose certificate was asked for and has not come
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from crypto.keys import SigningKey
from crypto.link_identity import LinkIdentity
from crypto.link_peers import PeerJudge
from crypto.link_trust import LinkTrust
from crypto.sm_stream import SmStream
from crypto.sm_tls import client_context
from sensors.address import Address, connect

IDENTITY_NAME: Final = "sensor.pem"
TRUST_NAME: Final = "trust"
PENDING_NAME: Final = "pending.key"
CONNECT_SECONDS: Final = 10.0


class Line(NamedTuple):
    """One connection to the center."""

    stream: SmStream
    key: SigningKey
    """Of the certificate that the center sees here: it signs the batches of this connection."""
    center: str
    """The verified name."""


class SensorLink:
    """Makes connections; key and certificate are read anew for each, so that renewed ones are taken up."""

    def __init__(self, keys: Path, *, only_sm: bool = True) -> None:
        self.trust: Final = LinkTrust(keys / TRUST_NAME)
        self._identity_path: Final = keys / IDENTITY_NAME
        self._only_sm: Final = only_sm
        self._judge: Final = PeerJudge(self.trust.store, _now)

    def identity(self) -> LinkIdentity:
        """The sensor's key and certificates. Raises LiuheError where it is not enrolled."""
        return LinkIdentity.load(self._identity_path)

    def check(self) -> None:
        """Raise LiuheError or BadInput where no connection could be made with what is in the folder."""
        self.trust.store()
        client_context(self.identity(), only_sm=self._only_sm)

    def connect(self, address: Address, seconds: float = CONNECT_SECONDS) -> Line:
        """A connection to the center at an address. Raises Refused (link-not-sm, chain-*), OSError."""
        self.trust.store()
        identity = self.identity()
        context = client_context(identity, only_sm=self._only_sm)
        stream = connect(address, context, self._judge.center, seconds)
        return Line(stream, identity.key, stream.peer.id if stream.peer else "")


def _now() -> datetime:
    return datetime.now(UTC)
