"""What is usual for each entity, hour by hour, learned as it goes: columns of numbers, a row for an entity.

Of every count its logarithm is followed by a robust center and spread: a window pulls by at most one spread, so
a burst moves little. The hour (of a working day or a day off) is a factor of the peer group, for which there is
data enough; a young entity is taken for its peers until it has windows of its own. From one day to the next the
center of a grown entity moves by a fixed amount at most, however it is pulled: a slow ramp stays visible.

Entities of windows that begin together are scored and learned at once. Peers' sums are whole numbers, and take
effect when a later window comes, so the cut into batches changes nothing.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from detection.anomaly.encoding import Array
from detection.calendar import SLOTS

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

_UNIT: Final = 65_536  # peers' pulls are summed in this part of a spread
_MEAN_TO_SPREAD: Final = 1.25  # mean absolute deviation to standard deviation, of a normal curve
_PULL_MAX: Final = 3.0  # spreads a deviation counts for at most when the spread is learned
_LOADED_BYTES_MAX: Final = 4 << 30


class BaselineParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``baseline`` of rules/anomaly/entities.toml."""

    entities_max: int
    peers_max: int
    rate_min: float  # of learning, once an entity is grown
    own_windows: int  # windows after which an entity counts for itself as much as its peers do
    grown_windows: int  # windows after which its center is held to ``movement_per_day``
    movement_per_day: float  # of the center, in its logarithm
    spread_min: float


class Measured(NamedTuple):
    """Of each entity and count: how many spreads off, and what was expected."""

    deviation: Floats
    expected: Floats  # of the logarithm
    spread: Floats


