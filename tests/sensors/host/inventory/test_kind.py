"""A kind's table: rows sorted, bounded, comparable; differences by key."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host.inventory.kind import CELL_CHARS_MAX, ROWS_MAX, Kind, Row, cell, changes, read_table
from sensors.host.probe import HostFiles

NAMES = ("name", "value")


def test_rows_are_sorted_told_once_and_bounded() -> None:
    kind = Kind("k", NAMES, lambda _: [("b", "2"), ("a", "1"), ("b", "2")], "test")
    assert read_table(kind, HostFiles()).rows == (("a", "1"), ("b", "2"))
    many = Kind("k", NAMES, lambda _: ((f"{n:06}", "") for n in range(ROWS_MAX + 5)), "test")
    table = read_table(many, HostFiles())
    assert (len(table.rows), table.truncated) == (ROWS_MAX, True)


def test_a_cell_is_one_printable_line() -> None:
    assert cell("a\tb\nc") == "a b c"
    assert cell("x" * 9_999) == "x" * CELL_CHARS_MAX
    assert cell("银河麒麟") == "银河麒麟"
    assert "\udc80".isprintable() or cell("\udc80") == ""


def test_changes_are_told_by_key() -> None:
    before = [("a", "1"), ("b", "1"), ("c", "1")]
    after = [("a", "1"), ("b", "2"), ("d", "1")]
    found = changes(before, after, 1)
    assert [(one.action, one.key) for one in found] == [
        ("changed", ("b",)),
        ("removed", ("c",)),
        ("added", ("d",)),
    ]


def test_rows_that_share_a_key_come_and_go() -> None:
    found = changes([("f", "1"), ("f", "2")], [("f", "3")], 1)
    assert [one.action for one in found] == ["added", "removed", "removed"]


rows = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=8)


@settings(max_examples=60, deadline=None)
@given(rows, rows)
def test_changes_lead_from_one_to_the_other(before: list[Row], after: list[Row]) -> None:
    now = set(before)
    for one in changes(before, after, 1):
        if one.before is not None:
            now.discard(one.before)
        if one.after is not None:
            now.add(one.after)
    assert now == set(after)
