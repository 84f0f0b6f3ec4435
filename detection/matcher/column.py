"""What the values of one field say about the conditions of a group: each value's bits, learnt once.

Bits are superset answers: a bit that is set may be wrong (case, inner wildcards), one that is missing is not;
they are exact for equals, contains, startswith, endswith, exists and null without regard to case. Learnt
values are remembered within a bound, so that a field that repeats itself costs one look-up.
"""

from collections.abc import Callable, Iterable
from typing import Final

from detection.condition import Atom, Keyword
from detection.facts import READ_RAW, Accepts, acceptance, number_test, texts_of
from detection.literals import Literals
from detection.matcher.clauses import longest_piece
from detection.pattern import PatternSet
from sensors.event import Scalar, Value

VALUES_MAX: Final = 20_000  # remembered of one field
CHARS_MAX: Final = 2_000_000  # of all values remembered of one field
_SHORT_BYTES: Final = 2  # literals up to this are found too often to be counted one by one
_PATTERNS_MAX: Final = 48  # sought by one RE2 set

Known = Scalar | tuple[Scalar, ...]  # a value as it can be a key: lists are tuples


class Column:
    """One field; ``seal`` ends the adding."""

    def __init__(self) -> None:
        self.missing = 0  # bits where the field is not there
        self.known: dict[Known, int] = {}
        self.chars = 0  # of the values in ``known``
        self._present = self._null = 0
        self._whole: dict[str, int] = {}
        self._edges: dict[str, list[int]] = {}  # folded literal -> bits anywhere, at the start, at the end
        self._places: list[tuple[int, int, int]] = []
        self._literals: Literals | None = None
        self._sought: tuple[str, ...] = ()
        self._regexes: dict[str, int] = {}
        self._sets: list[tuple[PatternSet, list[int]]] = []
        self._raw: dict[Atom, int] = {}
        self._folded: dict[Atom, int] = {}
        self._short: dict[str, int] = {}  # literals of a byte or two -> bits anywhere
        self._tests: list[tuple[Accepts, bool, int]] = []
        self._numbers: dict[Atom, int] = {}
        self._compared: list[tuple[Callable[[Value], bool], int]] = []

    def add(self, leaf: Atom | Keyword, bit: int) -> None:
        """Let values that may satisfy ``leaf`` carry ``bit``."""
        operator = leaf.operator
        if operator == "exists":
            if leaf.values == (False,):
                self.missing |= bit
            else:
                self._present |= bit
        elif operator == "null":
            self.missing |= bit
            self._null |= bit
        elif operator in ("gt", "gte", "lt", "lte"):
            assert isinstance(leaf, Atom)
            key = Atom("", leaf.operator, leaf.values)
            self._numbers[key] = self._numbers.get(key, 0) | bit
        else:
            for value in map(str, leaf.values):
                self._add_text(leaf, value, bit)

    def _add_text(self, leaf: Atom | Keyword, value: str, bit: int) -> None:
        operator = leaf.operator
        folded = value.casefold()
        if operator == "equals":
            self._whole[folded] = self._whole.get(folded, 0) | bit
            return
        if operator == "regex":
            self._regexes[value] = self._regexes.get(value, 0) | bit
            return
        if operator in READ_RAW:
            atom = Atom("", operator, (value,))
            self._raw[atom] = self._raw.get(atom, 0) | bit
            return
        literal = longest_piece(folded) if operator == "wildcard" else folded
        if len(literal.encode("utf-8", "surrogatepass")) <= _SHORT_BYTES:
            if operator in ("contains", "wildcard"):
                self._short[literal] = self._short.get(literal, 0) | bit
                return
            atom = Atom("", operator, (literal,))
            self._folded[atom] = self._folded.get(atom, 0) | bit
            return
        place = {"startswith": 1, "endswith": 2}.get(operator, 0)
        self._edges.setdefault(literal, [0, 0, 0])[place] |= bit

    def seal(self) -> None:
        """Build what searches."""
        if self._edges:
            self._sought = tuple(self._edges)
            self._literals = Literals(self._sought)
            self._places = [(bits[0], bits[1], bits[2]) for bits in self._edges.values()]
        patterns = list(self._regexes.items())
        for start in range(0, len(patterns), _PATTERNS_MAX):
            some = patterns[start : start + _PATTERNS_MAX]
            self._sets.append((PatternSet([text for text, _ in some]), [bits for _, bits in some]))
        for table, raw in ((self._raw, True), (self._folded, False)):
            self._tests += [(acceptance(atom), raw, bits) for atom, bits in table.items()]
        self._compared = [(number_test(atom), bits) for atom, bits in self._numbers.items()]
        self._edges, self._regexes, self._raw, self._folded, self._numbers = {}, {}, {}, {}, {}

    def literals(self) -> tuple[str, ...] | None:
        """The literals that all bits of texts come from; None where some come from other tests too."""
        if (
            self._whole
            or self._short
            or self._sets
            or self._tests
            or any(bits[1] or bits[2] for bits in self._places)
        ):
            return None
        return self._sought

    def learn(self, values: Iterable[Known]) -> None:
        """Make ``known`` hold every one of ``values``."""
        fresh = set(values).difference(self.known)
        if not fresh:
            return
        if len(self.known) + len(fresh) > VALUES_MAX or self.chars > CHARS_MAX:
            self.forget()
            fresh = set(values)
        if all(type(value) is str for value in fresh):
            texts: list[str] = list(fresh)  # type: ignore[arg-type]
            self.known.update(zip(texts, self.bits(texts), strict=True))
            self.chars += sum(map(len, texts))
        else:
            for value in fresh:
                self.known[value] = self._of_any_value(value)
                self.chars += len(str(value))
        if self._present or self._compared or self._null:
            for value in fresh:
                self.known[value] |= self._beside(value)

    def forget(self) -> None:
        """Give back the memory of what was learnt."""
        self.known = {}
        self.chars = 0

    def _of_any_value(self, value: Known) -> int:
        found = 0
        for bits in self.bits(list(texts_of(list(value) if isinstance(value, tuple) else value))):
            found |= bits
        return found

    def _beside(self, value: Known) -> int:
        """Bits that depend on more than the value's texts."""
        found = self._present
        if value is None or (isinstance(value, tuple) and None in value):
            found |= self._null
        plain: Value = list(value) if isinstance(value, tuple) else value
        for test, bits in self._compared:
            if test(plain):
                found |= bits
        return found

    def bits(self, texts: list[str]) -> list[int]:
        """The bits of each text."""
        # the literals fold by themselves, and faster
        folded = [text.casefold() for text in texts] if self._whole or self._tests or self._short else texts
        found = [self._whole.get(text, 0) for text in folded] if self._whole else [0] * len(texts)
        if self._literals is not None:
            self._literals.gather(texts, self._places, found)
        for patterns, of_pattern in self._sets:
            for index, text in enumerate(texts):
                for number in patterns.found(text):
                    found[index] |= of_pattern[number]
        if self._short:
            self._add_short(folded, found)
        for accepts, raw, one in self._tests:
            for index, text in enumerate(texts if raw else folded):
                if accepts(text):
                    found[index] |= one
        return found

    def _add_short(self, folded: list[str], found: list[int]) -> None:
        beyond = [index for index, text in enumerate(folded) if not text.isascii()]
        for short, one in self._short.items():
            for index in range(len(folded)) if short.isascii() else beyond:
                if short in folded[index]:
                    found[index] |= one
