"""PEM: one form written, read back strictly for keys, leniently for files of certificates."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import pem
from crypto.words import BadInput


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_round_trip(data: bytes) -> None:
    text = pem.encode(data, "THING")
    assert pem.decode(text, "THING") == data
    assert pem.decode(text.replace(b"\n", b"\r\n").rstrip(), "THING") == data
    assert pem.label_of(text) == "THING"
    assert pem.decode_all(b"said before\n" + text + b"between\n" + text, "THING") == [data, data]


def test_strict_reading_takes_no_variation() -> None:
    text = pem.encode(b"data of a key", "THING")
    for other in (
        b"x\n" + text,
        text + b"x\n",
        text.replace(b"=", b""),
        text.replace(b"THING", b"OTHER"),
        b"",
    ):
        with pytest.raises(BadInput, match="pem-malformed"):
            pem.decode(other, "THING")


def test_blocks_of_other_labels_are_passed_over_and_der_is_taken() -> None:
    both = pem.encode(b"a", "ONE") + pem.encode(b"b", "TWO")
    assert pem.decode_all(both, "TWO") == [b"b"]
    assert pem.decode_all(b"\x30\x00", "TWO") == [b"\x30\x00"]
    assert pem.label_of(b"none") == ""


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"-----BEGIN X-----\nAAAA\n",
        b"-----BEGIN X-----\n****\n-----END X-----\n",
        pem.encode(b"a", "X") * (pem.BLOCKS_MAX + 1),
    ],
)
def test_damaged_blocks_are_refused(text: bytes) -> None:
    with pytest.raises(BadInput, match="pem-malformed"):
        pem.decode_all(text, "X")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_anything_else_is_bad_input(data: bytes) -> None:
    for read in (pem.decode, pem.decode_all):
        try:
            read(data, "X")
        except BadInput:
            pass