class Baseline:
    """Entities of one kind with the same counts."""

    def __init__(self, features: Sequence[str], parameters: BaselineParameters) -> None:
        self.features = tuple(features)
        self._parameters = parameters
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self._peers: dict[str, int] = {}
        self._start = -1
        self.forgotten = 0
        width = len(self.features)
        self._center = np.zeros((0, width), dtype=np.float32)
        self._spread = np.ones((0, width), dtype=np.float32)
        self._anchor = np.zeros((0, width), dtype=np.float32)  # the center when the day began
        self._count = np.zeros(0, dtype=np.uint32)
        self._day = np.zeros(0, dtype=np.int32)
        self._seen = np.zeros(0, dtype=np.uint32)  # when last, in minutes
        self._peer = np.zeros(0, dtype=np.uint16)
        most = parameters.peers_max
        self._peer_center = np.zeros((most, SLOTS, width), dtype=np.float32)
        self._peer_spread = np.ones((most, SLOTS, width), dtype=np.float32)
        self._peer_count = np.zeros((most, SLOTS), dtype=np.uint32)
        self._slot = 0
        self._pulls = np.zeros((most, 2, width), dtype=np.int64)
        self._pulled = np.zeros(most, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def places(self, keys: Sequence[str], peers: Sequence[str]) -> Places:
        """The rows of entities, made where they are new; all of one call must differ."""
        known = self._places
        new = [at for at, key in enumerate(keys) if key not in known]
        if new:
            if len(self._keys) + len(new) > self._parameters.entities_max:
                self._forget(len(new))
                known = self._places
                new = [at for at, key in enumerate(keys) if key not in known]
            self._grow(len(self._keys) + len(new))
            for at in new:
                known[keys[at]] = len(self._keys)
                self._peer[len(self._keys)] = self._peer_of(peers[at])
                self._keys.append(keys[at])
        return np.fromiter((known[key] for key in keys), dtype=np.intp, count=len(keys))

    def measure(self, places: Places, slot: int, values: Array) -> Measured:
        """Deviations of windows in an hour's slot from what is usual; learns nothing."""
        logs = np.log1p(values).astype(np.float32)
        peer = self._peer[places]
        peer_center, peer_spread = self._peer_center[peer, slot], self._peer_spread[peer, slot]
        own = self._weight(places)
        hour = self._hour(peer, slot)
        expected = peer_center + own * (self._center[places] + hour - peer_center)
        spread = peer_spread + own * (self._spread[places] - peer_spread)
        spread = np.maximum(spread, np.float32(self._parameters.spread_min))
        return Measured((logs - expected) / spread, expected, spread)

    def observe(self, start: int, slot: int, places: Places, values: Array) -> Measured:
        """Measure the windows that began at ``start`` (epoch seconds), then learn from them."""
        if start > self._start:
            self._settle()
            self._start, self._slot = start, slot
        measured = self.measure(places, slot, values)
        logs = np.log1p(values).astype(np.float32)
        self._learn_peers(places, logs)
        self._learn(places, logs, start, slot)
        return measured

    def usual(self, place: int, slot: int) -> tuple[Floats, Floats, Floats, Floats]:
        """(low, high) of the entity, then of its peers in that hour, as counts: two spreads around."""
        one = np.array([place], dtype=np.intp)
        measured = self.measure(one, slot, np.zeros((1, len(self.features))))
        peer = int(self._peer[place])
        peers = self._peer_center[peer, slot], self._peer_spread[peer, slot]
        own = _range(measured.expected[0], measured.spread[0])
        return (*own, *_range(*peers))

    def windows_of(self, place: int) -> int:
        """Windows an entity was learned from."""
        return int(self._count[place])

    def to_bytes(self) -> bytes:
        """Everything, for a snapshot."""
        self._settle()
        count = len(self._keys)
        names = {
            "keys": self._keys,
            "peers": list(self._peers),
            "features": self.features,
            "start": self._start,
        }
        buffer = io.BytesIO()
        np.savez(
            buffer,
            allow_pickle=False,
            names=np.frombuffer(msgspec.json.encode(names), dtype=np.uint8),
            **{name: getattr(self, f"_{name}")[:count] for name in _OF_ENTITIES},
            **{name: getattr(self, f"_{name}")[: len(self._peers)] for name in _OF_PEERS},
        )
        return buffer.getvalue()

    def from_bytes(self, data: bytes) -> bool:
        """Take up what ``to_bytes`` gave; False, and nothing changed, where it is of another shape."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as members:
                if sum(member.file_size for member in members.infolist()) > _LOADED_BYTES_MAX:
                    return False
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                names = msgspec.json.decode(archive["names"].tobytes(), type=_Names)
                arrays = {name: archive[name] for name in (*_OF_ENTITIES, *_OF_PEERS)}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError):
            return False
        count, peers = len(names.keys), len(names.peers)
        fits = names.features == self.features and peers <= self._parameters.peers_max
        fits = fits and count == len(set(names.keys)) <= self._parameters.entities_max
        for name, array in arrays.items():
            mine = getattr(self, f"_{name}")
            shape = (count if name in _OF_ENTITIES else peers, *mine.shape[1:])
            fits = fits and array.dtype == mine.dtype and array.shape == shape
            fits = fits and bool(np.isfinite(array).all())
        if not fits or (count and int(arrays["peer"].max()) >= max(peers, 1)):
            return False
        self._keys, self._start = list(names.keys), names.start
        self._places = {key: at for at, key in enumerate(self._keys)}
        self._peers = {key: at for at, key in enumerate(names.peers)}
        for name, array in arrays.items():
            if name in _OF_ENTITIES:
                setattr(self, f"_{name}", array)
            else:
                getattr(self, f"_{name}")[:peers] = array
        return True

    def _weight(self, places: Places) -> Floats:
        count = self._count[places].astype(np.float32)
        return (count / (count + np.float32(self._parameters.own_windows)))[:, np.newaxis]

    def _hour(self, peer: npt.NDArray[np.uint16], slot: int) -> Floats:
        """How the peers' hour differs from their mean hour, as far as both are known."""
        known = self._peer_count > 0
        hours = np.maximum(known.sum(axis=1), 1)[:, np.newaxis]
        mean = (self._peer_center * known[:, :, np.newaxis]).sum(axis=1) / hours
        factor = np.where(known[:, slot, np.newaxis], self._peer_center[:, slot] - mean, 0.0)
        return factor.astype(np.float32)[peer]

    def _learn(self, places: Places, logs: Floats, start: int, slot: int) -> None:
        parameters = self._parameters
        center, spread = self._center[places], self._spread[places]
        count = self._count[places]
        first = (count == 0)[:, np.newaxis]
        deviation = logs - self._hour(self._peer[places], slot) - center
        rate = np.maximum(1.0 / (count + 1.0), parameters.rate_min).astype(np.float32)[:, np.newaxis]
        pull = np.clip(deviation, -spread, spread)
        moved = center + np.where(first, deviation, rate * pull)
        self._anchor_day(places, start, center)
        grown = (count >= parameters.grown_windows)[:, np.newaxis]
        most = np.float32(parameters.movement_per_day)
        anchor = self._anchor[places]
        self._center[places] = np.where(grown, np.clip(moved, anchor - most, anchor + most), moved)
        size = np.minimum(np.abs(deviation) * np.float32(_MEAN_TO_SPREAD), _PULL_MAX * spread)
        learned = np.where(first, spread, spread + rate * (size - spread))
        self._spread[places] = np.maximum(learned, np.float32(parameters.spread_min))
        self._count[places] = count + 1
        self._seen[places] = start // 60

    def _anchor_day(self, places: Places, start: int, center: Floats) -> None:
        day = start // 86_400
        turned = self._day[places] != day
        if turned.any():
            self._anchor[places[turned]] = center[turned]
            self._day[places[turned]] = day

    def _learn_peers(self, places: Places, logs: Floats) -> None:
        """Add the pulls of these windows, in whole numbers: their order does not matter."""
        peer = self._peer[places]
        center, spread = self._peer_center[peer, self._slot], self._peer_spread[peer, self._slot]
        deviation = (logs - center) / spread
        pull = np.clip(deviation, -1.0, 1.0) * _UNIT
        size = np.minimum(np.abs(deviation) * _MEAN_TO_SPREAD, _PULL_MAX) * _UNIT
        order = np.argsort(peer, kind="stable")
        starts = np.flatnonzero(np.diff(peer[order], prepend=-1))
        groups = peer[order][starts]
        self._pulls[groups, 0] += np.add.reduceat(pull[order].astype(np.int64), starts, axis=0)
        self._pulls[groups, 1] += np.add.reduceat(size[order].astype(np.int64), starts, axis=0)
        self._pulled += np.bincount(peer, minlength=len(self._pulled))

    def _settle(self) -> None:
        """Let the pulls of the last start take effect on the peers."""
        some = np.flatnonzero(self._pulled)
        if not len(some):
            return
        count = self._peer_count[some, self._slot]
        rate = np.maximum(1.0 / (count + 1.0), self._parameters.rate_min)[:, np.newaxis]
        mean = self._pulls[some] / (self._pulled[some, np.newaxis, np.newaxis] * float(_UNIT))
        spread = self._peer_spread[some, self._slot]
        # a first window says little of the center: pulls are of at most one spread, so several steps at once
        center = self._peer_center[some, self._slot] + np.where(rate < 0.5, rate, 1.0) * spread * mean[:, 0]
        grown = spread * (1.0 + rate * (mean[:, 1] - 1.0))
        self._peer_center[some, self._slot] = center
        self._peer_spread[some, self._slot] = np.maximum(grown, self._parameters.spread_min)
        self._peer_count[some, self._slot] = count + 1
        self._pulls[some] = 0
        self._pulled[some] = 0

    def _peer_of(self, peer: str) -> int:
        place = self._peers.get(peer)
        if place is None:
            if len(self._peers) >= self._parameters.peers_max:
                return 0
            place = self._peers[peer] = len(self._peers)
        return place

    def _grow(self, count: int) -> None:
        have = len(self._count)
        if count <= have:
            return
        more = max(count - have, have, 1_024)
        for name in _OF_ENTITIES:
            old = getattr(self, f"_{name}")
            added = np.full((more, *old.shape[1:]), 1 if name == "spread" else 0, dtype=old.dtype)
            setattr(self, f"_{name}", np.concatenate([old, added]))

    def _forget(self, room: int) -> None:
        """Entities not seen for longest make room, a tenth at once."""
        count = len(self._keys)
        leave = min(count, max(room, count // 10))
        kept = np.sort(np.argsort(self._seen[:count], kind="stable")[leave:])
        for name in _OF_ENTITIES:
            setattr(self, f"_{name}", getattr(self, f"_{name}")[kept])
        self._keys = [self._keys[at] for at in kept]
        self._places = {key: at for at, key in enumerate(self._keys)}
        self.forgotten += leave


class _Names(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keys: tuple[str, ...]
    peers: tuple[str, ...]
    features: tuple[str, ...]
    start: int


_OF_ENTITIES: Final = ("center", "spread", "anchor", "count", "day", "seen", "peer")
_OF_PEERS: Final = ("peer_center", "peer_spread", "peer_count")


def _range(center: Floats, spread: Floats) -> tuple[Floats, Floats]:
    low = np.maximum(np.expm1(center - 2.0 * spread), 0.0)
    return low.astype(np.float32), np.expm1(center + 2.0 * spread).astype(np.float32)
