"""The condition tree: building, joining, describing, and its JSON form."""

import msgspec

from detection.condition import (
    Always,
    And,
    Atom,
    Condition,
    Keyword,
    Not,
    Or,
    all_of,
    any_of,
    describe,
    fields,
    leaves,
    negated,
)

A = Atom("a", "equals", ("1",), False, "s")
B = Atom("b", "contains", ("x",), False, "s")


def test_conjunction_is_flat_and_knows_its_neutral_and_absorbing_elements() -> None:
    assert all_of([]) == Always(True)
    assert all_of([A]) == A
    assert all_of([A, Always(True), And((B, A))]) == And((A, B, A))
    assert all_of([A, Always(False)]) == Always(False)


def test_disjunction_joins_atoms_on_one_field_and_selection_only() -> None:
    other = Atom("a", "equals", ("2",), False, "t")
    assert any_of([]) == Always(False)
    assert any_of([A, Atom("a", "equals", ("2", "1"), False, "s")]) == Atom(
        "a", "equals", ("1", "2"), False, "s"
    )
    assert any_of([A, other]) == Or((A, other))
    assert any_of([A, Always(True)]) == Always(True)
    assert any_of([Keyword("contains", ("x",)), Keyword("contains", ("y",))]) == Keyword(
        "contains", ("x", "y")
    )


def test_comparisons_are_not_joined() -> None:
    assert isinstance(any_of([Atom("n", "gt", (1,)), Atom("n", "gt", (5,))]), Or)


def test_two_negations_cancel() -> None:
    assert negated(negated(A)) == A
    assert negated(Always(True)) == Always(False)


def test_leaves_and_fields_name_what_is_read() -> None:
    tree = all_of([A, negated(any_of([B, Atom("c", "field_equals", ("d",))])), Keyword("contains", ("k",))])
    assert len(list(leaves(tree))) == 4
    assert fields(tree) == {"a", "b", "c", "d"}


def test_description_is_one_readable_line() -> None:
    tree = all_of([A, negated(any_of([B, Atom("n", "gte", (3,))])), Atom("z", "null")])
    assert describe(tree) == 'a = "1" and not (b contains "x" or n >= 3) and z is null'


def test_the_tree_survives_json() -> None:
    tree = all_of([A, Not(any_of([B, Keyword("regex", ("k+",))]))])
    assert msgspec.json.decode(msgspec.json.encode(tree), type=Condition) == tree
