"""What sessions of one log source look like: which kinds of lines, how often, in which order, how long.

A session is judged by what it has that no learned session had. How surprising that is follows from how often
learned sessions themselves brought something new (Good and Turing: the share of things seen in one session
only), so a source that settles speaks and one that never does keeps quiet. All of it is counts: the same
sessions in the same order give the same verdicts to the bit.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise
from math import log10
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

ODDITIES: Final = frozenset({"new", "missing", "count", "begin", "order", "end", "length", "span"})
_BEGIN: Final = -1  # the place before the first line
_END: Final = -2  # and after the last
_HALF: Final = 0.5  # what is never seen counts half a session, so that nothing is impossible
_MILLI: Final = 1_000  # parts of a surprise in which weights are whole numbers
_COUNT_MAX: Final = 60_000  # of one kind in one session
_BUCKETS_PER_DOUBLING: Final = 4
_LEVELS_MAX: Final = 4_000  # counts, pairs, lengths and spans remembered, of each
_LIKE_MAX: Final = 1_000  # unlike sessions whose nearest one is remembered
_ODDITIES_MAX: Final = 3

Vector = tuple[tuple[int, int], ...]  # columns and their counts
K = TypeVar("K", bound=Hashable)
Counted = tuple[int, list[tuple[K, int]]]  # things seen once, and each thing with its sessions
Rows = npt.NDArray[np.int64]


class Oddity(msgspec.Struct, frozen=True):
    """One thing about a session no learned one had.

    ``what`` is one of ODDITIES; ``kind`` and ``after`` are kinds of lines.
    ``least`` to ``most`` is what nine of ten learned sessions have, ``near`` what the most similar one has.
    """

    what: str
    kind: str = ""
    after: str = ""
    value: int = 0
    least: int = 0
    most: int = 0
    near: int = 0


class Verdict(NamedTuple):
    """How surprising a session is (3.0: one in 1,000), and why; what ``learn`` needs to take it up."""

    surprise: float
    oddities: tuple[Oddity, ...]
    seen: "_Seen"


class _Seen(NamedTuple):
    kinds: tuple[str, ...]  # never seen before
    vector: Vector  # those of new kinds take the columns that ``learn`` gives them
    steps: tuple[int, ...]
    length: int
    span: int | None
    differs: tuple[int, ...]  # columns in which the nearest learned session differs; empty where known


class Learned(msgspec.Struct):
    """What outlives the process."""

    sessions: int = 0
    kinds: list[str] = []
    vectors: Counted[Vector] = (0, [])
    held: Counted[int] = (0, [])
    counts: Counted[tuple[int, int]] = (0, [])
    pairs: Counted[tuple[int, int]] = (0, [])
    lengths: Counted[int] = (0, [])
    spans: Counted[int] = (0, [])
    fresh: int = 0
    differ: list[int] = []
    surprises: list[float] = []


class _Table(Generic[K]):
    """In how many sessions each thing was seen; the one seen longest ago goes first.

    ``once`` counts things seen in one session only, those that were forgotten as such included.
    """

    __slots__ = ("_most", "once", "sessions")

    def __init__(self, most: int, kept: "Counted[K]") -> None:
        self._most = most
        self.once, sessions = kept
        self.sessions: OrderedDict[K, int] = OrderedDict(sessions)

    def add(self, thing: K) -> K | None:
        """Count a session with the thing; what was forgotten for it."""
        before = self.sessions.get(thing, 0)
        self.sessions[thing] = before + 1
        self.once += (before == 0) - (before == 1)
        self.sessions.move_to_end(thing)
        if len(self.sessions) <= self._most:
            return None
        return self.sessions.popitem(last=False)[0]

    def state(self) -> "Counted[K]":
        """Everything, as lists."""
        return self.once, list(self.sessions.items())


class SequenceModel:
    """The learned sessions of one source, at most ``vectors_max`` different ones over ``kinds_max`` kinds."""

    def __init__(
        self, *, kinds_max: int, vectors_max: int, surprises_max: int, kept: Learned | None = None
    ) -> None:
        """Where there are more kinds, the rest count as one."""
        known = kept or Learned()
        self._kinds_max = kinds_max
        self.sessions = known.sessions
        self._kinds = list(known.kinds)
        self._columns = {kind: column for column, kind in enumerate(self._kinds)}
        self._vectors = _Table(vectors_max, known.vectors)
        self._held = _Table(kinds_max, known.held)
        self._counts = _Table(_LEVELS_MAX, known.counts)
        self._pairs = _Table(_LEVELS_MAX, known.pairs)
        self._lengths = _Table(_LEVELS_MAX, known.lengths)
        self._spans = _Table(_LEVELS_MAX, known.spans)
        self._fresh = known.fresh
        self._differ = list(known.differ)
        self._surprises = deque(known.surprises, maxlen=surprises_max)
        self._rows: Rows = np.zeros((16, 16), np.int64)
        self._slots: dict[Vector, int] = {}
        self._like: dict[
            Vector, tuple[tuple[int, ...], dict[int, int]]
        ] = {}  # found since a new one was learned
        for vector in self._vectors.sessions:
            self._place(vector, len(self._slots))

    def judge(self, steps: Sequence[str], seconds: float | None = None) -> Verdict:
        """How surprising a session of these kinds of lines is; nothing is learned."""
        numbers = [self._columns.get(kind, -1) for kind in steps]
        unknown: tuple[str, ...] = ()
        if -1 in numbers:
            unknown = tuple(dict.fromkeys(kind for kind in steps if kind not in self._columns))
            numbers = self._numbered(steps, unknown)
        vector = tuple(sorted((kind, min(count, _COUNT_MAX)) for kind, count in Counter(numbers).items()))
        differs: tuple[int, ...] = ()
        nearest: dict[int, int] = {}
        if vector not in self._vectors.sessions:
            differs, nearest = self._like.get(vector) or self._nearest(vector)
        seen = _Seen(
            unknown if len(self._kinds) < self._kinds_max else (),
            vector,
            tuple(numbers),
            _bucket(len(steps)),
            None if seconds is None else _bucket(seconds),
            differs,
        )
        return self._verdict(seen, nearest, len(steps), seconds)

    def learn(self, verdict: Verdict) -> None:
        """Take up a session that ``judge`` has just judged."""
        seen = verdict.seen
        for kind in seen.kinds:
            if len(self._kinds) < self._kinds_max:
                self._columns[kind] = len(self._kinds)
                self._kinds.append(kind)
        self._differ.extend([0] * (len(self._kinds) - len(self._differ)))
        self._surprises.append(verdict.surprise)
        if seen.vector not in self._vectors.sessions:
            self._like.clear()
            self._fresh += self.sessions > 0
            for column in seen.differs:
                self._differ[column] += 1
        gone = self._vectors.add(seen.vector)
        if gone is not None:
            self._place(seen.vector, self._slots.pop(gone))
        elif seen.vector not in self._slots:
            self._place(seen.vector, len(self._slots))
        for column, count in seen.vector:
            self._held.add(column)
            self._counts.add((column, count))
        for pair in dict.fromkeys(pairwise((_BEGIN, *seen.steps, _END))):
            self._pairs.add(pair)
        self._lengths.add(seen.length)
        if seen.span is not None:
            self._spans.add(seen.span)
        self.sessions += 1

    def is_rare(self, verdict: Verdict, one_in: float, share: float) -> bool:
        """Whether it is rarer than one in ``one_in`` and than all but ``share`` of the last learned sessions:
        a source that does not settle raises its own limit."""
        if verdict.surprise <= log10(one_in):
            return False
        beyond = sum(one >= verdict.surprise for one in self._surprises)
        return beyond <= share * len(self._surprises)

    def state(self) -> Learned:
        """Everything worth keeping."""
        return Learned(
            sessions=self.sessions,
            kinds=list(self._kinds),
            vectors=self._vectors.state(),
            held=self._held.state(),
            counts=self._counts.state(),
            pairs=self._pairs.state(),
            lengths=self._lengths.state(),
            spans=self._spans.state(),
            fresh=self._fresh,
            differ=list(self._differ),
            surprises=list(self._surprises),
        )

    def _numbered(self, steps: Sequence[str], unknown: tuple[str, ...]) -> list[int]:
        """Columns of the kinds, new ones behind those known, as far as there are any."""
        begun, last = len(self._kinds), self._kinds_max - 1
        fresh = {kind: min(begun + place, last) for place, kind in enumerate(unknown)}
        return [fresh[kind] if kind in fresh else self._columns[kind] for kind in steps]

    def _verdict(self, seen: _Seen, nearest: dict[int, int], lines: int, seconds: float | None) -> Verdict:
        surprise, odd = 0.0, list[Oddity]()
        pairs = [
            pair
            for pair in dict.fromkeys(pairwise((_BEGIN, *seen.steps, _END)))
            if pair not in self._pairs.sessions
        ]
        if seen.kinds:
            surprise = self._rare(self._held.once)
            odd += [Oddity("new", kind) for kind in seen.kinds]
        if any(one not in self._counts.sessions for one in seen.vector):
            surprise = max(surprise, self._rare(self._counts.once))
        if seen.vector not in self._vectors.sessions:
            apart = sum(self._weight(column) for column in seen.differs) / _MILLI
            surprise = max(surprise, self._rare(self._vectors.once) + apart)
            odd += self._counted(seen, nearest)
        if pairs:
            surprise = max(surprise, self._rare(self._pairs.once))
            odd += [] if odd else self._ordered(pairs)
        if seen.length not in self._lengths.sessions:
            surprise = max(surprise, self._rare(self._lengths.once))
            odd.append(_ranged("length", lines, self._lengths))
        if seen.span is not None and seconds is not None and seen.span not in self._spans.sessions:
            surprise = max(surprise, self._rare(self._spans.once))
            odd.append(_ranged("span", round(seconds), self._spans))
        return Verdict(surprise, tuple(odd[:_ODDITIES_MAX]), seen)

    def _rare(self, once: int) -> float:
        """Minus log10 of the share of sessions with something new, where ``once`` things were seen once."""
        return -log10(min(1.0, (once + _HALF) / (self.sessions + 1)))

    def _weight(self, column: int) -> int:
        """What it adds that the nearest learned session has this kind another number of times."""
        differ = self._differ[column] if column < len(self._differ) else 0
        return round(-log10((differ + _HALF) / (self._fresh + 1)) * _MILLI)

    def _nearest(self, vector: Vector) -> tuple[tuple[int, ...], dict[int, int]]:
        """Columns that differ from the nearest learned session, and that one's counts."""
        if not self._slots:
            return (), {}
        width = max(len(self._kinds), vector[-1][0] + 1 if vector else 1)
        self._widen(width)
        own = np.zeros(width, np.int64)
        for column, count in vector:
            own[column] = count
        rows = self._rows[: len(self._slots), :width]
        unlike = rows != own
        weights = np.array([self._weight(column) for column in range(width)], np.int64)
        cost = unlike @ weights
        near = np.flatnonzero(cost == cost.min())
        apart = np.abs(rows[near] - own).sum(axis=1)
        best = min(tuple(rows[one].tolist()) for one in near[apart == apart.min()])
        found = tuple(np.flatnonzero(np.array(best) != own).tolist()), dict(enumerate(best))
        if len(self._like) < _LIKE_MAX:  # a flood of one odd session costs one search
            self._like[vector] = found
        return found

    def _counted(self, seen: _Seen, nearest: dict[int, int]) -> Iterator[Oddity]:
        """The kinds whose number differs from the nearest session, the most telling first."""
        own = dict(seen.vector)
        for column in sorted(seen.differs, key=lambda one: (-self._weight(one), one)):
            if column >= len(self._kinds):
                continue  # told as new
            count = own.get(column, 0)
            usual = self._usual(column)
            near = nearest.get(column, 0)
            yield Oddity("count" if count else "missing", self._kinds[column], "", count, *usual, near)

    def _usual(self, column: int) -> tuple[int, int]:
        """The range of nine of ten learned sessions that have this kind."""
        return _middle(sorted((n, held) for (one, n), held in self._counts.sessions.items() if one == column))

    def _ordered(self, pairs: list[tuple[int, int]]) -> Iterator[Oddity]:
        names = {_BEGIN: "", _END: ""} | dict(enumerate(self._kinds))
        for before, then in pairs:
            what = "begin" if before == _BEGIN else "end" if then == _END else "order"
            yield Oddity(what, names.get(then, ""), names.get(before, ""))

    def _place(self, vector: Vector, slot: int) -> None:
        self._widen(vector[-1][0] + 1 if vector else 1)
        if slot >= self._rows.shape[0]:
            self._rows = np.vstack((self._rows, np.zeros_like(self._rows)))
        self._rows[slot] = 0
        for column, count in vector:
            self._rows[slot, column] = count
        self._slots[vector] = slot

    def _widen(self, width: int) -> None:
        while width > self._rows.shape[1]:
            self._rows = np.hstack((self._rows, np.zeros_like(self._rows)))


def _bucket(size: float) -> int:
    """Sizes by quarters of a doubling."""
    return round(log10(1 + max(0.0, size)) / log10(2) * _BUCKETS_PER_DOUBLING)


def _ranged(what: str, value: int, table: _Table[int]) -> Oddity:
    least, most = _middle(sorted(table.sessions.items()))
    sizes = [round(2 ** (one / _BUCKETS_PER_DOUBLING) - 1) for one in (least, most)]
    return Oddity(what, "", "", value, *sizes)


def _middle(counted: list[tuple[int, int]]) -> tuple[int, int]:
    """The smallest and the greatest value between which nine of ten sessions lie."""
    whole = sum(n for _, n in counted)
    least = most = 0
    below = 0
    for value, n in counted:
        if below <= whole * 0.05:
            least = value
        if below < whole * 0.95:
            most = value
        below += n
    return least, most
