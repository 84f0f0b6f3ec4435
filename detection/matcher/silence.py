"""Lines of JSON in which no keyword can stand, told from their bytes before any value is looked at."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import msgspec

from detection.literals import AnyLiteral

# Texts of numbers are made, not copied: a literal of these characters alone may stand in one unseen.
_NUMERIC: Final = frozenset("0123456789.-+xabcdef")
_HEX: Final = "0123456789abcdef"
# The characters beyond ASCII that folding turns into ASCII, wholly or in part.
FOLDING_TO_ASCII: Final = (
    "\u00df\u0130\u0149\u017f\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a\u1e9e\u212a"
    "\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06"
)


class Silence:
    """A fixed set of case-folded literals."""

    __slots__ = ("_places",)

    def __init__(self, literals: Sequence[str]) -> None:
        """``literals`` must be ``heard``."""
        written = [msgspec.json.encode(literal).decode()[1:-1].lower() for literal in literals]
        # a line that writes characters by number, or escapes the slash, is looked at value by value
        by_number = [f"\\u{digit}" for digit in _HEX]
        self._places = AnyLiteral([*written, "\\/", *by_number, *FOLDING_TO_ASCII]).places

    @staticmethod
    def heard(literal: str) -> bool:
        """Whether the literal stands in a line wherever it stands in one of the line's values."""
        return literal.isascii() and literal.isprintable() and not _NUMERIC.issuperset(literal)

    def over(self, lines: Sequence[bytes]) -> list[bool]:
        """For each line, whether no literal stands in any of its values; False where that is not sure."""
        joined = b"\n".join(lines)
        found = [True] * len(lines)
        places = self._places(joined.lower())
        if places:
            starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
            for _, start, _ in places:
                found[bisect_right(starts, start) - 1] = False
        return found
