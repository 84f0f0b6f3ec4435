"""The uplink's thread: what it sends over a connection, and where it goes when one ends."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from crypto.keys import SigningKey
from crypto.words import Refused, Words
from sensors import uplink as module
from sensors.address import Address, parse_address
from sensors.event import LogSource, Observation
from sensors.link import Line
from sensors.messages import LANES, Ack, Batch, Decoder, Hello, Message, Problem, Welcome, encode_message
from sensors.reconnect import Reconnect
from sensors.signed_batch import verify_batch
from sensors.spool import Spool
from sensors.uplink import Uplink

KEY = SigningKey.generate()
ADDRESSES = [parse_address("192.0.2.1:8610"), parse_address("[2001:db8::1]:8610")]
SECONDS_MAX = 30.0

Answer = Callable[[Message], list[Message]]


class Stream:
    """A connection to a center that answers each message by ``answer``; None ends it."""

    def __init__(self, answer: Answer) -> None:
        self.heard: list[Message] = []
        self.closed = threading.Event()
        self._answer = answer
        self._decoder = Decoder()
        self._waiting: queue.Queue[bytes] = queue.Queue()
        self._seconds: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        self._seconds = seconds

    def sendall(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            self.heard.append(message)
            for said in self._answer(message):
                self._waiting.put(encode_message(said))

    def recv(self, size: int) -> bytes:
        try:
            return self._waiting.get(timeout=self._seconds)
        except queue.Empty:
            raise TimeoutError from None

    def end(self) -> None:
        """The center leaves."""
        self._waiting.put(b"")

    def close(self) -> None:
        self.closed.set()

    def batches(self) -> list[Batch]:
        return [one for one in self.heard if isinstance(one, Batch)]


class Center:
    """Gives out connections, one a call; an address that is down raises."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[Address] = []
        self.streams: list[Stream] = []
        self.down: set[Address] = set()

    def connect(self, address: Address) -> Line:
        self.asked.append(address)
        if address in self.down:
            raise ConnectionRefusedError(111, "Connection refused")
        self.streams.append(Stream(self.answer))
        return Line(cast("Any", self.streams[-1]), KEY, "center")


def kind_center(message: Message) -> list[Message]:
    """Welcomes, and has everything at once."""
    if isinstance(message, Hello):
        return [Welcome(center="center", credit=4)]
    assert isinstance(message, Batch)
    return [Ack(epoch=message.epoch, lane=message.lane, sequence=message.last)]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", sensor="web01", unit="u", quota_bytes=dict.fromkeys(LANES, 1 << 24))
    yield made
    made.close(1.0)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the lot."""
    monkeypatch.setattr(
        module, "Reconnect", lambda addresses, _: Reconnect(addresses, lambda low, high: 0.01)
    )


def run(spool: Spool, center: Center) -> Uplink:
    made = Uplink(spool, ADDRESSES, center.connect, kind="host", version="1")
    made.start()
    return made


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def seen(count: int) -> list[Observation]:
    source = LogSource(product="linux")
    return [Observation(time=datetime.now(UTC), logsource=source, fields={"n": n}) for n in range(count)]


def test_what_is_put_arrives_signed_and_is_released(spool: Spool) -> None:
    center = Center(kind_center)
    uplink = run(spool, center)
    until(lambda: uplink.connected)
    spool.put(seen(3))
    until(lambda: not sum(spool.backlog().values()) and center.streams[0].batches())
    hello = center.streams[0].heard[0]
    assert isinstance(hello, Hello)
    assert (hello.sensor, hello.epoch) == ("web01", spool.epoch)
    for batch in center.streams[0].batches():
        verify_batch(batch, KEY.public)
    uplink.stop(SECONDS_MAX)
    assert center.streams[0].closed.is_set()
    assert not uplink.connected


def test_an_address_that_is_down_is_passed_over(spool: Spool) -> None:
    center = Center(kind_center)
    center.down = {ADDRESSES[0]}
    uplink = run(spool, center)
    until(lambda: uplink.connected)
    assert center.asked == ADDRESSES
    assert str(ADDRESSES[1]) in uplink.state.en
    uplink.stop(SECONDS_MAX)


def test_what_was_not_acknowledged_is_sent_again_on_the_next_connection(spool: Spool) -> None:
    center = Center(lambda message: [Welcome(center="c", credit=4)] if isinstance(message, Hello) else [])
    uplink = run(spool, center)
    spool.put(seen(2))
    until(lambda: center.streams and center.streams[0].batches())
    center.answer = kind_center
    center.streams[0].end()
    until(lambda: len(center.streams) > 1 and not sum(spool.backlog().values()))
    first, again = (stream.batches()[0] for stream in center.streams[:2])
    assert (first.first, first.sm3) == (again.first, again.sm3)
    uplink.stop(SECONDS_MAX)


def test_a_refusal_is_told_in_the_centers_words(spool: Spool) -> None:
    said = Problem(code="sensor-revoked", zh="已吊销", en="revoked")
    center = Center(lambda message: [said])
    uplink = run(spool, center)
    until(lambda: len(center.streams) > 1)
    assert uplink.state == Words("中心拒绝:已吊销", "the center refused: revoked")
    assert center.streams[0].closed.is_set()
    uplink.stop(SECONDS_MAX)


def test_a_peer_that_is_not_the_center_is_left_and_the_next_one_tried(spool: Spool) -> None:
    center = Center(kind_center)
    connect = center.connect

    def judged(address: Address) -> Line:
        if address == ADDRESSES[0]:
            raise Refused("chain-unknown", Words("不可信", "not trusted"), Words("核对", "check"))
        return connect(address)

    uplink = Uplink(spool, ADDRESSES, judged, kind="host", version="1")
    uplink.start()
    until(lambda: uplink.connected)
    assert center.asked == [ADDRESSES[1]]
    uplink.stop(SECONDS_MAX)


def test_a_center_that_speaks_out_of_turn_is_left(spool: Spool) -> None:
    center = Center(lambda message: [Ack(epoch=1, lane="bulk", sequence=1)])
    uplink = run(spool, center)
    until(lambda: len(center.streams) > 1)
    assert not uplink.connected
    uplink.stop(SECONDS_MAX)
