"""The listener's committer: verified batches of all connections become frames of the center's log, once each.

Several connections' batches share one write and one sync. What is durable is acknowledged; what was stored
before is acknowledged without being stored again; of a partial repetition only the new part counts. Once a
batch of a connection could not be stored, none that came behind it is: the watermark would hide the hole.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from crypto.words import BadInput, LiuheError, Refused, Words
from sensors.messages import Batch
from sensors.segment_format import Frame
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, body_lines, decode_batch, encode_batch, open_frame, store_frame
from soc_api.ingest_recent import Digests, Place, Recent, digests_of
from soc_api.watermarks import Boot, Watermarks

QUEUE_BATCHES_MAX: Final = 32  # of all connections, verified and not yet stored; each 2 MiB at most
CHECKPOINT_FRAMES: Final = 256
CHECKPOINT_SECONDS: Final = 30.0

logger = logging.getLogger(__name__)

OnBatch = Callable[[StoredHeader], None]


class Source:
    """One connection, as the committer sees it."""

    def __init__(self, unit: str) -> None:
        self.unit = unit  # as the register says; changes when the sensor is moved
        self.failed: LiuheError | None = None
        """Why nothing more of this connection is stored."""


class Submission(NamedTuple):
    """A verified batch on its way into the log; ``done`` tells its connection."""

    source: Source
    batch: Batch
    digests: Digests
    done: "asyncio.Future[None]"


class Counters(msgspec.Struct):
    """What the listener did since it started."""

    batches: int = 0
    events: int = 0
    repeated: int = 0  # events of batches that were stored before
    missing: int = 0  # sequences skipped within a boot; the sensor's gap records say why
    refused: int = 0  # connections closed because of what they sent
    cloned: int = 0  # identities quarantined


class _Planned(NamedTuple):
    header: StoredHeader
    one: Submission


class Committer:
    """One per log. ``recover`` first, then ``run`` as a task; ``submit`` from any task of the same loop."""

    def __init__(self, log: SegmentLog, counters: Counters, on_batch: OnBatch | None = None) -> None:
        self.failing = False  # the last attempt to store
        self._log = log
        self._counters = counters
        self._on_batch = on_batch
        self._queue: asyncio.Queue[Submission | None] = asyncio.Queue(QUEUE_BATCHES_MAX)
        self._marks = Watermarks()
        self._recent = Recent()
        self._unseen: deque[tuple[int, int]] = deque()  # position and events of the latest frames
        self._unseen_events = 0
        self._since_checkpoint = 0
        self._checkpointed = time.monotonic()

    def recover(self) -> None:
        """Learn from checkpoint and log what is stored already; blocking."""
        position, state = self._log.checkpoint_state()
        try:
            self._marks = Watermarks.decode(state)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            position = 0
        position = max(0, position - CHECKPOINT_FRAMES)  # what the latest events looked like
        while frames := self._log.read(position):
            for frame in frames:
                self._learn(frame)
                position = frame.sequence
        self._checkpoint()

    @property
    def queue_share(self) -> float:
        """How full the queue is."""
        return self._queue.qsize() / QUEUE_BATCHES_MAX

    def newest(self, sensor: str) -> Boot:
        """The newest boot of a sensor of which something is stored."""
        return self._marks.newest(sensor)

    def lag_events(self, position: int) -> int:
        """How many events lie in the log behind a reader's position, as far as they came since the start."""
        while self._unseen and self._unseen[0][0] <= position:
            self._unseen_events -= self._unseen.popleft()[1]
        return self._unseen_events

    async def submit(self, source: Source, batch: Batch, digests: Digests) -> "asyncio.Future[None]":
        """Queue a verified batch; waits while the queue is full. The future ends when it is durable.

        It fails with LiuheError where the batch cannot be stored, with Refused (sensor-cloned) where it
        contradicts what is stored.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._queue.put(Submission(source, batch, digests, done))
        return done

    async def run(self) -> None:
        """Commit until ``stop``; a failed commit fails its submissions, not the task.

        Never cancel it: a sync under way would end without its watermark.
        """
        while True:
            group = [await self._queue.get()]
            while len(group) < QUEUE_BATCHES_MAX and not self._queue.empty():
                group.append(self._queue.get_nowait())
            submitted = [one for one in group if one is not None]
            await self._commit(submitted)
            if len(submitted) < len(group):
                await asyncio.to_thread(self._checkpoint)
                return

    async def stop(self) -> None:
        """End ``run`` after what was submitted before; keep what is known."""
        await self._queue.put(None)

    async def _commit(self, group: list[Submission]) -> None:
        planned = self._plan(group, datetime.now(UTC))
        if planned:
            payloads = [store_frame(one.header, encode_batch(one.one.batch)) for one in planned]
            try:
                positions = await asyncio.to_thread(self._log.append, payloads)
            except LiuheError as error:
                self.failing = True
                logger.error("%s", error)  # noqa: TRY400 - the sentence is the whole story
                for one in group:
                    one.source.failed = one.source.failed or error
            else:
                self.failing = False
                self._stored(planned, positions)
        for submission in group:
            _tell(submission)
        if self._on_batch is not None and not self.failing:
            for header, _ in planned:
                self._on_batch(header)
        aged = time.monotonic() - self._checkpointed > CHECKPOINT_SECONDS
        if self._since_checkpoint >= CHECKPOINT_FRAMES or (aged and self._since_checkpoint):
            try:
                await asyncio.to_thread(self._checkpoint)
            except LiuheError as error:
                logger.error("checkpoint: %s", error)  # noqa: TRY400 - it is tried again

    def _plan(self, group: list[Submission], now: datetime) -> list[_Planned]:
        """The headers of what is new; a connection that contradicts what is stored is failed."""
        ends: dict[Place, int] = {}
        planned: list[_Planned] = []
        for one in group:
            batch = one.batch
            place = Place(batch.sensor, batch.lane, batch.epoch)
            if one.source.failed is not None:
                continue
            if other := self._recent.differs(place, batch.first, one.digests):
                one.source.failed = cloned("other-content", f"{batch.lane} {batch.epoch}:{other}")
                continue
            self._recent.note(place, batch.first, one.digests)
            header = self._header(one, place, ends, now)
            if header is not None:
                planned.append(_Planned(header, one))
        return planned

    def _header(
        self, one: Submission, place: Place, ends: dict[Place, int], now: datetime
    ) -> StoredHeader | None:
        """What of a batch is new, as its frame's header; None where nothing is."""
        batch = one.batch
        known = max(self._marks.mark(*place), ends.get(place, 0))
        first = self._marks.first_new(*place, max(batch.first, ends.get(place, 0) + 1), batch.last)
        if first is None:
            self._counters.repeated += batch.count
            return None
        self._counters.repeated += first - batch.first
        if known and first > known + 1:
            self._counters.missing += first - known - 1
            logger.info("%s: %s %d..%d did not arrive", batch.sensor, batch.lane, known + 1, first - 1)
        ends[place] = batch.last
        return StoredHeader(
            sensor=batch.sensor,
            unit=one.source.unit,
            epoch=batch.epoch,
            lane=batch.lane,
            first=first,
            last=batch.last,
            received=now,
        )

    def _stored(self, planned: list[_Planned], positions: range) -> None:
        for position, (header, one) in zip(positions, planned, strict=True):
            self._marks.advance(header, one.batch.key)
            self._saw(position, header)
            self._counters.batches += 1
            self._counters.events += header.last - header.first + 1
        self._since_checkpoint += len(planned)

    def _saw(self, position: int, header: StoredHeader) -> None:
        count = header.last - header.first + 1
        self._unseen.append((position, count))
        self._unseen_events += count

    def _learn(self, frame: Frame) -> None:
        """Take note of a frame that was stored before this process began."""
        try:
            header, message = open_frame(frame.payload)
            batch = decode_batch(message)
            digests = digests_of(body_lines(batch))
        except BadInput:
            logger.warning("frame %d of the log is not a batch", frame.sequence)
            return
        self._marks.advance(header, batch.key)
        self._recent.note(Place(batch.sensor, batch.lane, batch.epoch), batch.first, digests)
        self._saw(frame.sequence, header)

    def _checkpoint(self) -> None:
        """Durable watermarks up to the log's end: only then may those frames be released."""
        self._log.checkpoint(self._log.last, self._marks.encode())
        self._since_checkpoint = 0
        self._checkpointed = time.monotonic()


def _tell(one: Submission) -> None:
    if one.done.done():
        return
    if one.source.failed is not None:
        one.done.set_exception(one.source.failed)
    else:
        one.done.set_result(None)


def cloned(reason: str, detail: str) -> Refused:
    """What both owners of a cloned identity are told; ``field`` says how it was seen."""
    return Refused(
        "sensor-cloned",
        Words(
            f"同一身份有两个传感器在使用({detail}),均已隔离",
            f"two sensors use this identity ({detail}): both are quarantined",
        ),
        Words(
            "请查明哪一台是冒用的,吊销证书,再以新令牌重新注册",
            "find out which is the copy, revoke the certificate, and enrol again with a new token",
        ),
        field=reason,
    )
