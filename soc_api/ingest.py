"""The center's door for sensors: SM TLS on a port of its own, batches in, acknowledgements out.

A client whose certificate this center's authority issued may deliver batches of the sensor named in it; a
client without one may only fetch the root and enrol. One bad connection is answered, logged without secrets
and closed; the others go on. Protocol: docs/reference/formats/wire.md, link: docs/reference/link.md.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol, Self

from crypto.sm_async import SmAsyncStream, accept
from crypto.words import LiuheError, Words
from sensors import messages
from sensors.event import LogSource, Value
from sensors.messages import (
    AuthorityRequest,
    Decoder,
    Enrolled,
    EnrolRequest,
    Message,
    Problem,
    encode_message,
)
from sensors.segment_log import SegmentLog
from soc_api.center_link import UPKEEP_SECONDS, CenterLink
from soc_api.enrolment import Admission
from soc_api.ingest_commit import Committer, Counters, OnBatch
from soc_api.ingest_pressure import Pressure
from soc_api.ingest_report import Reporter
from soc_api.ingest_roll import Roll
from soc_api.ingest_session import Control, Hall, Packets, Session

CONNECTIONS_MAX: Final = 4_096
BACKLOG: Final = 512  # connections that the system accepts for us while we shake other hands
STRANGERS_MAX: Final = 16  # connections without a certificate at the same time
STRANGER_SECONDS: Final = 20.0  # they enrol in this time or leave
HANDSHAKE_SECONDS: Final = 30.0  # two thousand sensors may come back at once
FAREWELL_SECONDS: Final = 2.0
CREDIT_SECONDS: Final = 1.0
CONFIGURATION_SECONDS: Final = 5.0
PACKETS_SECONDS: Final = 1.0  # somebody waits
ACTS_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 20.0  # a center that gives no credit says so again this often
_TRANSFER: Final = LogSource(product="liuhe", service="transfer", category="transfer")
_ACCEPT_TURNS: Final = 5  # of the loop, until a connection accepted just before closing is among the tasks

logger = logging.getLogger(__name__)


class Desk(Protocol):
    """Who may come in; ``soc_api.enrolment.EnrolmentDesk``. Blocking calls."""

    def authority_pem(self) -> str:
        """The center's root and issuers."""
        ...

    def enrol(self, request: EnrolRequest) -> Enrolled:
        """A certificate, or Refused / BadInput."""
        ...

    def admission(self, sensor: str, fingerprint: str) -> Admission:
        """What a certificate opens, or Refused."""
        ...

    def hold(self, sensor: str, reason: str) -> None:
        """Quarantine a sensor until it is enrolled anew."""
        ...


class Act(Protocol):
    """Something the center itself did that belongs among the events; without fields it does not."""

    @property
    def time(self) -> datetime: ...

    @property
    def fields(self) -> dict[str, Value]: ...


class Acts(Protocol):
    """The outbox of acts; ``soc_api.transfer_event_store.TransferEventStore``. Blocking calls."""

    def due(self) -> Sequence[Act]:
        """Acts not yet told, oldest first."""
        ...

    def done(self, told: Any) -> None:
        """This one and those before it are in the log."""
        ...


