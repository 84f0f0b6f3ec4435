"""Columns: bits are never missing, values are learnt once, and memory of them is bounded."""

import pytest

from detection.condition import Atom
from detection.matcher import column as module
from detection.matcher.column import Column

LEAVES = [
    Atom("", "equals", ("Abc",)),
    Atom("", "startswith", ("ab",)),
    Atom("", "endswith", (".exe",)),
    Atom("", "contains", ("bc",)),
    Atom("", "wildcard", ("a?cd*",)),
    Atom("", "regex", ("^[0-9]+$",)),
    Atom("", "cidr", ("10.0.0.0/8",)),
    Atom("", "gt", (5,)),
    Atom("", "exists", (True,)),
    Atom("", "exists", (False,)),
    Atom("", "null"),
    Atom("", "hour", (4,)),
]


def filled() -> Column:
    column = Column()
    for number, leaf in enumerate(LEAVES):
        column.add(leaf, 1 << number)
    column.seal()
    return column


def numbers(bits: int) -> set[int]:
    return {number for number in range(len(LEAVES)) if bits >> number & 1}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ABC", {0, 1, 3, 8}),
        ("abcd", {1, 3, 4, 8}),
        ("x.EXE", {2, 8}),
        ("12", {5, 7, 8}),
        (12, {5, 7, 8}),
        (2, {5, 8}),
        ("10.1.1.1", {6, 8}),
        (None, {8, 10}),
        ((), {8}),
        ((None, "abc", 7), {0, 1, 3, 5, 7, 8, 10}),
        ("2026-01-01T04:00:00Z", {8, 11}),
    ],
)
def test_a_value_carries_the_bits_of_what_it_may_satisfy(value: object, found: set[int]) -> None:
    column = filled()
    column.learn([value])  # type: ignore[list-item]
    assert found <= numbers(column.known[value])  # type: ignore[index]
    assert numbers(column.known[value]) <= found | {4}  # type: ignore[index] # a piece of the wildcard is enough


def test_a_missing_field_has_its_own_bits() -> None:
    assert numbers(filled().missing) == {9, 10}


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "VALUES_MAX", 50)
    monkeypatch.setattr(module, "CHARS_MAX", 200)
    column = filled()
    for number in range(100):
        wanted = [f"abc{number}", "abc", "x" * number]
        column.learn(wanted)
        assert set(wanted) <= set(column.known)
        assert len(column.known) <= 50
        assert sum(map(len, map(str, column.known))) <= 200 + 3 + 6 + 100
