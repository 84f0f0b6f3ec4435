"""The live stream: one poller reads revisions for all clients, each client learns which topics changed.

A client that reads slowly never queues more than one pending revision per topic, since a newer one replaces
it. A stream ends with its session, with the center, or when the client goes away.
"""

import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool

from crypto.words import Refused, Words
from soc_api.context import Topic

POLL_SECONDS: Final = 0.3
HEARTBEAT_SECONDS: Final = 15.0
SESSION_CHECK_SECONDS: Final = 5.0
CLIENTS_MAX: Final = 200
CLIENTS_PER_SESSION_MAX: Final = 8  # windows of one console
# Sensors speak with every batch, people log in all day; their pages need no more than this.
SECONDS_BETWEEN: Final[Mapping[Topic, float]] = {"sensors": 2.0, "rules": 1.0, "accounts": 2.0}

_log: Final = logging.getLogger(__name__)


def opaque(session: str, topic: Topic, revision: int) -> int:
    """A number that is equal exactly where the revision is, and counts nothing: how much there is at the
    center, other units' included, is not told to everybody who listens."""
    said = f"{session} {topic} {revision}".encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:6])


class Client:
    """One open stream: what it was told, and the revisions it has not been sent yet."""

    def __init__(self, session: str, topics: frozenset[Topic]) -> None:
        self.session = session
        self.topics = topics
        self.wake = anyio.Event()
        self._told: dict[Topic, tuple[int, float]] = {}
        self._pending: dict[Topic, int] = {}

    def tell(self, found: Mapping[Topic, int], now: float) -> None:
        """Leave what is new to this client to be sent; a later revision replaces an earlier one.

        The first time everything is new: what changed between its last fetch and its joining is not lost.
        """
        for topic in self.topics & found.keys():
            revision, at = self._told.get(topic, (None, float("-inf")))
            if found[topic] != revision and now - at >= SECONDS_BETWEEN.get(topic, 0.0):
                self._told[topic] = found[topic], now
                self._pending[topic] = found[topic]
                self.wake.set()

    def take(self) -> dict[Topic, int]:
        """What is to be sent now."""
        taken, self._pending = self._pending, {}
        self.wake = anyio.Event()
        return taken


class Live:
    """All open streams and the one poller behind them; runs in the event loop of the application."""

    def __init__(
        self, revisions: Callable[[], Mapping[Topic, int]], *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._revisions = revisions
        self._poll_seconds = poll_seconds
        self._clients: set[Client] = set()
        self._stopped = False
        self._ending: Callable[[], bool] = lambda: False

    def ends_when(self, condition: Callable[[], bool]) -> None:
        """Stop once ``condition`` holds, asked at every poll: a server that closes waits for open streams."""
        self._ending = condition

    async def run(self) -> None:
        """Poll until cancelled; asks the database nothing while nobody listens."""
        while not self._stopped:
            await anyio.sleep(self._poll_seconds)
            if self._ending():
                self.stop()
                return
            if not self._clients:
                continue
            try:
                found = await run_in_threadpool(self._revisions)
            except Exception:  # noqa: BLE001 -- a busy or full disk must not end the stream for good
                _log.exception("revisions could not be read")
                continue
            now = anyio.current_time()
            for client in self._clients:
                client.tell(found, now)

    def stop(self) -> None:
        """End every stream and open none any more; called in the loop."""
        self._stopped = True
        for client in self._clients:
            client.wake.set()

    @asynccontextmanager
    async def joined(self, session: str, topics: frozenset[Topic]) -> AsyncIterator[Client]:
        """A client for the time of one stream. Raises Refused (stream-full)."""
        self.refuse_full(session)
        client = Client(session, topics)
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def refuse_full(self, session: str) -> None:
        """Nothing, or Refused (stream-full) where there are too many streams already."""
        mine = sum(client.session == session for client in self._clients)
        if len(self._clients) >= CLIENTS_MAX or mine >= CLIENTS_PER_SESSION_MAX:
            raise Refused(
                "stream-full",
                Words("实时连接过多", "too many live streams"),
                Words("请关闭多余的控制台窗口", "close console windows that are not needed"),
            )

    async def lines(
        self, session: str, topics: frozenset[Topic], alive: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        """The text of one stream until ``alive`` says that its session is over."""
        async with self.joined(session, topics) as client:
            yield "retry: 2000\n: open\n\n"
            beat = checked = anyio.current_time()
            while not self._stopped:
                with anyio.move_on_after(min(SESSION_CHECK_SECONDS, HEARTBEAT_SECONDS)):
                    await client.wake.wait()
                now = anyio.current_time()
                if now - checked >= SESSION_CHECK_SECONDS:
                    if not await alive():
                        return
                    checked = now
                for topic, revision in client.take().items():
                    yield f'event: {topic}\ndata: {{"revision": {opaque(session, topic, revision)}}}\n\n'
                if now - beat >= HEARTBEAT_SECONDS:
                    yield ": beat\n\n"
                    beat = now
