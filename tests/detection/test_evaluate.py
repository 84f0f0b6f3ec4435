"""Whole conditions, and the promise of explain: it speaks exactly where matches says yes."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or
from detection.evaluate import explain, matches
from sensors.event import Event, LogSource

FIELDS = ("a", "b", "c")


def event(**fields: Any) -> Event:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(id=f"{0:040x}", time=time, unit="u", sensor="s", logsource=LogSource(), fields=fields)


LEAVES = st.one_of(
    st.builds(Always, st.booleans()),
    st.builds(
        Atom,
        st.sampled_from(FIELDS),
        st.sampled_from(["equals", "contains", "startswith", "endswith", "wildcard"]),
        st.lists(st.sampled_from(["x", "y", "xy", "", "*"]), min_size=1, max_size=2).map(tuple),
        st.booleans(),
        st.sampled_from(["s1", "s2"]),
    ),
    st.builds(Atom, st.sampled_from(FIELDS), st.just("exists"), st.tuples(st.booleans())),
    st.builds(Atom, st.sampled_from(FIELDS), st.just("null")),
    st.builds(Atom, st.sampled_from(FIELDS), st.sampled_from(["gt", "lte"]), st.tuples(st.integers(0, 3))),
    st.builds(Atom, st.sampled_from(FIELDS), st.just("field_contains"), st.tuples(st.sampled_from(FIELDS))),
    st.builds(Keyword, st.just("contains"), st.tuples(st.sampled_from(["x", "y"]))),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
EVENTS = st.dictionaries(
    st.sampled_from(FIELDS),
    st.one_of(st.none(), st.sampled_from(["x", "Y", "xy", "", 2]), st.just(["x", 1])),
)


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, EVENTS)
def test_explain_speaks_exactly_where_the_condition_holds(
    condition: Condition, fields: dict[str, Any]
) -> None:
    subject = event(**fields)
    found = explain(condition, subject)
    assert bool(found) == matches(condition, subject)
    for match in found:
        assert match.event == subject.id
        assert match.value == fields.get(match.field) or match.field == ""


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, EVENTS)
def test_a_negation_is_the_opposite(condition: Condition, fields: dict[str, Any]) -> None:
    subject = event(**fields)
    assert matches(Not(condition), subject) is not matches(condition, subject)


def test_explain_names_what_holds_and_not_the_filter() -> None:
    rule = And(
        (Atom("a", "contains", ("x",), False, "selection"), Not(Atom("b", "equals", ("y",), False, "filter")))
    )
    found = explain(rule, event(a="xyz", b="n"))
    assert [(match.field, match.value, match.selection) for match in found] == [("a", "xyz", "selection")]


def test_explain_of_an_absence_names_the_absent() -> None:
    found = explain(Not(Atom("b", "equals", ("y",), False, "filter")), event(b="n"))
    assert [(match.field, match.value, match.selection) for match in found] == [("b", "n", "not filter")]


def test_explain_of_a_keyword_names_the_field_it_stands_in() -> None:
    found = explain(Keyword("contains", ("needle",), False, "keywords"), event(a="hay", c="a Needle"))
    assert [(match.field, match.selection) for match in found] == [("c", "keywords")]
