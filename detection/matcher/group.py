"""A group of conditions asked of events in batches: columns prune, the plain test of each condition decides.

Every condition has up to three clauses (detection/matcher/clauses.py). Clause k of condition i is bit
``k * count + i``; an event's bits are those of its values, and the conditions worth testing are those whose
three bits are all set. A condition with fewer clauses has the missing bits always. Bit ``3 * count + i`` says
that something holds which the condition forbids.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import itemgetter, or_
from typing import Any, Final

from detection.condition import Atom, Condition, Keyword, fields
from detection.facts import Valued
from detection.matcher.clauses import CLAUSES_MAX, RARE, clauses, is_short, vetoes
from detection.matcher.column import Column, Known
from detection.matcher.verdict import Answer, Tests, all_set
from sensors.event import Value

SHAPES_MAX: Final = 2_048  # sets of field names planned for; more are planned again and again
REPEATS_CHARS_MAX: Final = 2_000_000  # of events whose answer is remembered, by group and generation
REPEATS_MAX: Final = 20_000

Key = tuple[Known, ...]


class _Plan:
    """How events with one set of field names are read."""

    __slots__ = ("columns", "constant", "key", "old", "places", "young")

    def __init__(self, native: Sequence[str], ecs: Sequence[str], group: "Group") -> None:
        first = [name for name in native if name in group.reads]
        second = [name for name in ecs if name in group.reads and name not in set(first)]
        self.young: dict[Key, Answer] = {}  # answers given, and those given before the last forgetting
        self.old: dict[Key, Answer] = {}
        self.key = _getter(first, second)
        read = [*first, *second]
        self.columns = [group.columns[name] for name in read if name in group.columns]
        self.places = [place for place, name in enumerate(read) if name in group.columns]
        absent = [column.missing for name, column in group.columns.items() if name not in read]
        self.constant = reduce(or_, absent, group.constant)


class Group:
    """Conditions without keywords that are asked of the same events. Not for several threads at once."""

    def __init__(
        self, conditions: Sequence[Condition], *, indexed: bool = True, remembers: bool = True
    ) -> None:
        """``indexed=False`` tests every condition, ``remembers=False`` answers every event anew (for proofs).

        Raises BadInput for a pattern or network that cannot be used, at the latest at the first event.
        """
        self.conditions = tuple(conditions)
        self.columns: dict[str, Column] = {}
        self.constant = 0
        self.reads: frozenset[str] = frozenset().union(*map(fields, self.conditions))
        self._indexed = indexed
        self._remembers = remembers
        self._tests = Tests(self.conditions)
        self._plans: dict[object, _Plan] = {}
        self._chars = self._chars_old = self._remembered = 0
        self._index()

    def match(self, events: Sequence[Valued]) -> list[Answer]:
        """Which conditions each event satisfies."""
        answers: list[Answer] = [()] * len(events)
        waiting: dict[_Plan, dict[Key, list[int]]] = {}
        for index, event in enumerate(events):
            native, ecs = event.native, event.fields
            shape = (tuple(native), tuple(ecs)) if ecs else tuple(native)
            plan = self._plans.get(shape)
            if plan is None:
                plan = self._planned(shape, tuple(native), tuple(ecs))
            key = plan.key(native, ecs)
            try:
                known = plan.young.get(key)
            except TypeError:  # a list
                key = _plain(key)
                known = plan.young.get(key)
            if bool in map(type, key):
                # True equals 1 as a key, and means something else; its text means the same
                key = _plain(key)
                known = plan.young.get(key)
            if known is None and plan.old:
                known = plan.old.get(key)
            if known is not None:
                answers[index] = known
            else:
                waiting.setdefault(plan, {}).setdefault(key if self._remembers else (*key, index), []).append(
                    index
                )
        if waiting:
            self._answer(events, waiting, answers)
        return answers

    @property
    def chars(self) -> int:
        """Characters of the values it remembers; some may be counted twice."""
        return self._chars + self._chars_old + sum(column.chars for column in self.columns.values())

    def forget(self) -> None:
        """Give back the memory of values and answers; no answer changes."""
        self._plans = {}
        self._chars = self._chars_old = self._remembered = 0
        for column in self.columns.values():
            column.forget()

    def _answer(
        self, events: Sequence[Valued], waiting: dict[_Plan, dict[Key, list[int]]], answers: list[Answer]
    ) -> None:
        self._learn(waiting)
        chars = 0
        for plan, places in waiting.items():
            found = self._bits(plan, list(places))
            for bits, (key, indexes) in zip(found, places.items(), strict=True):
                answer = self._decided(bits, events[indexes[0]])
                for index in indexes:
                    answers[index] = answer
                if self._remembers:
                    plan.young[key] = answer
                    try:
                        chars += sum(map(len, key))  # type: ignore[arg-type]
                    except TypeError:  # numbers and nulls among the texts
                        chars += sum(len(one) for one in key if type(one) is str)
                    self._remembered += 1
        self._chars += chars
        if self._chars > REPEATS_CHARS_MAX or self._remembered > REPEATS_MAX:
            for plan in self._plans.values():
                plan.old, plan.young = plan.young, {}
            self._chars_old, self._chars, self._remembered = self._chars, 0, 0

    def _learn(self, waiting: dict[_Plan, dict[Key, list[int]]]) -> None:
        wanted: dict[int, tuple[Column, list[Known]]] = {}
        for plan, places in waiting.items():
            for column, place in zip(plan.columns, plan.places, strict=True):
                wanted.setdefault(id(column), (column, []))[1].extend(map(itemgetter(place), places))
        for column, values in wanted.values():
            column.learn(values)

    def _bits(self, plan: _Plan, keys: list[Key]) -> Iterable[int]:
        """Each event's bits."""
        if not plan.columns:
            return [plan.constant] * len(keys)
        looked_up = [
            map(column.known.__getitem__, map(itemgetter(place), keys))
            for column, place in zip(plan.columns, plan.places, strict=True)
        ]
        constant = plan.constant
        return [reduce(or_, filter(None, row), constant) for row in zip(*looked_up, strict=True)]

    def _decided(self, bits: int, event: Valued) -> Answer:
        count = len(self.conditions)
        worth = all_set(bits, count) if self._indexed else (1 << count) - 1
        return self._tests.passed(worth, event) if worth else ()

    def _index(self) -> None:
        count = len(self.conditions)
        for index, condition in enumerate(self.conditions):
            chosen = clauses(condition, Atom)
            for rank in range(CLAUSES_MAX):
                bit = 1 << (rank * count + index)
                if rank >= len(chosen):
                    self.constant |= bit
                    continue
                for leaf in chosen[rank].leaves:
                    assert not isinstance(leaf, Keyword), leaf
                    self.columns.setdefault(leaf.field, Column()).add(leaf, bit)
            rare = bool(chosen) and chosen[0].share < RARE
            for veto in vetoes(condition):
                if rare and is_short(veto):
                    continue
                self.columns.setdefault(veto.field, Column()).add(veto, 1 << (CLAUSES_MAX * count + index))
        for column in self.columns.values():
            column.seal()

    def _planned(self, shape: object, native: Sequence[str], ecs: Sequence[str]) -> _Plan:
        if len(self._plans) >= SHAPES_MAX:
            self._plans.clear()
        plan = self._plans[shape] = _Plan(native, ecs, self)
        return plan


def _getter(first: list[str], second: list[str]) -> Callable[[Any, Any], Key]:
    """The function that reads the values of both tables as one tuple."""
    ours, theirs = _reader(first), _reader(second)
    if not second:
        return lambda native, _ecs: ours(native)
    if not first:
        return lambda _native, ecs: theirs(ecs)
    return lambda native, ecs: ours(native) + theirs(ecs)


def _reader(names: list[str]) -> Callable[[Any], Key]:
    if not names:
        return lambda _table: ()
    if len(names) == 1:
        name = names[0]
        return lambda table: (table[name],)
    return itemgetter(*names)


def _plain(key: Iterable[Value | Known]) -> Key:
    """The same values as a key: lists as tuples, booleans as the texts they mean."""
    return tuple(
        tuple(_scalar(one) for one in value) if isinstance(value, list | tuple) else _scalar(value)
        for value in key
    )


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
