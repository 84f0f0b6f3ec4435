"""The content of a package as a stream: sealing and opening 1 MiB chunks, with SM3 in a second thread.

The content is the files one after another, without anything between them: the signed manifest says where
each ends. Memory stays at a few chunks whatever the size.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Protocol, Self, cast

from crypto import package_envelope as envelope
from crypto import sm4
from crypto.package_envelope import CHUNK_BYTES, LAST, MORE, TAG_BYTES, Header, Readable
from crypto.package_format import FileEntry, malformed
from crypto.sm3 import Digest, new
from crypto.words import Refused, Words

Progress = Callable[[int, int], None]  # content bytes done, content bytes in all

_AHEAD_MAX: Final = 2  # chunks that may wait for the digest thread


class Source(NamedTuple):
    """One file to send: its name inside the package, and how to open it for reading from its start."""

    name: str
    open: Callable[[], BinaryIO]


class Quarantine(Protocol):
    """Where opening writes until everything is verified; nothing in it may be seen before ``release``."""

    def create(self, entry: FileEntry) -> BinaryIO:
        """A new file to write this entry into; it is closed when complete. Called in the manifest's order."""
        ...

    def release(self) -> None:
        """Everything is verified: let it be seen. Called once, last."""
        ...

    def discard(self) -> None:
        """Opening failed: destroy everything created."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A package that was verified to its last byte."""

    header: Header
    files: int
    content_bytes: int


class SealingKey(NamedTuple):
    """What sealing a chunk needs: content key, nonce prefix, SM3 of the header."""

    content_key: bytes
    prefix: bytes
    header_digest: bytes


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
        content = opening.update(_bytes(view[:-TAG_BYTES]))
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


class _Digests:
    """SM3 of the files, in a thread of its own, a few chunks behind; compared at each file's end."""

    def __init__(self, files: Sequence[FileEntry], failure: Callable[[FileEntry], Refused]) -> None:
        self._files = files
        self._failure = failure
        self._running: Digest = new()
        self._waiting: deque[Future[None]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="package-sm3")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def take(self, chunk: memoryview, spans: list[Span]) -> None:
        """Digest the spans of a chunk; its memory may be used again after ``_AHEAD_MAX`` more calls."""
        self.wait(_AHEAD_MAX - 1)
        self._waiting.append(self._thread.submit(self._digest, chunk, spans))

    def wait(self, left: int = 0) -> None:
        """Wait until at most ``left`` chunks are undone. Raises the failure of a file that differs."""
        while len(self._waiting) > left:
            self._waiting.popleft().result()

    def _digest(self, chunk: memoryview, spans: list[Span]) -> None:
        for span in spans:
            if span.first:
                self._running = new()
            self._running.update(_bytes(chunk[span.start : span.stop]))
            entry = self._files[span.file]
            if span.last and self._running.hexdigest() != entry.sm3:
                raise self._failure(entry)


def describe(sources: Sequence[Source], progress: Progress | None = None) -> tuple[FileEntry, ...]:
    """Size and SM3 of each source, for the manifest."""
    buffer = memoryview(bytearray(CHUNK_BYTES))
    entries: list[FileEntry] = []
    done = 0
    for source in sources:
        digest, size = new(), 0
        with source.open() as file:
            while taken := _readable(file).readinto(buffer):
                digest.update(_bytes(buffer[:taken]))
                size += taken
                if progress is not None:
                    progress(done + size, 0)
        done += size
        entries.append(FileEntry(name=source.name, size=size, sm3=digest.hexdigest()))
    return tuple(entries)


def seal_content(
    sources: Sequence[Source],
    sink: BinaryIO,
    files: Sequence[FileEntry],
    key: SealingKey,
    progress: Progress | None,
) -> None:
    """Write every chunk. Raises Refused where a source is not what its entry says."""
    total = sum(entry.size for entry in files)
    count = envelope.chunk_count(total)
    ring = [memoryview(bytearray(CHUNK_BYTES)) for _ in range(_AHEAD_MAX + 1)]
    reading = _Reading(sources, files)
    done = 0
    with _Digests(files, _source_changed) as digests, reading:
        for index, spans in enumerate(layout([entry.size for entry in files])):
            chunk = ring[index % len(ring)][: envelope.plain_bytes(total, index)]
            for span in spans:
                reading.fill(span, chunk)
            digests.take(chunk, spans)
            flag = LAST if index == count - 1 else MORE
            sealing = sm4.GcmSeal(
                key.content_key,
                envelope.nonce(key.prefix, index),
                envelope.associated(key.header_digest, index, flag),
            )
            sink.write(sealing.update(_bytes(chunk)))
            sink.write(sealing.finalize())
            done += len(chunk)
            if progress is not None:
                progress(done, total)
        digests.wait()


class _Reading:
    """The sources in turn, each open only while it is read."""

    def __init__(self, sources: Sequence[Source], files: Sequence[FileEntry]) -> None:
        self._sources = sources
        self._files = files
        self._open: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def fill(self, span: Span, chunk: memoryview) -> None:
        """Read one span; at a file's end it must really end."""
        if span.first:
            self._open = self._sources[span.file].open()
        assert self._open is not None, "spans come in order"
        filled = span.start
        while filled < span.stop:
            taken = _readable(self._open).readinto(chunk[filled : span.stop])
            if not taken:
                raise _source_changed(self._files[span.file])
            filled += taken
        if span.last:
            if self._open.read(1):
                raise _source_changed(self._files[span.file])
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


def open_content(
    source: Readable, header: Header, quarantine: Quarantine, progress: Progress | None
) -> Opened:
    """Verify every chunk and file into the quarantine; the source must end with the last. Raises Refused."""
    files = header.manifest.files
    opener = ChunkOpener(header)
    buffer = memoryview(bytearray(CHUNK_BYTES + TAG_BYTES))
    writing: BinaryIO | None = None
    done = 0
    try:
        with _Digests(files, _content_differs) as digests:
            for index, spans in enumerate(layout([entry.size for entry in files])):
                sealed = buffer[: header.sealed_bytes(index)]
                envelope.read_exactly(source, sealed)
                chunk = memoryview(opener.open(index, sealed))
                digests.take(chunk, spans)
                for span in spans:
                    if span.first:
                        writing = quarantine.create(files[span.file])
                    assert writing is not None, "spans come in order"
                    writing.write(chunk[span.start : span.stop])
                    if span.last:
                        writing.close()
                done += len(chunk)
                if progress is not None:
                    progress(done, header.clear.content_bytes)
            digests.wait()
    finally:
        if writing is not None:
            writing.close()
    if source.readinto(buffer[:1]):
        raise malformed("something follows its last chunk")
    return Opened(header=header, files=len(files), content_bytes=done)


def _bytes(view: memoryview) -> bytes:
    """The view where ``bytes`` is asked: digests and ciphers read any buffer, and copying would cost."""
    return cast("bytes", view)


def _readable(file: BinaryIO) -> Readable:
    """A binary file as what it is: every one of the io module reads into a buffer."""
    return file  # type: ignore[return-value]


def _source_changed(entry: FileEntry) -> Refused:
    return Refused(
        "package-source-changed",
        Words("待发送的文件与已签名的清单不符", "a file to send is no longer what was signed"),
        Words("请重新生成清单并重新审批", "describe the files again and have the manifest signed again"),
        field=entry.name,
    )


def _content_differs(entry: FileEntry) -> Refused:
    return Refused(
        "package-content",
        Words("文件内容与已签名的摘要不符", "a file's content is not what was signed"),
        Words("请让发送方重新发送", "ask the sender to send it again"),
        field=entry.name,
    )
