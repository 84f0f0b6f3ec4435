"""Conditions with keywords, which read every value of an event: all its texts are searched in one pass."""

from collections.abc import Iterable, Sequence
from typing import Final

from detection.condition import Condition, Keyword
from detection.facts import NUMBER_BITS_MAX, Valued, texts_of
from detection.matcher.clauses import CLAUSES_MAX, clauses
from detection.matcher.column import Column
from detection.matcher.silence import Silence
from detection.matcher.verdict import Answer, Tests, all_set
from sensors.event import Value

_SEPARATOR: Final = "\0"


class Spoken:
    """Conditions of which each holds a keyword. Remembers nothing: no two events agree in every value."""

    def __init__(self, conditions: Sequence[Condition], *, indexed: bool = True) -> None:
        self.conditions = tuple(conditions)
        self._indexed = indexed
        self._tests = Tests(self.conditions)
        self._column = Column()
        self._constant = 0
        count = len(self.conditions)
        for index, condition in enumerate(self.conditions):
            chosen = clauses(condition, Keyword)
            for rank in range(CLAUSES_MAX):
                bit = 1 << (rank * count + index)
                if rank >= len(chosen):
                    self._constant |= bit
                    continue
                for leaf in chosen[rank].leaves:
                    self._column.add(leaf, bit)
        self._column.seal()
        literals = self._column.literals()
        sure = literals and indexed and not all_set(self._constant, count)
        self._silence = Silence(literals) if literals and sure and all(map(Silence.heard, literals)) else None

    def says(self, texts: Iterable[str]) -> bool:
        """Whether some keyword may stand in the texts."""
        return any(self._column.bits(list(texts)))

    def match(self, events: Sequence[Valued], lines: Sequence[bytes] | None = None) -> list[Answer]:
        """Which conditions each event satisfies.

        ``lines`` are the events as JSON, where every text of the event is a value of its line.
        """
        count = len(self.conditions)
        if lines is not None and self._silence is not None:
            silent = self._silence.over(lines)
            if all(silent):
                return [()] * len(events)
            heard = iter(self.match([event for event, one in zip(events, silent, strict=True) if not one]))
            return [() if one else next(heard) for one in silent]
        if not self._indexed:
            return [self._tests.passed((1 << count) - 1, event) for event in events]
        constant, answers = self._constant, []
        always = all_set(constant, count)
        for event, bits in zip(events, self._column.bits(list(map(_joined, events))), strict=True):
            worth = all_set(bits | constant, count) if bits else always
            answers.append(self._tests.passed(worth, event) if worth else ())
        return answers


def _joined(event: Valued) -> str:
    native = event.native
    texts = [value if type(value) is str else _text(value) for value in native.values()]
    if event.fields:
        texts += [_text(value) for name, value in event.fields.items() if name not in native]
    return _SEPARATOR.join(texts)


def _text(value: Value) -> str:
    if type(value) is int and value.bit_length() <= NUMBER_BITS_MAX:
        return str(value)
    return value if type(value) is str else _SEPARATOR.join(texts_of(value))
