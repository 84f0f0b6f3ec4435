"""Strings of rules by shape: the cheapest operator that means the same."""

from typing import Any

import pytest
from sigma.types import SigmaQueryExpression, SigmaString

from detection.condition import Atom, Keyword
from detection.sigma.errors import RuleError
from detection.sigma.translate import parse_condition
from detection.sigma.values import leaf, shape


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ("equals", "abc")),
        ("", ("equals", "")),
        ("abc*", ("startswith", "abc")),
        ("*abc", ("endswith", "abc")),
        ("*abc*", ("contains", "abc")),
        ("*", ("wildcard", "*")),
        ("**", ("wildcard", "**")),
        ("a*c", ("wildcard", "a*c")),
        ("a?c", ("wildcard", "a?c")),
        ("*a*c", ("wildcard", "*a*c")),
        (r"a\*c", ("equals", "a*c")),
        (r"a\*?", ("wildcard", r"a\*?")),
        (r"C:\\x\*y?", ("wildcard", r"C:\\x\*y?")),
    ],
)
def test_shape(text: str, expected: tuple[str, str]) -> None:
    assert shape(SigmaString(text).s) == expected


def test_a_leaf_has_a_field_or_is_a_keyword() -> None:
    assert leaf("f", SigmaString("a*"), "sel") == Atom("f", "startswith", ("a",), False, "sel")
    assert leaf(None, SigmaString("*a*"), "sel") == Keyword("contains", ("a",), False, "sel")


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(RuleError, match="rule-unsupported"):
        leaf("f", SigmaQueryExpression("x", "y"), "sel")
    with pytest.raises(RuleError, match="rule-malformed"):
        leaf(None, SigmaString("*"), "sel")


@pytest.mark.parametrize(
    ("item", "operator", "values"),
    [
        ({"t|hour": 3}, "hour", (3,)),
        ({"t|week": [1, 53]}, "week", (1, 53)),
        ({"t|hour|gte": 22}, "hour", (22, 23)),
        ({"t|day|lt": 3}, "day", (1, 2)),
    ],
)
def test_parts_of_times(item: dict[str, Any], operator: str, values: tuple[int, ...]) -> None:
    assert parse_condition({"sel": item}, "sel") == Atom("t", operator, values, False, "sel")  # type: ignore[arg-type]
