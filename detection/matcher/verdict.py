"""The plain tests of many conditions, made when first needed, and the arithmetic of who is worth testing."""

from collections.abc import Sequence
from functools import partial

from detection.condition import Condition
from detection.facts import Facts, Test, Valued
from detection.matcher.quick import Warming

Answer = tuple[int, ...]  # indexes of conditions, ascending


class Tests:
    """The test of every condition."""

    __slots__ = ("_conditions", "_tests")

    def __init__(self, conditions: Sequence[Condition]) -> None:
        self._conditions = conditions
        self._tests: list[Test | None] = [None] * len(conditions)

    def passed(self, worth: int, event: Valued) -> Answer:
        """The conditions among the bits of ``worth`` that the event satisfies."""
        facts = Facts(event)
        found: list[int] = []
        tests = self._tests
        while worth:
            index = (worth & -worth).bit_length() - 1
            worth &= worth - 1
            test = tests[index]
            if test is None:
                test = tests[index] = Warming(self._conditions[index], partial(tests.__setitem__, index))
            if test(facts):
                found.append(index)
        return tuple(found)


def all_set(bits: int, count: int) -> int:
    """The conditions whose bits of all three clauses are set and whose veto is not; bit i is condition i."""
    return bits & (bits >> count) & (bits >> 2 * count) & ~(bits >> 3 * count) & ((1 << count) - 1)
