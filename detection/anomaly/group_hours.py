"""What is usual in each peer group, hour by hour of working days and days off: center and spread of counts.

A group is part of a wider one, up to the fleet. A young group's word leans on that of the wider group, and so
does an hour in which it was seldom seen. Sums of pulls are whole numbers, and take effect when a later window
comes, so the cut into batches changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from detection.calendar import SLOTS

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
Groups = npt.NDArray[np.uint16]

MEAN_TO_SPREAD: Final = 1.25  # mean absolute deviation to standard deviation, of a normal curve
PULL_MAX: Final = 3.0  # spreads a deviation counts for at most when the spread is learned
FLEET: Final = ""
WITHIN: Final = "\0"  # between the names of a group and of one within it
_DEPTH_MAX: Final = 4
_ROOM: Final = 64  # groups to begin with
_UNIT: Final = 65_536  # pulls are summed in this part of a spread
_HOUR_KNOWN: Final = 4.0  # windows of a group in an hour, after which the hour counts for half
_OFF: Final = 0.5  # of a spread: the mean pull beyond which a center is off
_KEPT: Final = ("center", "spread", "count", "pulls", "pulled")


class GroupHours:
    """The peer groups of one kind of entity, the fleet first."""

    def __init__(
        self, width: int, *, groups_max: int, rate_min: float, spread_min: float, own_windows: int
    ) -> None:
        self._places: dict[str, int] = {FLEET: 0}
        self._groups_max, self._rate_min = groups_max, rate_min
        self._spread_min, self._own_windows = spread_min, own_windows
        room = min(groups_max, _ROOM)
        self._parent = np.zeros(room, dtype=np.uint16)
        self._trust = np.zeros((room, 1), dtype=np.float32)  # beside the group it is part of
        self._trust[0] = 1.0
        self._center = np.zeros((room, SLOTS, width), dtype=np.float32)
        self._spread = np.ones((room, SLOTS, width), dtype=np.float32)
        self._count = np.zeros((room, SLOTS), dtype=np.uint32)
        self._pulls = np.zeros((room, 3, width), dtype=np.int64)
        self._pulled = np.zeros(room, dtype=np.int64)
        self._hours: tuple[int, Floats, Floats] | None = None
        self._order: list[tuple[Places, Places]] | None = None

    def __len__(self) -> int:
        return len(self._places)

    @property
    def known(self) -> bool:
        """Whether anything was learned yet."""
        return bool(self._count[0].any())

    def place(self, name: str) -> int:
        """Of a group, made where it is new; where there is no room, that of the one it is part of.

        A group is named by the groups it is part of, the widest first, ``WITHIN`` between them.
        """
        place = self._places.get(name)
        if place is not None:
            return place
        wider, within, _ = name.rpartition(WITHIN)
        parent = self.place(wider) if within else 0
        if len(self._places) >= self._groups_max or name.count(WITHIN) >= _DEPTH_MAX:
            return parent
        place = self._places[name] = len(self._places)
        self._grow(place + 1)
        self._parent[place] = parent
        self._hours = self._order = None
        return place

    def hour(self, slot: int) -> tuple[Floats, Floats]:
        """Center and spread of each group in that hour; of all hours as far as it is not known."""
        if self._hours is None or self._hours[0] != slot:
            groups = slice(0, len(self._places))
            count = self._count[groups, slot].astype(np.float32)
            known = (count / (count + np.float32(_HOUR_KNOWN)))[:, np.newaxis]
            level, width = self._means(self._center), self._means(self._spread)
            factor = known * (self._center[groups, slot] - level)
            width += known * (self._spread[groups, slot] - width)
            center = level + factor
            trust = self._trust[groups]
            for some, parents in self._downwards():
                factor[some] += (1.0 - known[some]) * factor[parents]
                own = level[some] + factor[some]
                center[some] = center[parents] + trust[some] * (own - center[parents])
                width[some] = width[parents] + trust[some] * (width[some] - width[parents])
            self._hours = slot, center, width
        return self._hours[1], self._hours[2]

    def levels(self) -> Floats:
        """Center of each group over all hours, leaning on the one it is part of."""
        level = self._means(self._center)
        for some, parents in self._downwards():
            level[some] = level[parents] + self._trust[some] * (level[some] - level[parents])
        return level

    def pull(self, groups: Groups, logs: Floats, slot: int) -> None:
        """Add what windows of members pull on their groups, and on those they are part of."""
        self._pull(groups, logs, slot)
        while (within := groups > 0).any():
            groups, logs = self._parent[groups[within]], logs[within]
            self._pull(groups, logs, slot)

    def settle(self, slot: int) -> Floats | None:
        """Let the pulls take effect; by how much each group's level moved only since its word weighs more."""
        some = np.flatnonzero(self._pulled)
        if not len(some):
            return None
        count = self._count[some, slot][:, np.newaxis]
        rate = np.maximum(1.0 / (count + 1.0), self._rate_min)
        mean = self._pulls[some] / (self._pulled[some, np.newaxis, np.newaxis] * float(_UNIT))
        center, spread = self._center[some, slot], self._spread[some, slot]
        moved = np.where(count == 0, mean[:, 2], center + rate * spread * mean[:, 0])
        widened = np.where(count == 0, spread, spread * (1.0 + rate * (mean[:, 1] - 1.0)))
        # where all pull to one side the center is off, and the spread must not grow to excuse it
        off = (np.abs(mean[:, 0]) > _OFF) & (count > _HOUR_KNOWN)
        self._center[some, slot] = moved
        kept = np.where(off, np.minimum(widened, spread), widened)
        self._spread[some, slot] = np.maximum(kept, self._spread_min)
        self._count[some, slot] += 1
        self._pulls[some] = 0
        self._pulled[some] = 0
        self._hours = None
        trust = self._trusted()
        if (trust == self._trust[: len(trust)]).all():
            return None
        before = self.levels()
        self._trust[: len(trust)] = trust
        return self.levels() - before

    def names(self) -> tuple[str, ...]:
        """Every group, the fleet first and a part after its whole."""
        return tuple(self._places)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """What a snapshot keeps beside the names."""
        return {f"group_{name}": getattr(self, f"_{name}")[: len(self._places)] for name in _KEPT}

    def recall(self, names: Sequence[str], arrays: Mapping[str, npt.NDArray[np.generic]]) -> bool:
        """Take up what was kept; False, and nothing changed, where it is of another shape."""
        if names[:1] != (FLEET,) or len(set(names)) != len(names) or len(names) > self._groups_max:
            return False
        for at, name in enumerate(names[1:], 1):
            if name.rpartition(WITHIN)[0] not in names[:at] or name.count(WITHIN) >= _DEPTH_MAX:
                return False
        for name in _KEPT:
            mine, array = getattr(self, f"_{name}"), arrays[f"group_{name}"]
            if array.dtype != mine.dtype or array.shape != (len(names), *mine.shape[1:]):
                return False
        self._places, self._order = {FLEET: 0}, None
        for name in names[1:]:
            self.place(name)
        for name in _KEPT:  # room was made with the places
            getattr(self, f"_{name}")[: len(names)] = arrays[f"group_{name}"]
        self._trust[: len(names)] = self._trusted()
        self._hours = None
        return True

    def _grow(self, count: int) -> None:
        have = len(self._parent)
        if count <= have:
            return
        room = min(max(count, 2 * have), self._groups_max)
        for name in (*_KEPT, "parent", "trust"):
            old = getattr(self, f"_{name}")
            more = np.full((room - have, *old.shape[1:]), name == "spread", dtype=old.dtype)
            setattr(self, f"_{name}", np.concatenate([old, more]))

    def _pull(self, groups: Groups, logs: Floats, slot: int) -> None:
        deviation = (logs - self._center[groups, slot]) / self._spread[groups, slot]
        parts = (
            np.clip(deviation, -1.0, 1.0),
            np.minimum(np.abs(deviation) * MEAN_TO_SPREAD, PULL_MAX),
            logs,
        )
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order].astype(np.int64), prepend=-1))
        pulled = groups[order][starts]
        for at, part in enumerate(parts):
            whole = (part[order] * np.float32(_UNIT)).astype(np.int64)
            self._pulls[pulled, at] += np.add.reduceat(whole, starts, axis=0)
        self._pulled += np.bincount(groups, minlength=len(self._pulled))

    def _means(self, whole: Floats) -> Floats:
        """Of each group, over all hours, by how often each was seen."""
        groups = slice(0, len(self._places))
        count = self._count[groups].astype(np.float32)
        share = count / np.maximum(count.sum(axis=1, keepdims=True), np.float32(1.0))
        mean: Floats = np.einsum("ps,psf->pf", share, whole[groups])
        return mean

    def _downwards(self) -> list[tuple[Places, Places]]:
        """Groups and those they are part of, the widest first."""
        if self._order is None:
            depth = np.array([name.count(WITHIN) for name in self._places], dtype=np.intp)
            depth[0] = -1
            levels = [np.flatnonzero(depth == one) for one in range(_DEPTH_MAX)]
            self._order = [(some, self._parent[some].astype(np.intp)) for some in levels if len(some)]
        return self._order

    def _trusted(self) -> Floats:
        """What the word of each group weighs beside that of the one it is part of.

        It grows with every doubling of what was seen, so that members are seldom measured anew.
        """
        count = self._count[: len(self._places)].sum(axis=1).astype(np.float64)
        doubled = np.where(count > 0, 2.0 ** np.floor(np.log2(np.maximum(count, 1.0))), 0.0)
        trust: Floats = (doubled / (doubled + self._own_windows)).astype(np.float32)[:, np.newaxis]
        trust[0] = 1.0
        return trust
