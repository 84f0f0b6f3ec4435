"""One sensor's conversation with the center: hello, batches verified and queued, acknowledgements, credit.

The stream below it is anything that reads and writes bytes of a peer whose certificate was judged; in
service that is ``crypto.sm_async.SmAsyncStream``. Protocol: docs/reference/formats/wire.md.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from crypto.keys import PublicKey
from crypto.words import LiuheError, Refused
from sensors import messages
from sensors.delivery import other_protocol
from sensors.messages import (
    Ack,
    Batch,
    Configuration,
    Credit,
    Decoder,
    Hello,
    Message,
    PacketsFound,
    PacketsWanted,
    Ping,
    Pong,
    Problem,
    Renew,
    Renewed,
    RevocationLists,
    Welcome,
    encode_message,
)
from sensors.signed_batch import verify_batch
from sensors.wire import body_lines, foreign_senders
from soc_api.ingest_commit import Committer, Counters, Source
from soc_api.ingest_pressure import CREDIT_BATCHES
from soc_api.ingest_recent import Digests, digests_of
from soc_api.ingest_roll import Roll
from soc_api.watermarks import Boot

HELLO_SECONDS: Final = 20.0
IDLE_SECONDS: Final = 120.0  # a sensor speaks every 10 s
ADMISSION_SECONDS: Final = 20.0  # how long a revoked sensor may go on at most
LINGER_SECONDS: Final = 2.0  # for the last words to arrive: a reset would overtake them
WRITE_BUFFER_BYTES_MAX: Final = 256 * 1024  # a peer that does not read its answers is cut off
_READ_BYTES: Final = 64 * 1024

logger = logging.getLogger(__name__)


class Stream(Protocol):
    """The bytes of one connection."""

    @property
    def address(self) -> str:
        """Where the peer is, for logs."""
        ...

    @property
    def unsent_bytes(self) -> int:
        """What the peer has not taken yet."""
        ...

    async def read(self, size: int = ...) -> bytes:
        """Some bytes; b"" where the peer has ended."""
        ...

    def write(self, data: bytes) -> None:
        """Queue."""
        ...

    async def drain(self) -> None:
        """Wait while too much is queued."""
        ...

    def close(self) -> None:
        """What was written still goes out."""
        ...

    def abort(self) -> None:
        """Cut it off at once."""
        ...


class Control(Protocol):
    """Certificates and configuration for sensors; ``soc_api.sensor_control``. Blocking calls."""

    def renew(self, sensor: str, fingerprint: str, request: Renew) -> Renewed:
        """A new certificate, or Refused / BadInput."""
        ...

    def newest(self) -> int:
        """The version of the newest configuration."""
        ...

    def configuration(self, sensor: str, held: int) -> Configuration | None:
        """What a sensor that holds this version is to have instead."""
        ...


class Packets(Protocol):
    """Raw packets that the console asks for; ``soc_api.packet_desk.PacketCounter``. Blocking calls."""

    def wanted(self) -> dict[str, list[PacketsWanted]]:
        """Open wishes by sensor."""
        ...

    def none_kept(self, wishes: Sequence[PacketsWanted]) -> None:
        """The sensor keeps no packets."""
        ...

    def take(self, sensor: str, found: PacketsFound) -> None:
        """A part of an answer, or BadInput."""
        ...


class Caller(Protocol):
    """The judged other end; ``crypto.link_peers.Peer``."""

    @property
    def id(self) -> str:
        """The sensor."""
        ...

    @property
    def key_id(self) -> str:
        """Of its certificate's key."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of its certificate."""
        ...


@dataclass(kw_only=True)
class Hall:
    """What the sessions of one listener share."""

    center: str
    committer: Committer
    counters: Counters
    roll: Roll
    control: Control | None = None
    packets: Packets | None = None
    lists: Callable[[], str] | None = None
    """The newest revocation lists, PEM."""
    credit: int = CREDIT_BATCHES
    """What every connection has now; the listener changes it and lets the sessions say so."""


