"""Addresses as people write them, IPv6 in brackets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput
from sensors.address import Address, parse_address


@pytest.mark.parametrize("text", ["center.gov.cn:8610", "10.0.0.1:1", "[2001:db8::1]:65535"])
def test_an_address_comes_back(text: str) -> None:
    assert str(parse_address(f" {text}\n")) == text
    assert parse_address("[::1]:5") == Address("::1", 5)


@pytest.mark.parametrize(
    "text", ["", "a", ":1", "a:", "a:0", "a:65536", "::1:5", "[a]:5", "a b:1", "a:1x", "中:1"]
)
def test_others_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_address(text)


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_raises_only_bad_input(text: str) -> None:
    try:
        address = parse_address(text)
    except BadInput:
        return
    assert parse_address(str(address)) == address
