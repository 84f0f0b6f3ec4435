"""The query text: what each form means, where an error is, and that no text crashes the parser."""

from contextlib import suppress
from ipaddress import IPv6Address, summarize_address_range

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from detection.condition import Always, Atom, Condition, Keyword, all_of, any_of, describe, negated
from detection.query.parse import parse_query

A = Atom("a", "equals", ("1",))
B = Atom("b", "equals", ("2",))
C = Atom("c", "equals", ("3",))
lt5 = Atom("n", "lt", (5,))
gt9 = Atom("n", "gt", (9,))


def _upper_half() -> list[str]:
    networks = summarize_address_range(IPv6Address("fd00::"), IPv6Address(2**128 - 1))
    return [str(network) for network in networks]


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
        # ranges
        ("n:[1 TO 5]", all_of([Atom("n", "gte", (1,)), Atom("n", "lte", (5,))])),
        ("n:{1 to 5.5}", all_of([Atom("n", "gt", (1,)), Atom("n", "lt", (5.5,))])),
        ("n:[* TO 5}", Atom("n", "lt", (5,))),
        ("n:[* TO *]", Atom("n", "exists")),
        ("ip:[10.0.0.0 TO 10.0.0.255]", Atom("ip", "cidr", ("10.0.0.0/24",))),
        ("ip:{10.0.0.0 TO 10.0.0.3]", Atom("ip", "cidr", ("10.0.0.1/32", "10.0.0.2/31"))),
        ("ip:[fd00:: TO *]", Atom("ip", "cidr", tuple(_upper_half()))),
        ("ip:[10.0.0.9 TO 10.0.0.8]", Always(False)),
        ("a:[x]", Atom("a", "equals", ("[x]",))),
        # lists
        ("a:(x, y、z)", Atom("a", "equals", ("x", "y", "z"))),
        (
            "a:(x* and not xy)",
            all_of([Atom("a", "wildcard", ("x*",)), negated(Atom("a", "equals", ("xy",)))]),
        ),
        (
            "n:(<5 or >9 or [6 TO 7])",
            any_of([lt5, gt9, all_of([Atom("n", "gte", (6,)), Atom("n", "lte", (7,))])]),
        ),
        # presence
        ("_exists_:a", Atom("a", "exists")),
        ("_missing_:a", Atom("a", "exists", (False,))),
        ("_null_:a", Atom("a", "null")),
        ("*", Always(True)),
        ("*:*", Always(True)),
        # signs of other languages
        ("a=1", A),
        ('a == "1"', A),
        ("a!=1 and b≠2", all_of([negated(A), negated(B)])),
        ("-a:1 !b:2 +c:3", all_of([negated(A), negated(B), C])),
        ("a =~ ^x", Atom("a", "regex", ("^x",))),
        ("a!~^x", negated(Atom("a", "regex", ("^x",)))),
        ("n≥5 n ≤ 7", all_of([Atom("n", "gte", (5,)), Atom("n", "lte", (7,))])),
        (r"\-k", Keyword("contains", ("-k",))),
        ("curl -", all_of([Keyword("contains", ("curl",)), Keyword("contains", ("-",))])),
        # full-width signs, Chinese words and names
        ("n＞＝５", Atom("n", "gte", (5,))),
        ("n：＞５", Atom("n", "gt", (5,))),
        ("a：＊．ｅｘｅ", Atom("a", "wildcard", ("*．ｅｘｅ",))),
        ("a=‘x y’", Atom("a", "equals", ("x y",))),
        ("a：“it’s”", Atom("a", "equals", ("it’s",))),
        ("ａ：１ ＆＆ ！（b：2 ｜｜ c：3）", all_of([A, negated(any_of([B, C]))])),
        ("a:1 且 非 b:2 或 c:3", any_of([all_of([A, negated(B)]), C])),
        ("n：【1 到 5】", all_of([Atom("n", "gte", (1,)), Atom("n", "lte", (5,))])),
        ("a：（x，y）", Atom("a", "equals", ("x", "y"))),
        ("源地址：１０．０．０．０／８", Atom("source.ip", "cidr", ("10.0.0.0/8",))),
        ("源ip：10.0.0.8", Atom("source.ip", "equals", ("10.0.0.8",))),
        ("目的端口 ＞ 1024", Atom("destination.port", "gt", (1024,))),
        (
            "主机：web",
            any_of([Atom("host.name", "equals", ("web",)), Atom("observer.name", "equals", ("web",))]),
        ),
        (
            "_missing_：主机",
            all_of([Atom(name, "exists", (False,)) for name in ("host.name", "observer.name")]),
        ),
        ("用户!=root", negated(Atom("user.name", "equals", ("root",)))),
        # words with colons that are no field
        ("fe80::1", Keyword("contains", ("fe80::1",))),
        ("00:16:3e:11:22:33", Keyword("contains", ("00:16:3e:11:22:33",))),
        ("http://x.cn/a?b", Keyword("wildcard", ("http://x.cn/a?b",))),
        (r"C:\Windows\x", Keyword("contains", (r"C:\Windows\x",))),
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
        ("a:()", 4),
        ("n > x", 5),
        ('m~"("', 3),
        ("not", 4),
        ("(" * 40 + "a" + ")" * 40, 33),
        ("x" * 5_000, 4_097),
        ("a " * 300, 513),
        ("> 5", 1),
        ("a:1 ！＞5", 6),
        ("n:[1 TO 5", 10),
        ("n:[1 TO x]", 9),
        ("n:[1 TO 10.0.0.1]", 9),
        ("n:[10.0.0.1 TO ::1]", 16),
        ("_exists_:", 10),
        ("a:(x and)", 9),
        ("源地址：", 5),
    ],
)
def test_an_error_names_its_column(text: str, column: int) -> None:
    with pytest.raises(BadInput) as caught:
        parse_query(text)
    assert (caught.value.code, caught.value.field) == ("query-syntax", f"column {column}")
    assert all([*caught.value.what, *caught.value.fix])


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60), st.text(alphabet='ab:*?\\"()[]{}<>=~!-+, 0。：（“‘，【TOorandnt', max_size=60)
    )
)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with suppress(BadInput):
        describe(parse_query(text))


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_quoted_text_is_literal(text: str) -> None:
    plain = text.translate(str.maketrans("“”", '""'))
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_query(f'a:"{quoted}"') == Atom("a", "equals", (plain,))
