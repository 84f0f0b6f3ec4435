"""All sources of a sensor: started together, paused where its own limits ask for it, started again."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from crypto.words import Words
from sensors.source import Emit, Resuming, Source
from sensors.source_thread import SourceThread

PAUSE_JOIN_SECONDS: Final = 2.0
PAUSED: Final = Words("因超出自限而暂停", "paused by the sensor's own limits")


class SourceGroup:
    """``threads`` is read by the heartbeat at any time; the other calls come from one thread."""

    def __init__(self, make: Callable[[], Sequence[Source]], emit: Emit, durable: Emit | None = None) -> None:
        """``make`` gives fresh sources at each start, none is run twice; what resumes gets ``durable``."""
        self._make: Final = make
        self._emit: Final = emit
        self._durable: Final = durable or emit
        self._stop = threading.Event()
        self._paused = False
        self.threads: list[SourceThread] = []

    def start(self) -> None:
        """Run all of them."""
        self._stop = threading.Event()
        self._paused = False
        self.threads = [
            SourceThread(source, self._durable if isinstance(source, Resuming) else self._emit, self._stop)
            for source in self._make()
        ]
        for thread in self.threads:
            thread.start()

    def pause(self) -> None:
        """End all of them until ``start``; those that read files keep their cursors."""
        self.stop(PAUSE_JOIN_SECONDS)
        self._paused = True
        for thread in self.threads:
            thread.pause(PAUSED)

    @property
    def paused(self) -> bool:
        """Whether they wait for ``start``."""
        return self._paused

    def stop(self, seconds: float) -> None:
        """Ask all of them to end and wait so long together."""
        self._stop.set()
        deadline = time.monotonic() + seconds
        for thread in self.threads:
            thread.join(max(0.0, deadline - time.monotonic()))
