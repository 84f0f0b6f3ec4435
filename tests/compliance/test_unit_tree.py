"""The tree of units: places by GB/T 2260, subtrees, and no ring nor endless depth."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.registry import Unit
from compliance.unit_tree import DEPTH_MAX, UnitTree, place_by_code, placed
from crypto.words import BadInput

UNITS = placed(
    [
        Unit(code="320100-zwb", name="政务办"),
        Unit(code="320102", name="玄武区", kind="county"),
        Unit(code="320000", name="江苏省", kind="province"),
        Unit(code="320100", name="南京市", kind="city"),
        Unit(code="110000-x", name="外地"),
    ]
)
TREE = UnitTree(UNITS)


def test_places_follow_the_code() -> None:
    assert {unit.code: unit.parent for unit in UNITS} == {
        "320100-zwb": "320100",
        "320102": "320100",
        "320000": None,
        "320100": "320000",
        "110000-x": None,
    }
    assert place_by_code("320102-a", ["320000"]) == "320000"
    assert place_by_code("320000", ["320000"]) is None


def test_subtrees_and_paths() -> None:
    assert TREE.subtree("320100") == {"320100", "320100-zwb", "320102"}
    assert TREE.subtree("999999") == {"999999"}
    assert [unit.code for unit in TREE.path("320102")] == ["320000", "320100", "320102"]
    assert TREE.path("999999") == []
    assert TREE.children("320100") == ["320100-zwb", "320102"]
    order = [unit.code for unit in TREE.units()]
    assert order == ["110000-x", "320000", "320100", "320100-zwb", "320102"]
    assert "320102" in TREE
    assert TREE.get("x") is None


def test_nothing_is_put_below_itself_nowhere_or_too_deep() -> None:
    city = TREE.get("320100")
    assert city is not None
    for parent in ("320102", "999999"):
        with pytest.raises(BadInput, match="registry-field"):
            TREE.checked_place(msgspec.structs.replace(city, parent=parent))
    chain = [
        Unit(code=f"{320000 + n}", name="x", parent=f"{319999 + n}" if n else None) for n in range(DEPTH_MAX)
    ]
    with pytest.raises(BadInput, match="registry-field"):
        UnitTree(chain).checked_place(Unit(code="330000", name="x", parent=chain[-1].code))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_any_tangle_is_walked_in_time(pairs: list[tuple[int, int]]) -> None:
    tree = UnitTree(Unit(code=f"32000{a}", name="x", parent=f"32000{b}") for a, b in pairs)
    for number in range(10):
        tree.subtree(f"32000{number}")
        assert len(tree.path(f"32000{number}")) <= DEPTH_MAX
    tree.units()
