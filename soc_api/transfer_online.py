"""The center's door for packages of other centers: SM TLS on a port of its own, certificates on both sides.

A peer offers a package, hears which chunks are there, sends the others, and takes the signed receipt away.
Chunks are verified as they come and kept over interruptions; the complete package goes the way of every
package that a ferry brings. One transfer of a peer at a time; one bad connection is answered, logged without
secrets and closed, the others go on. Protocol: docs/reference/transfer.md.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, Self

import msgspec

from crypto.package_envelope import Header
from crypto.sm3 import sm3_hex
from crypto.sm_async import SmAsyncStream, accept
from crypto.words import BadInput, LiuheError, Refused, Words
from soc_api import transfer_messages as wire
from soc_api.transfer_messages import Chunk, Have, Message, Offer, ReceiptBytes, Taken
from soc_api.transfer_peers import PeerLink
from soc_api.transfer_staging import Partial, Staging

CREDIT_CHUNKS: Final = 4  # of one connection, under way and not yet taken
CONNECTIONS_MAX: Final = 256
PEER_CONNECTIONS_MAX: Final = 4  # one that transfers, the others waiting for their turn
HANDSHAKE_SECONDS: Final = 10.0
MESSAGE_SECONDS: Final = 60.0  # for one message to come whole
TURN_SECONDS: Final = 5.0  # how long a second connection of a peer waits for the first to be noticed dead
WORKING_SECONDS: Final = 5.0
EXPIRY_SECONDS: Final = 3600.0
_ACCEPT_TURNS: Final = 5  # of the loop, until a connection accepted just before closing is among the tasks
_STREAM_BYTES: Final = 512 * 1024  # what is read ahead of one connection

logger = logging.getLogger(__name__)


class Intake(Protocol):
    """What becomes of packages; ``soc_api.transfer_intake.CenterIntake``. Blocking calls."""

    def receipt(self, package_sm3: str) -> bytes | None:
        """The receipt of a package that was imported."""
        ...

    def header(self, data: bytes, peer: str, now: datetime) -> Header:
        """The verified header, where this peer may send it. Raises Refused, BadInput."""
        ...

    def take(self, package: Path, header: Header, now: datetime) -> bytes:
        """Import exactly once or refuse; the signed receipt. Raises Refused where there is none to give."""
        ...


class TransferListener:
    """``async with TransferListener(...)``: listening inside, imports ended and all closed after it."""

    def __init__(
        self,
        intake: Intake,
        staging: Staging,
        link: PeerLink,
        *,
        host: str,
        port: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``port`` 0 takes a free one, see ``port`` after entering."""
        self.clock: Final = clock
        self.port = port
        self.refused = 0
        self.intake: Final = intake
        self.staging: Final = staging
        self.link: Final = link
        self._host: Final = host
        self.present: Final = Counter[str]()  # connections of each peer
        self._turns: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._imports: set[asyncio.Task[bytes]] = set()
        self._server: asyncio.Server | None = None
        self._expiring: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            self._server = await asyncio.start_server(
                self._accept, self._host, self.port, limit=_STREAM_BYTES
            )
        except OSError as error:
            raise _port_unavailable(self._host, self.port, error) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._expiring = asyncio.create_task(self._expire(), name="transfer-expiry")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for _turn in range(_ACCEPT_TURNS):
            await asyncio.sleep(0)
        ending = {*self._tasks, self._expiring} - {None}
        for task in ending:
            task.cancel()  # type: ignore[union-attr]
        await asyncio.gather(*ending, return_exceptions=True)  # type: ignore[arg-type]
        await asyncio.gather(*self._imports, return_exceptions=True)

    def turn(self, peer: str) -> asyncio.Lock:
        """Held by the connection of this peer that transfers; peers are as many as the authority made."""
        return self._turns.setdefault(peer, asyncio.Lock())

    def import_(self, partial: Partial) -> "asyncio.Task[bytes]":
        """Begin the import; it goes on to its end whatever becomes of the connection."""
        task = asyncio.create_task(asyncio.to_thread(self._import, partial), name="transfer-import")
        self._imports.add(task)
        task.add_done_callback(self._imported)
        return task

    def _imported(self, task: "asyncio.Task[bytes]") -> None:
        self._imports.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("import: %s", error)

    def _import(self, partial: Partial) -> bytes:
        partial.close()
        data = self.intake.take(partial.path, partial.header, self.clock())
        self.staging.drop(partial.header.header_sm3)
        return data

    async def _expire(self) -> None:
        while True:
            with suppress(OSError):
                if gone := await asyncio.to_thread(self.staging.expire, self.clock()):
                    logger.info("removed %d partial packages", gone)
            await asyncio.sleep(EXPIRY_SECONDS)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from before its handshake to its last byte; counted, and ended by closing."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) <= CONNECTIONS_MAX:
                stream = await accept(reader, writer, self.link.context, HANDSHAKE_SECONDS)
                await _Connection(self, stream).serve()
        except (OSError, LiuheError) as error:  # TlsError is an OSError
            logger.info("handshake: %s", error)
        except asyncio.CancelledError:
            pass  # the listener closes; nothing awaits this task's result
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Connection:
    """One peer's conversation."""

    def __init__(self, listener: TransferListener, stream: SmAsyncStream) -> None:
        self._listener: Final = listener
        self._stream: Final = stream
        self._peer = "unknown"

    async def serve(self) -> None:
        """Answer until the receipt is out, or the peer leaves, errs, or is too slow."""
        try:
            peer = await asyncio.to_thread(self._listener.link.judge, self._stream.peer_chain)
            self._peer = peer.id
            await self._admitted()
        except (Refused, BadInput) as error:
            await self._farewell(error, again=False)
        except LiuheError as error:
            await self._farewell(error, again=True)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            logger.info("%s: %s", self._peer, str(error) or type(error).__name__)

    async def _admitted(self) -> None:
        present = self._listener.present
        present[self._peer] += 1
        try:
            if present[self._peer] > PEER_CONNECTIONS_MAX:
                raise _in_progress(self._peer)
            await self._transfer(await self._receive(wire.OFFER, wire.SMALL_BYTES_MAX))
        finally:
            present[self._peer] -= 1

    async def _transfer(self, offer: Offer) -> None:
        if offer.protocol != wire.PROTOCOL:
            raise wire.malformed(f"protocol {offer.protocol}, wanted {wire.PROTOCOL}", "protocol")
        turn = self._listener.turn(self._peer)
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await turn.acquire()
        except TimeoutError:
            raise _in_progress(self._peer) from None
        held = True
        try:
            known = await asyncio.to_thread(self._listener.intake.receipt, offer.package_sm3)
            if known is not None:
                await asyncio.to_thread(self._listener.staging.drop, offer.package_sm3)
                await self._end(known)
                return
            partial = await self._open(offer)
            try:
                await self._fill(partial)
            except BaseException:
                # Shielded: what came is kept even where the listener closes meanwhile.
                await asyncio.shield(asyncio.to_thread(partial.close))
                raise
            importing = self._listener.import_(partial)
            importing.add_done_callback(lambda _: turn.release())
            held = False
            await self._await_receipt(importing)
        finally:
            if held:
                turn.release()

    async def _open(self, offer: Offer) -> Partial:
        listener = self._listener
        data = await asyncio.to_thread(listener.staging.header, offer.package_sm3)
        if data is None:
            await self._send(wire.WantHeader())
            data = (await self._receive(wire.HEADER, wire.HEADER_MESSAGE_BYTES_MAX)).data
        if sm3_hex(data) != offer.package_sm3:
            raise wire.malformed("the header is not of the package offered", "header")
        header = await asyncio.to_thread(listener.intake.header, data, self._peer, listener.clock())
        if (header.header_bytes, header.package_bytes) != (len(data), offer.package_bytes):
            raise wire.malformed("the package's size is not the one its header says", "package_bytes")
        return await asyncio.to_thread(listener.staging.open, data, header)

    async def _fill(self, partial: Partial) -> None:
        """Take chunks until all are there."""
        await self._send(Have(bits=partial.resuming.bits, credit=CREDIT_CHUNKS))
        while True:
            message = await self._receive(wire.CONTENT, wire.CHUNK_MESSAGE_BYTES_MAX)
            if not isinstance(message, Chunk):
                break
            await asyncio.to_thread(partial.take, message.index, message.sealed)
            await self._send(Taken(index=message.index))
        if not partial.resuming.complete:
            raise wire.malformed("done, but chunks are missing", "type")

    async def _await_receipt(self, importing: "asyncio.Task[bytes]") -> None:
        while not importing.done():
            await asyncio.wait({importing}, timeout=WORKING_SECONDS)
            if not importing.done():
                await self._send(wire.Working())
        await self._end(importing.result())

    async def _receive(self, decoder: "msgspec.msgpack.Decoder[Any]", bytes_max: int) -> Any:
        async with asyncio.timeout(MESSAGE_SECONDS):
            prefix = await self._stream.readexactly(wire.LENGTH.size)
            body = await self._stream.readexactly(wire.length_of(prefix, bytes_max))
        return wire.decode(body, decoder)

    async def _send(self, message: Message) -> None:
        self._stream.write(wire.encode(message))
        async with asyncio.timeout(MESSAGE_SECONDS):
            await self._stream.drain()

    async def _end(self, receipt: bytes) -> None:
        await self._send(ReceiptBytes(data=receipt))
        await self._close()

    async def _farewell(self, error: LiuheError, *, again: bool) -> None:
        """Say why, then leave; a peer that does not listen is not waited for."""
        self._listener.refused += 1
        logger.warning("%s: %s", self._peer, error)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                await self._send(wire.problem_of(error, again=again))
                await self._close()

    async def _close(self) -> None:
        """Let the last words arrive: a reset would overtake them where the peer is still sending."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                while await self._stream.read(_STREAM_BYTES):
                    pass


def _in_progress(peer: str) -> LiuheError:
    return LiuheError(
        "transfer-in-progress",
        Words("该中心已有一个传输在进行", "a transfer of this center is under way already"),
        Words("请等待它结束后重试", "wait for it to end, then try again"),
        field=peer[:80],
    )


def _port_unavailable(host: str, port: int, error: OSError) -> LiuheError:
    reason = error.strerror or str(error)
    return LiuheError(
        "transfer-port",
        Words(f"传输端口打不开:{reason}", f"the transfer port cannot be opened: {reason}"),
        Words("请换一个端口或停止占用它的程序", "choose another port, or stop the program that has it"),
        field=f"{host}:{port}",
    )
