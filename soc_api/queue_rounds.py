"""The thread that works on the queue's acts, those a killed process left included."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from soc_api.context import Center

WORK_SECONDS: Final = 0.2  # between looks for acts that wait to be worked on
AGE_SECONDS: Final = 3_600.0  # between looks for what can be forgotten
PAUSE_SECONDS: Final = 0.05  # between deletions, so that the pipeline gets its turn
STOP_SECONDS_MAX: Final = 5.0  # a chunk under way is finished first
_log: Final = logging.getLogger(__name__)


@contextmanager
def queue_rounds(center: Center) -> Iterator[None]:
    """Work on acts in the background while the block runs."""
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(center, stop), name="queue", daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join(timeout=STOP_SECONDS_MAX)


def work(center: Center, stop: threading.Event) -> None:
    """Do acts chunk by chunk until ``stop``; what fails is said once and tried again."""
    assert center.queue is not None
    aged, said = -AGE_SECONDS, ""
    while not stop.is_set():
        try:
            busy = center.queue.acts.work(center.clock())
            if not busy and time.monotonic() - aged >= AGE_SECONDS:
                aged = time.monotonic()
                while not stop.is_set() and center.queue.age(center.clock()):
                    stop.wait(PAUSE_SECONDS)
            said = ""
        except Exception as error:  # noqa: BLE001 -- a full disk, a locked database: acts wait, the thread stays
            busy = False
            if str(error) != said:
                said = str(error)
                _log.error("acts on alerts wait: %s", error)
        if not busy:
            stop.wait(WORK_SECONDS)
