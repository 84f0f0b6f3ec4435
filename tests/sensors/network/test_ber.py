"""The BER walk: lengths, tags, numbers, object identifiers; whatever the bytes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.ber import (
    Element,
    children,
    content,
    element,
    inside,
    length_at,
    number,
    object_text,
    tagged,
    whole_size,
)


def test_a_tree_is_walked() -> None:
    data = bytes.fromhex("300d020105040561646d696e0a0100")
    outer = element(data, 0, len(data))
    assert outer is not None
    parts = inside(data, outer)
    assert [one.tag for one in parts] == [2, 4, 10]
    assert number(data, parts[0]) == 5
    assert content(data, parts[1]) == b"admin"
    assert tagged(data, outer)[4] == parts[1]
    assert whole_size(data) == 15


def test_lengths() -> None:
    assert length_at(b"\x7f", 0) == (127, 1)
    assert length_at(b"\x82\x01\x00", 0) == (256, 3)
    assert length_at(b"\x84\0\0\0\x05", 0) == (5, 5)
    assert length_at(b"\x80", 0)[0] == -1
    assert length_at(b"\x85\0\0\0\0\1", 0)[0] == -1
    assert length_at(b"\x82\x01", 0)[0] == length_at(b"", 0)[0] == -2
    assert whole_size(b"\x30") == 0
    assert whole_size(b"\x30\x80\0\0") == -1


def test_a_lied_length_is_held_to_what_is_there() -> None:
    data = b"\x30\x06\x04\x7fabcd"
    outer = element(data, 0, len(data))
    assert outer is not None
    assert content(data, inside(data, outer)[0]) == b"abcd"


def test_object_identifiers() -> None:
    assert object_text(bytes.fromhex("2b06010201")) == "1.3.6.1.2.1"
    assert object_text(bytes.fromhex("2a811ccf5501822d")) == "1.2.156.10197.1.301"
    assert object_text(b"\x88\x37") == "2.999"
    assert object_text(b"") == object_text(b"\xff" * 64) == ""


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_walked(data: bytes) -> None:
    for one in children(data, 0, len(data)):
        assert 0 <= one.start <= one.end <= len(data)
        assert isinstance(one, Element)
        inside(data, one)
    whole_size(data)
    object_text(data)
