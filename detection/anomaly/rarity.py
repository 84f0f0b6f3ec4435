"""How surprising it is that an entity does something for the first time, or seldom.

Two shares multiply. How often this entity does anything new: by Good and Turing, what was seen once
foretells how much is still unseen, so a build server that starts new programs daily surprises little. And
how usual the thing is elsewhere: what half of its peers do is no news on one more of them. Where there are
few peers their share leans on that of the unit, and where there are few of those, on that of the fleet.
What was seen fades with a half-life; so does, faster, the surprise of a thing seen again and again.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple, TypeVar

import msgspec
import numpy as np

_Key = TypeVar("_Key")

_DAY_SECONDS: Final = 86_400
_ROWS_MAX: Final = 2_000_000  # of a snapshot
_LEAN: Final = 2.0  # peers (or members of a unit) whose word counts as much as that of all beyond them


class RarityParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``rarity`` of rules/anomaly/entities.toml."""

    pairs_max: int
    entities_max: int
    half_life_days: float
    fresh_hours: float  # how long after its first time a pair still counts as new
    echo_hours: float  # half-life of that news: what is new again and again says less each time
    settling_hours: float  # how long after its own first time nothing an entity does counts as new


class Seen(NamedTuple):
    """What is known of a pair at the moment it is seen."""

    surprise: float  # minus log10: of the entity doing something so new, of something so rare elsewhere
    new: bool  # a settled entity was not seen with it before ``fresh_hours`` ago
    others: int  # entities that were seen with the value
    last: int  # epoch seconds when this entity did it last; 0 never
    peers_with: int = 0  # of its peer group, the entity not counted: how many were seen with it,
    peers_all: int = 0  # and how many there are


class Among(NamedTuple):
    """Where an entity belongs: its unit, and its peer group there; "" not known."""

    unit: str = ""
    peer: str = ""


_NOWHERE: Final = Among()


class _Entity(msgspec.Struct, array_like=True):
    """Seen of an entity: how often anything, and how often something new; both fade."""

    seen: float = 0.0
    new: float = 0.0
    day: int = 0
    first: int = 0
    unit: str = ""
    peer: str = ""


class _Pair(NamedTuple):
    weight: float  # times seen, fading
    last: int
    first: int
    among: Among  # where it is counted


