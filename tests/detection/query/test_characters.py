"""Characters of a query: places stay, quotations end where they should."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from detection.query.characters import Reader, plain


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_plain_keeps_every_place(text: str) -> None:
    assert len(plain(text)) == len(text)


def test_plain() -> None:
    assert plain("（ａ：“１”）＞＝【，】！　～") == '(a:"1")>=[,]! ~'


@pytest.mark.parametrize(
    ("text", "said"),
    [('"a b"', "a b"), ("“a”", "a"), ('“a"', "a"), ("‘it is’", "it is"), (r'"a\"b\\c\d"', 'a"b\\c\\d')],
)
def test_quotations(text: str, said: str) -> None:
    reader = Reader(text)
    assert reader.quotes()
    assert (reader.quoted().literal, reader.end()) == (said, True)


def test_a_quotation_without_end_is_blamed_where_it_begins() -> None:
    reader = Reader('  "a')
    with pytest.raises(BadInput) as caught:
        reader.quoted()
    assert caught.value.field == "column 3"


def test_words_and_names() -> None:
    reader = Reader(r"user.name:a\ b*c)")
    assert reader.token() == "user.name:a\\"
    assert reader.name() == "user.name"
    assert reader.take(":")
    assert reader.bare() == (r"a b*c", r"a b*c", 10, False)
    assert reader.sign() == ")"
    assert Reader("order").ahead(("or",)) == 0
    assert Reader("OR x").ahead(("or",)) == 2
