"""The sensor's side of the wire: sends spooled batches to the center, releases what it acknowledges.

One thread that gives ``sensors.delivery`` a connection. A lost or silent connection is left, what was not
acknowledged is sent again on the next one; attempts are spread by lot over the center's addresses.
"""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

from crypto.words import LiuheError, Refused, Words
from sensors.address import Address
from sensors.delivery import Control, Delivery
from sensors.link import Line
from sensors.messages import Decoder, Message, Problem, encode_message
from sensors.reconnect import Reconnect
from sensors.signed_batch import Signer
from sensors.spool import Spool

SEND_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.2  # how soon stop, new events and what the center says are noticed
_NOW_SECONDS: Final = 0.001  # a look at what has arrived already
_READ_BYTES: Final = 64 * 1024
_random: Final = secrets.SystemRandom()


class Uplink:
    """``start`` once; ``state`` is one sentence for heartbeat and status."""

    def __init__(
        self,
        spool: Spool,
        addresses: Sequence[Address],
        connect: Callable[[Address], Line],
        *,
        kind: Literal["host", "network"],
        version: str,
        control: Control | None = None,
    ) -> None:
        """``connect`` reads key and certificate anew for each connection: renewed ones are taken up."""
        self.state = Words("尚未连接", "not connected yet")
        self.connected = False
        self._spool: Final = spool
        self._connect: Final = connect
        self._kind: Final = kind
        self._version: Final = version
        self._control: Final = control
        self._turns: Final = Reconnect(addresses, _random.uniform)
        self._stop: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._run, name="uplink", daemon=True)

    def start(self) -> None:
        """Begin connecting."""
        self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        """Leave the connection; what is not acknowledged stays in the spool."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            address = self._turns.next()
            try:
                self._converse(address)
            except LiuheError as error:
                self.state = error.what
            except OSError as error:
                reason = error.strerror or str(error) or type(error).__name__
                self.state = Words(f"{address} 连接失败:{reason}", f"{address}: {reason}")
            self.connected = False
            self._stop.wait(self._turns.wait_seconds())

    def _converse(self, address: Address) -> None:
        """One connection to its end, and what it means for the next attempt. Raises OSError, LiuheError."""
        delivery: Delivery | None = None
        refused = False
        try:
            line = self._connect(address)
            try:
                delivery = Delivery(self._spool, Signer(line.key), self._control)
                self._deliver(_Conversation(line), delivery, address)
            except _CenterRefused:
                refused = True
                raise
            finally:
                line.stream.close()
        finally:
            if refused:
                self._turns.refused()
            elif delivery is not None and delivery.welcomed:
                self._turns.worked()
            else:
                self._turns.failed()

    def _deliver(self, conversation: "_Conversation", delivery: Delivery, address: Address) -> None:
        hello = delivery.hello(version=self._version, kind=self._kind, now=time.monotonic())
        conversation.send(hello)
        while not self._stop.is_set():
            while (message := delivery.next(time.monotonic())) is not None:
                conversation.send(message)
            if delivery.waiting or not delivery.credit:
                seconds = POLL_SECONDS
            else:
                self._spool.wait_for_events(POLL_SECONDS)
                seconds = _NOW_SECONDS
            for message in conversation.receive(seconds):
                delivery.take(message, time.monotonic())
            if delivery.welcomed and not self.connected:
                self.connected = True
                center = delivery.center
                self.state = Words(f"已连接 {center}({address})", f"connected to {center} at {address}")
            delivery.check(time.monotonic())


class _CenterRefused(Refused):
    """The center itself said no, so its other addresses will say the same."""


class _Conversation:
    """Messages over one stream; blocking with a bound on every wait."""

    def __init__(self, line: Line) -> None:
        self._stream = line.stream
        self._decoder = Decoder()

    def send(self, message: Message) -> None:
        """Send whole or raise OSError."""
        self._stream.settimeout(SEND_SECONDS)
        self._stream.sendall(encode_message(message))

    def receive(self, seconds: float) -> list[Message]:
        """What arrives within ``seconds``; [] where nothing does. Raises Refused with the center's reason."""
        self._stream.settimeout(seconds)
        try:
            data = self._stream.recv(_READ_BYTES)
        except TimeoutError:
            return []
        if not data:
            raise ConnectionResetError("the center closed the connection")
        found = self._decoder.feed(data)
        for message in found:
            if isinstance(message, Problem):
                said = refusal(message)
                raise _CenterRefused(said.code, said.what, said.fix)
        return found


def refusal(problem: Problem) -> Refused:
    """The center's words as our error."""
    return Refused(
        problem.code,
        Words(f"中心拒绝:{problem.zh}", f"the center refused: {problem.en}"),
        Words("请查看中心的日志", "see the center's log"),
    )
