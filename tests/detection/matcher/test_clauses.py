"""Clauses: what must hold, the rarest first, and none where a negation or anything unindexed decides."""

import pytest

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or
from detection.matcher.clauses import CLAUSES_MAX, clauses, longest_piece, vetoes

RARE = Atom("CommandLine", "contains", ("--very-rare-option",))
COMMON = Atom("Image", "contains", ("e",))
REGEX = Atom("CommandLine", "regex", ("x.*y",))
FIELD = Atom("a", "field_equals", ("b",))
WORD = Keyword("contains", ("mimikatz",))


@pytest.mark.parametrize(
    ("condition", "leaves"),
    [
        (RARE, [(RARE,)]),
        (And((COMMON, RARE)), [(RARE,)]),
        (
            And((COMMON, Atom("Image", "contains", ("xyz",)))),
            [(Atom("Image", "contains", ("xyz",)),), (COMMON,)],
        ),
        (And((REGEX, RARE)), [(RARE,)]),
        (REGEX, [(REGEX,)]),
        (Or((RARE, COMMON)), [(RARE, COMMON)]),
        (Or((RARE, Not(COMMON))), []),
        (Not(RARE), []),
        (FIELD, [(Atom("a", "exists", (True,)),)]),
        (And((FIELD, RARE)), [(RARE,)]),
        (Or((And((RARE, COMMON)), REGEX)), [(RARE, REGEX), (COMMON, REGEX)]),
        (Always(True), []),
        (Always(False), [()]),
        (WORD, []),
    ],
)
def test_clauses_are_what_must_hold(condition: Condition, leaves: list[tuple[Atom, ...]]) -> None:
    assert [clause.leaves for clause in clauses(condition, Atom)] == leaves


def test_keywords_are_asked_apart() -> None:
    assert [clause.leaves for clause in clauses(And((WORD, RARE)), Keyword)] == [(WORD,)]
    assert clauses(Or((WORD, RARE)), Keyword) == []
    assert clauses(Keyword("regex", ("x",)), Keyword) == []
    assert clauses(Keyword("wildcard", ("?*",)), Keyword) == []


def test_only_the_best_are_kept() -> None:
    parts = tuple(Atom(str(length), "contains", ("x" * length,)) for length in range(1, 9))
    kept = [clause.leaves for clause in clauses(And(parts), Atom)]
    assert kept == [(part,) for part in parts[:4:-1]][:CLAUSES_MAX]


@pytest.mark.parametrize(
    ("condition", "atoms"),
    [
        (And((RARE, Not(COMMON))), [COMMON]),
        (And((RARE, Not(Or((COMMON, REGEX, FIELD))))), [COMMON]),
        (Not(And((COMMON, RARE))), []),
        (Or((RARE, Not(COMMON))), []),
        (Not(Atom("a", "contains", ("x",), True)), []),
        (Not(Atom("a", "contains", ("x\0y",))), []),
        (Not(Atom("a", "null")), [Atom("a", "null")]),
    ],
)
def test_vetoes_are_what_must_not_hold_and_is_known_exactly(condition: Condition, atoms: list[Atom]) -> None:
    assert vetoes(condition) == atoms


@pytest.mark.parametrize(
    ("wildcard", "piece"),
    [
        ("*abc?de*", "abc"),
        ("a\\*b?c", "a*b"),
        ("a\\bc*", "a\\bc"),
        ("*?", ""),
        ("\\\\x\\?", "\\x?"),
        ("x\\", "x\\"),
    ],
)
def test_the_longest_piece_of_a_wildcard(wildcard: str, piece: str) -> None:
    assert longest_piece(wildcard) == piece
