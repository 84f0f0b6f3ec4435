"""Templates of log lines: lines of one length and beginning that agree in most words are one kind of line.

A fixed-depth tree in the manner of Drain (He et al., ICWS 2017), written for this product; its state is plain
lists. Words with digits are variables from the start, so that numbers, addresses and ids make no templates.
"""

from collections import OrderedDict
from typing import Final, NamedTuple
from zlib import crc32

_TOKENS_MAX: Final = 48
_CHARS_MAX: Final = 600
_VARIABLE: Final = "<*>"
_DIGITS: Final = frozenset("0123456789")
_MASKED_MAX: Final = 2_000  # masked lines whose template is remembered
_AGREEING: Final = 0.5  # share of a template's words a line must have in common with it
_BEGINNING: Final = 2  # words that must be the same

_Branch = tuple[int, tuple[str, ...]]
Kept = list[tuple[str, int, list[str]]]  # id, lines and words of each template


class Found(NamedTuple):
    """Whether a line made a template, the template's id, and its words."""

    is_new: bool
    id: str
    template: str


class _Group:
    """The templates of one length and beginning; ``turn`` counts what could change the answer for a line."""

    __slots__ = ("ids", "turn")

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.turn = 0


class Templates:
    """The templates of one program, at most ``templates_max``, the one used longest ago forgotten first.

    An id is made from the first line of its kind: it stays while the template's words become variables, and
    comes back where the kind is forgotten and met again.
    """

    __slots__ = ("_groups", "_known", "_masked", "_templates_max")

    def __init__(self, templates_max: int, kept: Kept | None = None) -> None:
        """``kept`` is what ``state`` gave."""
        self._templates_max = templates_max
        self._known: OrderedDict[str, tuple[int, list[str], str]] = OrderedDict()  # id -> lines, words, text
        self._groups: dict[_Branch, _Group] = {}
        self._masked: dict[str, tuple[str, _Group, int]] = {}
        for identifier, lines, words in kept or []:
            self._put(identifier, lines, words)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._known

    def add(self, line: str) -> Found:
        """The line's template, made where there is none."""
        plain = masked(line)
        known = self._known
        before = self._masked.get(plain)
        if before is not None and before[1].turn == before[2]:
            identifier = before[0]
            lines, words, text = known[identifier]
            known[identifier] = (lines + 1, words, text)
            known.move_to_end(identifier)
            return Found(False, identifier, text)
        words = plain.split(" ")
        found = self._nearest(words)
        identifier = self._found(plain, words) if found is None else self._join(found, words)
        if len(self._masked) >= _MASKED_MAX:
            self._masked.clear()
        group = self._groups[_branch(words)]
        self._masked[plain] = (identifier, group, group.turn)
        return Found(found is None, identifier, known[identifier][2])

    def text(self, identifier: str) -> str:
        """The template's words; '' if it was forgotten."""
        found = self._known.get(identifier)
        return "" if found is None else found[2]

    def state(self) -> Kept:
        """Each template, the one used longest ago first."""
        return [(one, lines, list(words)) for one, (lines, words, _) in self._known.items()]

    def _nearest(self, words: list[str]) -> str | None:
        """The template that agrees most with the words, if enough; of equals the smaller id."""
        group = self._groups.get(_branch(words))
        best, best_same = None, 0
        for identifier in group.ids if group is not None else ():
            same = sum(map(str.__eq__, self._known[identifier][1], words))
            if same > best_same:
                best, best_same = identifier, same
        return best if best_same >= _AGREEING * len(words) else None

    def _join(self, identifier: str, words: list[str]) -> str:
        lines, template, text = self._known[identifier]
        joined = [a if a == b else _VARIABLE for a, b in zip(template, words, strict=True)]
        if joined != template:
            self._groups[_branch(words)].turn += 1
            text = " ".join(joined)
        self._known[identifier] = (lines + 1, joined, text)
        self._known.move_to_end(identifier)
        return identifier

    def _found(self, plain: str, words: list[str]) -> str:
        number = crc32(plain.encode("utf-8", "replace"))
        while f"{number:08x}" in self._known:
            number = (number + 1) & 0xFFFFFFFF
        self._put(f"{number:08x}", 1, words)
        return f"{number:08x}"

    def _put(self, identifier: str, lines: int, words: list[str]) -> None:
        self._known[identifier] = (lines, words, " ".join(words))
        group = self._groups.setdefault(_branch(words), _Group())
        group.ids.append(identifier)
        group.ids.sort()
        group.turn += 1
        if len(self._known) > self._templates_max:
            old, (_, gone, _) = self._known.popitem(last=False)
            group = self._groups[_branch(gone)]
            group.ids.remove(old)
            group.turn += 1
            if not group.ids:
                del self._groups[_branch(gone)]


class LineKinds:
    """Templates by program, at most ``programs_max`` of them, the one heard longest ago forgotten first.

    The same lines in the same order give the same ids, in one process or in several that hand on ``state``.
    """

    __slots__ = ("_programs", "_programs_max", "_templates_max")

    def __init__(self, *, programs_max: int, templates_max: int, kept: dict[str, Kept] | None = None) -> None:
        self._programs_max = programs_max
        self._templates_max = templates_max
        self._programs = OrderedDict(
            (program, Templates(templates_max, one)) for program, one in (kept or {}).items()
        )

    def read(self, program: str, line: str) -> Found:
        """The line's kind among those of its program (or of whatever the key names)."""
        templates = self._programs.get(program)
        if templates is None:
            templates = self._programs[program] = Templates(self._templates_max)
            if len(self._programs) > self._programs_max:
                self._programs.popitem(last=False)
        else:
            self._programs.move_to_end(program)
        return templates.add(line)

    def text(self, program: str, identifier: str) -> str:
        """The template's words; '' if it was forgotten."""
        templates = self._programs.get(program)
        return "" if templates is None else templates.text(identifier)

    def state(self) -> dict[str, Kept]:
        """The templates of each program, the one heard longest ago first."""
        return {program: templates.state() for program, templates in self._programs.items()}


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
