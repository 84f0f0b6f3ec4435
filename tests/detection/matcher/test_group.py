"""Groups: memory of answers and shapes is bounded, and forgetting changes no answer."""

from types import SimpleNamespace

import pytest

from detection.condition import Atom, Keyword
from detection.matcher import group as module
from detection.matcher.group import Group
from detection.matcher.spoken import Spoken
from detection.matcher.verdict import all_set

CONDITIONS = [
    Atom("a", "contains", ("x1",)),
    Atom("b", "exists", (False,)),
    Atom("a", "field_equals", ("b",)),
]


def test_forgetting_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPEATS_MAX", 10)
    monkeypatch.setattr(module, "REPEATS_CHARS_MAX", 100)
    monkeypatch.setattr(module, "SHAPES_MAX", 3)
    events = [
        SimpleNamespace(
            native={"a": f"x{n % 20}", f"other{n % 5}": n} | ({"b": "x3"} if n % 3 else {}), fields={}
        )
        for n in range(400)
    ]
    small = Group(CONDITIONS)
    found = [answer for start in range(0, 400, 9) for answer in small.match(events[start : start + 9])]
    assert found == Group(CONDITIONS, indexed=False, remembers=False).match(events)
    assert len(small._plans) <= 3
    assert small._remembered <= 10 + 9


def test_nothing_asked_nothing_answered() -> None:
    record = SimpleNamespace(native={"a": 1}, fields={})
    assert Group([]).match([record]) == [()]
    assert Group(CONDITIONS).match([]) == []
    assert Spoken([]).match([record]) == [()]


def test_all_three_bits_must_be_set_and_no_veto() -> None:
    assert all_set(0b11_01_11, 2) == 0b01
    assert all_set(0b11_11_11, 2) == 0b11
    assert all_set(0b10_11_11_11, 2) == 0b01


def test_a_keyword_is_found_in_any_value_and_not_in_names() -> None:
    spoken = Spoken(
        [Keyword("contains", ("needle",)), Keyword("contains", ("7",)), Keyword("contains", ("a", "b"))]
    )
    events = [
        SimpleNamespace(native={"needle": "hay"}, fields={}),
        SimpleNamespace(native={"x": "hay"}, fields={"y": ["", "a NEEDLE"]}),
        SimpleNamespace(native={"x": 17}, fields={"x": "needle"}),
    ]
    assert spoken.match(events) == [(2,), (0, 2), (1,)]
