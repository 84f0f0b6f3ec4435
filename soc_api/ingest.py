"""The center's door for sensors: TLS 1.3 on a port of its own, batches in, acknowledgements out.

A client that shows a certificate of this center may deliver batches of the sensor named in it; a client
without one may only fetch the CA certificate and enrol. One bad connection is answered, logged without
secrets and closed; the others go on. Protocol: docs/reference/formats/wire.md.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol, Self

from crypto import tls
from crypto.tls import Authority, PeerName
from crypto.words import BadInput, LiuheError, Refused, Words
from sensors import messages
from sensors.messages import (
    Ack,
    AuthorityRequest,
    Batch,
    Decoder,
    Enrolled,
    EnrolRequest,
    Hello,
    Message,
    Problem,
    Welcome,
    encode_message,
)
from sensors.segment_log import SegmentLog
from sensors.wire import batch_lines, foreign_senders
from soc_api.ingest_commit import Committer, Counters, OnBatch

CREDIT_BATCHES: Final = 4  # of one connection, received and not yet acknowledged
CONNECTIONS_MAX: Final = 512
STRANGERS_MAX: Final = 16  # connections without a certificate at the same time
STRANGER_SECONDS: Final = 20.0  # they enrol in this time or leave
HANDSHAKE_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 120.0  # a sensor speaks every 10 s
ADMISSION_SECONDS: Final = 60.0  # how long a revoked sensor may go on at most
WRITE_BUFFER_BYTES_MAX: Final = 256 * 1024  # a peer that does not read its answers is cut off
_READ_BYTES: Final = 64 * 1024
_ACCEPT_TURNS: Final = 5  # of the loop, until a connection accepted just before closing is among the tasks

logger = logging.getLogger(__name__)


class Desk(Protocol):
    """Who may come in; ``soc_api.enrolment.EnrolmentDesk``. Blocking calls."""

    def authority_pem(self) -> str:
        """The center's CA certificate."""
        ...

    def enrol(self, request: EnrolRequest) -> Enrolled:
        """A certificate, or Refused / BadInput."""
        ...

    def admits(self, sensor: str, fingerprint: str) -> bool:
        """Whether this certificate is the sensor's current one."""
        ...


