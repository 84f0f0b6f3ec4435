"""What is usual for each entity, hour by hour, learned as it goes: columns of numbers, a row for an entity.

Of every count its logarithm is followed by a robust center and spread: a window pulls by at most one
spread, so a burst moves little. The hour (of a working day or a day off) is a factor of the peer group,
for which there is data enough; a young entity is taken for its peers until it has windows of its own.
From one day to the next the center of a grown entity moves by a fixed amount at most, however it is
pulled: a slow ramp stays visible.

Entities of windows that begin together are scored and learned at once. Peers' sums are whole numbers, and
take effect when a later window comes, so the cut into batches changes nothing.
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
_HOUR_KNOWN: Final = 4.0  # windows of a peer group in an hour, after which the hour counts for half
_OFF: Final = 0.5  # of a spread: the mean pull beyond which a center is off
_SLOWER: Final = np.float32(4.0)  # a grown spread moves in a day by this part of what its center may
_PULL_MAX: Final = 3.0  # spreads a deviation counts for at most when the spread is learned
_EVERYBODY: Final = ""
_LOADED_BYTES_MAX: Final = 4 << 30


class BaselineParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``baseline`` of rules/anomaly/entities.toml."""

    entities_max: int
    peers_max: int
    rate_min: float  # of learning, once an entity is grown
    peer_rate_min: float  # of a peer group's hour
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
        self._peers: dict[str, int] = {_EVERYBODY: 0}
        self._start = -1
        self.forgotten = 0
        width = len(self.features)
        self._center = np.zeros((0, width), dtype=np.float32)
        self._spread = np.ones((0, width), dtype=np.float32)
        self._anchor = np.zeros((0, width), dtype=np.float32)  # the center when the day began
        self._anchor_spread = np.zeros((0, width), dtype=np.float32)
        self._count = np.zeros(0, dtype=np.uint32)
        self._day = np.zeros(0, dtype=np.int32)
        self._seen = np.zeros(0, dtype=np.uint32)  # when last, in minutes
        self._peer = np.zeros(0, dtype=np.uint16)
        most = parameters.peers_max
        self._peer_center = np.zeros((most, SLOTS, width), dtype=np.float32)
        self._peer_spread = np.ones((most, SLOTS, width), dtype=np.float32)
        self._peer_count = np.zeros((most, SLOTS), dtype=np.uint32)
        self._slot = 0
        self._peer_known = np.zeros(most, dtype=np.uint8)
        self._hours: tuple[int, Floats, Floats] | None = None
        self._pulls = np.zeros((most, 3, width), dtype=np.int64)
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
        peer_center, peer_spread = (one[peer] for one in self._hour(slot))
        own = self._weight(places)
        expected = peer_center + own * self._center[places]
        spread = peer_spread + own * (self._spread[places] - peer_spread)
        spread = np.maximum(spread, np.float32(self._parameters.spread_min))
        known = (own > 0.0) | (self._peer_known[peer] > 0)[:, np.newaxis]
        return Measured(np.where(known, (logs - expected) / spread, np.float32(0.0)), expected, spread)

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
        center, spread = self._hour(slot)
        peer = int(self._peer[place])
        peers = center[peer], spread[peer]
        own = _range(measured.expected[0], measured.spread[0])
        return (*own, *_range(*peers))

    def windows_of(self, place: int) -> int:
        """Windows an entity was learned from."""
        return int(self._count[place])

    def to_bytes(self) -> bytes:
        """Everything, for a snapshot; pulls that have not taken effect yet are kept as they are."""
        count = len(self._keys)
        names = {
            "keys": self._keys,
            "peers": list(self._peers),
            "features": self.features,
            "start": self._start,
            "slot": self._slot,
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
        fits = names.features == self.features and 0 < peers <= self._parameters.peers_max
        fits = (
            fits
            and 0 <= names.slot < SLOTS
            and count == len(set(names.keys)) <= self._parameters.entities_max
        )
        for name, array in arrays.items():
            mine = getattr(self, f"_{name}")
            shape = (count if name in _OF_ENTITIES else peers, *mine.shape[1:])
            fits = fits and array.dtype == mine.dtype and array.shape == shape
            fits = fits and bool(np.isfinite(array).all())
        if not fits or (count and int(arrays["peer"].max()) >= max(peers, 1)):
            return False
        self._keys, self._start, self._slot = list(names.keys), names.start, names.slot
        self._places = {key: at for at, key in enumerate(self._keys)}
        self._peers = {key: at for at, key in enumerate(names.peers)}
        self._hours = None
        for name, array in arrays.items():
            if name in _OF_ENTITIES:
                setattr(self, f"_{name}", array)
            else:
                getattr(self, f"_{name}")[:peers] = array
        return True

    def _weight(self, places: Places) -> Floats:
        count = self._count[places].astype(np.float32)
        return (count / (count + np.float32(self._parameters.own_windows)))[:, np.newaxis]

    def _hour(self, slot: int) -> tuple[Floats, Floats]:
        """Center and spread of each peer group in that hour; of all hours as far as it is not known."""
        if self._hours is None or self._hours[0] != slot:
            groups = slice(0, len(self._peers))
            count = self._peer_count[groups].astype(np.float32)
            share = count / np.maximum(count.sum(axis=1, keepdims=True), 1.0)
            known = (count[:, slot] / (count[:, slot] + np.float32(_HOUR_KNOWN)))[:, np.newaxis]
            found = []
            for whole, empty in ((self._peer_center, 0.0), (self._peer_spread, 1.0)):
                mean = np.einsum("ps,psf->pf", share, whole[groups])
                full = np.full((len(self._peer_known), len(self.features)), empty, dtype=np.float32)
                full[groups] = mean + known * (whole[groups, slot] - mean)
                found.append(full)
            self._hours = (
                slot,
                found[0],
                np.where(self._peer_known[:, np.newaxis] > 0, found[1], np.float32(1.0)),
            )
        return self._hours[1], self._hours[2]

    def _learn(self, places: Places, logs: Floats, start: int, slot: int) -> None:
        """Move centers, which are kept as distances from the peers' center of the hour, and spreads."""
        parameters = self._parameters
        count = self._count[places]
        peer = self._peer[places]
        ripe = self._peer_known[peer] > 0  # where even the peers are new there is nothing to be distant from
        places, logs, count = places[ripe], logs[ripe], count[ripe]
        if not len(places):
            return
        center, spread = self._center[places], self._spread[places]
        deviation = logs - self._hour(slot)[0][peer[ripe]] - center
        rate = np.maximum(1.0 / (count + 1.0), parameters.rate_min).astype(np.float32)[:, np.newaxis]
        first = (count == 0)[:, np.newaxis]
        moved = center + np.where(first, deviation, rate * np.clip(deviation, -spread, spread))
        self._anchor_day(places, start, center)
        most = np.float32(parameters.movement_per_day)
        anchor = self._anchor[places]
        grown = (count >= parameters.grown_windows)[:, np.newaxis]
        held = grown & (np.abs(moved - anchor) > most)
        self._center[places] = np.where(held, np.clip(moved, anchor - most, anchor + most), moved)
        size = np.minimum(np.abs(deviation) * np.float32(_MEAN_TO_SPREAD), _PULL_MAX * spread)
        learned = np.where(first, spread, spread + rate * (size - spread))
        widest = self._anchor_spread[places] * (1.0 + most / _SLOWER)  # a ramp must not widen what is usual
        learned = np.where(grown, np.minimum(learned, widest), learned)
        self._spread[places] = np.maximum(learned, np.float32(parameters.spread_min))
        self._count[places] = count + 1
        self._seen[places] = start // 60

    def _anchor_day(self, places: Places, start: int, center: Floats) -> None:
        day = start // 86_400
        turned = self._day[places] != day
        if turned.any():
            self._anchor[places[turned]] = center[turned]
            self._anchor_spread[places[turned]] = self._spread[places[turned]]
            self._day[places[turned]] = day

    def _learn_peers(self, places: Places, logs: Floats) -> None:
        """Add the pulls of these windows, in whole numbers: their order does not matter."""
        peer = self._peer[places]
        center, spread = self._peer_center[peer, self._slot], self._peer_spread[peer, self._slot]
        deviation = (logs - center) / spread
        parts = (
            np.clip(deviation, -1.0, 1.0),
            np.minimum(np.abs(deviation) * _MEAN_TO_SPREAD, _PULL_MAX),
            logs,
        )
        order = np.argsort(peer, kind="stable")
        starts = np.flatnonzero(np.diff(peer[order].astype(np.int64), prepend=-1))
        groups = peer[order][starts]
        for at, part in enumerate(parts):
            whole = (part[order] * np.float32(_UNIT)).astype(np.int64)
            self._pulls[groups, at] += np.add.reduceat(whole, starts, axis=0)
        self._pulled += np.bincount(peer, minlength=len(self._pulled))

    def _settle(self) -> None:
        """Let the pulls of the last start take effect on the peers."""
        some = np.flatnonzero(self._pulled)
        if not len(some):
            return
        count = self._peer_count[some, self._slot][:, np.newaxis]
        rate = np.maximum(1.0 / (count + 1.0), self._parameters.peer_rate_min)
        mean = self._pulls[some] / (self._pulled[some, np.newaxis, np.newaxis] * float(_UNIT))
        center, spread = self._peer_center[some, self._slot], self._peer_spread[some, self._slot]
        moved = np.where(count == 0, mean[:, 2], center + rate * spread * mean[:, 0])
        widened = np.where(count == 0, spread, spread * (1.0 + rate * (mean[:, 1] - 1.0)))
        # where all pull to one side the center is off, and the spread must not grow to excuse it
        off = (np.abs(mean[:, 0]) > _OFF) & (count > _HOUR_KNOWN)
        self._peer_center[some, self._slot] = moved
        kept = np.where(off, np.minimum(widened, spread), widened)
        self._peer_spread[some, self._slot] = np.maximum(kept, self._parameters.spread_min)
        self._peer_count[some, self._slot] += 1
        self._peer_known[some] = 1
        self._pulls[some] = 0
        self._pulled[some] = 0
        self._hours = None

    def _peer_of(self, peer: str) -> int:
        place = self._peers.get(peer)
        if place is None:
            if len(self._peers) >= self._parameters.peers_max:
                return 0  # with all others for which there is no group
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
    slot: int


_OF_ENTITIES: Final = ("center", "spread", "anchor", "anchor_spread", "count", "day", "seen", "peer")
_OF_PEERS: Final = ("peer_center", "peer_spread", "peer_count", "peer_known", "pulls", "pulled")


def _range(center: Floats, spread: Floats) -> tuple[Floats, Floats]:
    low = np.maximum(np.expm1(center - 2.0 * spread), 0.0)
    return low.astype(np.float32), np.expm1(center + 2.0 * spread).astype(np.float32)
