"""Silence: a line said to be silent holds no literal in any value, however it is written."""

import sys
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.matcher.silence import FOLDING_TO_ASCII, Silence

LITERALS = ("\\mimi", 'say "x"', "kiwi::", "a/b", "kss")
PIECES = [
    "\\",
    "mimi",
    "MIMI",
    "\\Mimi",
    'Say "X"',
    "KIWI::",
    "a/B",
    "/",
    "\u212a",
    "iwi::",
    "ß",
    "é",
    "®",
    "\n",
    "u00",
    "x",
]
VALUES = st.lists(st.sampled_from(PIECES), max_size=4).map("".join)


def written(text: str, style: int) -> str:
    """The text as a JSON string, in one of the ways JSON allows."""
    plain = msgspec.json.encode(text).decode()
    if style == 1:
        return plain.replace("/", "\\/")
    if style == 2:
        return '"' + "".join(f"\\u{ord(character):04X}" for character in text) + '"'
    return plain


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(VALUES, st.integers(0, 2)), min_size=1, max_size=5))
def test_a_silent_line_holds_no_literal(values: list[tuple[str, int]]) -> None:
    lines = [f'{{"name": {written(text, style)}, "n": 1}}'.encode() for text, style in values]
    for (text, _), line, silent in zip(values, lines, Silence(LITERALS).over(lines), strict=True):
        read: dict[str, Any] = msgspec.json.decode(line)
        assert read["name"] == text
        if silent:
            assert not any(literal in text.casefold() for literal in LITERALS)


def test_plain_lines_are_silent_and_the_others_are_told_apart() -> None:
    lines = [b'{"a":"C:\\\\users\\\\x"}', b'{"a":"KIWI::y"}', b"{}", b'{"a":"c:\\\\Mimi"}']
    assert Silence(LITERALS).over(lines) == [True, False, True, False]
    assert Silence(LITERALS).over([]) == []
    assert Silence(LITERALS).over(['{"a":"Microsoft®"}'.encode(), '{"a":"\u212aiwi::"}'.encode()]) == [
        True,
        False,
    ]


def test_every_character_that_folds_to_ascii_is_looked_for() -> None:
    beyond = map(chr, range(0x80, sys.maxunicode + 1))
    found = "".join(one for one in beyond if any(part.isascii() for part in one.casefold()))
    assert found == FOLDING_TO_ASCII


def test_what_may_stand_in_a_number_or_beyond_ascii_is_not_heard() -> None:
    assert all(map(Silence.heard, LITERALS))
    assert not any(map(Silence.heard, ("123", "1.5", "-", "0xab", "é", "a\nb", "")))
