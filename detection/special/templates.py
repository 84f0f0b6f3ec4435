"""Templates of log lines: lines of one length and beginning that agree in most words are one kind of line.

A fixed-depth tree in the manner of Drain (He et al., ICWS 2017), written for this product; its state is plain
lists. Words with digits are variables from the start, so that numbers, addresses and ids make no templates.
"""

from collections import OrderedDict
from typing import Final

_TOKENS_MAX: Final = 48
_CHARS_MAX: Final = 600
_VARIABLE: Final = "<*>"
_DIGITS: Final = frozenset("0123456789")
_MASKED_MAX: Final = 2_000  # masked lines whose template is remembered
_AGREEING: Final = 0.5  # share of a template's words a line must have in common with it
_BEGINNING: Final = 2  # words that must be the same

_Branch = tuple[int, tuple[str, ...]]


class Templates:
    """The templates of one program, at most ``templates_max``, the one used longest ago forgotten first."""

    __slots__ = ("_branches", "_known", "_masked", "_next", "_templates_max")

    def __init__(self, templates_max: int, kept: list[tuple[int, list[str]]] | None = None) -> None:
        """``kept`` is what ``state`` gave."""
        self._templates_max = templates_max
        self._known: OrderedDict[int, tuple[int, list[str]]] = OrderedDict()  # id -> lines, words
        self._branches: dict[_Branch, list[int]] = {}
        self._masked: dict[str, int] = {}
        self._next = 0
        for lines, words in kept or []:
            self._put(lines, words)

    def __len__(self) -> int:
        return len(self._known)

    def add(self, line: str) -> tuple[bool, str]:
        """Whether the line made a template, and the template."""
        plain = masked(line)
        number = self._masked.get(plain)
        if number is not None and number in self._known:
            lines, words = self._known[number]
            self._known[number] = (lines + 1, words)
            self._known.move_to_end(number)
            return False, " ".join(words)
        words = plain.split(" ")
        found = self._nearest(words)
        number = self._put(1, words) if found is None else self._join(found, words)
        if len(self._masked) >= _MASKED_MAX:
            self._masked.clear()
        self._masked[plain] = number
        return found is None, " ".join(self._known[number][1])

    def state(self) -> list[tuple[int, list[str]]]:
        """Number of lines and words of each template, the one used longest ago first."""
        return [(lines, list(words)) for lines, words in self._known.values()]

    def _nearest(self, words: list[str]) -> int | None:
        """The template that agrees most with the words, if enough."""
        best, best_share = None, 0.0
        for number in self._branches.get(_branch(words), ()):
            template = self._known[number][1]
            same = sum(a == b for a, b in zip(template, words, strict=True))
            if same / len(words) > best_share:
                best, best_share = number, same / len(words)
        return best if best_share >= _AGREEING else None

    def _join(self, number: int, words: list[str]) -> int:
        lines, template = self._known[number]
        joined = [a if a == b else _VARIABLE for a, b in zip(template, words, strict=True)]
        self._known[number] = (lines + 1, joined)
        self._known.move_to_end(number)
        return number

    def _put(self, lines: int, words: list[str]) -> int:
        number = self._next
        self._next += 1
        self._known[number] = (lines, words)
        self._branches.setdefault(_branch(words), []).append(number)
        if len(self._known) > self._templates_max:
            old, (_, gone) = self._known.popitem(last=False)
            branch = self._branches[_branch(gone)]
            branch.remove(old)
            if not branch:
                del self._branches[_branch(gone)]
        return number


def masked(line: str) -> str:
    """The line's first words; those with a digit, and paths, are replaced, neighbours by one."""
    words: list[str] = []
    for word in line[:_CHARS_MAX].split():
        if word.isalpha() or (_DIGITS.isdisjoint(word) and not word.startswith(("/", _VARIABLE))):
            words.append(word)
        elif not words or words[-1] is not _VARIABLE:  # a list of variables is one variable
            words.append(_VARIABLE)
        if len(words) == _TOKENS_MAX:
            break
    return " ".join(words)


def _branch(words: list[str]) -> _Branch:
    """Length and beginning; joining never changes the beginning, for its words are equal."""
    return len(words), tuple(words[:_BEGINNING])