class IngestListener:
    """``async with IngestListener(...)``: recovered and listening inside, drained and closed after it."""

    def __init__(
        self,
        log: SegmentLog,
        link: CenterLink,
        desk: Desk,
        *,
        center: str,
        unit: str,
        hosts: Sequence[str],
        port: int,
        control: Control | None = None,
        packets: Packets | None = None,
        acts: Acts | None = None,
        detected: Callable[[], int] | None = None,
        on_batch: OnBatch | None = None,
    ) -> None:
        """``log`` is opened for writing; ``port`` 0 takes a free one, see ``port`` after entering.

        ``detected`` gives the position in the log that detection has reached: far behind, credit ends.
        """
        self.counters = Counters()
        self.port = port
        self._hosts: Final = list(hosts)
        self._link: Final = link
        self._desk: Final = desk
        self._detected: Final = detected
        self._committer: Final = Committer(log, self.counters, on_batch)
        self._reporter: Final = Reporter(self._committer, link.authority.identity().key, unit)
        self._acts: Final = acts
        self._roll: Final = Roll(self._committer.newest, self._hold, self._reporter.tell)
        self._hall: Final = Hall(
            center=center,
            committer=self._committer,
            counters=self.counters,
            roll=self._roll,
            control=control,
            packets=packets,
            lists=link.lists,
        )
        self._pressure: Final = Pressure()
        self._tasks: set[asyncio.Task[None]] = set()
        self._strangers = 0
        self._server: asyncio.Server | None = None
        self._committing: asyncio.Task[None] | None = None
        self._jobs: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._link.context()
        await asyncio.to_thread(self._committer.recover)
        try:
            self._server = await asyncio.start_server(self._accept, self._hosts, self.port, backlog=BACKLOG)
        except OSError as error:
            raise _port_unavailable(self._hosts, self.port, error) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._committing = asyncio.create_task(self._committer.run(), name="ingest-commit")
        self._jobs = [
            asyncio.create_task(_every(CREDIT_SECONDS, self._give_credit), name="ingest-credit"),
            asyncio.create_task(_every(UPKEEP_SECONDS, self._keep_lists), name="ingest-lists"),
            asyncio.create_task(_every(CONFIGURATION_SECONDS, self._configure), name="ingest-configuration"),
            asyncio.create_task(_every(PACKETS_SECONDS, self._want_packets), name="ingest-packets"),
            asyncio.create_task(_every(ACTS_SECONDS, self._tell_acts), name="ingest-acts"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for _turn in range(_ACCEPT_TURNS):
            await asyncio.sleep(0)
        for task in (*self._tasks, *self._jobs):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._jobs, return_exceptions=True)
        if self._committing is not None:
            await self._committer.stop()
            await self._committing

    @property
    def connected(self) -> int:
        """How many sensors are connected and greeted."""
        return len(self._roll)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from before its handshake to its last byte; counted, and ended by closing."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        address = writer.get_extra_info("peername")
        where = str(address[0]) if address else "unknown"
        try:
            if len(self._tasks) <= CONNECTIONS_MAX:
                stream = await accept(reader, writer, self._link.context(), HANDSHAKE_SECONDS)
                await (self._serve_sensor(stream) if stream.peer_chain else self._serve_stranger(stream))
        except LiuheError as error:
            self.counters.refused += 1
            logger.warning("%s: %s", where, error)
        except OSError as error:  # TlsError and TimeoutError are
            logger.info("%s: %s", where, str(error) or type(error).__name__)
        except asyncio.CancelledError:
            pass  # the listener closes; nothing awaits this task's result
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve_sensor(self, stream: SmAsyncStream) -> None:
        try:
            peer = await asyncio.to_thread(self._link.judge.sensor, stream.peer_chain)
        except LiuheError as error:
            await _farewell(stream, error)
            raise

        def admit() -> str:
            self._link.judge.sensor(stream.peer_chain)  # a list may have come meanwhile
            return self._desk.admission(peer.id, peer.fingerprint).unit

        await Session(self._hall, stream, peer, peer.verified.key, admit).serve()

    async def _serve_stranger(self, stream: SmAsyncStream) -> None:
        if self._strangers >= STRANGERS_MAX:
            return
        self._strangers += 1
        decoder = Decoder(messages.GREETING_BYTES_MAX)
        try:
            async with asyncio.timeout(STRANGER_SECONDS):
                while data := await stream.read():
                    for message in decoder.feed(data):
                        stream.write(encode_message(await self._answer(message, stream.address)))
                        await stream.drain()
        except LiuheError as error:
            await _farewell(stream, error)
            raise
        finally:
            self._strangers -= 1

    async def _answer(self, message: Message, where: str) -> Message:
        if isinstance(message, AuthorityRequest):
            return messages.Authority(certificate=await asyncio.to_thread(self._desk.authority_pem))
        if isinstance(message, EnrolRequest):
            enrolled = await asyncio.to_thread(self._desk.enrol, message)
            logger.info("%s: enrolled as %s of %s", where, enrolled.sensor, enrolled.unit)
            return enrolled
        raise messages.malformed("unexpected message, wanted: enrol first", "type")

    def _hold(self, sensor: str, reason: str) -> None:
        """Quarantine an identity that turned up twice: it opens nothing until it is enrolled anew."""
        self.counters.cloned += 1
        self._desk.hold(sensor, reason)

    async def _give_credit(self) -> None:
        hall, committer = self._hall, self._committer
        lag = 0
        if self._detected is not None:
            lag = committer.lag_events(await asyncio.to_thread(self._detected))
        hall.credit = self._pressure.credit(
            queue_share=committer.queue_share, lag_events=lag, failing=committer.failing
        )
        now = asyncio.get_running_loop().time()
        again = int(now / AGAIN_SECONDS) != int((now - CREDIT_SECONDS) / AGAIN_SECONDS)
        await self._all(lambda session: session.say_credit(again=again))

    async def _keep_lists(self) -> None:
        await asyncio.to_thread(self._link.upkeep)
        lists = self._link.lists()
        await self._all(lambda session: session.revocations(lists))

    async def _configure(self) -> None:
        if self._hall.control is not None:
            newest = await asyncio.to_thread(self._hall.control.newest)
            await self._all(lambda session: session.configure(newest))

    async def _want_packets(self) -> None:
        if self._hall.packets is not None and self._roll.live():
            wanted = await asyncio.to_thread(self._hall.packets.wanted)
            if wanted:
                await self._all(lambda session: session.want_packets(wanted.get(session.sensor, ())))

    async def _tell_acts(self) -> None:
        if self._acts is None:
            return
        for one in await asyncio.to_thread(self._acts.due):
            if one.fields and not await self._reporter.tell(one.fields, time=one.time, source=_TRANSFER):
                return  # it stays due
            await asyncio.to_thread(self._acts.done, one)

    async def _all(self, work: Callable[[Session], Awaitable[None]]) -> None:
        """Do something for every greeted session; a slow peer holds nobody up but its own."""
        sessions = [one for one in self._roll.live() if isinstance(one, Session)]
        await asyncio.gather(
            *(asyncio.wait_for(work(one), FAREWELL_SECONDS) for one in sessions), return_exceptions=True
        )


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do it again and again; what goes wrong once is said and tried again."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except (LiuheError, OSError) as error:
            logger.warning("%s", error)


async def _farewell(stream: SmAsyncStream, error: LiuheError) -> None:
    """Say why, then leave; a peer that does not listen is not waited for."""
    problem = Problem(code=error.code[:64], zh=error.what.zh[:500], en=error.what.en[:500])
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(FAREWELL_SECONDS):
            stream.write(encode_message(problem))
            await stream.drain()
            while await stream.read():  # a reset would overtake the words
                continue


def _port_unavailable(hosts: Sequence[str], port: int, error: OSError) -> LiuheError:
    reason = error.strerror or str(error)
    return LiuheError(
        "ingest-port",
        Words(f"接入端口打不开:{reason}", f"the ingest port cannot be opened: {reason}"),
        Words("请换一个端口或停止占用它的程序", "choose another port, or stop the program that has it"),
        field=f"{','.join(hosts)}:{port}",
    )
