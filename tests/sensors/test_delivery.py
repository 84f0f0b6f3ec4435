"""The sensor's half of the conversation: order, credit, signatures, and when a silent center is left."""

from collections.abc import Sequence

import pytest

from crypto.keys import SigningKey
from crypto.words import BadInput
from sensors.delivery import ACK_SECONDS, CREDIT_SECONDS, Delivery
from sensors.messages import Ack, Batch, Credit, Hello, Message, Ping, Pong, Welcome
from sensors.signed_batch import Signer, verify_batch
from sensors.wire import make_batch

KEY = SigningKey.generate()


class Box:
    """An outbox of batches of one event each."""

    def __init__(self, alerts: int, bulk: int) -> None:
        self.sensor = "web01"
        self.epoch = 3
        self.ends = {"alerts": alerts, "bulk": bulk}
        self.sent = dict.fromkeys(self.ends, 0)
        self.kept = dict.fromkeys(self.ends, 0)

    def batch(self, *, urgent: bool = False) -> Batch | None:
        for lane, end in self.ends.items():
            if self.sent[lane] < end:
                self.sent[lane] += 1
                return make_batch(self.sensor, self.epoch, lane, self.sent[lane], [b"{}"])
            if urgent:
                break
        return None

    def acked(self, lane: str, sequence: int) -> None:
        self.kept[lane] = sequence

    def rewind(self) -> None:
        self.sent = dict(self.kept)


def welcomed(box: Box, credit: int, control: "Talk | None" = None) -> Delivery:
    delivery = Delivery(box, Signer(KEY), control)
    hello = delivery.hello(version="1", kind="host", now=0.0)
    assert (hello.sensor, hello.epoch, hello.protocol) == ("web01", 3, 2)
    assert delivery.next(0.0) is None
    delivery.take(Welcome(center="c", credit=credit), 0.0)
    return delivery


def drain(delivery: Delivery, now: float = 0.0) -> list[tuple[str, int]]:
    found = []
    while (message := delivery.next(now)) is not None:
        assert isinstance(message, Batch)
        verify_batch(message, KEY.public)
        found.append((message.lane, message.last))
    return found


def test_alerts_go_first_and_no_more_than_the_credit_is_under_way() -> None:
    box = Box(alerts=2, bulk=5)
    delivery = welcomed(box, credit=3)
    assert drain(delivery) == [("alerts", 1), ("alerts", 2), ("bulk", 1)]
    assert delivery.waiting
    delivery.take(Ack(epoch=3, lane="alerts", sequence=2), 1.0)
    assert drain(delivery) == [("bulk", 2), ("bulk", 3)]
    assert (box.kept["alerts"], box.kept["bulk"]) == (2, 0)
    assert delivery.acknowledged


def test_without_credit_the_first_lane_alone_goes_on_one_by_one() -> None:
    box = Box(alerts=2, bulk=5)
    delivery = welcomed(box, credit=0)
    assert drain(delivery) == [("alerts", 1)]
    delivery.take(Ack(epoch=3, lane="alerts", sequence=1), 1.0)
    assert drain(delivery) == [("alerts", 2)]
    delivery.take(Ack(epoch=3, lane="alerts", sequence=2), 1.0)
    assert drain(delivery) == []
    delivery.take(Credit(batches=2), 2.0)
    assert drain(delivery) == [("bulk", 1), ("bulk", 2)]


def test_a_new_connection_sends_again_what_was_not_acknowledged() -> None:
    box = Box(alerts=0, bulk=3)
    first = welcomed(box, credit=4)
    assert drain(first) == [("bulk", 1), ("bulk", 2), ("bulk", 3)]
    first.take(Ack(epoch=3, lane="bulk", sequence=1), 0.0)
    assert drain(welcomed(box, credit=4)) == [("bulk", 2), ("bulk", 3)]


def test_a_ping_is_answered_before_the_next_batch() -> None:
    delivery = welcomed(Box(alerts=1, bulk=0), credit=0)
    delivery.take(Ping(nonce=77), 0.0)
    assert delivery.next(0.0) == Pong(nonce=77)


def test_a_silent_center_is_left() -> None:
    box = Box(alerts=0, bulk=2)
    for talk, limit in [
        (Delivery(box, Signer(KEY)), ACK_SECONDS),
        (welcomed(box, credit=1), ACK_SECONDS),
        (welcomed(Box(0, 0), credit=0), CREDIT_SECONDS),
    ]:
        talk.next(0.0)
        talk.check(limit)
        with pytest.raises(TimeoutError):
            talk.check(limit + 1)
    idle = welcomed(Box(0, 0), credit=1)
    idle.check(10_000.0)


def test_a_center_that_asks_to_wait_is_waited_for_and_one_that_chats_is_not() -> None:
    waiting = welcomed(Box(alerts=1, bulk=0), credit=0)
    chatting = welcomed(Box(alerts=1, bulk=0), credit=1)
    assert drain(waiting) == drain(chatting) == [("alerts", 1)]
    for seconds in range(10, 200, 10):
        waiting.take(Credit(batches=0), float(seconds))
        waiting.check(float(seconds))
    chatting.take(Ping(nonce=1), ACK_SECONDS)
    with pytest.raises(TimeoutError):
        chatting.check(ACK_SECONDS + 1)


@pytest.mark.parametrize(
    "message", [Hello(sensor="a", version="", kind="host", epoch=1), Welcome(center="c", credit=1)]
)
def test_what_a_center_may_not_say_is_refused(message: Message) -> None:
    with pytest.raises(BadInput):
        welcomed(Box(0, 0), credit=1).take(message, 0.0)


def test_another_protocol_and_a_missing_welcome_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        Delivery(Box(0, 0), Signer(KEY)).take(Welcome(protocol=1, center="c", credit=1), 0.0)
    assert caught.value.code == "wire-protocol"
    with pytest.raises(BadInput):
        Delivery(Box(0, 0), Signer(KEY)).take(Credit(batches=1), 0.0)


class Talk:
    """What is not about batches."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.waiting: list[Message] = []

    def version(self) -> int:
        return 9

    def has_packets(self) -> bool:
        return False

    def connected(self) -> None:
        self.waiting.append(Pong(nonce=5))

    def outgoing(self) -> Sequence[Message]:
        waiting, self.waiting = self.waiting, []
        return waiting

    def take(self, message: Message) -> None:
        self.heard.append(message)


def test_other_messages_go_to_and_come_from_the_control() -> None:
    talk = Talk()
    delivery = welcomed(Box(alerts=0, bulk=0), 1, talk)
    assert delivery.hello(version="1", kind="host", now=0.0).configuration == 9
    assert delivery.next(0.0) == Pong(nonce=5)
    other = Hello(sensor="a", version="", kind="host", epoch=1)
    delivery.take(other, 0.0)
    assert talk.heard == [other]