class IngestListener:
    """``async with IngestListener(...)``: recovered and listening inside, drained and closed after it."""

    def __init__(
        self,
        log: SegmentLog,
        authority: Authority,
        desk: Desk,
        *,
        center: str,
        hosts: Sequence[str],
        port: int,
        on_batch: OnBatch | None = None,
    ) -> None:
        """``log`` is opened for writing; ``port`` 0 takes a free one, see ``port`` after entering."""
        self.counters = Counters()
        self.port = port
        self._center = center
        self._hosts = list(hosts)
        self._authority = authority
        self._desk = desk
        self._committer = Committer(log, self.counters, on_batch)
        self._tasks: set[asyncio.Task[None]] = set()
        self._strangers = 0
        self._context: ssl.SSLContext
        self._server: asyncio.Server | None = None
        self._committing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._context = tls.server_context(self._authority)
        await asyncio.to_thread(self._committer.recover)
        try:
            self._server = await asyncio.start_server(self._accept, self._hosts, self.port)
        except OSError as error:
            raise _port_unavailable(self._hosts, self.port, error) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._committing = asyncio.create_task(self._committer.run(), name="ingest-commit")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for _turn in range(_ACCEPT_TURNS):
            await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._committing is not None:
            await self._committer.stop()
            await self._committing

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from before its handshake to its last byte; counted, and ended by closing."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) <= CONNECTIONS_MAX:
                # The first await: were there one before it, the reader could take the client's first bytes.
                await writer.start_tls(self._context, ssl_handshake_timeout=HANDSHAKE_SECONDS)
                await _Connection(self, reader, writer).serve()
        except OSError as error:  # ssl.SSLError is one
            logger.info("handshake: %s", error)
        except asyncio.CancelledError:
            pass  # the listener closes; nothing awaits this task's result
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Connection:
    """One peer's conversation."""

    def __init__(
        self, listener: IngestListener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._listener = listener
        self._reader = reader
        self._writer = writer
        self._credit = asyncio.Semaphore(CREDIT_BATCHES)
        self._acks: set[asyncio.Task[None]] = set()
        self._admitted = 0.0
        peer: ssl.SSLObject = writer.get_extra_info("ssl_object")
        self._name: PeerName | None = tls.peer_name(peer.getpeercert())
        certificate = peer.getpeercert(binary_form=True)
        self._fingerprint = tls.der_fingerprint(certificate) if certificate else ""
        self._decoder = Decoder(messages.GREETING_BYTES_MAX)

    async def serve(self) -> None:
        """Answer until the peer leaves, errs, or is too slow."""
        try:
            if self._name is None:
                await self._serve_stranger()
            else:
                await self._serve_sensor(self._name)
        except LiuheError as error:
            self._listener.counters.refused += 1
            logger.warning("%s: %s", self._peer(), error)
            await self._farewell(error)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            logger.info("%s: %s", self._peer(), str(error) or type(error).__name__)
        finally:
            for task in self._acks:
                task.cancel()

    async def _serve_stranger(self) -> None:
        listener = self._listener
        if listener._strangers >= STRANGERS_MAX:
            return
        listener._strangers += 1
        try:
            async with asyncio.timeout(STRANGER_SECONDS):
                while received := await self._receive():
                    for message in received:
                        await self._answer_stranger(message)
        finally:
            listener._strangers -= 1

    async def _answer_stranger(self, message: Message) -> None:
        desk = self._listener._desk
        if isinstance(message, AuthorityRequest):
            await self._send(messages.Authority(certificate=desk.authority_pem()))
        elif isinstance(message, EnrolRequest):
            enrolled = await asyncio.to_thread(desk.enrol, message)
            logger.info("%s: enrolled as %s of %s", self._peer(), enrolled.sensor, enrolled.unit)
            await self._send(enrolled)
        else:
            raise _unexpected("enrol first")

    async def _serve_sensor(self, name: PeerName) -> None:
        await self._check_admission(name)
        greeted = False
        self._decoder.message_bytes_max = messages.MESSAGE_BYTES_MAX
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                received = await self._receive()
            if not received:
                return
            for message in received:
                if isinstance(message, Hello) and not greeted and message.sensor == name.sensor:
                    greeted = True
                    await self._send(Welcome(center=self._listener._center, credit=CREDIT_BATCHES))
                elif isinstance(message, Batch) and greeted:
                    await self._take(name, message)
                else:
                    raise _unexpected("hello with the certificate's sensor id, then batches")

    async def _take(self, name: PeerName, batch: Batch) -> None:
        """Verify a batch and queue it; reading goes on while the credit lasts."""
        if batch.sensor != name.sensor:
            raise messages.malformed("the batch names another sensor than the certificate", "sensor")
        await self._credit.acquire()
        await self._check_admission(name)
        foreign = await asyncio.to_thread(lambda: foreign_senders(batch_lines(batch), name.sensor))
        if foreign:
            raise messages.malformed(f"{foreign} events name another sensor", "body")
        done = await self._listener._committer.submit(name, batch)
        task = asyncio.create_task(self._acknowledge(batch, done))
        self._acks.add(task)
        task.add_done_callback(self._acks.discard)

    async def _acknowledge(self, batch: Batch, done: "asyncio.Future[None]") -> None:
        try:
            await done
        except LiuheError as error:
            await self._farewell(error)
            self._writer.transport.abort()
            return
        self._credit.release()
        with suppress(OSError):
            await self._send(Ack(epoch=batch.epoch, lane=batch.lane, sequence=batch.last))

    async def _check_admission(self, name: PeerName) -> None:
        now = asyncio.get_running_loop().time()
        if self._admitted and now - self._admitted < ADMISSION_SECONDS:
            return
        if not await asyncio.to_thread(self._listener._desk.admits, name.sensor, self._fingerprint):
            raise Refused(
                "sensor-revoked",
                Words("此传感器的证书未登记或已吊销", "this sensor's certificate is unknown or revoked"),
                Words("请重新注册传感器", "enrol the sensor again"),
                field=name.sensor,
            )
        self._admitted = now

    async def _receive(self) -> list[Message]:
        """At least one message; [] where the peer has left."""
        while data := await self._reader.read(_READ_BYTES):
            if found := self._decoder.feed(data):
                return found
        return []

    async def _send(self, message: Message) -> None:
        if self._writer.transport.get_write_buffer_size() > WRITE_BUFFER_BYTES_MAX:
            self._writer.transport.abort()
            return
        self._writer.write(encode_message(message))
        await self._writer.drain()

    async def _farewell(self, error: LiuheError) -> None:
        """Say why, then leave; a peer that does not listen is not waited for."""
        problem = Problem(code=error.code[:64], zh=error.what.zh[:500], en=error.what.en[:500])
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                await self._send(problem)
                self._writer.close()
                await self._writer.wait_closed()

    def _peer(self) -> str:
        address = self._writer.get_extra_info("peername")
        who = self._name.sensor if self._name is not None else "stranger"
        return f"{who} at {address[0] if address else 'unknown'}"


def _unexpected(wanted: str) -> BadInput:
    return messages.malformed(f"unexpected message, wanted: {wanted}", "type")


def _port_unavailable(hosts: Sequence[str], port: int, error: OSError) -> LiuheError:
    reason = error.strerror or str(error)
    return LiuheError(
        "ingest-port",
        Words(f"接入端口打不开:{reason}", f"the ingest port cannot be opened: {reason}"),
        Words("请换一个端口或停止占用它的程序", "choose another port, or stop the program that has it"),
        field=f"{','.join(hosts)}:{port}",
    )
