"""The listener's committer: verified batches of all connections become frames of the center's log, once each.

Several connections' batches share one write and one sync. What is durable is acknowledged; what was stored
before is acknowledged without being stored again; of a partial repetition only the new part counts.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from crypto.tls import PeerName
from crypto.words import BadInput, LiuheError
from sensors.messages import Batch
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, open_frame, store_frame
from soc_api.watermarks import Watermarks

QUEUE_BATCHES_MAX: Final = 32  # of all connections, verified and not yet stored; each 2 MiB at most
CHECKPOINT_FRAMES: Final = 256
CHECKPOINT_SECONDS: Final = 30.0

logger = logging.getLogger(__name__)

OnBatch = Callable[[StoredHeader], None]


class Submission(NamedTuple):
    """A verified batch on its way into the log; ``done`` tells its connection."""

    peer: PeerName
    batch: Batch
    done: "asyncio.Future[None]"


class Counters(msgspec.Struct):
    """What the listener did since it started."""

    batches: int = 0
    events: int = 0
    repeated: int = 0  # events of batches that were stored before
    missing: int = 0  # sequences skipped within a boot; the sensor's gap records say why
    refused: int = 0  # connections closed because of what they sent


class Committer:
    """One per log. ``recover`` first, then ``run`` as a task; ``submit`` from any task of the same loop."""

    def __init__(self, log: SegmentLog, counters: Counters, on_batch: OnBatch | None = None) -> None:
        self._log = log
        self._counters = counters
        self._on_batch = on_batch
        self._queue: asyncio.Queue[Submission | None] = asyncio.Queue(QUEUE_BATCHES_MAX)
        self._marks = Watermarks()
        self._since_checkpoint = 0
        self._checkpointed = time.monotonic()

    def recover(self) -> None:
        """Learn from checkpoint and log what is stored already; blocking."""
        position, state = self._log.checkpoint_state()
        try:
            self._marks = Watermarks.decode(state)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            position = 0
        while frames := self._log.read(position):
            for frame in frames:
                try:
                    self._marks.advance(open_frame(frame.payload)[0])
                except BadInput:
                    logger.warning("frame %d of the log is not a batch", frame.sequence)
                position = frame.sequence
        self._checkpoint()

    async def submit(self, peer: PeerName, batch: Batch) -> "asyncio.Future[None]":
        """Queue a verified batch; waits while the queue is full. The future ends when it is durable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._queue.put(Submission(peer, batch, done))
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
            try:
                await self._commit(submitted)
            except LiuheError as error:
                logger.error("%s", error)  # noqa: TRY400 - the sentence is the whole story
                for one in submitted:
                    if not one.done.done():
                        one.done.set_exception(error)
            if len(submitted) < len(group):
                await asyncio.to_thread(self._checkpoint)
                return

    async def stop(self) -> None:
        """End ``run`` after what was submitted before; keep what is known."""
        await self._queue.put(None)

    async def _commit(self, group: list[Submission]) -> None:
        now = datetime.now(UTC)
        planned: dict[tuple[str, str, int], int] = {}
        headers: list[StoredHeader] = []
        payloads: list[bytes] = []
        for one in group:
            header = self._header(one, planned, now)
            if header is not None:
                headers.append(header)
                payloads.append(store_frame(header, encode_batch(one.batch)))
        if payloads:
            await asyncio.to_thread(self._log.append, payloads)
        for header in headers:
            self._marks.advance(header)
            self._counters.batches += 1
            self._counters.events += header.last - header.first + 1
        for one in group:
            if not one.done.done():
                one.done.set_result(None)
        for header in headers:
            if self._on_batch is not None:
                self._on_batch(header)
        self._since_checkpoint += len(headers)
        aged = time.monotonic() - self._checkpointed > CHECKPOINT_SECONDS
        if self._since_checkpoint >= CHECKPOINT_FRAMES or (aged and self._since_checkpoint):
            await asyncio.to_thread(self._checkpoint)

    def _header(
        self, one: Submission, planned: dict[tuple[str, str, int], int], now: datetime
    ) -> StoredHeader | None:
        """What of a batch is new, as its frame's header; None where nothing is."""
        batch = one.batch
        key = (batch.sensor, batch.lane, batch.epoch)
        known = max(self._marks.mark(*key), planned.get(key, 0))
        first = self._marks.first_new(*key, max(batch.first, planned.get(key, 0) + 1), batch.last)
        if first is None:
            self._counters.repeated += batch.count
            return None
        self._counters.repeated += first - batch.first
        if known and first > known + 1:
            self._counters.missing += first - known - 1
            logger.info("%s: %s %d..%d did not arrive", batch.sensor, batch.lane, known + 1, first - 1)
        planned[key] = batch.last
        return StoredHeader(
            sensor=batch.sensor,
            unit=one.peer.unit,
            epoch=batch.epoch,
            lane=batch.lane,
            first=first,
            last=batch.last,
            received=now,
        )

    def _checkpoint(self) -> None:
        """Durable watermarks up to the log's end: only then may those frames be released."""
        self._log.checkpoint(self._log.last, self._marks.encode())
        self._since_checkpoint = 0
        self._checkpointed = time.monotonic()
