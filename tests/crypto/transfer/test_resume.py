"""Resuming: after any interruption no verified chunk is asked for again, and no wrong one is kept."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import package
from crypto.package_envelope import CHUNK_BYTES, Header
from crypto.transfer.resume import Resuming
from crypto.words import Refused


def made(road: object, size: int) -> tuple[bytes, Header]:
    data: bytes = road.seal({"a.bin": bytes(size)})  # type: ignore[attr-defined]
    trust = {"recipient": road.receiver, "trust": road.trust}  # type: ignore[attr-defined]
    return data, package.read_header(io.BytesIO(data), **trust)


def test_ten_interruptions_send_nothing_twice(road: object) -> None:
    data, header = made(road, 7 * CHUNK_BYTES + 5)
    kept, sent, partial = b"", 0, bytearray(len(data))
    for turn in range(10):
        resuming = Resuming(header, kept)
        wanted = list(resuming.wanted(1))
        for place, size, first, _ in wanted[::-1][: turn % 3]:
            store = resuming.take(first, data[place : place + size])
            assert store is not None
            partial[store.place : store.place + len(store.sealed)] = store.sealed
            assert resuming.take(first, b"") is None
            sent += size
        kept = resuming.encode()
    rest = Resuming(header, kept)
    for place, size, first, last in list(rest.wanted()):
        for index in range(first, last + 1):
            start, length = header.chunk_place(index)
            assert place <= start <= place + size
            store = rest.take(index, data[start : start + length])
            assert store is not None
            partial[store.place : store.place + length] = store.sealed
            sent += length
    assert rest.complete
    assert rest.missing == 0
    assert sent == len(data) - header.header_bytes
    assert partial[header.header_bytes :] == data[header.header_bytes :]


def test_a_wrong_chunk_is_not_kept(road: object) -> None:
    data, header = made(road, 2 * CHUNK_BYTES)
    resuming = Resuming(header)
    start, length = header.chunk_place(0)
    second, _ = header.chunk_place(1)
    for bad in (data[second : second + length], bytes(length), data[start : start + length - 1]):
        with pytest.raises(Refused):
            resuming.take(0, bad)
    assert resuming.missing == 2


def test_progress_of_another_package_or_damaged_is_refused(road: object) -> None:
    _, header = made(road, 1)
    _, other = made(road, 2)
    with pytest.raises(Refused, match="transfer-progress"):
        Resuming(other, Resuming(header).encode())


@settings(max_examples=60, deadline=None)
@given(data=st.binary(min_size=1, max_size=100))
def test_any_bytes_as_progress_are_refused(data: bytes) -> None:
    from crypto.transfer.resume import _decode

    with pytest.raises(Refused):
        _decode(data)
