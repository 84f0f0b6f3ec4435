"""One connection's conversation as the sensor leads it: what to send next, what an answer means; no sockets.

Batches go lane by lane in the spool's order, as many at once as the center gives credit for, each signed just
before it leaves. With credit 0 only the first lane goes on, one batch at a time. Time comes as an argument,
so that the same code runs under a virtual clock.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, Literal, Protocol

from crypto.words import BadInput, Words
from sensors.messages import (
    PROTOCOL,
    Ack,
    Batch,
    Credit,
    Hello,
    Message,
    Ping,
    Pong,
    RevocationLists,
    Welcome,
    malformed,
)
from sensors.signed_batch import Signer

ACK_SECONDS: Final = 30.0  # a center that is silent this long with batches under way is given up
CREDIT_SECONDS: Final = 60.0  # one that gives no credit says so again more often than this


class Outbox(Protocol):
    """What the spool is to a connection; ``sensors.spool.Spool``."""

    sensor: str
    epoch: int

    def batch(self, *, urgent: bool = False) -> Batch | None:
        """The next unsigned batch, with ``urgent`` of the first lane only; None where there is none."""
        ...

    def acked(self, lane: str, sequence: int) -> None:
        """The center has the lane up to ``sequence``."""
        ...

    def rewind(self) -> None:
        """A new connection: what was not acknowledged is sent again."""
        ...


class Control(Protocol):
    """The messages of a connection that are not about batches; ``sensors.control.Control``."""

    def version(self) -> int:
        """Of the configuration that the sensor holds."""
        ...

    def has_packets(self) -> bool:
        """Whether raw packets are kept here."""
        ...

    def connected(self) -> None:
        """The center has welcomed us."""
        ...

    def outgoing(self) -> Sequence[Message]:
        """What to send now; asked on every turn, usually nothing."""
        ...

    def take(self, message: Message) -> None:
        """A message of the center. Raises BadInput where it is none that a sensor expects."""
        ...


class Delivery:
    """``hello``, then ``take`` what the center says and send what ``next`` gives until the end."""

    def __init__(self, outbox: Outbox, signer: Signer, control: Control | None = None) -> None:
        """Without ``control``, a message that is not about batches is an error."""
        self.center = ""  # its name, once it has welcomed us
        self.acknowledged = False  # anything, on this connection
        self.credit = 0
        self._outbox: Final = outbox
        self._signer: Final = signer
        self._control: Final = control
        self._under_way: list[tuple[str, int]] = []
        self._outgoing: deque[Message] = deque()
        self._heard = 0.0  # when the center last spoke
        self._moved = 0.0  # when the first batch under way was sent, or the last acknowledged

    def hello(self, *, version: str, kind: Literal["host", "network"], now: float) -> Hello:
        """The first message of a connection."""
        self._heard = self._moved = now
        return Hello(
            sensor=self._outbox.sensor,
            version=version,
            kind=kind,
            epoch=self._outbox.epoch,
            configuration=self._control.version() if self._control is not None else 0,
            packets=self._control is not None and self._control.has_packets(),
        )

    @property
    def welcomed(self) -> bool:
        """Whether batches may be sent at all."""
        return bool(self.center)

    @property
    def waiting(self) -> bool:
        """Whether only the center can move this connection on; else new events can, too."""
        return not self.welcomed or bool(self._under_way)

    def next(self, now: float) -> Message | None:
        """What to send now: a signed batch as a rule; None where there is none or the credit is used up."""
        if not self.welcomed:
            return None
        if self._control is not None and not self._outgoing:
            self._outgoing.extend(self._control.outgoing())
        if self._outgoing:
            return self._outgoing.popleft()
        urgent = self.credit == 0
        if len(self._under_way) >= max(self.credit, 1):
            return None
        batch = self._outbox.batch(urgent=urgent)
        if batch is None:
            return None
        if not self._under_way:
            self._moved = now
        self._under_way.append((batch.lane, batch.last))
        return self._signer.sign(batch)

    def take(self, message: Message, now: float) -> None:
        """What the center said; answers come out of ``next``. Raises BadInput where it may not say that."""
        self._heard = now
        if isinstance(message, Welcome) and not self.welcomed:
            if message.protocol != PROTOCOL:
                raise other_protocol(message.protocol)
            self.center, self.credit = message.center or "?", message.credit
            self._outbox.rewind()
            if self._control is not None:
                self._control.connected()
            return
        if not self.welcomed:
            raise malformed("the center did not answer hello with welcome", "type")
        match message:
            case Ack(lane=lane, sequence=sequence):
                self._outbox.acked(lane, sequence)
                self._under_way = [one for one in self._under_way if one[0] != lane or one[1] > sequence]
                self.acknowledged, self._moved = True, now
            case Credit(batches=batches):
                self.credit = batches
            case Ping(nonce=nonce):
                self._outgoing.append(Pong(nonce=nonce))
            case _ if self._control is not None:
                self._control.take(message)
            case RevocationLists():
                pass  # nobody here keeps them
            case _:
                raise malformed("the center sent what a sensor does not expect", "type")

    def check(self, now: float) -> None:
        """Raise TimeoutError where the center has been silent too long."""
        if self._under_way or not self.welcomed:
            # A center that has asked to wait may take its time, as long as it goes on saying so.
            since = self._heard if self.welcomed and not self.credit else self._moved
            if now - since > ACK_SECONDS:
                raise TimeoutError("no acknowledgement" if self.welcomed else "no welcome")
        elif not self.credit and now - self._heard > CREDIT_SECONDS:
            raise TimeoutError("no credit, and no word from the center")


def other_protocol(version: int) -> BadInput:
    """What is said to a peer that speaks another version."""
    return BadInput(
        "wire-protocol",
        Words(
            f"对端使用协议版本 {version},此端为 {PROTOCOL}",
            f"the peer speaks protocol {version}, this end {PROTOCOL}",
        ),
        Words("请升级较旧的一端", "upgrade the older end"),
        field="protocol",
    )
