"""Runs one source in a thread of its own, says how it does, and starts it again after a failure."""

import logging
import threading
import time
from typing import Final

from crypto.words import LiuheError, Words
from sensors.source import Emit, Reduced, Source, SourceCondition

RETRY_SECONDS_MIN: Final = 1.0
RETRY_SECONDS_MAX: Final = 60.0
MISSING_SECONDS: Final = 60.0  # how often a missing capability is looked for again

logger = logging.getLogger(__name__)

_FINE: Final = Words("", "")


class SourceThread:
    """``state`` and ``detail`` are read by the heartbeat at any time."""

    def __init__(self, source: Source, emit: Emit, stop: threading.Event) -> None:
        self.name = source.name
        self.state: SourceCondition = "starting"
        self._detail = _FINE
        self._source = source
        self._emit = emit
        self._stop = stop
        self._thread = threading.Thread(target=self._run, name=f"source {source.name}", daemon=True)

    @property
    def detail(self) -> Words:
        """Why it does not run, or what it does without while it runs; empty where all is well."""
        reduced = self._source.reduced if isinstance(self._source, Reduced) else None
        return reduced if self.state == "running" and reduced is not None else self._detail

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self, why: Words) -> None:
        """Say why it was stopped; it is not started again itself."""
        self.state, self._detail = "paused", why

    def join(self, seconds: float) -> None:
        """Wait for the end after ``stop``."""
        self._thread.join(seconds)

    def _run(self) -> None:
        retry = RETRY_SECONDS_MIN
        while not self._stop.is_set():
            began = time.monotonic()
            reason = self._attempt()
            if self._stop.is_set():
                break
            if reason is None:  # a capability is missing
                self._stop.wait(MISSING_SECONDS)
                continue
            if time.monotonic() - began > RETRY_SECONDS_MAX:
                retry = RETRY_SECONDS_MIN
            self._tell("failed", reason)
            self._stop.wait(retry)
            retry = min(retry * 2, RETRY_SECONDS_MAX)
        self.state = "stopped"

    def _attempt(self) -> Words | None:
        """One run; why it ended, or None where the source cannot run here."""
        try:
            missing = self._source.missing()
            if missing is not None:
                self._tell("missing", missing)
                return None
            self.state, self._detail = "running", _FINE
            self._source.run(self._emit, self._stop)
        except LiuheError as error:
            return error.what
        except Exception as error:  # noqa: BLE001 - whatever one source does, the others go on
            reason = f"{type(error).__name__}: {error}"
            return Words(f"采集出错:{reason}", reason)
        return Words("采集提前结束", "the source ended by itself")

    def _tell(self, state: SourceCondition, detail: Words) -> None:
        """To the log once per change, to the heartbeat always."""
        if (state, detail) != (self.state, self._detail):
            logger.warning("%s: %s", self.name, detail)
        self.state, self._detail = state, detail