class Session:
    """One judged sensor; ``serve`` to the end of its connection."""

    def __init__(
        self, hall: Hall, stream: Stream, caller: Caller, key: PublicKey, admit: Callable[[], str]
    ) -> None:
        """``key`` is the certificate's; ``admit`` gives the unit or raises Refused; blocking."""
        self.sensor: Final = caller.id
        self.fingerprint: Final = caller.fingerprint
        self.address: Final = stream.address
        self.boot = Boot(0, bytes.fromhex(caller.key_id))
        self._hall: Final = hall
        self._stream: Final = stream
        self._key: Final = key
        self._admit: Final = admit
        self._admitted = 0.0
        self._source: Final = Source("")
        self._decoder: Final = Decoder()
        self._slots: Final = asyncio.Semaphore(CREDIT_BATCHES)
        self._acks: Final[set[asyncio.Task[None]]] = set()
        self._probe: tuple[int, asyncio.Future[bool]] | None = None
        self._parting = False
        self._told_credit = 0
        self._held = 0  # version of the configuration
        self._keeps_packets = False
        self._asked: Final[set[str]] = set()  # requests for packets, of this connection
        self._told_lists = ""

    async def serve(self) -> None:
        """Answer until the peer leaves, errs, or is too slow."""
        try:
            await self._check_admission()
            await self._greet()
            try:
                await self._converse()
            finally:
                self._hall.roll.leave(self)
        except LiuheError as error:
            self._hall.counters.refused += 1
            logger.warning("%s at %s: %s", self.sensor, self.address, error)
            await self.end(error)
            await self._linger()
        except (OSError, TimeoutError) as error:
            logger.info("%s at %s: %s", self.sensor, self.address, str(error) or type(error).__name__)
        finally:
            self._answer_probe(lives=False)
            for task in self._acks:
                task.cancel()

    async def alive(self, seconds: float) -> bool:
        """Whether the peer answers a ping; False as soon as the connection ends."""
        if self._parting:
            return False
        nonce = secrets.randbits(62)
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._probe = (nonce, asked)
        try:
            async with asyncio.timeout(seconds):
                await self._send(Ping(nonce=nonce))
                return await asked
        except (OSError, TimeoutError):
            return False

    async def end(self, error: LiuheError) -> None:
        """Say why; what comes after that is not listened to, and soon the line is cut."""
        if self._parting:
            return
        self._parting = True
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._stream.abort)
        problem = Problem(code=error.code[:64], zh=error.what.zh[:500], en=error.what.en[:500])
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._send(problem)

    async def say_credit(self, *, again: bool) -> None:
        """Tell the credit where it has changed, or ``again`` where there is none."""
        credit = self._hall.credit
        if not self._parting and (credit != self._told_credit or (again and not credit)):
            self._told_credit = credit
            with suppress(OSError):
                await self._send(Credit(batches=credit))

    async def configure(self, newest: int) -> None:
        """Send the configuration where the sensor holds an older one."""
        control = self._hall.control
        if control is None or self._parting or newest <= self._held:
            return
        try:
            found = await asyncio.to_thread(control.configuration, self.sensor, self._held)
            self._held = newest
            if found is not None:
                await self._send(found)
        except OSError:
            return  # its own task notices
        except LiuheError as error:
            logger.warning("%s: configuration: %s", self.sensor, error)

    async def want_packets(self, wishes: Sequence[PacketsWanted]) -> None:
        """Pass on the console's wishes, each once a connection."""
        packets = self._hall.packets
        if packets is None or self._parting or not wishes:
            return
        if not self._keeps_packets:
            await asyncio.to_thread(packets.none_kept, wishes)
            return
        for wish in wishes:
            if wish.request not in self._asked:
                self._asked.add(wish.request)
                with suppress(OSError):
                    await self._send(wish)

    async def revocations(self, lists: str) -> None:
        """Send the revocation lists where they have changed; the sensor verifies them itself."""
        if not self._parting and lists and lists != self._told_lists:
            self._told_lists = lists
            with suppress(OSError):
                await self._send(RevocationLists(lists=lists))

    async def _greet(self) -> None:
        async with asyncio.timeout(HELLO_SECONDS):
            first = await self._receive()
        if not first:
            raise ConnectionResetError("closed before hello")
        hello, *more = first
        if not isinstance(hello, Hello) or hello.sensor != self.sensor or more:
            raise messages.malformed("wanted: hello with the certificate's sensor id, then nothing", "type")
        if hello.protocol != messages.PROTOCOL:
            raise other_protocol(hello.protocol)
        self.boot = Boot(hello.epoch, self.boot.key)
        self._held = hello.configuration
        self._keeps_packets = hello.packets
        await self._hall.roll.enter(self)
        self._told_credit = self._hall.credit
        await self._send(Welcome(center=self._hall.center, credit=self._told_credit))
        if self._hall.lists is not None:
            await self.revocations(self._hall.lists())
        if self._hall.control is not None:
            await self.configure(await asyncio.to_thread(self._hall.control.newest))

    async def _converse(self) -> None:
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                received = await self._receive()
            if not received:
                return
            for message in received:
                if not self._parting:
                    await self._take(message)

    async def _take(self, message: Message) -> None:
        match message:
            case Batch():
                await self._store(message)
            case Pong(nonce=nonce) if self._probe is not None and nonce == self._probe[0]:
                self._answer_probe(lives=True)
            case Renew() if self._hall.control is not None:
                renew = self._hall.control.renew
                await self._check_admission()
                await self._send(await asyncio.to_thread(renew, self.sensor, self.fingerprint, message))
            case PacketsFound() if self._hall.packets is not None and message.request in self._asked:
                await asyncio.to_thread(self._hall.packets.take, self.sensor, message)
            case _:
                raise messages.malformed("unexpected message", "type")

    async def _store(self, batch: Batch) -> None:
        """Verify a batch and queue it; reading goes on while there are slots."""
        if batch.sensor != self.sensor:
            raise messages.malformed("the batch names another sensor than the certificate", "sensor")
        await self._slots.acquire()
        await self._check_admission()
        digests = await asyncio.to_thread(examined, batch, self._key)
        done = await self._hall.committer.submit(self._source, batch, digests)
        task = asyncio.create_task(self._acknowledge(batch, done))
        self._acks.add(task)
        task.add_done_callback(self._acks.discard)

    async def _acknowledge(self, batch: Batch, done: "asyncio.Future[None]") -> None:
        try:
            await done
        except LiuheError as error:
            if error.code == "sensor-cloned" and isinstance(error, Refused) and not self._parting:
                await self._hall.roll.quarantine(self, error)
            await self.end(error)
            return
        finally:
            self._slots.release()  # also of what failed: the reading task must come to see the end
        with suppress(OSError):
            await self._send(Ack(epoch=batch.epoch, lane=batch.lane, sequence=batch.last))

    async def _check_admission(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._admitted or now - self._admitted >= ADMISSION_SECONDS:
            self._source.unit = await asyncio.to_thread(self._admit)
            self._admitted = now

    async def _receive(self) -> list[Message]:
        """At least one message; [] where the peer has left."""
        while data := await self._stream.read(_READ_BYTES):
            if found := self._decoder.feed(data):
                return found
        return []

    async def _send(self, message: Message) -> None:
        if self._stream.unsent_bytes > WRITE_BUFFER_BYTES_MAX:
            self._stream.abort()
            raise ConnectionAbortedError("the peer does not read its answers")
        self._stream.write(encode_message(message))
        await self._stream.drain()

    async def _linger(self) -> None:
        """Let the last words arrive; the timer of ``end`` bounds it."""
        with suppress(OSError):
            while await self._stream.read(_READ_BYTES):
                continue

    def _answer_probe(self, *, lives: bool) -> None:
        if self._probe is not None and not self._probe[1].done():
            self._probe[1].set_result(lives)


def examined(batch: Batch, key: PublicKey) -> Digests:
    """Verify signature, digest, sizes, count and senders of a batch. Raises Refused, BadInput."""
    verify_batch(batch, key)
    lines = body_lines(batch)
    if foreign := foreign_senders(lines, batch.sensor):
        raise messages.malformed(f"{foreign} events name another sensor", "body")
    return digests_of(lines)
