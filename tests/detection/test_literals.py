"""Literal search: every occurrence, whatever the case, the width of the characters and the cut into runs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.literals import SCAN_CHARS_MAX, Literals

ALPHABET = "abA.é六ß"


def plain(literals: list[str], texts: list[str]) -> set[tuple[int, int, bool, bool]]:
    found = set()
    for index, text in enumerate(text.casefold() for text in texts):
        for number, literal in enumerate(literals):
            start = text.find(literal)
            while start >= 0:
                found.add((index, number, start == 0, start + len(literal) == len(text)))
                start = text.find(literal, start + 1)
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(ALPHABET, min_size=1, max_size=3).map(str.casefold), min_size=1, max_size=5, unique=True
    ),
    st.lists(st.text(ALPHABET, max_size=8), max_size=6),
)
def test_every_occurrence_is_told(literals: list[str], texts: list[str]) -> None:
    assert set(Literals(literals).occurrences(texts)) == plain(literals, texts)


def test_many_literals_and_long_texts_are_cut_into_runs() -> None:
    literals = [f"needle{number:05d}" for number in range(5_000)]
    texts = ["x" * SCAN_CHARS_MAX + "NEEDLE00007", "", "needle04999", "y" * SCAN_CHARS_MAX, "needle00000 "]
    assert set(Literals(literals).occurrences(texts)) == {
        (0, 7, False, True),
        (2, 4999, True, True),
        (4, 0, True, False),
    }