class _Kept(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    entities: dict[str, _Entity]
    groups: list[Among]
    pairs: list[tuple[str, str, float, int, int, int]]  # the last one is the place of its group


class Rarity:
    """Entities and values of one kind, for example hosts and programs."""

    def __init__(self, parameters: RarityParameters) -> None:
        self._parameters = parameters
        self._pairs: OrderedDict[tuple[str, str], _Pair] = OrderedDict()
        self._entities: dict[str, _Entity] = {}
        self._holders: dict[str, int] = {}  # by value: entities that were seen with it
        self._units_with: dict[tuple[str, str], int] = {}  # by unit and value
        self._peers_with: dict[tuple[Among, str], int] = {}
        self._units: dict[str, int] = {}  # entities of each
        self._peers: dict[Among, int] = {}
        self._groups: dict[Among, Among] = {}  # one object for each, however many pairs are counted there
        self.forgotten = 0

    def see(self, entity: str, value: str, time: int, among: Among = _NOWHERE) -> Seen:
        """Say how surprising the pair is now, then remember it."""
        among = self._groups.setdefault(among, among)
        known = self._entity(entity, time, among)
        self._fade(known, time)
        pair = self._pairs.get((entity, value))
        if pair is not None and pair.among != among:
            self._uncount(value, pair.among)
            self._count(value, among)
        own = pair is not None
        others = self._holders.get(value, 0) - own
        peers_with, peers_all = self._peers_with.get((among, value), 0) - own, self._peers[among] - 1
        last, first = (0, time) if pair is None else (pair.last, pair.first)
        fresh = time - first < self._parameters.fresh_hours * 3_600
        fresh = fresh and first - known.first >= self._parameters.settling_hours * 3_600
        weight = 0.0 if pair is None else pair.weight * self._left(time - pair.last)
        if pair is None or fresh:
            surprise = _log_of((known.new + 1.0) / (known.seen + 2.0))
            surprise += _log_of(self._elsewhere(value, among, others, peers_with))
            surprise *= 0.5 ** (max(time - first, 0) / (self._parameters.echo_hours * 3_600))
        else:
            surprise = _log_of((weight + 1.0) / (known.seen + 2.0))
        known.seen += 1.0
        if pair is None:
            known.new += 1.0
            self._count(value, among)
            if len(self._pairs) >= self._parameters.pairs_max:
                self._forget_one()
        self._pairs[entity, value] = _Pair(weight + 1.0, time, first, among)
        self._pairs.move_to_end((entity, value))
        return Seen(surprise, fresh, others, last, peers_with, peers_all)

    def _elsewhere(self, value: str, among: Among, others: int, peers_with: int) -> float:
        """The share of its peers that do it; few of them lean on the unit, and the unit on all others."""
        peers_all, units_all = self._peers[among] - 1, self._units[among.unit] - 1
        units_with = self._units_with.get((among.unit, value), 0) - (others < self._holders.get(value, 0))
        fleet = _leaning(others - units_with, len(self._entities) - 1 - units_all, 0.5)
        unit = _leaning(units_with - peers_with, units_all - peers_all, fleet)
        return _leaning(peers_with, peers_all, unit)

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Every pair remembered, that seen longest ago first."""
        return iter(self._pairs)

    def to_bytes(self) -> bytes:
        """Everything, for a snapshot."""
        place = {group: at for at, group in enumerate(self._groups)}
        rows = [
            (entity, value, kept.weight, kept.last, kept.first, place[kept.among])
            for (entity, value), kept in self._pairs.items()
        ]
        return msgspec.json.encode(_Kept(entities=self._entities, groups=list(place), pairs=rows))

    def from_bytes(self, data: bytes) -> bool:
        """Take up what ``to_bytes`` gave; False, and nothing changed, where it is of another shape."""
        try:
            kept = msgspec.json.decode(data, type=_Kept)
        except msgspec.MsgspecError:
            return False
        if len(kept.pairs) > min(self._parameters.pairs_max, _ROWS_MAX):
            return False
        if not all(0 <= row[5] < len(kept.groups) for row in kept.pairs):
            return False
        self._entities = kept.entities
        self._peers, self._units = {}, {}
        for one in kept.entities.values():
            _up(self._peers, Among(one.unit, one.peer))
            _up(self._units, one.unit)
        self._groups = {group: group for group in kept.groups}
        self._pairs = OrderedDict(
            ((row[0], row[1]), _Pair(*row[2:5], kept.groups[row[5]])) for row in kept.pairs
        )
        self._holders, self._peers_with, self._units_with = {}, {}, {}
        for (_, value), pair in self._pairs.items():
            self._count(value, pair.among)
        return True

    def _entity(self, entity: str, time: int, among: Among) -> _Entity:
        known = self._entities.get(entity)
        if known is None:
            known = self._entities[entity] = _Entity(day=time // _DAY_SECONDS, first=time)
        elif (known.unit, known.peer) == among:
            return known
        else:
            self._leave(known)
        known.unit, known.peer = among
        _up(self._units, among.unit)
        _up(self._peers, among)
        return known

    def _leave(self, known: _Entity) -> None:
        _down(self._units, known.unit)
        _down(self._peers, Among(known.unit, known.peer))

    def _count(self, value: str, among: Among) -> None:
        _up(self._holders, value)
        _up(self._peers_with, (among, value))
        _up(self._units_with, (among.unit, value))

    def _uncount(self, value: str, among: Among) -> None:
        _down(self._holders, value)
        _down(self._peers_with, (among, value))
        _down(self._units_with, (among.unit, value))

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
        (entity, value), pair = self._pairs.popitem(last=False)
        self._uncount(value, pair.among)
        self.forgotten += 1
        known = self._entities.get(entity)
        if known is not None and len(self._entities) > self._parameters.entities_max:
            del self._entities[entity]
            self._leave(known)


def _leaning(doing: int, members: int, beyond: float) -> float:
    """The share of members that do it, leaning on the share beyond them where they are few."""
    return (doing + _LEAN * beyond) / (max(members, 0) + _LEAN)


def _log_of(share: float) -> float:
    return float(-np.log10(min(share, 1.0)))


def _up(table: dict[_Key, int], key: _Key) -> None:
    table[key] = table.get(key, 0) + 1


def _down(table: dict[_Key, int], key: _Key) -> None:
    if table.get(key, 0) > 1:
        table[key] -= 1
    else:
        table.pop(key, None)
