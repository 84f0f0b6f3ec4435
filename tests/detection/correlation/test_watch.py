"""What is read from events: keys that cannot be confused, values as text, aliases."""

from typing import Any

import msgspec
import pytest
from correlation_scenes import correlation, event

from detection.correlation.watch import SEPARATOR, field_for, key_reader, text_in, values_of, what_reader


def test_keys_hold_unit_and_values_and_cannot_be_confused() -> None:
    read = key_reader(correlation("event_count", gte=1, group_by=("x", "y")), "a")
    keys = [
        read(event(0, x="a", y="b"), {}),
        read(event(0, x="a\x1fb", y=""), {}),
        read(event(0, x="a\x1fb", y="c"), {}),
        read(event(0, x="a", y="b\x1fc"), {}),
        read(event(0, x="a", y="b", unit="v"), {}),
        read(event(0, x="a"), {}),
        read(event(0, x="a", y=None), {}),
    ]
    assert [keys[1], keys[5], keys[6]] == [None] * 3
    assert len({keys[0], keys[2], keys[3], keys[4]}) == 4
    assert values_of(str(keys[0])) == ["a", "b"]
    assert key_reader(correlation("event_count", gte=1, group_by=()), "a")(event(0), {}) == "u"


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (7, "7"), (1.5, "1.5"), (True, "true"), (["a", 2], "a,2"), (None, ""), ([], "")],
)
def test_values_are_text(value: Any, text: str) -> None:
    assert text_in(value) == text
    read = key_reader(correlation("event_count", gte=1, group_by=("x",)), "a")
    assert read(event(0, x=value), {}) == (f"u{SEPARATOR}{text}" if text else None)


def test_long_values_are_told_apart_and_bounded() -> None:
    one, other = text_in("x" * 100_000), text_in("x" * 100_000 + "y")
    assert one != other
    assert len(one) < 600


def test_aliases_and_what_an_inner_correlation_was_grouped_by() -> None:
    rule = correlation(
        "value_count", gte=1, group_by=("who",), fields=("what",), aliases={"who": {"a": "user"}}
    )
    assert field_for(rule, "a", "who") == "user"
    assert field_for(rule, "b", "who") == "who"
    assert key_reader(rule, "a")(event(0, user="z"), {}) == f"u{SEPARATOR}z"
    assert key_reader(rule, "a")(event(0, user="z"), {"who": "y"}) == f"u{SEPARATOR}y"
    both = msgspec.structs.replace(rule, group_by=("who", "host"))
    assert key_reader(both, "a")(event(0, user="z", host="h"), {"who": "y"}) == f"u{SEPARATOR}y{SEPARATOR}h"
    what = what_reader(rule, "a")
    assert what is not None
    assert [what(event(0, what="v"), {}), what(event(0), {}), what(event(0), {"what": "w"})] == [
        "v",
        None,
        "w",
    ]


def test_what_is_counted() -> None:
    assert what_reader(correlation("event_count", gte=1), "a") is None
    place = what_reader(correlation("temporal", "ab"), "b")
    pair = what_reader(correlation("value_count", gte=1, fields=("x", "y")), "a")
    number = what_reader(correlation("value_sum", gte=1, fields=("x",)), "a")
    assert place is not None
    assert pair is not None
    assert number is not None
    assert place(event(0), {}) == 1
    assert (pair(event(0, x="1", y="2"), {}), pair(event(0, x="1"), {})) == (f"1{SEPARATOR}2", None)
    values: list[Any] = [3, "4.5", "x", True, None, [1], 10**30, 10**400]
    assert [number(event(0, x=value), {}) for value in values] == [3, 4.5, None, None, None, None, 1e30, None]
