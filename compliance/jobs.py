"""The clock of compliance: evaluates the checklist, ledgers what others sealed, answers report orders.

Runs in the process that holds the ledger's writer. A failing job is said and tried again at its next turn;
the others go on.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec

from compliance.ledger import NewEvidence
from compliance.service import Compliance
from crypto.words import LiuheError, Words
from detection.store.event_store import EventStore

TICK_SECONDS: Final = 0.5
_SYSTEM: Final = "system:jobs"

# Rows of another store that must get a leaf: given the last row id that has one, (row id, evidence) after it.
Feed = Callable[[int], Sequence[tuple[int, NewEvidence]]]


class Jobs:
    """One loop over all jobs; ``feeds`` maps a kind to the rows that must get a leaf."""

    def __init__(
        self,
        compliance: Compliance,
        feeds: dict[str, Feed],
        *,
        interval_seconds: int,
        say: Callable[[Words], None],
    ) -> None:
        self._compliance = compliance
        self._feeds = feeds
        self._interval = interval_seconds
        self._say = say

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop``."""
        due = datetime.now(UTC)
        while not stop.wait(TICK_SECONDS):
            now = datetime.now(UTC)
            self._try("orders", partial(self._compliance.work_orders, now))
            if now >= due:
                self.turn(now)
                due = datetime.fromtimestamp(now.timestamp() + self._interval, UTC)

    def turn(self, now: datetime) -> None:
        """One turn of the periodic jobs."""
        for kind in self._feeds:
            self._try(kind, partial(self._feed, kind, now))
        self._try("evaluate", partial(self._compliance.evaluate, _SYSTEM, now))

    def _feed(self, kind: str, now: datetime) -> None:
        while items := self._feeds[kind](self._compliance.recorded_up_to(kind)):
            self._compliance.record(kind, items, now)

    def _try(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except LiuheError as error:
            self._say(Words(f"任务 {name} 失败:{error}", f"job {name} failed: {error}"))
        except Exception as error:  # noqa: BLE001 -- one broken job must not stop the others
            self._say(Words(f"任务 {name} 异常:{error!r}", f"job {name} broke: {error!r}"))


def segment_feed(events: EventStore) -> Feed:
    """Sealed segments as leaves: a file's SM3, its rows and its times."""

    def feed(after: int) -> Sequence[tuple[int, NewEvidence]]:
        return [
            (
                segment.id,
                NewEvidence(
                    kind="segment",
                    actor="system:store",
                    subject=f"segment:{segment.name}",
                    summary=f"{segment.rows} events, SM3 {segment.sm3}",
                    payload=msgspec.json.encode(segment, order="sorted"),
                ),
            )
            for segment in events.segments(after)
        ]

    return feed
