"""Who the other end of a link is: its certificates held against a trust store, and the names in them.

    judge = PeerJudge(load, clock)      load() gives the trust store of now; asked again when it may be newer
    judge.sensor(stream.peer_chain)     -> Peer: a sensor of this center's authority
    judge.center(stream.peer_chain)     -> Peer: a center

A verdict is kept for a while by the very bytes of the chain: two thousand sensors that come back after an
outage are not verified twice. Another trust store, such as one with a newer revocation list, empties it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from crypto.chain import TrustStore, Verified
from crypto.profile import Kind
from crypto.sm3 import sm3
from crypto.words import Refused, Words

VERDICTS_MAX: Final = 4_096
VERDICT_LASTS: Final = timedelta(minutes=10)


class Peer(NamedTuple):
    """The verified other end of a connection."""

    id: str
    """Of the sensor or center."""
    unit: str
    zone: str
    serial: str
    """Of its certificate, lower-case hex."""
    key_id: str
    """Of its key: ``crypto.keys`` and batch signatures name it so."""
    fingerprint: str
    """SM3 of its certificate."""
    not_after: datetime
    verified: Verified


class PeerJudge:
    """Whether a peer's chain holds; safe from any thread."""

    def __init__(self, trust: Callable[[], TrustStore], clock: Callable[[], datetime]) -> None:
        """``trust`` is asked for each verdict and gives the same object while nothing has changed."""
        self._trust: Final = trust
        self._clock: Final = clock
        self._lock: Final = threading.Lock()
        self._store: TrustStore | None = None
        self._verdicts: Final[OrderedDict[bytes, tuple[datetime, Peer]]] = OrderedDict()

    def sensor(self, chain: Sequence[bytes]) -> Peer:
        """The sensor whose chain this is. Raises Refused (chain-*, link-no-certificate)."""
        return self._judged("sensor", chain)

    def center(self, chain: Sequence[bytes]) -> Peer:
        """The center whose chain this is. Raises Refused (chain-*, link-no-certificate)."""
        return self._judged("center-link", chain)

    def _judged(self, kind: Kind, chain: Sequence[bytes]) -> Peer:
        if not chain:
            raise Refused(
                "link-no-certificate",
                Words("对端没有出示证书", "the peer showed no certificate"),
                Words("请先注册或装入证书", "enrol it, or install its certificate, first"),
            )
        now, store = self._clock(), self._trust()
        name = sm3(b"".join((kind.encode(), *(sm3(one) for one in chain))))
        with self._lock:
            if store is not self._store:
                self._store = store
                self._verdicts.clear()
            kept = self._verdicts.get(name)
        if kept is not None and kept[0] <= now <= kept[0] + VERDICT_LASTS and now <= kept[1].not_after:
            return kept[1]
        peer = peer_of(store.verify_der(chain, at=now, usage="sign", kinds={kind}))
        with self._lock:
            if store is self._store:
                self._verdicts[name] = (now, peer)
                while len(self._verdicts) > VERDICTS_MAX:
                    self._verdicts.popitem(last=False)
        return peer


def peer_of(verified: Verified) -> Peer:
    """The names in a chain that held."""
    leaf, identity = verified.leaf, verified.identity
    return Peer(
        id=identity.id,
        unit=identity.unit,
        zone=identity.zone,
        serial=f"{leaf.serial:x}",
        key_id=leaf.key_id,
        fingerprint=leaf.fingerprint,
        not_after=min(one.not_after for one in verified.chain),
        verified=verified,
    )
