"""Push an exported package to the receiving center over TLS and bring back its signed receipt.

Interrupted pushes go on where the receiver says it stands. Tries are bounded in number and time; a refusal
ends them at once, silence and lost connections are tried again after a pause with a random part.
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from crypto.package import ChunkMap
from crypto.package_envelope import CHUNK_BYTES, TAG_BYTES, chunk_count, plain_bytes, read_clear
from crypto.sm_async import SmAsyncStream, connect
from crypto.words import LiuheError, Refused, Words
from soc_api import transfer_messages as wire
from soc_api.transfer_ferry import glance, opened
from soc_api.transfer_messages import Answer, Chunk, Have, Message, Offer, Problem, ReceiptBytes, Taken
from soc_api.transfer_peers import PeerLink

Progress = Callable[[int, int], None]
CONNECT_SECONDS: Final = 15.0
ANSWER_SECONDS: Final = 60.0
_STREAM_BYTES: Final = 64 * 1024


class Patience(NamedTuple):
    """How often and how long to try; pauses double from ``first_seconds`` and are cut at ``longest_seconds``.

    ``attempts_max`` counts tries in a row that brought nothing forward.
    """

    attempts_max: int = 12
    seconds_max: float = 4 * 3600.0
    first_seconds: float = 0.5
    longest_seconds: float = 30.0


class Target(NamedTuple):
    """Where to; ``center`` is the name its certificate must bear, '' for any of the authority."""

    host: str
    port: int
    center: str = ""


class Pushed(NamedTuple):
    """What a push came to: the receipt, not yet verified, and what it took."""

    receipt: bytes
    attempts: int
    sent_chunks: int


class _Outline(NamedTuple):
    """What the sender knows of the package without any key."""

    package_sm3: str
    package_bytes: int
    header_bytes: int
    content_bytes: int

    @property
    def chunks(self) -> int:
        return chunk_count(self.content_bytes)

    def place(self, index: int) -> tuple[int, int]:
        start = self.header_bytes + index * (CHUNK_BYTES + TAG_BYTES)
        return start, plain_bytes(self.content_bytes, index) + TAG_BYTES


def push(
    package: Path,
    target: Target,
    link: PeerLink,
    *,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> Pushed:
    """Push a package; the caller verifies the receipt. ``progress`` hears (bytes there, bytes in all).

    Raises Refused where the other side or the package says no, LiuheError (transfer-interrupted) where the
    patience ends.
    """
    with opened(package) as file:
        outline = _outline(file.fileno())
        work = _Push(file.fileno(), outline, target, link, progress)
        return asyncio.run(work.run(patience or Patience()))


class _Push:
    def __init__(
        self,
        descriptor: int,
        outline: _Outline,
        target: Target,
        link: PeerLink,
        progress: Progress | None,
    ) -> None:
        self._descriptor: Final = descriptor
        self._outline: Final = outline
        self._target: Final = target
        self._link: Final = link
        self._progress: Final = progress
        self._sent = 0
        self._taken = 0  # chunks that the receiver said it has, over all tries

    async def run(self, patience: Patience) -> Pushed:
        clock = asyncio.get_running_loop().time
        began, attempts, fruitless = clock(), 0, 0
        while True:
            attempts, before = attempts + 1, self._taken
            try:
                return Pushed(await self._attempt(), attempts, self._sent)
            except (_Later, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                reason = str(error) or type(error).__name__
            fruitless = 1 if self._taken > before else fruitless + 1
            pause = min(patience.longest_seconds, patience.first_seconds * 2 ** min(fruitless - 1, 16))
            pause *= 0.5 + secrets.randbelow(500) / 1000  # so that many senders do not come at once
            if fruitless >= patience.attempts_max or clock() - began + pause > patience.seconds_max:
                raise _interrupted(self._target, attempts, reason)
            await asyncio.sleep(pause)

    async def _attempt(self) -> bytes:
        host, port, wanted = self._target
        link = self._link
        try:
            stream = await connect(
                host, port, link.context, link.judge, CONNECT_SECONDS, stream_bytes=_STREAM_BYTES
            )
        except Refused as error:
            raise _untrusted(error) from error
        try:
            center = stream.peer.id if stream.peer is not None else ""
            if wanted and center != wanted:
                raise _other_center(center)
            return await _Conversation(self, stream).run()
        finally:
            stream.abort()

    def read(self, place: int, size: int) -> bytes:
        """Bytes of the package. Raises Refused where it has become shorter."""
        data = os.pread(self._descriptor, size, place)
        if len(data) != size:
            raise Refused(
                "transfer-unreadable",
                Words("读不到文件:数据包变短了", "the file cannot be read: it has become shorter"),
                Words("请检查介质与权限", "check the medium and permissions"),
                field="package",
            )
        return data

    @property
    def outline(self) -> _Outline:
        return self._outline

    def sent(self) -> None:
        self._sent += 1

    def there(self, chunks: int) -> None:
        """So many chunks are at the receiver."""
        self._taken = max(self._taken, chunks)
        if self._progress is not None:
            done = self._outline.package_bytes * chunks // self._outline.chunks
            self._progress(done, self._outline.package_bytes)


class _Conversation:
    """One connection: what is missing goes out while the answers come in."""

    def __init__(self, work: _Push, stream: SmAsyncStream) -> None:
        self._work: Final = work
        self._stream: Final = stream
        self._credit = asyncio.Semaphore(0)
        self._there = 0

    async def run(self) -> bytes:
        """The receipt. Raises Refused, or an error after which another try may help."""
        outline = self._work.outline
        await self._send(Offer(package_sm3=outline.package_sm3, package_bytes=outline.package_bytes))
        try:
            answer = await self._answer()
        except (asyncio.IncompleteReadError, ConnectionError):
            # Under TLS 1.3 a certificate that is refused there shows only now.
            raise _Later("hung up before any answer: is this center's certificate trusted there?") from None
        if isinstance(answer, wire.WantHeader):
            await self._send(wire.HeaderBytes(data=self._work.read(0, outline.header_bytes)))
            answer = await self._answer()
        if isinstance(answer, ReceiptBytes):
            return answer.data
        if not isinstance(answer, Have):
            raise wire.malformed("wanted: have", "type")
        there = ChunkMap(outline.chunks, answer.bits)
        missing = list(there.missing())
        self._there = outline.chunks - len(missing)
        self._work.there(self._there)
        for _ in range(answer.credit):
            self._credit.release()
        sending = asyncio.create_task(self._send_chunks(iter(missing)))
        listening = asyncio.create_task(self._listen(set(missing)))
        try:
            # The listener ends first: with the receipt, or with the reason why there is none.
            await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_EXCEPTION)
            if sending.done() and not listening.done():
                # The other side may have said why before it hung up.
                await asyncio.wait({listening}, timeout=2.0)
            if listening.done():
                return listening.result()
            sending.result()
            raise TimeoutError
        finally:
            for task in (sending, listening):
                task.cancel()
            await asyncio.gather(sending, listening, return_exceptions=True)

    async def _send_chunks(self, missing: Iterator[int]) -> None:
        for index in missing:
            await self._credit.acquire()
            place, size = self._work.outline.place(index)
            await self._send(Chunk(index=index, sealed=self._work.read(place, size)))
            self._work.sent()
        await self._send(wire.Done())

    async def _listen(self, under_way: set[int]) -> bytes:
        while True:
            answer = await self._answer()
            if isinstance(answer, Taken) and answer.index in under_way:
                under_way.discard(answer.index)
                self._there += 1
                self._work.there(self._there)
                self._credit.release()
            elif isinstance(answer, ReceiptBytes):
                return answer.data
            elif not isinstance(answer, wire.Working):
                raise wire.malformed("wanted: taken, working or receipt", "type")

    async def _answer(self) -> Answer:
        async with asyncio.timeout(ANSWER_SECONDS):
            prefix = await self._stream.readexactly(wire.LENGTH.size)
            body = await self._stream.readexactly(wire.length_of(prefix, wire.ANSWER_BYTES_MAX))
        answer: Answer = wire.decode(body, wire.ANSWER)
        if isinstance(answer, Problem):
            if answer.again:
                raise _Later(answer.code)
            raise Refused(
                "transfer-refused-there",
                Words(f"接收端拒绝:{answer.zh}", f"the receiver refused: {answer.en}"),
                Words("请按原因处理后再推送", "mend what it says, then push again"),
                field=answer.code,
            )
        return answer

    async def _send(self, message: Message) -> None:
        self._stream.write(wire.encode(message))
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._stream.drain()


class _Later(Exception):
    """The receiver cannot now, but perhaps later."""


def _outline(descriptor: int) -> _Outline:
    with os.fdopen(os.dup(descriptor), "rb", buffering=0) as file:
        file.seek(0)
        seen = glance(file)
        file.seek(0)
        clear, start, sealed_bytes = read_clear(file)
        if os.fstat(descriptor).st_size != seen.package_bytes:
            raise Refused(
                "transfer-unreadable",
                Words("读不到文件:数据包不完整", "the file cannot be read: the package is not whole"),
                Words("请检查介质与权限", "check the medium and permissions"),
                field="package",
            )
    return _Outline(seen.package_sm3, seen.package_bytes, len(start) + sealed_bytes, clear.content_bytes)


def _untrusted(error: Refused) -> Refused:
    return Refused(
        "transfer-peer-untrusted",
        Words(f"不信任对端:{error.what.zh}", f"the other end is not trusted: {error.what.en}"),
        Words("请核对两端的 transfer/tls 证书与信任目录", "check transfer/tls and its trust at both ends"),
        field="tls",
    )


def _other_center(center: str) -> Refused:
    return Refused(
        "transfer-peer-other",
        Words(f"对端是 {center},不是接收方", f"the peer is {center}, not the receiver"),
        Words("请核对接收方地址", "check the receiver's address"),
        field="to",
    )


def _interrupted(target: Target, attempts: int, reason: str) -> LiuheError:
    return LiuheError(
        "transfer-interrupted",
        Words(f"尝试 {attempts} 次后仍未完成:{reason}", f"not finished after {attempts} attempts: {reason}"),
        Words("请检查网络与接收端,再推送一次即可续传", "check network and receiver; pushing again goes on"),
        field=f"{target.host}:{target.port}",
    )
