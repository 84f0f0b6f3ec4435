"""What is usual for each entity, hour by hour, learned as it goes: columns of numbers, a row for an entity.

Of every count its logarithm is followed by a robust center and spread: a window pulls by at most one
spread, so a burst moves little. The hour (of a working day or a day off) is a factor of the peer group,
for which there is data enough (detection.anomaly.group_hours); a young entity is taken for its peers until
it has windows of its own. From one day to the next the center of a grown entity moves by a fixed amount at
most, however it is pulled: a slow ramp stays visible.

Entities of windows that begin together are scored and learned at once, whatever the batches.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from detection.anomaly.encoding import Array
from detection.anomaly.group_hours import MEAN_TO_SPREAD, PULL_MAX, Floats, GroupHours, Places
from detection.calendar import SLOTS

_SLOWER: Final = np.float32(4.0)  # a grown spread moves in a day by this part of what its center may
_FORMAT: Final = 2  # of a snapshot
_LOADED_BYTES_MAX: Final = 4 << 30


class BaselineParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``baseline`` of rules/anomaly/entities.toml."""

    entities_max: int
    peers_max: int
    deed_groups_max: int
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
        self._next = np.zeros(0, dtype=np.uint16)  # the group from the next window on
        self._slot = 0
        self._groups = GroupHours(
            width,
            groups_max=parameters.peers_max,
            rate_min=parameters.peer_rate_min,
            spread_min=parameters.spread_min,
            own_windows=parameters.own_windows,
        )

    def __len__(self) -> int:
        return len(self._keys)

    def places(self, keys: Sequence[str], peers: Sequence[str]) -> Places:
        """The rows of entities, made where they are new; all of one call must differ.

        ``peers`` are names of groups (detection.anomaly.group_hours). An entity whose group is another now
        is observed as a member of that one.
        """
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
                self._keys.append(keys[at])
        places = np.fromiter((known[key] for key in keys), dtype=np.intp, count=len(keys))
        self._next[places] = np.fromiter(
            (self._groups.place(peer) for peer in peers), dtype=np.uint16, count=len(peers)
        )
        young = places[self._count[places] == 0]
        self._peer[young] = self._next[young]
        return places

    def find(self, key: str) -> int | None:
        """The row of an entity, where it is known."""
        return self._places.get(key)

    def measure(self, places: Places, slot: int, values: Array) -> Measured:
        """Deviations of windows in an hour's slot from what is usual; learns nothing."""
        logs = np.log1p(values).astype(np.float32)
        peer = self._peer[places]
        peer_center, peer_spread = (one[peer] for one in self._groups.hour(slot))
        own = self._weight(places)
        expected = peer_center + own * self._center[places]
        spread = peer_spread + own * (self._spread[places] - peer_spread)
        spread = np.maximum(spread, np.float32(self._parameters.spread_min))
        deviation = (logs - expected) / spread
        if not self._groups.known:
            deviation = np.zeros_like(deviation)
        return Measured(deviation, expected, spread)

    def observe(self, start: int, slot: int, places: Places, values: Array) -> Measured:
        """Measure the windows that began at ``start`` (epoch seconds), then learn from them."""
        if start > self._start:
            moved = self._groups.settle(self._slot)
            if moved is not None:
                self._shift(slice(0, len(self._keys)), -moved[self._peer[: len(self._keys)]])
            self._start, self._slot = start, slot
        self._change_groups(places)
        measured = self.measure(places, slot, values)
        logs = np.log1p(values).astype(np.float32)
        self._groups.pull(self._peer[places], logs, self._slot)
        self._learn(places, logs, start, slot)
        return measured

    def usual(self, place: int, slot: int) -> tuple[Floats, Floats, Floats, Floats]:
        """(low, high) of the entity, then of its peers in that hour, as counts: two spreads around."""
        one = np.array([place], dtype=np.intp)
        measured = self.measure(one, slot, np.zeros((1, len(self.features))))
        center, spread = self._groups.hour(slot)
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
            "format": _FORMAT,
            "keys": self._keys,
            "peers": self._groups.names(),
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
            **self._groups.arrays(),
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
                arrays = {name: archive[name] for name in (*_OF_ENTITIES, *self._groups.arrays())}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError):
            return False
        count = len(names.keys)
        fits = names.format == _FORMAT and names.features == self.features and 0 <= names.slot < SLOTS
        fits = fits and count == len(set(names.keys)) <= self._parameters.entities_max
        for name in _OF_ENTITIES:
            mine, array = getattr(self, f"_{name}"), arrays[name]
            fits = fits and array.dtype == mine.dtype and array.shape == (count, *mine.shape[1:])
        fits = fits and all(bool(np.isfinite(array).all()) for array in arrays.values())
        fits = fits and not (count and max(map(np.max, (arrays["peer"], arrays["next"]))) >= len(names.peers))
        if not fits or not self._groups.recall(names.peers, arrays):
            return False
        self._keys, self._start, self._slot = list(names.keys), names.start, names.slot
        self._places = {key: at for at, key in enumerate(self._keys)}
        for name in _OF_ENTITIES:
            setattr(self, f"_{name}", arrays[name])
        return True

    def _change_groups(self, places: Places) -> None:
        other = places[self._peer[places] != self._next[places]]
        if len(other):
            level = self._groups.levels()
            self._shift(other, level[self._peer[other]] - level[self._next[other]])
            self._peer[other] = self._next[other]

    def _shift(self, places: Places | slice, by: Floats) -> None:
        """Express the centers of entities that have one as distances from another center."""
        moved = np.where(self._count[places][:, np.newaxis] > 0, by, np.float32(0.0))
        self._center[places] += moved
        self._anchor[places] += moved

    def _weight(self, places: Places) -> Floats:
        count = self._count[places].astype(np.float32)
        return (count / (count + np.float32(self._parameters.own_windows)))[:, np.newaxis]

    def _learn(self, places: Places, logs: Floats, start: int, slot: int) -> None:
        """Move centers, which are kept as distances from the peers' center of the hour, and spreads."""
        parameters = self._parameters
        if not self._groups.known:  # there is nothing yet to be distant from
            return
        count = self._count[places]
        center, spread = self._center[places], self._spread[places]
        deviation = logs - self._groups.hour(slot)[0][self._peer[places]] - center
        rate = np.maximum(1.0 / (count + 1.0), parameters.rate_min).astype(np.float32)[:, np.newaxis]
        first = (count == 0)[:, np.newaxis]
        moved = center + np.where(first, deviation, rate * np.clip(deviation, -spread, spread))
        self._anchor_day(places, start, center)
        most = np.float32(parameters.movement_per_day)
        anchor = self._anchor[places]
        grown = (count >= parameters.grown_windows)[:, np.newaxis]
        held = grown & (np.abs(moved - anchor) > most)
        self._center[places] = np.where(held, np.clip(moved, anchor - most, anchor + most), moved)
        size = np.minimum(np.abs(deviation) * np.float32(MEAN_TO_SPREAD), PULL_MAX * spread)
        learned = np.where(first, spread, spread + rate * (size - spread))
        widest = self._anchor_spread[places] * (1.0 + most / _SLOWER)  # a ramp must not widen what is usual
        learned = np.where(grown, np.minimum(learned, widest), learned)
        self._spread[places] = np.maximum(learned, np.float32(parameters.spread_min))
        self._count[places] = count + 1
        self._seen[places] = start // 60

    def _anchor_day(self, places: Places, start: int, center: Floats) -> None:
        day = start // 86_400
        turned = self._day[places] < day  # a late window of yesterday is no new day
        if turned.any():
            self._anchor[places[turned]] = center[turned]
            self._anchor_spread[places[turned]] = self._spread[places[turned]]
            self._day[places[turned]] = day

    def _grow(self, count: int) -> None:
        have = len(self._count)
        if count <= have:
            return
        more = max(count - have, have // 2, 1_024)
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
    format: int
    keys: tuple[str, ...]
    peers: tuple[str, ...]
    features: tuple[str, ...]
    start: int
    slot: int


_OF_ENTITIES: Final = ("center", "spread", "anchor", "anchor_spread", "count", "day", "seen", "peer", "next")


def _range(center: Floats, spread: Floats) -> tuple[Floats, Floats]:
    low = np.maximum(np.expm1(center - 2.0 * spread), 0.0)
    return low.astype(np.float32), np.expm1(center + 2.0 * spread).astype(np.float32)
