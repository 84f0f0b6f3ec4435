"""What an entity did in a window, against its own past and its peers': how surprising, and why.

A window is a count for each thing done: programs started, destinations called, kinds of alert raised.
Two things make it surprising. News: things the entity never did until lately, each by how seldom it
does anything new and how few of its peers do it. And amounts: things it does that are many spreads beyond
its usual for the hour. News adds up, since an attack is several new things; amounts count by the
logarithm of their length, since one of them can be anything. A third thing tells windows apart that
are alike in themselves: what goes on around, in the unit, at the same time and shortly before.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np

from detection.anomaly.baseline import Baseline, BaselineParameters
from detection.anomaly.group_hours import WITHIN, Floats, Places
from detection.anomaly.rarity import Among, Rarity, RarityParameters, Seen
from detection.anomaly.unrest import Unrest, UnrestParameters

REASONS_MAX: Final = 3
_SEPARATOR: Final = "\0"


class Did(NamedTuple):
    """One entity's window: how often it did what, and among whom that is to be judged."""

    entity: str
    counts: Mapping[str, float]
    peer: str = ""  # group of those that do the same work, for example a platform or a role; "" unknown
    unit: str = ""  # "" unknown


class Reason(NamedTuple):
    """One thing of a window, with what is usual for the entity and for its peers at that hour."""

    value: str
    times: float
    points: float  # what it adds to the score
    new: bool
    others: int  # entities that do it
    last: int  # epoch seconds when the entity did it before; 0 never
    usual: tuple[float, float]
    peers: tuple[float, float]
    peers_with: int  # of its peer group, itself not counted: how many do it,
    peers_all: int  # and how many there are


class Behaved(NamedTuple):
    """Of one window: the score, the higher the rarer, and the reasons, the greatest first."""

    entity: str
    score: float
    reasons: tuple[Reason, ...]
    around: float = 0.0  # what goes on in the unit, beside this window

    @property
    def risk(self) -> float:
        """By which windows are ranked: what this one is in itself, and what goes on around it."""
        return self.score + self.around


class Behaviour:
    """Entities of one kind, and things of one kind they do."""

    def __init__(
        self, baseline: BaselineParameters, rarity: RarityParameters, unrest: UnrestParameters
    ) -> None:
        groups = msgspec.structs.replace(baseline, peers_max=baseline.deed_groups_max)
        self._counts = Baseline(("count",), groups)
        self._rarity = Rarity(rarity)
        self._unrest = Unrest(unrest)

    def observe(self, start: int, slot: int, windows: Sequence[Did], *, least: float = 0.0) -> list[Behaved]:
        """Judge the windows of different entities that began at ``start``, then learn from them.

        Reasons are worked out for scores of at least ``least``.
        """
        things = [
            (at, value, float(count))
            for at, did in enumerate(windows)
            for value, count in sorted(did.counts.items())
        ]
        if not things:
            return [Behaved(did.entity, 0.0, ()) for did in windows]
        keys = [f"{windows[at].entity}{_SEPARATOR}{value}" for at, value, _ in things]
        places = self._counts.places(keys, [_group(value, windows[at]) for at, value, _ in things])
        counts = np.array([[count] for *_, count in things])
        beyond = np.maximum(self._counts.observe(start, slot, places, counts).deviation[:, 0], 0.0)
        among = [Among(did.unit, did.peer) for did in windows]
        seen = [self._rarity.see(windows[at].entity, value, start, among[at]) for at, value, _ in things]
        found: list[Behaved] = []
        first = 0
        for did in windows:
            part = slice(first, first + len(did.counts))
            first = part.stop
            news = sum(one.surprise for one in seen[part] if one.new)
            score = news + float(np.log1p(np.sqrt(np.square(beyond[part].astype(np.float64)).sum())))
            due = score >= least
            reasons = self._reasons(things[part], seen[part], beyond[part], places[part], slot) if due else ()
            found.append(Behaved(did.entity, score, reasons))
        around = self._unrest.around(start, [did.unit for did in windows], [one.score for one in found])
        return [one._replace(around=more) for one, more in zip(found, around, strict=True)]

    def _reasons(
        self,
        things: list[tuple[int, str, float]],
        seen: list[Seen],
        beyond: Floats,
        places: Places,
        slot: int,
    ) -> tuple[Reason, ...]:
        points = [
            (one.surprise if one.new else 0.0) + float(np.log1p(far))
            for one, far in zip(seen, beyond.tolist(), strict=True)
        ]
        order = sorted(range(len(points)), key=lambda at: (-points[at], things[at][1]))
        reasons: list[Reason] = []
        for at in order[:REASONS_MAX]:
            if points[at] <= 0.0:
                break
            low, high, peers_low, peers_high = self._counts.usual(int(places[at]), slot)
            reasons.append(
                Reason(
                    value=things[at][1],
                    times=things[at][2],
                    points=points[at],
                    new=seen[at].new,
                    others=seen[at].others,
                    last=seen[at].last,
                    usual=(float(low[0]), float(high[0])),
                    peers=(float(peers_low[0]), float(peers_high[0])),
                    peers_with=seen[at].peers_with,
                    peers_all=seen[at].peers_all,
                )
            )
        return tuple(reasons)

    def to_bytes(self) -> bytes:
        """Everything, for a snapshot."""
        parts = self._counts.to_bytes(), self._rarity.to_bytes(), self._unrest.to_bytes()
        return msgspec.msgpack.encode(parts)

    def from_bytes(self, data: bytes) -> bool:
        """Take up what ``to_bytes`` gave; False where it is of another shape."""
        try:
            counts, rarity, unrest = msgspec.msgpack.decode(data, type=tuple[bytes, bytes, bytes])
        except msgspec.MsgspecError:
            return False
        return (
            self._unrest.from_bytes(unrest)
            and self._rarity.from_bytes(rarity)
            and self._counts.from_bytes(counts)
        )


def _group(value: str, did: Did) -> str:
    """The group whose counts of a deed are compared: those that do it; of the unit; of the peer group."""
    if not did.peer:
        return WITHIN.join((value, did.unit) if did.unit else (value,))
    return WITHIN.join((value, did.unit, did.peer))
