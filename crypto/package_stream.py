"""The content of a package as a stream: 1 MiB chunks sealed or opened by a few threads, SM3 by one more.

The content is the files one after another, without anything between them: the signed manifest says where
each ends. Chunks are read and written in order; digests and ciphers let other threads run while they work.
Memory stays at a few chunks for each thread whatever the size.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Protocol, Self

from crypto import package_envelope as envelope
from crypto.package_chunks import ChunkOpener, SealingKey, Span, as_bytes, layout
from crypto.package_envelope import CHUNK_BYTES, TAG_BYTES, Header, Readable
from crypto.package_format import FileEntry, malformed
from crypto.sm3 import Digest, new
from crypto.words import Refused, Words

Progress = Callable[[int, int], None]  # content bytes done, content bytes in all

THREADS: Final = min(4, os.cpu_count() or 1)  # more would outrun the one thread that digests


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
        """Opening failed, or ``release`` did: destroy everything that is not to be seen."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A package that was verified to its last byte."""

    header: Header
    files: int
    content_bytes: int


class _Digests:
    """SM3 of the files, in a thread of its own, a few chunks behind; compared at each file's end."""

    def __init__(
        self, files: Sequence[FileEntry], failure: Callable[[FileEntry], Refused], ahead_max: int
    ) -> None:
        self._files = files
        self._ahead_max = ahead_max
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
        """Digest the spans of a chunk; its memory may be used again after ``ahead_max`` more calls."""
        self.wait(self._ahead_max - 1)
        self._waiting.append(self._thread.submit(self._digest, chunk, spans))

    def wait(self, left: int = 0) -> None:
        """Wait until at most ``left`` chunks are undone. Raises the failure of a file that differs."""
        while len(self._waiting) > left:
            self._waiting.popleft().result()

    def _digest(self, chunk: memoryview, spans: list[Span]) -> None:
        for span in spans:
            if span.first:
                self._running = new()
            self._running.update(as_bytes(chunk[span.start : span.stop]))
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
                digest.update(as_bytes(buffer[:taken]))
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
    threads: int = THREADS,
) -> None:
    """Write every chunk. Raises Refused where a source is not what its entry says."""
    total = sum(entry.size for entry in files)
    # While one is filled, ``threads`` chunks before it may still be sealed or digested.
    ring = [memoryview(bytearray(CHUNK_BYTES)) for _ in range(threads + 1)]
    waiting: deque[Future[tuple[bytes, bytes]]] = deque()
    done = 0

    def write(sealed: tuple[bytes, bytes]) -> None:
        nonlocal done
        sink.writelines(sealed)
        done += len(sealed[0])
        if progress is not None:
            progress(done, total)

    with (
        _Digests(files, _source_changed, threads) as digests,
        _Reading(sources, files) as reading,
        ThreadPoolExecutor(threads, thread_name_prefix="package-sm4") as pool,
    ):
        for index, spans in enumerate(layout([entry.size for entry in files])):
            if len(waiting) == threads:
                write(waiting.popleft().result())
            chunk = ring[index % len(ring)][: envelope.plain_bytes(total, index)]
            for span in spans:
                reading.fill(span, chunk)
            digests.take(chunk, spans)
            waiting.append(pool.submit(key.seal, index, chunk))
        while waiting:
            write(waiting.popleft().result())
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
    source: Readable,
    header: Header,
    quarantine: Quarantine,
    progress: Progress | None,
    threads: int = THREADS,
) -> Opened:
    """Verify every chunk and file into the quarantine; the source must end with the last. Raises Refused."""
    files = header.manifest.files
    opener = ChunkOpener(header)
    ring = [memoryview(bytearray(CHUNK_BYTES + TAG_BYTES)) for _ in range(threads)]
    waiting: deque[tuple[Future[bytes], list[Span]]] = deque()
    with (
        _Digests(files, _content_differs, threads) as digests,
        _Writing(files, quarantine) as writing,
        ThreadPoolExecutor(threads, thread_name_prefix="package-sm4") as pool,
    ):

        def write(opened: Future[bytes], spans: list[Span]) -> None:
            chunk = memoryview(opened.result())
            digests.take(chunk, spans)
            writing.put(chunk, spans)
            if progress is not None:
                progress(writing.done, header.clear.content_bytes)

        for index, spans in enumerate(layout([entry.size for entry in files])):
            if len(waiting) == threads:
                write(*waiting.popleft())
            sealed = ring[index % len(ring)][: header.sealed_bytes(index)]
            envelope.read_exactly(source, sealed)
            waiting.append((pool.submit(opener.open, index, sealed), spans))
        while waiting:
            write(*waiting.popleft())
        digests.wait()
    if source.readinto(ring[0][:1]):
        raise malformed("something follows its last chunk")
    return Opened(header=header, files=len(files), content_bytes=writing.done)


class _Writing:
    """The files of the quarantine in turn."""

    def __init__(self, files: Sequence[FileEntry], quarantine: Quarantine) -> None:
        self._files = files
        self._quarantine = quarantine
        self._open: BinaryIO | None = None
        self.done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def put(self, chunk: memoryview, spans: list[Span]) -> None:
        """Write the spans of a verified chunk."""
        for span in spans:
            if span.first:
                self._open = self._quarantine.create(self._files[span.file])
            assert self._open is not None, "spans come in order"
            self._open.write(chunk[span.start : span.stop])
            if span.last:
                self._close()
        self.done += len(chunk)

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


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
