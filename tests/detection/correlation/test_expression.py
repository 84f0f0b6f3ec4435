"""Extended temporal conditions as alternatives: equal to the truth table, bounded, refused where absurd."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.correlation.expression import alternatives_of, names_in
from detection.correlation.sequences import ordered_choices
from detection.sigma.errors import RuleError

NAMES = ("a", "b", "c", "d")
expressions = st.recursive(
    st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} and {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} or {pair[1]})"),
        inner.map(lambda one: f"not ({one})"),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(expressions)
def test_alternatives_mean_what_the_expression_means(expression: str) -> None:
    try:
        ways = alternatives_of(expression, NAMES)
    except RuleError:
        return  # needs no rule at all, or never holds
    for seen in product((False, True), repeat=len(NAMES)):
        expected = eval(expression, {}, dict(zip(NAMES, seen, strict=True)))
        holds = any(
            all(seen[place] for place in way.required) and not any(seen[place] for place in way.forbidden)
            for way in ways
        )
        assert holds is expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "a and",
        "and a",
        "a b",
        "(a",
        "a)",
        "not a",
        "a or not b",
        "a and not a",
        "()",
        "(" * 40 + "a" + ")" * 40,
    ],
)
def test_absurd_expressions_are_refused(expression: str) -> None:
    with pytest.raises(RuleError):
        alternatives_of(expression, NAMES)


def test_explosions_are_refused() -> None:
    names = tuple(f"r{number}" for number in range(16))
    pairs = " and ".join(
        f"({first} or {second})" for first, second in zip(names[::2], names[1::2], strict=True)
    )
    with pytest.raises(RuleError, match="64"):
        alternatives_of(pairs, names)
    with pytest.raises(RuleError):
        alternatives_of("a and " * 1_000 + "a", NAMES)


def test_names_keep_their_order_and_may_be_ids() -> None:
    assert names_in("b AND (a or 0e95725d-7320) and Not b") == ("b", "a", "0e95725d-7320")


def test_choices_of_some_rules_in_their_order() -> None:
    assert [way.required for way in ordered_choices(3, 2) or ()] == [(0, 1), (0, 2), (1, 2)]
    assert ordered_choices(2, 3) is None
    assert ordered_choices(20, 10) is None
