"""Single chunks of a package: sealing one, opening one, which files they hold, which have arrived.

A chunk is bound to its package's header, its place and whether it is the last, so that any chunk can be
proven alone: a receiver that was interrupted keeps a ``ChunkMap`` and asks only for what is missing.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, cast

from crypto import package_envelope as envelope
from crypto import sm4
from crypto.package_envelope import CHUNK_BYTES, LAST, MORE, TAG_BYTES, Header
from crypto.package_format import malformed


class SealingKey(NamedTuple):
    """What sealing a chunk needs."""

    content_key: bytes
    prefix: bytes
    header_digest: bytes
    chunks: int

    def seal(self, index: int, content: memoryview) -> tuple[bytes, bytes]:
        """The ciphertext of chunk ``index``, and its tag."""
        sealing = sm4.GcmSeal(
            self.content_key,
            envelope.nonce(self.prefix, index),
            envelope.associated(self.header_digest, index, LAST if index == self.chunks - 1 else MORE),
        )
        return sealing.update(as_bytes(content)), sealing.finalize()


class Span(NamedTuple):
    """A part of one chunk that belongs to one file."""

    file: int
    start: int
    stop: int
    first: bool
    last: bool


def layout(sizes: Sequence[int]) -> Iterator[list[Span]]:
    """For each chunk in turn, the parts of files it holds; a file of no bytes has one part of none."""
    spans: list[Span] = []
    used = 0
    for file, size in enumerate(sizes):
        left, first = size, True
        while first or left:
            if used == CHUNK_BYTES and left:
                yield spans
                spans, used = [], 0
            taken = min(left, CHUNK_BYTES - used)
            left -= taken
            spans.append(Span(file, used, used + taken, first, not left))
            used, first = used + taken, False
    yield spans


class ChunkOpener:
    """Opens single chunks of one package, in any order: for receivers that resume."""

    __slots__ = ("_digest", "_header")

    def __init__(self, header: Header) -> None:
        self._header: Final = header
        self._digest: Final = bytes.fromhex(header.header_sm3)

    def open(self, index: int, sealed: bytes | bytearray | memoryview) -> bytes:
        """The content of chunk ``index``. Raises Refused unless it is exactly that chunk of this package."""
        header = self._header
        if not 0 <= index < header.chunks or len(sealed) != header.sealed_bytes(index):
            raise malformed(f"chunk {index} has a wrong size or place")
        view = memoryview(sealed)
        flag = LAST if index == header.chunks - 1 else MORE
        opening = sm4.GcmOpen(
            header.content_key,
            envelope.nonce(header.clear.prefix, index),
            envelope.associated(self._digest, index, flag),
        )
        content = opening.update(as_bytes(view[:-TAG_BYTES]))
        opening.finalize(bytes(view[-TAG_BYTES:]))
        return content


class ChunkMap:
    """Which chunks have arrived and been verified: one bit each, the first in the highest bit."""

    __slots__ = ("_bits", "count")

    def __init__(self, count: int, bits: bytes = b"") -> None:
        """A map of ``count`` chunks, none there unless ``bits`` from ``encode`` says so. Raises Refused."""
        size = -(-count // 8)
        self.count: Final = count
        self._bits: Final = bytearray(bits or bytes(size))
        if len(self._bits) != size or (count % 8 and self._bits[-1] & (0xFF >> count % 8)):
            raise malformed("its map of chunks does not fit its size")

    def add(self, index: int) -> None:
        """This chunk is there."""
        assert 0 <= index < self.count, "a chunk of this package"
        self._bits[index // 8] |= 0x80 >> index % 8

    def __contains__(self, index: int) -> bool:
        return 0 <= index < self.count and bool(self._bits[index // 8] & (0x80 >> index % 8))

    def missing(self) -> Iterator[int]:
        """The chunks still to come, in order."""
        return (index for index in range(self.count) if index not in self)

    @property
    def complete(self) -> bool:
        """Whether every chunk is there."""
        return sum(byte.bit_count() for byte in self._bits) == self.count

    def encode(self) -> bytes:
        """The bits, for keeping beside a partial package."""
        return bytes(self._bits)


def as_bytes(view: memoryview) -> bytes:
    """The view where ``bytes`` is asked: digests and ciphers read any buffer, and copying would cost."""
    return cast("bytes", view)
