"""The sensor's side of the wire: sends spooled batches to the center, releases what it acknowledges.

One thread. Lanes go by priority, as many batches at once as the center gives credit for. A lost or silent
connection is left, what was not acknowledged is sent again on the next one; attempts are spread by jitter.
"""

import secrets
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

from crypto import tls
from crypto.words import LiuheError, Refused, Words
from sensors.address import Address, connect
from sensors.messages import (
    Ack,
    Credit,
    Decoder,
    Hello,
    Message,
    Problem,
    Welcome,
    encode_message,
    malformed,
)
from sensors.spool import Spool

CONNECT_SECONDS: Final = 10.0
SEND_SECONDS: Final = 30.0
ACK_SECONDS: Final = 30.0  # a center that is silent this long with batches under way is given up
POLL_SECONDS: Final = 0.2  # how soon stop and new acknowledgements are noticed
BACKOFF_SECONDS_MIN: Final = 0.5
BACKOFF_SECONDS_MAX: Final = 30.0
_READ_BYTES: Final = 64 * 1024
_random: Final = secrets.SystemRandom()


class Uplink:
    """``start`` once; ``state`` is one sentence for heartbeat and status."""

    def __init__(
        self,
        spool: Spool,
        addresses: Sequence[Address],
        context: Callable[[], ssl.SSLContext],
        *,
        kind: Literal["host", "network"],
        version: str,
    ) -> None:
        """``context`` makes the TLS context anew for each connection: renewed keys are taken up."""
        self.state = Words("尚未连接", "not connected yet")
        self.connected = False
        self._spool = spool
        self._addresses = list(addresses)
        self._context = context
        self._kind = kind
        self._version = version
        self._acknowledged = False  # on the present connection
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    def start(self) -> None:
        """Begin connecting."""
        self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        """Leave the connection; what is not acknowledged stays in the spool."""
        self._stop.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        backoff = BACKOFF_SECONDS_MIN
        turn = 0
        while not self._stop.is_set():
            address = self._addresses[turn % len(self._addresses)]
            turn += 1
            self._acknowledged = False
            try:
                self._converse(address)
            except LiuheError as error:
                self.state = error.what
            except OSError as error:
                reason = error.strerror or str(error) or type(error).__name__
                self.state = Words(f"{address} 连接失败:{reason}", f"{address}: {reason}")
            self.connected = False
            if self._acknowledged:
                backoff = BACKOFF_SECONDS_MIN
            if turn % len(self._addresses) == 0:  # every address was tried
                self._stop.wait(_random.uniform(backoff / 2, backoff))
                backoff = min(backoff * 2, BACKOFF_SECONDS_MAX)

    def _converse(self, address: Address) -> None:
        """One connection from hello to its end. Raises OSError, LiuheError."""
        with connect(address, self._context(), CONNECT_SECONDS) as sock:
            center = tls.check_center(sock.getpeercert())
            session = _Session(sock)
            hello = Hello(
                sensor=self._spool.sensor, version=self._version, kind=self._kind, epoch=self._spool.epoch
            )
            session.send(hello)
            credit = session.welcome(time.monotonic() + ACK_SECONDS, self._stop)
            self._spool.rewind()
            self.connected = True
            self.state = Words(f"已连接 {center}({address})", f"connected to {center} at {address}")
            self._deliver(session, credit)

    def _deliver(self, session: "_Session", credit: int) -> None:
        under_way: list[tuple[str, int]] = []
        deadline = time.monotonic() + ACK_SECONDS
        while not self._stop.is_set():
            while len(under_way) < credit and (batch := self._spool.batch()) is not None:
                session.send(batch)
                if not under_way:
                    deadline = time.monotonic() + ACK_SECONDS
                under_way.append((batch.lane, batch.last))
            if not under_way and credit:
                self._spool.wait_for_events(POLL_SECONDS)
            for message in session.receive(POLL_SECONDS if under_way or not credit else 0.0):
                match message:
                    case Ack(lane=lane, sequence=sequence):
                        self._spool.acked(lane, sequence)
                        self._acknowledged = True
                        under_way = [one for one in under_way if one[0] != lane or one[1] > sequence]
                        deadline = time.monotonic() + ACK_SECONDS
                    case Credit(batches=batches):
                        credit = batches
                    case _:
                        raise malformed("the center sent something else than an acknowledgement", "type")
            if under_way and time.monotonic() > deadline:
                raise TimeoutError("no acknowledgement")


class _Session:
    """Messages over one TLS socket; blocking with a bound on every wait."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock
        self._decoder = Decoder()

    def send(self, message: Message) -> None:
        """Send whole or raise OSError."""
        self._sock.settimeout(SEND_SECONDS)
        self._sock.sendall(encode_message(message))

    def receive(self, seconds: float) -> list[Message]:
        """What arrives within ``seconds``; [] where nothing does. Raises Refused with the center's reason."""
        self._sock.settimeout(max(seconds, 0.001))
        try:
            data = self._sock.recv(_READ_BYTES)
        except (TimeoutError, ssl.SSLWantReadError):
            return []
        if not data:
            raise ConnectionResetError("the center closed the connection")
        found = self._decoder.feed(data)
        for message in found:
            if isinstance(message, Problem):
                raise refusal(message)
        return found

    def welcome(self, deadline: float, stop: threading.Event) -> int:
        """The credit the center gives. Raises Refused, BadInput, TimeoutError."""
        while time.monotonic() < deadline and not stop.is_set():
            for message in self.receive(POLL_SECONDS):
                if not isinstance(message, Welcome):
                    raise malformed("the center did not answer hello with welcome", "type")
                return message.credit
        raise TimeoutError("no welcome")


def refusal(problem: Problem) -> Refused:
    """The center's words as our error."""
    return Refused(
        problem.code,
        Words(f"中心拒绝:{problem.zh}", f"the center refused: {problem.en}"),
        Words("请查看中心的日志", "see the center's log"),
    )
