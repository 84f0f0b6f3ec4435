"""How surprising it is that an entity does something for the first time, or seldom.

Two shares multiply. How often this entity does anything new: by Good and Turing, what was seen once
foretells how much is still unseen, so a build server that starts new programs daily surprises little. And
how usual the thing is elsewhere: what half the fleet does is no news on one more host. What was seen
fades with a half-life.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
import numpy as np

_DAY_SECONDS: Final = 86_400
_ROWS_MAX: Final = 2_000_000  # of a snapshot


class RarityParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``rarity`` of rules/anomaly/entities.toml."""

    pairs_max: int
    entities_max: int
    half_life_days: float
    fresh_hours: float  # how long after its first time a pair still counts as new
    settling_hours: float  # how long after its own first time nothing an entity does counts as new


class Seen(NamedTuple):
    """What is known of a pair at the moment it is seen."""

    surprise: float  # minus log10: of the entity doing something so new, of something so rare elsewhere
    new: bool  # a settled entity was not seen with it before ``fresh_hours`` ago
    others: int  # entities that were seen with the value
    last: int  # epoch seconds when this entity did it last; 0 never


class _Entity(msgspec.Struct, array_like=True):
    """Seen of an entity: how often anything, and how often something new; both fade."""

    seen: float = 0.0
    new: float = 0.0
    day: int = 0
    first: int = 0


class _Pair(NamedTuple):
    weight: float  # times seen, fading
    last: int
    first: int


class _Kept(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    entities: dict[str, _Entity]
    pairs: list[tuple[str, str, float, int, int]]


class Rarity:
    """Entities and values of one kind, for example hosts and programs."""

    def __init__(self, parameters: RarityParameters) -> None:
        self._parameters = parameters
        self._pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()
        self._holders: dict[str, int] = {}  # by value: entities that were seen with it
        self._entities: dict[str, _Entity] = {}
        self.forgotten = 0

    def see(self, entity: str, value: str, time: int) -> Seen:
        """Say how surprising the pair is now, then remember it."""
        known = self._entities.setdefault(entity, _Entity(day=time // _DAY_SECONDS, first=time))
        self._fade(known, time)
        pair = self._pairs.get((entity, value))
        others = self._holders.get(value, 0) - (pair is not None)
        first = time if pair is None else pair.first
        fresh = time - first < self._parameters.fresh_hours * 3_600
        fresh = fresh and first - known.first >= self._parameters.settling_hours * 3_600
        surprise = self._surprise(known, None if fresh else pair, others, time)
        known.seen += 1.0
        if pair is None:
            known.new += 1.0
            self._holders[value] = others + 1
            if len(self._pairs) >= self._parameters.pairs_max:
                self._forget_one()
            self._pairs[entity, value] = _Pair(1.0, time, time)
            return Seen(surprise, fresh, others, 0)
        self._pairs[entity, value] = _Pair(pair.weight * self._left(time - pair.last) + 1.0, time, pair.first)
        self._pairs.move_to_end((entity, value))
        return Seen(surprise, fresh, others, pair.last)

    def _surprise(self, known: _Entity, pair: _Pair | None, others: int, time: int) -> float:
        if pair is None:
            share = (known.new + 1.0) / (known.seen + 2.0)
        else:
            share = (pair.weight * self._left(time - pair.last) + 1.0) / (known.seen + 2.0)
        elsewhere = (others + 1.0) / (len(self._entities) + 1.0)
        return float(-np.log10(min(share, 1.0)) - np.log10(min(elsewhere, 1.0)) * (pair is None))

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Every pair remembered, that seen longest ago first."""
        return iter(self._pairs)

    def to_bytes(self) -> bytes:
        """Everything, for a snapshot."""
        rows = [(entity, value, *kept) for (entity, value), kept in self._pairs.items()]
        return msgspec.json.encode(_Kept(entities=self._entities, pairs=rows))

    def from_bytes(self, data: bytes) -> bool:
        """Take up what ``to_bytes`` gave; False, and nothing changed, where it is of another shape."""
        try:
            kept = msgspec.json.decode(data, type=_Kept)
        except msgspec.MsgspecError:
            return False
        if len(kept.pairs) > min(self._parameters.pairs_max, _ROWS_MAX):
            return False
        self._entities = kept.entities
        self._pairs = OrderedDict(((one[0], one[1]), _Pair(*one[2:])) for one in kept.pairs)
        self._holders = {}
        for _, value in self._pairs:
            self._holders[value] = self._holders.get(value, 0) + 1
        return True

    def _left(self, seconds: float) -> float:
        return float(0.5 ** (max(seconds, 0.0) / (self._parameters.half_life_days * _DAY_SECONDS)))

    def _fade(self, known: _Entity, time: int) -> None:
        day = time // _DAY_SECONDS
        if day > known.day:
            left = self._left((day - known.day) * _DAY_SECONDS)
            known.seen *= left
            known.new *= left
            known.day = day

    def _forget_one(self) -> None:
        (entity, value), _ = self._pairs.popitem(last=False)
        self._holders[value] -= 1
        if not self._holders[value]:
            del self._holders[value]
        self.forgotten += 1
        if entity in self._entities and len(self._entities) > self._parameters.entities_max:
            del self._entities[entity]
