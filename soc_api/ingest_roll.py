"""Which sensors are connected, and what to do when one identity turns up twice.

A second connection of a sensor is usually the same sensor after a broken line, whose first connection has
not been noticed dead. So the first is asked: if it answers, after the second has greeted, two machines use
one identity. A boot older than the newest known, signed by the same key, shows the same without both being
there at once; so does a sequence that comes again with other content, which the committer sees. Either way
the identity is quarantined until it is enrolled anew, and everybody who uses it is put out.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol
from weakref import WeakValueDictionary

from crypto.words import LiuheError, Refused, Words
from sensors.event import Value
from soc_api.ingest_commit import cloned
from soc_api.watermarks import Boot

PROBE_SECONDS: Final = (
    10.0  # for the first connection to show that it lives; a sensor waits longer for welcome
)

logger = logging.getLogger(__name__)


class Live(Protocol):
    """A greeted connection; ``soc_api.ingest_session.Session``."""

    @property
    def sensor(self) -> str:
        """Whose it is."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of its certificate."""
        ...

    @property
    def address(self) -> str:
        """Where it comes from."""
        ...

    @property
    def boot(self) -> Boot:
        """The start of the sensor that speaks here."""
        ...

    async def alive(self, seconds: float) -> bool:
        """Whether the peer answers a question within this time."""
        ...

    async def end(self, error: LiuheError) -> None:
        """Say why, and close."""
        ...


Hold = Callable[[str, str], None]
"""Keep durably that a sensor's identity is quarantined, with the reason; blocking."""
Tell = Callable[[Mapping[str, Value]], Awaitable[bool]]


class Roll:
    """One per listener; used by the tasks of its loop."""

    def __init__(
        self,
        newest: Callable[[str], Boot],
        hold: Hold,
        tell: Tell,
        *,
        probe_seconds: float = PROBE_SECONDS,
    ) -> None:
        """``newest`` gives the newest boot of which something is stored."""
        self.quarantined = 0
        self._newest: Final = newest
        self._hold: Final = hold
        self._tell: Final = tell
        self._probe_seconds: Final = probe_seconds
        self._live: Final[dict[str, Live]] = {}
        self._boots: Final[dict[str, Boot]] = {}  # greeted, perhaps nothing stored yet
        self._working: Final[set[asyncio.Task[None]]] = set()
        self._turns: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._live)

    def live(self) -> list[Live]:
        """Everybody who was let in and has not left."""
        return list(self._live.values())

    async def enter(self, session: Live) -> None:
        """Let a greeted session in. Raises Refused (sensor-epoch; sensor-cloned, after the quarantine)."""
        turn = self._turns.setdefault(session.sensor, asyncio.Lock())
        async with turn:
            known = max(self._newest(session.sensor), self._boots.get(session.sensor, Boot(0, b"")))
            if session.boot.epoch < known.epoch:
                if session.boot.key != known.key:
                    raise _behind(session.boot.epoch, known.epoch)
                error = cloned("epoch-back", f"{session.boot.epoch} < {known.epoch}")
                await self.quarantine(session, error)
                raise error
            other = self._live.get(session.sensor)
            if other is not None:
                if await other.alive(self._probe_seconds):
                    error = cloned("two-live", f"{other.address}, {session.address}")
                    await self.quarantine(session, error)
                    raise error
                logger.info("%s: its connection from %s is dead", session.sensor, other.address)
                await other.end(_superseded())
            self._live[session.sensor] = session
            self._boots[session.sensor] = session.boot

    def leave(self, session: Live) -> None:
        """A session has ended; one that took its place stays."""
        if self._live.get(session.sensor) is session:
            del self._live[session.sensor]

    async def quarantine(self, session: Live, error: Refused) -> None:
        """Keep it, tell it, put everybody else of that identity out; ``session`` ends by its own error.

        Done to its end even where the session that found it out leaves meanwhile.
        """
        work = asyncio.create_task(self._quarantine(session, error), name="ingest-quarantine")
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        await asyncio.shield(work)

    async def _quarantine(self, session: Live, error: Refused) -> None:
        self.quarantined += 1
        other = self._live.get(session.sensor)
        addresses = sorted({session.address} | ({other.address} if other is not None else set()))
        logger.warning("%s: quarantined (%s)", session.sensor, error)
        await asyncio.to_thread(self._hold, session.sensor, error.field or "")
        if other is not None and other is not session:
            await other.end(error)
        await self._tell(
            {
                "event.dataset": "liuhe.quarantine",
                "event.kind": "alert",
                "event.action": "sensor-quarantined",
                "gov.quarantine.sensor": session.sensor,
                "gov.quarantine.reason": error.field or "",
                "gov.quarantine.detail": error.what.en,
                "gov.quarantine.detail_zh": error.what.zh,
                "gov.quarantine.addresses": list(addresses),
                "gov.quarantine.certificate": session.fingerprint,
            }
        )


def _behind(epoch: int, known: int) -> Refused:
    return Refused(
        "sensor-epoch",
        Words(
            f"传感器的启动编号 {epoch} 早于已知的 {known}",
            f"the sensor's boot number {epoch} is before the known {known}",
        ),
        Words("请校准传感器的时钟后重启它", "set the sensor's clock and restart it"),
        field="epoch",
    )


def _superseded() -> Refused:
    return Refused(
        "sensor-superseded",
        Words("此传感器已有新的连接", "this sensor has a newer connection"),
        Words("无需处理", "nothing needs to be done"),
    )
