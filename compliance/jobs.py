"""The clock of compliance: evaluates the checklist, ledgers what others sealed, answers report orders.

Runs in the process that holds the ledger's writer. A failing job is said once and tried again at its next
turn; the others go on.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

import msgspec

from compliance.ledger import NewEvidence
from compliance.report_desk import ReportDesk
from compliance.service import Compliance, Placed
from crypto.words import LiuheError, Words
from detection.store.event_store import EventStore
from detection.store.inventory_store import InventoryStore

TICK_SECONDS: Final = 0.5
SEGMENTS_MAX: Final = 1_000  # of one feed: the ledger bounds what it takes at a time
GAPS_MAX: Final = 500
_SYSTEM: Final = "system:jobs"

# Rows of another store that must get a leaf: given the last row id that has one, (row id, evidence) after it.
Feed = Callable[[int], Sequence[tuple[int, NewEvidence]]]


class Timer(NamedTuple):
    """Work that has its own beat; at once first."""

    name: str
    seconds: float
    work: Callable[[datetime], object]


class Jobs:
    """One loop over all jobs; ``feeds`` maps a kind to the rows that must get a leaf.

    ``placed`` is told for some kinds which leaf each row has got; ``timers`` have beats of their own.
    """

    def __init__(
        self,
        compliance: Compliance,
        feeds: dict[str, Feed],
        *,
        interval_seconds: int,
        say: Callable[[Words], None],
        placed: Mapping[str, Placed] | None = None,
        desk: ReportDesk | None = None,
        timers: Sequence[Timer] = (),
    ) -> None:
        self._timers = timers
        self._compliance = compliance
        self._desk = desk
        self._feeds = feeds
        self._interval = interval_seconds
        self._say = say
        self._placed = dict(placed or {})
        self._stop = threading.Event()
        self._failing: dict[str, Words] = {}  # what was said last of a job that fails

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop``."""
        self._stop = stop
        due = time.monotonic()  # a wall clock set back must not put the checks off
        beats = dict.fromkeys(self._timers, due)
        while not stop.wait(TICK_SECONDS):
            now = datetime.now(UTC)
            for timer, beat in beats.items():
                if time.monotonic() >= beat:
                    beats[timer] = time.monotonic() + timer.seconds
                    self._try(timer.name, partial(timer.work, now))
            if self._desk is not None:
                self._try("orders", partial(self._desk.work_orders, now))
            if time.monotonic() >= due:
                due = time.monotonic() + self._interval
                self.turn(now)

    def turn(self, now: datetime) -> None:
        """One turn of the periodic jobs."""
        for kind in self._feeds:
            self._try(kind, partial(self._feed, kind, now))
        self._try("evaluate", partial(self._compliance.evaluate, _SYSTEM, now))
        if self._desk is not None:
            self._try("reports", partial(self._desk.draft_due, _SYSTEM, now))

    def _feed(self, kind: str, now: datetime) -> None:
        while items := self._feeds[kind](self._compliance.recorded_up_to(kind)):
            self._compliance.record(kind, items, now, self._placed.get(kind))
            if self._stop.is_set():
                return

    def _try(self, name: str, work: Callable[[], object]) -> None:
        if self._stop.is_set():
            return
        try:
            work()
        except LiuheError as error:
            self._failed(name, Words(f"任务 {name} 失败:{error}", f"job {name} failed: {error}"))
        except Exception as error:  # noqa: BLE001 -- one broken job must not stop the others
            self._failed(name, Words(f"任务 {name} 异常:{error!r}", f"job {name} broke: {error!r}"))
        else:
            if self._failing.pop(name, None):
                self._say(Words(f"任务 {name} 已恢复", f"job {name} works again"))

    def _failed(self, name: str, reason: Words) -> None:
        # Orders are looked for twice a second: the same sentence each time would bury the log.
        if self._failing.get(name) != reason:
            self._failing[name] = reason
            self._say(reason)


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
            for segment in events.segments(after)[:SEGMENTS_MAX]
        ]

    return feed


def deletion_feed(events: EventStore) -> Feed:
    """Segments that retention deleted as leaves: which, with which digest, when."""

    def feed(after: int) -> Sequence[tuple[int, NewEvidence]]:
        return [
            (
                segment.id,
                NewEvidence(
                    kind="deletion",
                    actor="system:retention",
                    subject=f"segment:{segment.name}",
                    summary=f"retention deleted {segment.rows} events, SM3 {segment.sm3}",
                    payload=msgspec.json.encode(segment, order="sorted"),
                ),
            )
            for segment in events.segments(after)
            if segment.status == "deleted"
        ][:SEGMENTS_MAX]

    return feed


def gap_feed(inventory: InventoryStore) -> Feed:
    """Gaps as leaves: what a sensor could not keep stays on record, whatever happens to the event of it."""

    def feed(after: int) -> Sequence[tuple[int, NewEvidence]]:
        return [
            (
                gap.number,
                NewEvidence(
                    kind="gap",
                    source=f"gap/{gap.sensor}",
                    actor=f"sensor:{gap.sensor}",
                    subject=f"gap:{gap.event}",
                    summary=f"{_known(gap.lane)} {gap.first}-{gap.last}, "
                    f"{gap.count} events, {_known(gap.reason)}",
                    payload=msgspec.json.encode(msgspec.structs.replace(gap, leaf=None), order="sorted"),
                ),
            )
            for gap in inventory.gaps_after(after, GAPS_MAX)
        ]

    return feed


def _known(word: str) -> str:
    """A lane or reason fit for a summary: sensors name theirs by one word, nothing else is repeated here."""
    return word if word.isascii() and word.replace("-", "").isalnum() else "other"
