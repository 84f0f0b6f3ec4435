"""What is offered at each place of a query, and that no text or cursor breaks it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.condition import Atom
from detection.query.completion import ITEMS_MAX, Completion, complete, quoted
from detection.query.parse import parse_query


class Store:
    """Recent events of a test."""

    def recent_names(self) -> list[tuple[str, int]]:
        return [("process.name", 9), ("Image", 5), ("odd name", 1)]

    def recent_values(self, names: object) -> list[tuple[str, int]]:
        return (
            [("nc", 5), ("curl -k", 4), ("ncat", 3), ("x" * 300, 2)] if "process.name" in str(names) else []
        )


def at(text: str) -> Completion:
    """``|`` marks the cursor."""
    return complete(text.replace("|", ""), text.index("|"), Store())


def inserts(found: Completion) -> list[str]:
    return [item.insert for item in found.items]


@pytest.mark.parametrize(
    ("text", "expects", "span"),
    [
        ("|", "field", (0, 0)),
        ("源|", "field", (0, 1)),
        ("a:1 and us|er", "field", (8, 12)),
        ("a:1 且 （us|", "field", (7, 9)),
        ("not -us|", "field", (5, 7)),
        ("user.name:|", "value", (10, 10)),
        ("user.name: ro|ot", "value", (11, 15)),
        ('user.name:"ro|ot"', "value", (10, 16)),
        ("user.name:(root or ad|", "value", (19, 21)),
        ("user.name:（root，ad|", "value", (16, 18)),
        ("user.name >= |", "value", (13, 13)),
        ("目的端口 |", "operator", (5, 5)),
        ("user.name:root |", "connective", (15, 15)),
        ("user.name:(root) |", "connective", (17, 17)),
        ("failed |", "connective", (7, 7)),
        ("a:1 or |", "field", (7, 7)),
    ],
)
def test_places(text: str, expects: str, span: tuple[int, int]) -> None:
    found = at(text)
    assert (found.expects, (found.start, found.end)) == (expects, span)


def test_names() -> None:
    assert inserts(at("源地|"))[:1] == ["源地址:"]
    assert inserts(at("源i|"))[:2] == ["源IP:", "源IP地址:"]
    assert inserts(at("process.n|"))[:1] == ["process.name:"]
    assert "process.parent.name:" in inserts(at("arent.n|"))
    assert inserts(at("Ima|")) == ["Image:"]
    assert "odd name:" not in inserts(at("odd|"))
    first = at("|")
    assert len(first.items) == ITEMS_MAX
    assert first.items[0].field == "process.name"  # what recent events have most


def test_operators_fit_the_field() -> None:
    assert inserts(at("目的端口 |"))[:4] == [":", "!=", ">", ">="]
    assert ">" not in inserts(at("用户 |"))


def test_values_are_recent_ones() -> None:
    found = at("进程名:|")
    assert inserts(found) == ["nc", '"curl -k"', "ncat"]
    assert [item.count for item in found.items] == [5, 4, 3]
    assert inserts(at("process.name:(nc or CUR|")) == ['"curl -k"']
    assert inserts(at("国密:|")) == ["false", "true"]
    assert complete("process.name:", 13).items == ()


def test_as_json() -> None:
    body = msgspec.json.decode(msgspec.json.encode(at("源地|")))
    assert body["items"][0] == {
        "insert": "源地址:",
        "kind": "alias",
        "zh": "源地址",
        "en": "source address",
        "field": "source.ip",
    }
    assert {"start", "end", "expects", "items"} == set(body)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet='ab源地址user.name:*"()[]<>=~!-+, 。：（“，and or', max_size=40), st.integers(-1, 50))
def test_any_text_and_cursor_are_taken(text: str, cursor: int) -> None:
    found = complete(text, cursor, Store())
    assert 0 <= found.start <= max(0, min(cursor, len(text))) <= found.end <= len(text)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_a_quoted_value_means_itself(text: str) -> None:
    assert parse_query(f"a:{quoted(text)}") == Atom("a", "equals", (text,))
