"""Single chunks: proven alone in any order, refused in any other place; maps of what has arrived."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import package
from crypto.package_chunks import ChunkMap, ChunkOpener, Span, layout
from crypto.package_envelope import CHUNK_BYTES, Header, chunk_count
from crypto.words import Refused

Road = Any
CONTENT = b"".join(bytes([place]) * CHUNK_BYTES for place in range(3)) + b"end"


@pytest.fixture(name="sealed", scope="module")
def _sealed(road: Road) -> tuple[Header, list[bytes]]:
    data = road.seal({"a": CONTENT})
    header = package.read_header(io.BytesIO(data), recipient=road.receiver, trust=road.trust)
    places = [header.chunk_place(index) for index in range(header.chunks)]
    return header, [data[place : place + size] for place, size in places]


def test_an_interrupted_receiver_asks_only_for_what_is_missing(sealed: tuple[Header, list[bytes]]) -> None:
    header, chunks = sealed
    arrived: dict[int, bytes] = {}
    seen = ChunkMap(header.chunks)
    for index in (3, 1):
        arrived[index] = ChunkOpener(header).open(index, chunks[index])
        seen.add(index)
    again = ChunkMap(header.chunks, seen.encode())  # after a restart
    assert list(again.missing()) == [0, 2]
    for index in list(again.missing()):
        arrived[index] = ChunkOpener(header).open(index, bytearray(chunks[index]))
        again.add(index)
    assert again.complete
    assert b"".join(arrived[index] for index in range(header.chunks)) == CONTENT


def test_a_chunk_of_another_place_or_damaged_is_refused(sealed: tuple[Header, list[bytes]]) -> None:
    header, chunks = sealed
    opener = ChunkOpener(header)
    for index, chunk in [
        (0, chunks[1]),
        (3, chunks[0]),
        (-1, chunks[0]),
        (4, chunks[3]),
        (3, chunks[3][:-1]),
    ]:
        with pytest.raises(Refused):
            opener.open(index, chunk)
    for place in (0, 500_000, len(chunks[0]) - 1):
        damaged = bytearray(chunks[0])
        damaged[place] ^= 1
        with pytest.raises(Refused):
            opener.open(0, damaged)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 3), st.integers(CHUNK_BYTES - 1, 2 * CHUNK_BYTES + 1)), max_size=6))
def test_layout_covers_every_byte_once(sizes: list[int]) -> None:
    chunks = list(layout(sizes))
    assert len(chunks) == chunk_count(sum(sizes))
    left = list(sizes)
    firsts, lasts = [], []
    for spans in chunks:
        used = 0
        for span in spans:
            assert span.start == used
            used = span.stop
            left[span.file] -= span.stop - span.start
            firsts += [span.file] * span.first
            lasts += [span.file] * span.last
        assert used == CHUNK_BYTES or spans is chunks[-1]
    assert left == [0] * len(sizes)
    assert firsts == lasts == list(range(len(sizes)))


def test_layout_of_nothing_is_one_empty_chunk() -> None:
    assert list(layout([])) == [[]]
    assert list(layout([0])) == [[Span(0, 0, 0, first=True, last=True)]]


@given(st.integers(1, 40), st.data())
def test_map_keeps_what_was_added(count: int, data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.integers(0, count - 1)))
    seen = ChunkMap(count)
    for index in wanted:
        seen.add(index)
    read = ChunkMap(count, seen.encode())
    assert {index for index in range(-1, count + 1) if index in read} == wanted
    assert set(read.missing()) == set(range(count)) - wanted
    assert read.complete == (len(wanted) == count)


@pytest.mark.parametrize(("count", "bits"), [(9, b"\0"), (1, b"\x40"), (8, b"\0\0"), (7, b"\x01")])
def test_map_that_does_not_fit_is_refused(count: int, bits: bytes) -> None:
    with pytest.raises(Refused):
        ChunkMap(count, bits)
