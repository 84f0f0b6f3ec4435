"""HPACK: the examples of RFC 7541 appendix C, its limits, and hostile blocks."""

from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.hpack import FIELDS_MAX, STRING_BYTES_MAX, BadBlock, Decoder, huffman


def test_the_requests_of_the_standard() -> None:
    decoder = Decoder()
    first, second, third = (
        decoder.decode(bytes.fromhex(block))
        for block in (
            "828684418cf1e3c2e5f23a6ba0ab90f4ff",
            "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        )
    )
    assert first[-1] == (b":authority", b"www.example.com")
    assert second[-1] == (b"cache-control", b"no-cache")
    assert second[-2] == (b":authority", b"www.example.com"), "from the dynamic table"
    assert third[-1] == (b"custom-key", b"custom-value")
    assert third[2] == (b":path", b"/index.html")


def test_literals_without_huffman() -> None:
    block = bytes.fromhex("400a637573746f6d2d6b65790d637573746f6d2d686561646572")
    assert Decoder().decode(block) == [(b"custom-key", b"custom-header")]
    assert Decoder().decode(bytes.fromhex("040c2f73616d706c652f70617468")) == [(b":path", b"/sample/path")]


def test_entries_leave_a_full_table() -> None:
    decoder = Decoder()
    decoder.decode(b"\x20" + b"\x40\x01a\x01b")  # a table of nothing keeps nothing
    with pytest.raises(BadBlock):
        decoder.decode(b"\xbe")


@pytest.mark.parametrize(
    "block",
    [
        b"\x80",
        b"\xff\xff\xff\xff\xff",
        b"\x40\x05ab",
        b"\x3f\xff\xff\xff\x7f",
        b"\x82" * (FIELDS_MAX + 1),
        b"\x20" * 20,
        b"\x00\x7f\xa1\x1f" + bytes(STRING_BYTES_MAX + 1),
        b"\x00\x01a\x81\xff\x00",
    ],
)
def test_bad_blocks_are_refused(block: bytes) -> None:
    with pytest.raises(BadBlock):
        Decoder().decode(block)


def test_padding_must_be_ones_and_short() -> None:
    assert huffman(b"\x1f") == b"a"
    for raw in (b"\x18", b"\x1f\xff", b"\xff\xff\xff\xff"):
        with pytest.raises(BadBlock):
            huffman(raw)


def test_the_longest_string_is_decoded_soon() -> None:
    raw = bytes(range(256)) * (STRING_BYTES_MAX // 256)
    best = 1.0
    for _ in range(5):
        begun = perf_counter()
        with pytest.raises(BadBlock):
            huffman(b"\x00" * STRING_BYTES_MAX + b"\x00" + raw[:0])
        best = min(best, perf_counter() - begun)
    assert best < 0.05, "bounded: a packet holds a third of it"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_block_is_answered(block: bytes) -> None:
    try:
        fields = Decoder().decode(block)
    except BadBlock:
        return
    assert len(fields) <= FIELDS_MAX
