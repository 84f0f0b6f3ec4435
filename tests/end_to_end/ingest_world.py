"""A center's door for sensors in a thread, and a sensor driven by hand, for tests of both together."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from crypto.link_authority import LinkAuthority
from detection.store.state import open_state
from sensors.address import Address
from sensors.enrol import enrol
from sensors.event import LogSource, Observation, encode, stamp
from sensors.link import SensorLink
from sensors.messages import Batch, Decoder, Hello, Message, RevocationLists, encode_message
from sensors.segment_log import SegmentLog
from sensors.settings import Settings, load_settings
from sensors.signed_batch import Signer
from sensors.wire import frame_contents, lane_sequence, make_batch
from soc_api.center_link import CenterLink
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.ingest import IngestListener
from soc_api.packet_desk import PacketCounter
from soc_api.packet_files import PacketFiles
from soc_api.packet_store import PacketStore

QUOTA = {"alerts": 8 << 20, "flows": 8 << 20, "bulk": 8 << 20}
LOOPBACKS = ["127.0.0.1"]
SECONDS = 60.0  # a bound for a loaded machine, not a wait


class Center:
    """A center's keys, state, log and (while ``listening``) its door."""

    def __init__(self, folder: Path) -> None:
        now = datetime.now(UTC)
        self.folder = folder
        self.authority = LinkAuthority(folder / "keys")
        self.authority.create("city", now)
        self.engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
        self.store = EnrolmentStore(self.engine)
        self.desk = EnrolmentDesk(self.store, self.authority, "city")
        self.packets = PacketStore(self.engine)
        self.packet_files = PacketFiles(folder / "packets", bytes(32))
        self.port = 0

    def token(self, valid: timedelta = timedelta(hours=1)) -> str:
        return self.desk.give_token(
            unit="大数据局", addresses=[f"127.0.0.1:{self.port}"], actor="t", valid=valid
        )

    @contextmanager
    def listening(self) -> Iterator[IngestListener]:
        """The listener in a thread with a loop of its own."""
        started, stop = threading.Event(), threading.Event()
        found: list[IngestListener] = []

        async def serve() -> None:
            log = SegmentLog.open(self.folder / "log", name="center", writer=True, reserve=1024)
            try:
                async with IngestListener(
                    log,
                    CenterLink(self.authority),
                    self.desk,
                    center="city",
                    unit="大数据局",
                    hosts=LOOPBACKS,
                    port=self.port,
                    packets=PacketCounter(self.packets, self.packet_files, lambda: datetime.now(UTC)),
                ) as listener:
                    self.port = listener.port
                    found.append(listener)
                    started.set()
                    await asyncio.to_thread(stop.wait)
            finally:
                log.close()

        thread = threading.Thread(target=asyncio.run, args=(serve(),))
        thread.start()
        assert started.wait(10)
        try:
            yield found[0]
        finally:
            stop.set()
            thread.join(10)

    def numbers(self) -> list[int]:
        """``n`` of every stored event, in the order of the log."""
        log = SegmentLog.open(self.folder / "log", name="center", writer=False)
        found: list[int] = []
        after = 0
        while frames := log.read(after):
            for frame in frames:
                contents = frame_contents(frame.payload)
                assert contents.errors == []
                found += [int(str(event.fields["n"])) for event in contents.events]
            after = frames[-1].sequence
        return found


def enrolled(center: Center, data: Path, sensor: str = "web01") -> Settings:
    enrol(data, center.token(), kind="host", sensor=sensor)
    return load_settings(data)


def observations(numbers: range) -> list[Observation]:
    source = LogSource(product="linux")
    lanes = ["bulk", "flows", "alerts"]
    return [
        Observation(time=datetime.now(UTC), logsource=source, fields={"n": n}, lane=lanes[n % 3])
        for n in numbers
    ]


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


class Client:
    """A hand-driven sensor."""

    def __init__(self, center: Center, data: Path) -> None:
        self.link = SensorLink(data / "keys")
        self.stream, self.key, _ = self.link.connect(Address("127.0.0.1", center.port), SECONDS)
        self.stream.settimeout(SECONDS)
        self.decoder = Decoder()
        self.waiting: list[Message] = []

    def say(self, *messages: Message) -> None:
        for message in messages:
            signed = Signer(self.key).sign(message) if isinstance(message, Batch) else message
            self.stream.sendall(encode_message(signed))

    def ask(self, *messages: Message) -> Message:
        """The next answer that is about what was said."""
        self.say(*messages)
        while True:
            while not self.waiting:
                data = self.stream.recv()
                assert data, "closed without a word"
                self.waiting = self.decoder.feed(data)
            answer = self.waiting.pop(0)
            if isinstance(answer, RevocationLists):
                self.link.trust.take_lists(answer.lists.encode())
            else:
                return answer

    def poll(self) -> None:
        """Take in what has come, without an answer being awaited."""
        self.stream.settimeout(0.05)
        try:
            self.waiting += self.decoder.feed(self.stream.recv())
        except TimeoutError:
            pass
        finally:
            self.stream.settimeout(SECONDS)
        for message in [one for one in self.waiting if isinstance(one, RevocationLists)]:
            self.link.trust.take_lists(message.lists.encode())
            self.waiting.remove(message)

    def hello(self, sensor: str = "web01", epoch: int = 1) -> Message:
        return self.ask(Hello(sensor=sensor, version="1", kind="host", epoch=epoch))

    def close(self) -> None:
        self.stream.close()


@contextmanager
def client(center: Center, data: Path) -> Iterator[Client]:
    made = Client(center, data)
    try:
        yield made
    finally:
        made.close()


def batch(numbers: range, sensor: str = "web01", name: str = "") -> Batch:
    """Events of ``sensor``, or with ``name`` events that say they are another's."""
    lines = []
    for n in numbers:
        (seen,) = observations(range(n, n + 1))
        seen = replace(seen, time=datetime(2026, 11, 22, tzinfo=UTC))
        sequence = lane_sequence("bulk", n)
        event = stamp(seen, unit="大数据局", sensor=name or sensor, epoch=1, sequence=sequence)
        lines.append(encode(event))
    return make_batch(sensor, 1, "bulk", numbers.start, lines)
