"""Many literal texts sought at once in many texts: Aho-Corasick, linear in the text whatever the literals."""

from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from itertools import accumulate

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

# Occurrences are listed for so much text at once: a hostile text can hold one at every other character.
SCAN_CHARS_MAX = 128 * 1024
DFA_BYTES_MAX = 24_000  # of all literals
_FEW = 100  # so many literals are looked for by vector instructions, which tell the first occurrence only
_SEPARATOR = "\0"  # between texts; a literal that holds one may be found across two texts


class Literals:
    """A fixed set of literal texts, sought without regard to case."""

    __slots__ = ("_automaton", "_first")

    def __init__(self, literals: Sequence[str]) -> None:
        """``literals`` are case-folded, distinct and not empty."""
        patterns = [_bytes(literal) for literal in literals]
        # a DFA is twice as fast; of many literals it takes ten times as long to build and as much memory
        small = sum(map(len, patterns)) <= DFA_BYTES_MAX
        kind = Implementation.DFA if small else Implementation.ContiguousNFA
        self._automaton = BytesAhoCorasick(patterns, implementation=kind)
        few = len(patterns) <= _FEW
        self._first = BytesAhoCorasick(patterns, matchkind=MatchKind.LeftmostFirst) if few else None

    def occurrences(self, texts: Sequence[str]) -> Iterator[tuple[int, int, bool, bool]]:
        """(index of the text, index of the literal, at the text's start, at its end) of every occurrence.

        A literal that holds the separator may be told where it is not, or at an edge it does not have.
        """
        first = chars = 0
        for index, text in enumerate(texts):
            chars += len(text)
            if chars > SCAN_CHARS_MAX:
                yield from self._scan(texts[first : index + 1], first)
                first, chars = index + 1, 0
        yield from self._scan(texts[first:] if first else texts, first)

    def gather(
        self, texts: Sequence[str], bits: Sequence[tuple[int, int, int]], found: MutableSequence[int]
    ) -> None:
        """Join to ``found``, for each text, the bits of its literals: anywhere, at the start, at the end."""
        first = chars = 0
        for index, text in enumerate(texts):
            chars += len(text)
            if chars > SCAN_CHARS_MAX:
                self._gather(texts[first : index + 1], first, bits, found)
                first, chars = index + 1, 0
        self._gather(texts[first:] if first else texts, first, bits, found)

    def _gather(
        self,
        texts: Sequence[str],
        first: int,
        bits: Sequence[tuple[int, int, int]],
        found: MutableSequence[int],
    ) -> None:
        searched = self._searched(texts)
        if searched is None:
            return
        ends, occurrences = searched
        index, start, end = first, 0, ends[0] if ends else 0
        joined = found[index] if ends else 0
        for literal, begins, stops in occurrences:
            while stops > end:
                found[index] = joined
                index += 1
                start, end = end + 1, ends[index - first]
                joined = found[index]
            anywhere, at_start, at_end = bits[literal]
            if anywhere:
                joined |= anywhere
            if at_start and begins <= start:
                joined |= at_start
            if at_end and stops == end:
                joined |= at_end
        if ends:
            found[index] = joined

    def _scan(self, texts: Sequence[str], first: int) -> Iterator[tuple[int, int, bool, bool]]:
        searched = self._searched(texts)
        if searched is None:
            return
        ends, occurrences = searched
        index, start, end = 0, 0, ends[0] if ends else 0
        for literal, begins, stops in occurrences:
            while stops > end:
                index += 1
                start, end = end + 1, ends[index]
            yield first + index, literal, begins <= start, stops == end

    def _searched(self, texts: Sequence[str]) -> tuple[list[int], list[tuple[int, int, int]]] | None:
        """Where each text ends in all of them joined, and every occurrence there."""
        joined = _SEPARATOR.join(texts)
        if joined.isascii():
            whole = joined.encode().lower()  # thrice as fast as folding
        else:
            texts = [text.casefold() for text in texts]
            joined = _SEPARATOR.join(texts)
            whole = _bytes(joined)
        if self._first is not None and not self._first.find_matches_as_indexes(whole):
            return None
        lengths = map(len, texts) if len(whole) == len(joined) else (len(_bytes(text)) for text in texts)
        # where each text ends; all but the first have a separator before them
        ends = list(accumulate(lengths, lambda total, length: total + length + 1))
        return ends, self._automaton.find_matches_as_indexes(whole, overlapping=True)


class AnyLiteral:
    """A fixed set of literal texts of which any is sought, as they are written."""

    __slots__ = ("places",)

    def __init__(self, literals: Iterable[str]) -> None:
        """``literals`` are not empty."""
        patterns = [_bytes(literal) for literal in literals]
        # (literal, start, end) in bytes, where they do not overlap: none exactly where none stands there
        self.places: Callable[[bytes], list[tuple[int, int, int]]] = BytesAhoCorasick(
            patterns, matchkind=MatchKind.LeftmostFirst
        ).find_matches_as_indexes

    def found(self, text: str) -> bool:
        """Whether any of them stands in ``text``."""
        return bool(self.places(_bytes(text)))


def _bytes(text: str) -> bytes:
    # a lone surrogate can come from a Python source; it must not stop the matching
    return text.encode("utf-8", "surrogatepass")
