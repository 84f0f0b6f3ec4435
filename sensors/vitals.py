"""The sensor's pulse: every ten seconds a heartbeat, and a look at clock, own files and own limits."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from crypto.words import LiuheError, Words
from sensors.event import Observation
from sensors.heartbeat import HEARTBEAT_SECONDS, Heartbeat, Status, write_status
from sensors.lifecycle import Clock, Life, OwnFiles, lifecycle_event
from sensors.limits import Limits
from sensors.notify import Notifier
from sensors.source_group import SourceGroup

OWN_FILES_SECONDS: Final = 600.0

logger = logging.getLogger(__name__)


class Sink(Protocol):
    """Where observations go; ``sensors.spool.Spool``."""

    def put(self, seen: list[Observation]) -> None:
        """Keep them."""
        ...


class Vitals:
    """``run`` is one thread; nothing here ends the sensor but what it is told to call."""

    def __init__(
        self,
        run_folder: Path,
        sink: Sink,
        heartbeat: Heartbeat,
        sources: SourceGroup,
        *,
        life: Life,
        clock: Clock,
        own_files: OwnFiles,
        limits: Limits,
        notifier: Notifier,
        restart: Callable[[], None],
    ) -> None:
        self._folder: Final = run_folder
        self._sink: Final = sink
        self._heartbeat: Final = heartbeat
        self._sources: Final = sources
        self._life: Final = life
        self._clock: Final = clock
        self._own_files: Final = own_files
        self._limits: Final = limits
        self._notifier: Final = notifier
        self._restart: Final = restart
        self._own_looked = float("-inf")

    def run(self, ending: threading.Event) -> None:
        """Beat until ``ending``, the first time at once."""
        seconds = self._notifier.alive_seconds(HEARTBEAT_SECONDS)
        while True:
            self.beat(datetime.now(UTC))
            if ending.wait(seconds):
                return

    def beat(self, now: datetime) -> None:
        """One pulse; a full disk or a closing spool does not end the sensor."""
        status = self._heartbeat.status()
        try:
            write_status(self._folder, status)
            self._life.alive(now)
            told = [self._heartbeat.observation(status), *self._looks(now)]
            told += self._within_limits(status, now)
            self._sink.put(told)
        except (LiuheError, OSError) as error:
            logger.warning("heartbeat: %s", error)
        if status.trouble is not None:
            logger.warning("spool: %s", status.trouble)
        self._notifier.alive(str(status.uplink))

    def _looks(self, now: datetime) -> list[Observation]:
        seen = [self._clock.look(now)]
        if time.monotonic() - self._own_looked >= OWN_FILES_SECONDS:
            self._own_looked = time.monotonic()
            seen.append(self._own_files.look(now))
        return [one for one in seen if one is not None]

    def _within_limits(self, status: Status, now: datetime) -> list[Observation]:
        seconds = now.timestamp()
        strike = self._limits.look(rss_bytes=status.rss_bytes, cpu_percent=status.cpu_percent, now=seconds)
        told: list[Observation] = []
        if strike is not None:
            logger.warning("%s", _over(strike.what, strike.number))
            told.append(
                lifecycle_event(
                    "limit-exceeded",
                    now,
                    {
                        "what": strike.what,
                        "value": strike.value,
                        "limit": strike.limit,
                        "strike": strike.number,
                        "pause_seconds": strike.pause_seconds,
                    },
                )
            )
            if strike.restart:
                self._restart()
        if self._limits.paused(seconds):
            if not self._sources.paused:
                self._sources.pause()
        elif self._sources.paused:
            self._sources.start()
        return told


def _over(what: str, number: int) -> Words:
    zh = "内存" if what == "memory" else "CPU"
    return Words(f"超出自限:{zh}(一小时内第 {number} 次)", f"over its own limit of {what}, strike {number}")
