"""What terms mean, where the text form's tests do not show it."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from detection.condition import Always, Atom
from detection.query.characters import Text
from detection.query.terms import anywhere, between, compared, found, having


def text(literal: str, *, quoted: bool = False) -> Text:
    return Text(literal, literal if "*" in literal and not quoted else None, 4, quoted)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_range_of_addresses_holds_what_lies_between(low: int, high: int, asked: int) -> None:
    ends = text(str(ip_address(low))), text(str(ip_address(high)))
    for with_low, with_high in ((True, True), (True, False), (False, True), (False, False)):
        made = between("a", *ends, with_low=with_low, with_high=with_high)
        inside = (low <= asked if with_low else low < asked) and (
            asked <= high if with_high else asked < high
        )
        networks = made.values if isinstance(made, Atom) else ()
        assert any(ip_address(asked) in ip_network(str(one)) for one in networks) is inside


def test_what_typed_full_width_is_read_plain_only_where_it_is_a_number_or_network() -> None:
    assert having("a", text("１０．０．０．８")) == Atom("a", "equals", ("10.0.0.8",))
    assert having("a", text("１０．０．０．８", quoted=True)) == Atom("a", "equals", ("１０．０．０．８",))
    assert having("a", text("，")) == Atom("a", "equals", ("，",))
    assert compared("a", "gt", text("－５")) == Atom("a", "gt", (-5,))
    assert anywhere(text("*")) == Always(True)


def test_a_pattern_is_tried_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        found("a", text("(?=x)"))
    assert (caught.value.code, caught.value.field) == ("query-syntax", "column 5")
