"""A sensor's machine and a center's machine under a virtual disk, and what a run knows of both.

They run the product's own code: spool, delivery, codec and signatures, committer and log. Only the disk, the
clock and the wire between them are the simulation's.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 - seeded, so that a run can be repeated
from typing import Any, NamedTuple

from virtual_disk import Killed, VirtualDisk

from crypto.keys import PublicKey, SigningKey
from crypto.words import LiuheError
from sensors.delivery import Delivery
from sensors.event import Event, LogSource, Observation, decode, sequence_of
from sensors.gap import DATASET as GAP
from sensors.messages import LANE_SHIFT, LANES, Ack, Batch, Decoder, Hello, Message, Welcome, encode_message
from sensors.segment_log import SegmentLog
from sensors.signed_batch import Signer, verify_batch
from sensors.spool_core import SpoolCore
from sensors.wire import batch_lines, foreign_senders, frame_contents
from soc_api.ingest_commit import Committer, Counters, Source
from soc_api.ingest_recent import digests_of

SENSOR = "host-1"
UNIT = "unit-1"
QUOTA = {"alerts": 256 * 1024, "flows": 512 * 1024, "bulk": 512 * 1024}
NUMBER = "gov.simulation.number"
PADDING = "message"
DATASET = "event.dataset"

Place = tuple[str, int]  # lane and the lane's sequence


def place_of(event: Event) -> Place:
    """Where in its lane an event stands."""
    sequence = sequence_of(event.id)[1]
    return LANES[(sequence >> LANE_SHIFT) - 1], sequence & ((1 << LANE_SHIFT) - 1)


class Range(NamedTuple):
    """What a gap record says is lost."""

    lane: str
    first: int
    last: int
    reason: str

    def holds(self, place: Place) -> bool:
        """Whether it accounts for a place."""
        return place[0] == self.lane and self.first <= place[1] <= self.last


def range_of(event: Event) -> Range:
    """A gap record, read."""
    fields = event.fields
    assert fields[DATASET] == GAP
    first, last = fields["gov.gap.first"], fields["gov.gap.last"]
    assert isinstance(first, int)
    assert isinstance(last, int)
    return Range(str(fields["gov.gap.lane"]), first, last, str(fields["gov.gap.reason"]))


class Clock:
    """One machine's time: the wall may jump, the monotonic one never does."""

    def __init__(self, start: datetime) -> None:
        self.seconds = 0.0
        self.offset = timedelta(0)
        self._start = start

    def now(self) -> datetime:
        """The clock on the wall."""
        return self._start + self.offset + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds since the run began."""
        return self.seconds


class SensorMachine:
    """One sensor: events are put, made durable and delivered; the process dies and comes back."""

    def __init__(self, random: Random, clock: Clock, disk: VirtualDisk) -> None:
        self.disk = disk
        self.key = SigningKey.generate()
        self.core: SpoolCore | None = None
        self.delivery: Delivery | None = None
        self.put: dict[int, str] = {}  # number -> padding, everything ever handed to the spool
        self.durable: dict[Place, int] = {}  # what commit() said is durable
        self.durable_gaps: dict[Place, Range] = {}  # gap records among that
        self._random = random
        self._clock = clock

    def start(self) -> bool:
        """Start the process; False where the disk does not let it."""
        try:
            self.core = SpoolCore(
                Path("/spool"),
                sensor=SENSOR,
                unit=UNIT,
                quota_bytes=QUOTA,
                now=self._clock.now,
                monotonic=self._clock.monotonic,
                disk=self.disk,
                random_bits=self._random.getrandbits,
            )
        except (LiuheError, OSError):
            return False
        return True

    def die(self, *, power: bool) -> None:
        """The process is gone, with ``power`` also what the disk had not synced."""
        self.core = self.delivery = None
        if power:
            self.disk.power_cut()
        else:
            self.disk.restart()

    def observe(self, count: int) -> None:
        """A burst of events out of nowhere, in any lane."""
        assert self.core is not None
        for _ in range(count):
            number = len(self.put)
            padding = "x" * self._random.choice((0, 40, 200, 900)) + str(self._random.getrandbits(64))
            self.put[number] = padding
            self.core.take(
                Observation(
                    time=self._clock.now(),
                    logsource=LogSource(product="simulation"),
                    fields={NUMBER: number, PADDING: padding},
                    lane=self._random.choice(("alerts", "flows", "bulk", "bulk")),
                )
            )

    def commit(self) -> None:
        """One commit; what it confirms is what the run holds the sensor to."""
        assert self.core is not None
        waiting = [line for lines in self.core._buffer.values() for line in lines]
        try:
            self.core.commit()
        except LiuheError:
            return
        for line in waiting:
            event = decode(line)
            number = event.fields.get(NUMBER)
            if isinstance(number, int):
                self.durable[place_of(event)] = number
            else:
                self.durable_gaps[place_of(event)] = range_of(event)


class Inline(ThreadPoolExecutor):
    """Runs what it is given at once and here, so that a run does not depend on the scheduler."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See Executor."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - Killed too: the loop must see it
            future.set_exception(error)
        return future


