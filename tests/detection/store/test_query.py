"""The query text: what each form means, where an error is, and that no text crashes the parser."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from detection.condition import Atom, Condition, Keyword, all_of, any_of, describe, negated
from detection.store.query import parse_query

A = Atom("a", "equals", ("1",))
B = Atom("b", "equals", ("2",))
C = Atom("c", "equals", ("3",))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("user.name:root", Atom("user.name", "equals", ("root",))),
        ('a:"x y"', Atom("a", "equals", ("x y",))),
        ('a:"x * \\" \\\\ y"', Atom("a", "equals", ('x * " \\ y',))),
        ("Image:*/nc", Atom("Image", "wildcard", ("*/nc",))),
        (r"Image:C:\Windows\*", Atom("Image", "equals", (r"C:\Windows*",))),
        (r"Image:C:\Windows\\*", Atom("Image", "wildcard", (r"C:\\Windows\\*",))),
        (r"a:50\*", Atom("a", "equals", ("50*",))),
        (r"a:x\ y", Atom("a", "equals", ("x y",))),
        ("a:*", Atom("a", "exists")),
        ("source.ip:10.0.0.0/8", Atom("source.ip", "cidr", ("10.0.0.0/8",))),
        ("source.ip:fe80::/10", Atom("source.ip", "cidr", ("fe80::/10",))),
        ("file.path:/etc/passwd", Atom("file.path", "equals", ("/etc/passwd",))),
        ("n >= 5", Atom("n", "gte", (5,))),
        ("n:>=5.5", Atom("n", "gte", (5.5,))),
        ("n<-1", Atom("n", "lt", (-1,))),
        ("a:(x y or z*)", any_of([Atom("a", "equals", ("x", "y")), Atom("a", "wildcard", ("z*",))])),
        ('message~"open.*root"', Atom("message", "regex", ("open.*root",))),
        ("failed", Keyword("contains", ("failed",))),
        ("fail*d", Keyword("wildcard", ("fail*d",))),
        ('"a:1"', Keyword("contains", ("a:1",))),
        ("登录失败", Keyword("contains", ("登录失败",))),
        ("a:1 b:2", all_of([A, B])),
        ("a:1 AND b:2 or not c:3", any_of([all_of([A, B]), negated(C)])),
        ("a:1 and (b:2 or c:3)", all_of([A, any_of([B, C])])),
        ("a:1 && b:2 || c:3", any_of([all_of([A, B]), C])),
        ("not not a:1", A),
        ("a：1 and （b：“2”）", all_of([A, B])),
        ("order", Keyword("contains", ("order",))),
        ("notepad", Keyword("contains", ("notepad",))),
        ("id.orig_h:x", Atom("id.orig_h", "equals", ("x",))),
        ("cs-method:GET", Atom("cs-method", "equals", ("GET",))),
    ],
)
def test_meaning(text: str, meaning: Condition) -> None:
    assert parse_query(text) == meaning


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("   ", 1),
        ("a:", 3),
        ("a:1 and", 8),
        ("a:1 or or b:2", 8),
        ("(a:1", 5),
        ("a:1)", 4),
        ("a:1 ()", 6),
        ('a:"x', 3),
        ("a:(x", 5),
        ("a:()", 5),
        ("n > x", 5),
        ('m~"("', 3),
        ("not", 4),
        ("(" * 40 + "a" + ")" * 40, 33),
        ("x" * 5_000, 4_097),
        ("a " * 300, 513),
    ],
)
def test_an_error_names_its_column(text: str, column: int) -> None:
    with pytest.raises(BadInput) as caught:
        parse_query(text)
    assert (caught.value.code, caught.value.field) == ("query-syntax", f"column {column}")


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=60), st.text(alphabet='ab:*?\\"()<>=~ 0。：（“orandnt', max_size=60)))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(BadInput):
        describe(parse_query(text))


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_quoted_text_is_literal(text: str) -> None:
    plain = text.translate(str.maketrans("“”", '""'))
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_query(f'a:"{quoted}"') == Atom("a", "equals", (plain,))
