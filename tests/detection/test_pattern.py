"""RE2 patterns: what they find, what they refuse, and that hostile ones stay fast."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from detection import pattern as module
from detection.pattern import PATTERN_CHARS_MAX, Pattern, PatternSet, quoted, wildcard


def test_patterns_search_anywhere_and_know_unicode() -> None:
    assert Pattern("b+c").found("abbbc")
    assert Pattern("(?i)É.$").found("café1")
    assert not Pattern("^b").found("ab")


@pytest.mark.parametrize(
    "text", ["(?=a)b", "(?<!x)y", r"(a)\1", "a{2000}", "(", "x" * (PATTERN_CHARS_MAX + 1)]
)
def test_what_re2_cannot_do_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Pattern(text)
    assert caught.value.code == "regex-unsupported"
    assert caught.value.fix.zh
    assert caught.value.fix.en


def test_a_pattern_that_kills_backtracking_engines_is_linear() -> None:
    started = time.perf_counter()
    assert not Pattern("(a+)+$").found("a" * 50_000 + "b")
    assert time.perf_counter() - started < 1.0


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12), st.text(max_size=12))
def test_a_literal_finds_itself_and_nothing_else(needle: str, text: str) -> None:
    pattern = Pattern(quoted(needle))
    assert pattern.found(text + needle + text)
    assert pattern.found(text) == (needle in text)


def test_wildcards_escape_their_own_signs() -> None:
    assert wildcard(r"a\*b").found("a*b")
    assert not wildcard(r"a\*b").found("axb")
    assert wildcard("a\\").found("a\\")
    assert wildcard("b*d", anchored=False).found("abcde")
    assert not wildcard("b*d").found("abcde")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["x+y", "^x", "(?i)Y$", "", "[a-z]{2}", "é"]), max_size=5),
    st.text("xyYé ", max_size=6),
)
def test_a_set_finds_what_each_pattern_finds(patterns: list[str], text: str) -> None:
    wanted = [index for index, pattern in enumerate(patterns) if Pattern(pattern).found(text)]
    assert sorted(PatternSet(patterns).found(text)) == wanted


def test_a_set_that_runs_out_of_memory_still_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = ["(x.{1,300}y.*z){2}", "(?s)a.{10,300}z$", "abc"]
    text = "axyz" * 1_000 + "abc"
    wanted = [index for index, pattern in enumerate(patterns) if Pattern(pattern).found(text)]
    for memory in (20_000, 200_000, 400_000, 1_000_000):
        monkeypatch.setattr(module, "_SET_MEMORY_BYTES_MAX", memory)
        assert sorted(PatternSet(patterns).found(text)) == wanted