class CenterMachine:
    """The center's log and committer; ``take`` is what the listener does with a verified connection."""

    def __init__(self, disk: VirtualDisk, random: Random) -> None:
        self.disk = disk
        self.keys: dict[bytes, PublicKey] = {}
        self.running = False
        self.acknowledged = 0
        self.refusal: BaseException | None = None  # why the last batch was not stored
        self._random = random
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(Inline())
        self._log: SegmentLog | None = None
        self._committer: Committer | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> bool:
        """Start the process; False where the disk does not let it."""
        try:
            self._log = SegmentLog.open(
                Path("/log"),
                name="log",
                segment_bytes_max=256 * 1024,
                writer=True,
                reserve=1_000,
                disk=self.disk,
                random_bits=self._random.getrandbits,
            )
            self._committer = Committer(self._log, Counters())
            self._committer.recover()
        except (LiuheError, OSError):
            self.disk.restart()
            return False
        self._task = self._loop.create_task(self._committer.run())
        self.running = True
        return True

    def die(self, *, power: bool) -> None:
        """The process is gone."""
        self.running = False
        if self._task is not None:
            self._task.cancel()
            self._loop.run_until_complete(asyncio.wait({self._task}))
            if not self._task.cancelled():
                self._task.exception()  # seen: it is how the process died
        self._task = self._committer = self._log = None
        if power:
            self.disk.power_cut()
        else:
            self.disk.restart()

    def store(self, batch: Batch) -> bool:
        """Verify and store a batch; False where the disk refuses it. Raises Killed."""
        assert self._committer is not None
        assert self._task is not None
        verify_batch(batch, self.keys[batch.key])
        assert not foreign_senders(batch_lines(batch), SENSOR)
        return self._loop.run_until_complete(self._store(batch))

    async def _store(self, batch: Batch) -> bool:
        assert self._committer is not None
        assert self._task is not None
        done = await self._committer.submit(Source(UNIT), batch, digests_of(batch_lines(batch)))
        await asyncio.wait({done, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            self._task.exception()
            raise Killed
        self.refusal = done.exception()
        return self.refusal is None

    def stored(self) -> list[Event]:
        """Everything the log holds, in order."""
        log = SegmentLog.open(Path("/log"), name="log", writer=False, disk=self.disk)
        events: list[Event] = []
        position = 0
        while frames := log.read(position):
            for frame in frames:
                contents = frame_contents(frame.payload)
                assert not contents.errors
                events += contents.events
                position = frame.sequence
        return events

    def close(self) -> None:
        """End of the run."""
        if self.running:
            self.die(power=False)
        self._loop.close()


class Link:
    """One connection: bytes in flight both ways, cut at any of them."""

    def __init__(self, sensor: SensorMachine, center: CenterMachine, clock: Clock, credit: int) -> None:
        assert sensor.core is not None
        signer = Signer(sensor.key)
        center.keys[bytes.fromhex(sensor.key.public.key_id)] = sensor.key.public
        sensor.delivery = Delivery(sensor.core, signer)
        self.seen: list[Batch] = []
        self._sensor = sensor
        self._center = center
        self._clock = clock
        self._credit = credit
        self._up = bytearray(
            encode_message(sensor.delivery.hello(version="1", kind="host", now=clock.monotonic()))
        )
        self._down = bytearray()
        self._center_decoder = Decoder()
        self._sensor_decoder = Decoder()

    def sensor_turn(self) -> None:
        """The sensor sends what it may."""
        delivery = self._sensor.delivery
        assert delivery is not None
        while (message := delivery.next(self._clock.monotonic())) is not None:
            self._up += encode_message(message)

    def deliver_up(self, size: int) -> bool:
        """Some bytes reach the center; False where it ends the connection. Raises Killed."""
        data = bytes(self._up[:size])
        del self._up[:size]
        return all(self._answer(message) for message in self._center_decoder.feed(data))

    def deliver_down(self, size: int) -> None:
        """Some bytes reach the sensor."""
        delivery = self._sensor.delivery
        assert delivery is not None
        data = bytes(self._down[:size])
        del self._down[:size]
        for message in self._sensor_decoder.feed(data):
            delivery.take(message, self._clock.monotonic())

    @property
    def in_flight(self) -> int:
        """Bytes on their way, both ways together."""
        return len(self._up) + len(self._down)

    def _answer(self, message: Message) -> bool:
        match message:
            case Hello():
                self._down += encode_message(Welcome(center="center", credit=self._credit))
            case Batch():
                self.seen.append(message)
                if not self._center.store(message):
                    return False
                self._center.acknowledged += message.count
                self._down += encode_message(
                    Ack(epoch=message.epoch, lane=message.lane, sequence=message.last)
                )
            case _:
                raise AssertionError(message)
        return True


def undisturbed(disk: VirtualDisk, act: Callable[[], None]) -> None:
    """Act while nothing befalls the disk."""
    chances, capacity = disk.chances, disk.capacity
    disk.chances, disk.kill_at, disk.capacity = {}, None, 1 << 40
    try:
        act()
    finally:
        disk.chances, disk.capacity = chances, capacity
