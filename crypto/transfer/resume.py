"""Receiving a package in pieces, in any order, over interruptions: no verified chunk is asked for twice.

The receiver verifies the header first, then each chunk as it comes; ``encode`` keeps which are there, bound
to the very header. What is kept is sealed content: nothing of it is released by receiving. The whole is
verified again, file digests included, when the complete package is opened.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from crypto.package_chunks import ChunkMap, ChunkOpener
from crypto.package_envelope import Header
from crypto.words import Refused, Words

PROGRESS_BYTES_MAX: Final = 1 << 20  # the bits of the largest package are 128 KiB


class Store(NamedTuple):
    """An effect: write these bytes at this place of the partial package, then keep ``encode``."""

    place: int
    sealed: bytes


class Wanted(NamedTuple):
    """A range of bytes of the package to ask for."""

    place: int
    size: int
    first: int
    last: int


class _Progress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    header_sm3: str
    chunks: int
    bits: bytes


class Resuming:
    """One package being received."""

    def __init__(self, header: Header, kept: bytes = b"") -> None:
        """Go on from ``kept``, or from nothing. Raises Refused where it is of another package."""
        self._header: Final = header
        self._opener: Final = ChunkOpener(header)
        bits = b""
        if kept:
            progress = _decode(kept)
            if (progress.header_sm3, progress.chunks) != (header.header_sm3, header.chunks):
                raise _malformed("the progress kept is of another package", "续传记录属于另一个数据包")
            bits = progress.bits
        self._map: Final = ChunkMap(header.chunks, bits)

    @property
    def complete(self) -> bool:
        """Whether every chunk is there."""
        return self._map.complete

    @property
    def missing(self) -> int:
        """How many chunks are to come."""
        return sum(1 for _ in self._map.missing())

    @property
    def bits(self) -> bytes:
        """Which chunks are there, the first in the highest bit: what the sender is told."""
        return self._map.encode()

    def wanted(self, chunks_max: int = 64) -> Iterator[Wanted]:
        """Ranges to ask for, in order, each of neighbouring chunks."""
        first = last = -1
        for index in self._map.missing():
            if first >= 0 and index == last + 1 and index - first < chunks_max:
                last = index
                continue
            if first >= 0:
                yield self._range(first, last)
            first = last = index
        if first >= 0:
            yield self._range(first, last)

    def take(self, index: int, sealed: bytes) -> Store | None:
        """A chunk that came: where to write it, or None where it is there already. Raises Refused."""
        if index in self._map:
            return None
        self._opener.open(index, sealed)
        self._map.add(index)
        return Store(self._header.chunk_place(index)[0], sealed)

    def encode(self) -> bytes:
        """What to keep beside the partial package, after the chunks it speaks of are durable."""
        kept = _Progress(
            header_sm3=self._header.header_sm3, chunks=self._header.chunks, bits=self._map.encode()
        )
        return msgspec.json.encode(kept)

    def _range(self, first: int, last: int) -> Wanted:
        place, _ = self._header.chunk_place(first)
        end, size = self._header.chunk_place(last)
        return Wanted(place, end + size - place, first, last)


def _decode(kept: bytes) -> _Progress:
    try:
        if len(kept) > PROGRESS_BYTES_MAX:
            raise ValueError
        return msgspec.json.decode(kept, type=_Progress)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _malformed("the progress kept is damaged", "续传记录已损坏") from None


def _malformed(en: str, zh: str) -> Refused:
    return Refused(
        "transfer-progress",
        Words(zh, en),
        Words("请删除续传记录,从头接收", "delete it and receive from the start"),
        field="progress",
    )
