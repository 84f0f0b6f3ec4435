"""Normalisation and every leaf of the language, each with hit, miss, missing, null, list and Unicode."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from detection.condition import Atom, Keyword
from detection.evaluate import matches
from detection.facts import leaf_test, number_of, text_of, texts_of
from sensors.event import Event, LogSource

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(native: dict[str, Any] | None = None, /, **fields: Any) -> Event:
    return Event(
        id=f"{0:040x}",
        time=NOW,
        unit="u",
        sensor="s",
        logsource=LogSource(),
        fields=fields,
        native=native or {},
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (80, "80"),
        (80.0, "80"),
        (0.5, "0.5"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        ("Ab", "Ab"),
        ("", ""),
        (None, None),
    ],
)
def test_values_as_text(value: Any, text: str | None) -> None:
    assert text_of(value) == text


def test_lists_give_all_elements_but_nulls() -> None:
    assert texts_of(["a", None, 1, True]) == ("a", "1", "true")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12", 12),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        (7, 7),
        (True, None),
        ("0x10", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("", None),
        ("9" * 41, None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_values_as_numbers(value: Any, number: float | None) -> None:
    assert number_of(value) == number


@pytest.mark.parametrize(
    ("atom", "hits", "misses"),
    [
        (Atom("f", "equals", ("Abc",)), ["abc", "ABC", ["x", "aBc"]], ["abcd", "", None, []]),
        (Atom("f", "equals", ("Abc",), True), ["Abc"], ["abc"]),
        (Atom("f", "equals", ("443",)), [443, "443", 443.0], [4430, True]),
        (Atom("f", "equals", ("true",)), [True, "True"], [1, False]),
        (Atom("f", "equals", ("",)), [""], [None, " ", "x"]),
        (Atom("f", "equals", ("STRASSE",)), ["straße"], ["strase"]),
        (Atom("f", "contains", ("b", "zz")), ["aBc", ["q", "xZZ"]], ["ac", None]),
        (Atom("f", "contains", tuple("qwertyuiopas")), ["---P---"], ["---"]),
        (Atom("f", "contains", ("口令",)), ["弱口令检查"], ["口 令"]),
        (Atom("f", "startswith", ("ab", "x")), ["ABc", "xyz"], ["cab"]),
        (Atom("f", "endswith", ("\\cmd.exe",)), ["C:\\Windows\\CMD.EXE"], ["cmd.exe.txt"]),
        (Atom("f", "wildcard", ("a*c?e",)), ["abcde", "ACxE", "a\nc1e"], ["abce", "xacde"]),
        (Atom("f", "wildcard", ("100\\% \\*?",)), ["100\\% *x"], ["100% *x", "100\\% yx"]),
        (Atom("f", "regex", ("ab+c$",)), ["xxabbc"], ["ABC", "abcd"]),
        (Atom("f", "regex", ("(?i)AB+C",)), ["abbc"], ["ac"]),
        (
            Atom("f", "cidr", ("10.0.0.0/8", "fd00::/8")),
            ["10.1.2.3", "fd00::1", "::ffff:10.9.9.9"],
            ["11.0.0.1", "x", ""],
        ),
        (Atom("f", "cidr", ("fe80::/10",)), ["fe80::1%eth0"], ["2001:db8::1"]),
        (Atom("f", "gt", (10,)), [11, "12", [1, 50]], [10, "9", "abc", None, True]),
        (Atom("f", "gte", (10,)), [10, 10.0], [9.99]),
        (Atom("f", "lt", (10,)), [9, "-3"], [10]),
        (Atom("f", "lte", (10,)), [10, "1e1"], [11]),
        (Atom("f", "null"), [None, [None, "x"]], ["", "x", []]),
        (Atom("f", "exists", (True,)), ["", None, [], "x"], []),
        (Atom("f", "exists", (False,)), [], ["", None, "x"]),
        (Atom("f", "field_equals", ("g",)), ["G-value"], ["other", None]),
        (Atom("f", "field_startswith", ("g",)), ["g-valueX"], ["Xg-value"]),
        (Atom("f", "field_endswith", ("g",)), ["Xg-value"], ["g-valueX"]),
        (Atom("f", "field_contains", ("g",)), ["Xg-valueX"], ["g"]),
    ],
)
def test_leaf(atom: Atom, hits: list[Any], misses: list[Any]) -> None:
    for value in hits:
        assert matches(atom, event(f=value, g="g-value")), value
    for value in misses:
        assert not matches(atom, event(f=value, g="g-value")), value


def test_a_missing_field_is_null_but_does_not_exist() -> None:
    assert matches(Atom("f", "null"), event())
    assert matches(Atom("f", "exists", (False,)), event())
    assert not matches(Atom("f", "equals", ("",)), event())
    assert not matches(Atom("f", "wildcard", ("*",)), event())
    assert not matches(Atom("f", "field_equals", ("g",)), event(f="x"))


def test_the_native_name_goes_before_the_common_one() -> None:
    assert matches(Atom("Image", "equals", ("native",)), event({"Image": "native"}, Image="common"))


@pytest.mark.parametrize(
    ("keyword", "hit"),
    [
        (Keyword("contains", ("OOM",)), True),
        (Keyword("contains", ("OOM",), True), False),
        (Keyword("contains", ("1234",)), True),
        (Keyword("wildcard", ("k*led",)), True),
        (Keyword("regex", ("ki+lled",)), True),
        (Keyword("contains", ("message",)), False),  # names of fields are not searched
    ],
)
def test_keywords_look_into_every_value(keyword: Keyword, hit: bool) -> None:
    assert matches(keyword, event({"message": "oom: killed 1234"}, other=["a"])) is hit


def test_a_bad_network_and_a_bad_regex_are_refused_when_compiled() -> None:
    with pytest.raises(BadInput, match="network-malformed"):
        leaf_test(Atom("f", "cidr", ("10.0.0/8",)))
    with pytest.raises(BadInput, match="regex-unsupported"):
        leaf_test(Atom("f", "regex", ("(?=a)",)))


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(),
    st.text(max_size=8),
    st.lists(st.one_of(st.none(), st.text(max_size=4), st.integers()), max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.text(max_size=3))
def test_text_operators_agree_with_their_definition(value: Any, wanted: str) -> None:
    texts = [text.casefold() for text in texts_of(value)]
    needle = wanted.casefold()
    subject = event(f=value)
    many = (wanted, *(chr(0x4E00 + i) for i in range(12)))
    assert matches(Atom("f", "contains", (wanted,)), subject) == any(needle in text for text in texts)
    assert matches(Atom("f", "contains", many), subject) == any(
        one.casefold() in text for text in texts for one in many
    )
    assert matches(Atom("f", "startswith", (wanted,)), subject) == any(t.startswith(needle) for t in texts)
    escaped = "".join("\\" + c if c in "\\*?" else c for c in wanted)
    assert matches(Atom("f", "wildcard", (f"*{escaped}*",)), subject) == any(needle in text for text in texts)
    assert matches(Atom("f", "wildcard", (escaped,)), subject) == (needle in texts)
